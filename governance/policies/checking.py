"""What keeps a version from being used, whatever the institution: rules that are no rules, clauses that the text does
not have, fields that a proposal does not have. Pure functions.

Example: "route.2.clause: the text has no clause 4.9".
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from pydantic import ValidationError

from governance.policies.rules import Rules
from governance.policies.text import clauses

Place = tuple[int | str, ...]


@dataclass(frozen=True)
class Problem:
    """Something to mend: its place in the rules, such as ("route", 2, "clause"), and what is wrong there."""

    place: Place
    sentence: str

    @property
    def path(self) -> str:
        return ".".join(map(str, self.place))


@dataclass(frozen=True)
class Checked:
    """What became of the data: rules that can be used, or else the problems."""

    rules: Rules | None
    problems: tuple[Problem, ...] = ()


FieldCheck = Callable[[Rules], Iterable[str]]
_field_checks: list[FieldCheck] = []


def register_field_check(unknown_fields: FieldCheck) -> None:
    """Let the app that owns the proposal's content name the fields that rules name and the content does not have.

    Policies know nothing of proposals, so the check comes to them (see `workflows/proposals/apps.py`).
    """
    if unknown_fields not in _field_checks:
        _field_checks.append(unknown_fields)


def check(data: Any, text: str) -> Checked:
    """The rules that `data`, read from YAML or JSON, holds beside their text, or every problem that is in the way."""
    try:
        rules = Rules.model_validate(data)
    except ValidationError as error:
        return Checked(None, tuple(Problem(found["loc"], _plain(found)) for found in error.errors()))
    written = {clause.number for clause in clauses(text)}
    problems = [
        Problem(place, _("The text has no clause %(number)s") % {"number": clause})
        for place, clause in _values_of("clause", data)
        if clause not in written
    ]
    unknown = {name for unknown_fields in _field_checks for name in unknown_fields(rules)}
    for place, name in fields_named(rules):
        if name in unknown:
            problems.append(Problem(place, _("A proposal has no field %(field)s") % {"field": name}))
    return Checked(None if problems else rules, tuple(problems))


def fields_named(rules: Rules) -> Iterator[tuple[Place, str]]:
    """Every field of a proposal that the rules name, with the place where they do."""
    for number, requirement in enumerate(rules.requires):
        yield ("requires", number, "field"), requirement.field
    for number, reopening in enumerate(rules.reopens):
        for at, name in enumerate(reopening.fields):
            yield ("reopens", number, "fields", at), name


def _plain(error: Any) -> str:
    """The sentence of an error of pydantic's; our own validators' without the words it puts before them."""
    said = error.get("ctx", {}).get("error")
    return str(said) if isinstance(said, ValueError) else str(error["msg"])


def _values_of(name: str, data: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every value that stands under a key of this name, with its place."""
    if isinstance(data, dict):
        for key, value in data.items():
            if key == name:
                yield (*place, key), value
            yield from _values_of(name, value, (*place, key))
    elif isinstance(data, list):
        for number, item in enumerate(data):
            yield from _values_of(name, item, (*place, number))
