"""A condition in a form: lines to fill in, from which the condition is made; one that nobody touched stays as it is."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from pydantic import TypeAdapter

from governance.audit.canonical import digest_of
from governance.policies.conditions import Condition
from governance.policies.editing.conditions import Joint, Line, Operator, condition_of, lines_of
from governance.policies.editing.facts import LABELS, BadValue, as_typed, offered, values_in
from governance.policies.editing.fields import One, Words
from governance.policies.editing.part import Data, ListOf, Part, Rows
from governance.policies.sentences import condition_in_words
from governance.policies.vocabulary import FactName

_read: Final[TypeAdapter[Condition]] = TypeAdapter(Condition)
# A line as it stands in the form.
_Typed = tuple[str, str, str, str]


class LineForm(Part):
    """One comparison."""

    joint = One(_("Goes on with"), Joint.choices, missing="")
    field = One(_("Field"), missing=_("Choose what is compared"))
    operator = One(_("Comparison"), Operator.choices, missing="")
    value = Words(_("Value"), missing=_("Say what it is compared with"))

    def set_up(self) -> None:
        choices = [("", _("Choose one")), *((name.value, label) for name, label in LABELS.items())]
        self.fields["field"].choices = choices  # type: ignore[attr-defined]
        self.fields["joint"].initial, self.fields["operator"].initial = Joint.AND, Operator.IS
        name = str(self["field"].value() or "")
        if name in list(FactName) and offered(FactName(name), self.offered.units):
            self.fields["value"].widget.attrs["list"] = f"values-{name}"

    def has_changed(self) -> bool:
        """A line in which nothing is compared says nothing, however it is joined."""
        _joint, name, _operator, value = self.typed
        return bool(name or value)

    @property
    def typed(self) -> _Typed:
        """The line as it stands in the form."""
        said = {name: _on_one_line(str(self[name].value() or "")) for name in self.fields}
        return said["joint"] or Joint.AND.value, said["field"], said["operator"] or Operator.IS.value, said["value"]

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        if self.typed[1:] in self.known or not said.get("field") or not said.get("value"):
            return said
        try:
            values_in(said["value"], FactName(said["field"]), Operator(said["operator"]), self.offered.units)
        except BadValue as error:
            self.add_error("value", str(error))
        return said

    # The lines that are stored, whose values stand whatever they are.
    known: Mapping[tuple[str, str, str], Line] = {}

    def line(self) -> Line:
        """The line as somebody typed it. Only of one that is valid."""
        joint, name, operator, words = self.typed
        stored = self.known.get(self.typed[1:])
        field, compares = FactName(name), Operator(operator)
        values = stored.values if stored else values_in(words, field, compares, self.offered.units)
        return Line(Joint(joint), field, compares, values)


class ConditionLines(Rows):
    """The lines of a condition."""

    def __init__(self, spec: ListOf, stored: Any, *args: Any, **given: Any) -> None:
        self.kept = self.words = ""
        super().__init__(spec, stored, *args, **given)
        if given["data"] is not None:
            self.kept = given["data"].get(f"{self.name}-kept", "")
        self.know([stored])

    def items(self) -> Sequence[Data]:
        condition = _condition(self.stored)
        lines = lines_of(condition)
        if condition is not None and not lines:
            # Too long for lines, or one that always holds: kept as it is until it is changed in the YAML file.
            self.kept = digest_of(self.stored)
        return [_shown(line, place) for place, line in enumerate(lines or ())]

    def know(self, stored: Sequence[Any]) -> None:
        """Which conditions stood in the draft; one of these that comes back unchanged stays as it was, byte for
        byte."""
        self.known = [condition for condition in stored if condition is not None]
        every = [line for condition in self.known for line in lines_of(_condition(condition)) or ()]
        lines = {_typed(line)[1:]: line for line in every}
        for row in self.rows:
            assert isinstance(row, LineForm)
            row.known = lines
        kept = self._kept_condition()
        self.words = condition_in_words(_read.validate_python(kept)) if kept is not None else ""

    def _kept_condition(self) -> Any:
        return next((condition for condition in self.known if self.kept and digest_of(condition) == self.kept), None)

    def has_changed(self) -> bool:
        return bool(self.kept) or super().has_changed()

    def as_data(self) -> Any:
        kept = self._kept_condition()
        if kept is not None:
            return kept
        lines = [row for row in self.written if isinstance(row, LineForm)]
        typed = [_first_joint(row.typed, place) for place, row in enumerate(lines)]
        for condition in self.known:
            stored = lines_of(_condition(condition)) or ()
            if stored and typed == [_first_joint(_typed(line), place) for place, line in enumerate(stored)]:
                return condition
        made = condition_of([row.line() for row in lines])
        return json.loads(made.model_dump_json(by_alias=True)) if made is not None else None


def when(label: Any, hint: Any = "") -> ListOf:
    """A condition as a list within a part."""
    return ListOf(
        LineForm,
        label=label,
        hint=hint,
        one=_("Condition"),
        add=_("Add condition"),
        remove=_("Remove condition %(number)s"),
        rows=ConditionLines,
    )


def _condition(stored: Any) -> Condition | None:
    return _read.validate_python(stored) if stored is not None else None


def _typed(line: Line) -> _Typed:
    words = _on_one_line(as_typed(line.field, line.values))
    return line.joint.value, line.field.value, line.operator.value, words


def _on_one_line(words: str) -> str:
    """Words as a box of one line gives them back."""
    return " ".join(words.split())


def _shown(line: Line, place: int) -> dict[str, str]:
    joint, name, operator, value = _first_joint(_typed(line), place)
    return {"joint": joint, "field": name, "operator": operator, "value": value}


def _first_joint(line: _Typed, place: int) -> _Typed:
    """Nothing goes before the first line, so its joint says nothing."""
    return line if place else (Joint.AND.value, *line[1:])
