"""One mapping of the rules as a form: its own fields, the mappings within it, and its lists.

A field stands under its place in the rules, so that `route.2.checklist.1.clause` is the field `checklist-1-clause` of
the stage's form. Rows are added and removed by buttons of the form itself; one in which nothing is written is never
saved.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar

from django import forms
from django.forms.boundfield import BoundField
from django.http import QueryDict
from pydantic import ValidationError

from governance.forms import MOST_ROWS, row_count
from governance.policies.conditions import Rule
from governance.policies.editing.fields import Clause, Label

Data = Mapping[str, Any]


@dataclass(frozen=True)
class Offered:
    """What the boxes of a draft offer to choose from."""

    clauses: Sequence[tuple[str, str]] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    kinds: Sequence[tuple[str, str]] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    stages: Sequence[tuple[str, str]] = ()
    waves: Sequence[str] = ()
    # The keys of the other items in the same list.
    taken: frozenset[str] = frozenset()


# Compared by identity: to hash its lazy words would translate them while the apps are still loading.
@dataclass(frozen=True, eq=False)
class ListOf:
    """A list within a part: what its rows are, and what the page calls it and its buttons say."""

    kind: type["Part"]
    label: Label
    one: Label
    add: Label
    remove: Label
    hint: Label = ""
    # How many rows there always are.
    least: int = 0
    rows: "type[Rows] | None" = None


class Part(forms.Form):
    """A mapping of the rules; what stands in it is given as `stored`, what somebody typed as `data`."""

    use_required_attribute = False
    parts: ClassVar[Mapping[str, type["Part"]]] = {}
    lists: ClassVar[Mapping[str, ListOf]] = {}
    model: ClassVar[type[Rule] | None] = None

    def __init__(
        self, stored: Data, offered: Offered, *, data: QueryDict | None = None, prefix: str = "", row: bool = False
    ) -> None:
        self.stored, self.offered = stored, offered
        # A row counts as written when it differs from an empty one, not from the row that stood in its place.
        initial = {} if row and data is not None else self.initial_of(stored)
        super().__init__(data, prefix=prefix or None, initial=initial, empty_permitted=row)
        self.inner: dict[str, Part | Rows] = {}
        for name, kind in self.parts.items():
            self.inner[name] = kind(stored.get(name) or {}, offered, data=data, prefix=self.add_prefix(name))
        for name, spec in self.lists.items():
            rows = spec.rows or Rows
            self.inner[name] = rows(spec, self.rows_stored(name), offered, data=data, name=self.add_prefix(name))
        self.set_up()
        for name, box in self.fields.items():
            if isinstance(box, Clause):
                box.offer(offered.clauses, str(self[name].value() or ""))

    # ---- what a kind of part may say of itself

    def set_up(self) -> None:
        """Fill the boxes with what is offered to choose from."""

    def initial_of(self, stored: Data) -> dict[str, Any]:
        """What the fields show of what is stored."""
        return {name: stored[name] for name in self.base_fields if name in stored}

    def rows_stored(self, name: str) -> Any:
        """What is stored of a list within it."""
        return self.stored.get(name)

    def asks_for(self, name: str) -> bool:
        """Whether a part or list within it counts, as the other answers stand."""
        return name in self.inner

    def as_data(self) -> dict[str, Any]:
        """What was typed, as the rules keep it. Only of a part that is valid."""
        own = {name: _plain(value) for name, value in self.cleaned_data.items()}
        return own | {name: inner.as_data() for name, inner in self.inner.items() if self.asks_for(name)}

    # ---- what is asked of every part

    def has_changed(self) -> bool:
        return super().has_changed() or any(inner.has_changed() for inner in self.inner.values())

    @property
    def every_form(self) -> Iterator["Part"]:
        """This and every form within it that counts."""
        yield self
        for name, inner in self.inner.items():
            if self.asks_for(name):
                yield from inner.every_form

    def is_sound(self) -> bool:
        """Whether everything in it can be kept; where it is a thing of the rules, also as such a thing."""
        for form in self.every_form:
            form.full_clean()
        for inner in self.inner.values():
            if isinstance(inner, Rows):
                inner.compare()
        if any(form.errors for form in self.every_form):
            return False
        if self.model is not None:
            try:
                self.model.model_validate(self.as_data())
            except ValidationError as error:
                for found in error.errors():
                    self.say_wrong(found["loc"], str(found.get("ctx", {}).get("error") or found["msg"]))
                return False
        return True

    def result(self) -> dict[str, Any]:
        """What was typed, as the rules keep it, with every default written out. Only after `is_sound`."""
        if self.model is None:
            return self.as_data()
        typed: dict[str, Any] = self.model.model_validate(self.as_data()).model_dump(mode="json", by_alias=True)
        return typed

    def say_wrong(self, place: Sequence[int | str], sentence: str) -> None:
        """Put a sentence beside the field at a place; where there is no such field, beside the first one."""
        inner = self.inner.get(str(place[0])) if place else None
        if isinstance(inner, Part):
            inner.say_wrong(place[1:], sentence)
        elif place and place[0] in self.fields:
            self.add_error(str(place[0]), sentence)
        else:
            first = next(form for form in self.every_form if form.fields)
            first.add_error(next(iter(first.fields)), sentence)


class Rows:
    """The items of a list, with room for more."""

    def __init__(self, spec: ListOf, stored: Any, offered: Offered, *, data: QueryDict | None, name: str) -> None:
        self.spec, self.stored, self.name = spec, stored, name
        self.focus_add = False
        items = self.items()
        count = max(row_count(data, name) if data is not None else min(len(items), MOST_ROWS), spec.least)
        self.rows = [
            spec.kind(
                items[number] if number < len(items) else {}, offered, data=data, prefix=f"{name}-{number}", row=True
            )
            for number in range(count)
        ]

    def items(self) -> Sequence[Data]:
        """What is stored, one mapping a row."""
        return list(self.stored or [])

    def as_data(self) -> Any:
        """What was typed, as the rules keep it."""
        return [row.as_data() for row in self.written] + self.beyond

    @property
    def beyond(self) -> list[Any]:
        """What stands in the rules after the last row that a page can have: a file may hold more, and it stays."""
        return list(self.stored or [])[MOST_ROWS:]

    def compare(self) -> None:
        """Say beside a row what is wrong with it because of another one."""

    @property
    def written(self) -> list[Part]:
        """The rows in which something stands."""
        return [row for row in self.rows if row.has_changed()]

    def has_changed(self) -> bool:
        return bool(self.written)

    @property
    def every_form(self) -> Iterator[Part]:
        for row in self.rows:
            yield from row.every_form

    @property
    def full(self) -> bool:
        return len(self.rows) >= MOST_ROWS

    @property
    def numbered(self) -> list[tuple[Part, str]]:
        """Each row with what the button says that takes it out."""
        return [(row, str(self.spec.remove) % {"number": number}) for number, row in enumerate(self.rows, start=1)]


class PartForm:
    """A part with everything within it, as the pages show it: shown as stored, or with `data` as somebody typed it."""

    def __init__(self, kind: type[Part], stored: Data, offered: Offered, data: QueryDict | None = None) -> None:
        self.main = kind(stored, offered, data=data)

    @property
    def forms(self) -> list[Part]:
        return list(self.main.every_form)

    @property
    def errors(self) -> list[BoundField]:
        """The fields in which something is wrong."""
        return [box for form in self.forms for box in form if box.errors]

    def is_valid(self) -> bool:
        return self.main.is_sound()

    def result(self) -> dict[str, Any]:
        return self.main.result()

    def list_named(self, name: str) -> Rows | None:
        """The list whose buttons say this name, however deep within; None when the form has none such."""
        return next((rows for rows in self._lists(self.main) if rows.name == name), None)

    def focus(self, name: str, row: int | None) -> None:
        """Where the next key pressed should go: into a list's row, or on its Add button."""
        rows = self.list_named(name)
        if rows is None:
            return
        if row is None or row >= len(rows.rows):
            rows.focus_add = True
        else:
            next(iter(rows.rows[row].fields.values())).widget.attrs["autofocus"] = True

    def _lists(self, part: Part) -> Iterator[Rows]:
        for inner in part.inner.values():
            if isinstance(inner, Part):
                yield from self._lists(inner)
            else:
                yield inner
                for row in inner.rows:
                    yield from self._lists(row)


def in_order(chosen: Sequence[str], stored: Any) -> list[str]:
    """What was ticked; in the order in which it stood, where the same is ticked still."""
    return list(stored) if isinstance(stored, list) and set(stored) == set(chosen) else list(chosen)


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return None if value == "" else value
