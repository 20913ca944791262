"""The forms of the things that stand in lists beside the stages: required fields, further questions, reopenings."""

import re
from collections.abc import Sequence
from typing import Any, ClassVar, Final

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from governance.forms import with_plain_line_ends
from governance.policies.conditions import Rule
from governance.policies.editing.condition_form import when
from governance.policies.editing.fields import Clause, Key, Number, One, Several, Words, YesNo
from governance.policies.editing.part import Data, ListOf, Offered, Part, Rows, in_order
from governance.policies.editing.stage_form import KeyedPart
from governance.policies.rules import Check, Question, Reopening, Requirement
from governance.policies.vocabulary import AnswerKind

CHECKS: Final[dict[Check, str | Promise]] = {
    Check.FILLED: gettext_lazy("It is filled in"),
    Check.AT_LEAST: gettext_lazy("It is, or there are, at least"),
    Check.AT_MOST: gettext_lazy("It is, or there are, at most"),
    Check.EVERY_OUTCOME_ASSESSED: gettext_lazy("Every learning outcome is assessed"),
    Check.WEIGHTS_TOTAL_100: gettext_lazy("The weights add up to 100 %"),
    Check.SUPPORTER_OR_REASON: gettext_lazy("A supporter is named, or the reason why there is none"),
    Check.CONSULTATIONS_ANSWERED: gettext_lazy("Every unit that was asked has answered"),
}
_ASKED_WHEN: Final = when(
    gettext_lazy("It is asked when"), gettext_lazy("Without a condition it is asked of every proposal.")
)
_COUNTED: Final = {Check.AT_LEAST, Check.AT_MOST}


class RequirementForm(Part):
    """Something that must be complete before a person is asked to review."""

    model: ClassVar[type[Rule]] = Requirement
    lists: ClassVar = {
        "when": when(
            gettext_lazy("It is asked when"), gettext_lazy("Without a condition it is asked of every proposal.")
        )
    }

    field = One(gettext_lazy("Field"), missing=gettext_lazy("Choose the field"))
    check = One(gettext_lazy("What is looked for"), [(check.value, label) for check, label in CHECKS.items()])
    number = Number(gettext_lazy("Number"), 0, 1_000_000, hint=gettext_lazy("For “at least” and “at most”."))
    says = Words(
        gettext_lazy("What the author is told to do"),
        missing=gettext_lazy("Say what the author is told to do"),
        hint=gettext_lazy("In the author’s words: “Give the title that will stand on the credential”."),
        long=True,
    )
    clause = Clause()

    def set_up(self) -> None:
        offer_fields(self, "field", sections=False)

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        counted = said.get("check") in _COUNTED
        if counted and said.get("number") is None and "number" not in self.errors:
            self.add_error("number", _("Say the number"))
        return said

    def as_data(self) -> dict[str, Any]:
        value = super().as_data()
        return value | {"number": value["number"] if value["check"] in _COUNTED else None}


class QuestionForm(KeyedPart):
    """Something that this institution asks beside what every proposal says."""

    words: ClassVar = "text"
    model: ClassVar[type[Rule]] = Question
    lists: ClassVar = {
        "when": when(
            gettext_lazy("It is asked when"), gettext_lazy("Without a condition it is asked of every proposal.")
        )
    }

    text = Words(gettext_lazy("Question"), missing=gettext_lazy("Write the question"), long=True)
    hint = Words(gettext_lazy("Hint"), hint=gettext_lazy("A sentence that helps to answer it."))
    kind = One(gettext_lazy("What the answer looks like"), AnswerKind.choices)
    choices = forms.CharField(
        label=gettext_lazy("Answers to choose from"),
        help_text=gettext_lazy("One on a line; two or more."),
        required=False,
        widget=forms.Textarea({"rows": 3, "cols": None}),
    )
    required = YesNo(gettext_lazy("It must be answered before the proposal is sent"), ticked=True)
    clause = Clause()
    key = Key(
        gettext_lazy("Key"), hint=gettext_lazy("What the answer is kept under. Left empty, it is made from the words.")
    )

    def initial_of(self, stored: Data) -> dict[str, Any]:
        shown = super().initial_of(stored)
        return {"kind": AnswerKind.TEXT, **shown, "choices": "\n".join(stored.get("choices") or [])}

    def clean_choices(self) -> list[str]:
        lines = with_plain_line_ends(self.cleaned_data["choices"]).split("\n")
        return [line.strip() for line in lines if line.strip()]

    def clean(self) -> dict[str, Any]:
        said = super().clean()
        if said.get("kind") == AnswerKind.CHOICE and len(said.get("choices") or []) < 2:
            self.add_error("choices", _("Write two answers or more, one on a line"))
        if any(len(line) > 1_000 for line in said.get("choices") or []):
            self.add_error("choices", _("An answer has at most 1,000 characters"))
        return said

    def as_data(self) -> dict[str, Any]:
        value = super().as_data()
        return value | {"choices": value["choices"] if value["kind"] == AnswerKind.CHOICE else []}


class PathForm(Part):
    path = One(gettext_lazy("Field or section"), missing=gettext_lazy("Choose a field or a section"))

    def set_up(self) -> None:
        offer_fields(self, "path", sections=True)


class Paths(Rows):
    """Fields and sections of a proposal, which stand in the rules as bare words."""

    def items(self) -> Sequence[Data]:
        return [{"path": path} for path in self.stored or []]

    def compare(self) -> None:
        if not self.written:
            self.rows[0].add_error("path", _("Choose a field or a section"))

    def as_data(self) -> list[str]:
        return [row.as_data()["path"] for row in self.written] + self.beyond


class ReopeningForm(Part):
    """Approvals that do not outlast a change of some fields."""

    model: ClassVar[type[Rule]] = Reopening
    lists: ClassVar = {
        "fields": ListOf(
            PathForm,
            label=gettext_lazy("When one of these changes"),
            one=gettext_lazy("Field or section"),
            add=gettext_lazy("Add field or section"),
            remove=gettext_lazy("Remove field or section %(number)s"),
            least=1,
            rows=Paths,
        )
    }

    stages = Several(
        gettext_lazy("The stages that are asked again"),
        missing=gettext_lazy("Tick the stages whose approval is asked for again"),
    )
    clause = Clause()

    def set_up(self) -> None:
        stored = [(key, key) for key in self.stored.get("stages") or [] if key not in dict(self.offered.stages)]
        self.fields["stages"].choices = [*self.offered.stages, *stored]  # type: ignore[attr-defined]

    def as_data(self) -> dict[str, Any]:
        return super().as_data() | {"stages": in_order(self.cleaned_data["stages"], self.stored.get("stages"))}


def offer_fields(part: Part, name: str, *, sections: bool) -> None:
    """Let the person choose among the fields of a proposal, by section; one that it does not have can be kept."""
    offered: Offered = part.offered
    groups: dict[str, list[tuple[str, str]]] = {}
    for path, label in offered.fields.items():
        section = path.partition(".")[0]
        if "." in path:
            groups[section].append((path, label))
        else:
            whole = _("The whole section “%(section)s”") % {"section": label}
            groups[section] = [(path, whole)] if sections else []
    choices: list[Any] = [("", _("Choose one"))]
    choices += [(offered.fields[section], fields) for section, fields in groups.items() if fields]
    current = str(part[name].value() or "")
    if re.fullmatch(r"[a-z]+(\.[a-z_]+)?", current) and current not in offered.fields:
        choices.append((current, _("%(field)s (not in a proposal)") % {"field": current}))
    part.fields[name].choices = choices  # type: ignore[attr-defined]
