"""The sections of a draft as the editor shows them, and in which of them a problem is to be mended. Pure functions.

Example: "route.2.due.clause: the text has no clause 4.9" is mended on the page of the third stage, in the field
`due-clause`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from governance.policies.checking import Checked, Problem, check
from governance.policies.editing.drafts import BASICS, DUTIES, RETENTION, items
from governance.policies.editing.item_forms import QuestionForm, ReopeningForm, RequirementForm
from governance.policies.editing.part import Part
from governance.policies.editing.section_forms import (
    BasicsForm,
    DutiesAndResubmissionForm,
    RetentionForm,
    TextForm,
)
from governance.policies.editing.stage_form import StageForm

Words = str | Promise


# Compared by identity: to hash its lazy words would translate them while the apps are still loading.
@dataclass(frozen=True, eq=False)
class Section:
    """One line of the task list: a page with one form, or a list with a page for each of its items."""

    key: str
    label: Words
    form: type[Part]
    body: str
    # The parts of the document that the page shows; none for the text.
    names: Sequence[str] = ()
    # Of a list: what it says of itself, one of its items, and what the button says that adds one.
    hint: Words = ""
    one: Words = ""
    add: Words = ""

    @property
    def is_list(self) -> bool:
        return bool(self.add)


_ALL: Final = (
    Section("text", pgettext_lazy("policy section", "Text"), TextForm, "policies/edit/text.html"),
    Section("basics", pgettext_lazy("policy section", "Basics"), BasicsForm, "policies/edit/basics.html", BASICS),
    Section(
        "route",
        pgettext_lazy("policy section", "Route"),
        StageForm,
        "policies/edit/stage.html",
        hint=_("The stages that a proposal passes, in order. Which of them have a part in a proposal depends on it."),
        one=_("Stage"),
        add=_("Add stage"),
    ),
    Section(
        "duties",
        pgettext_lazy("policy section", "Duties and resubmission"),
        DutiesAndResubmissionForm,
        "policies/edit/duties.html",
        DUTIES,
    ),
    Section(
        "requires",
        pgettext_lazy("policy section", "Required fields"),
        RequirementForm,
        "policies/edit/requirement.html",
        hint=_("What must be complete before a person is asked to review."),
        one=_("Required field"),
        add=_("Add required field"),
    ),
    Section(
        "questions",
        pgettext_lazy("policy section", "Further questions"),
        QuestionForm,
        "policies/edit/question.html",
        hint=_("What this institution asks beside what every proposal says."),
        one=_("Further question"),
        add=_("Add further question"),
    ),
    Section(
        "reopens",
        pgettext_lazy("policy section", "Reopening"),
        ReopeningForm,
        "policies/edit/reopening.html",
        hint=_("Which changes in a new submission undo which approvals. Without a rule, an approval stands."),
        one=_("Reopening rule"),
        add=_("Add reopening rule"),
    ),
    Section(
        "retention",
        pgettext_lazy("policy section", "Retention"),
        RetentionForm,
        "policies/edit/retention.html",
        RETENTION,
    ),
)
SECTIONS: Final[dict[str, Section]] = {section.key: section for section in _ALL}
_OF: Final = {name: section.key for section in _ALL for name in section.names} | {
    section.key: section.key for section in _ALL if section.is_list
}
# Where a part of the rules stands on its page, when that is not the field of its own name.
_ANCHORS: Final = {"when": "list-when", "effect": "list-cases", "outcomes": "id_outcomes_0", "stages": "id_stages_0"}


@dataclass(frozen=True)
class ToMend:
    """A problem with the section, the item of a list (counted from 0) and the field in which it is mended."""

    sentence: str
    section: str
    item: int | None = None
    anchor: str = ""

    def address(self, key: str, number: int) -> str:
        """The page of a draft on which it is mended."""
        if self.item is not None:
            address = reverse("policy-edit-item", args=[key, number, self.section, self.item + 1])
        else:
            address = reverse("policy-edit", args=[key, number, self.section])
        return f"{address}#{self.anchor}" if self.anchor else address


def to_mend(checked: Checked, data: Mapping[str, Any], text: str) -> list[ToMend]:
    """Every problem of a draft as something to mend, in the order of the sections."""
    found = [_placed(problem, data, text) for problem in checked.problems]
    order = list(SECTIONS)
    return sorted(found, key=lambda one: (order.index(one.section), one.item or 0))


def _placed(problem: Problem, data: Mapping[str, Any], text: str) -> ToMend:
    if not problem.place:
        return ToMend(problem.sentence, _blamed(problem, data, text))
    if problem.place == ("route",) and not items(data, "route"):
        return ToMend(gettext("The route has no stage yet"), "route")
    name, *rest = problem.place
    section = SECTIONS[_OF.get(str(name), "basics")]
    if section.is_list:
        item = rest[0] if rest and isinstance(rest[0], int) else None
        return ToMend(problem.sentence, section.key, item, _anchor(rest[1:]))
    if section.key == "retention" and rest and isinstance(rest[0], int):
        ending = items(data, "retention")[rest[0]].get("ending", "")
        return ToMend(problem.sentence, section.key, anchor=_anchor([ending, *rest[1:]]))
    return ToMend(problem.sentence, section.key, anchor=_anchor(problem.place))


def _anchor(place: Sequence[int | str]) -> str:
    if not place:
        return ""
    if place[0] == "fields" and len(place) > 1:
        return f"id_fields-{place[1]}-path"
    return _ANCHORS.get(str(place[0])) or "id_" + "-".join(map(str, place))


def _blamed(problem: Problem, data: Mapping[str, Any], text: str) -> str:
    """The section without which a problem of the whole document is gone; most are the route's."""
    for section in ("reopens", "questions", "retention"):
        without = check({**data, section: []}, text)
        if all(other.sentence != problem.sentence for other in without.problems):
            return section
    return "route"


def neighbours(key: str) -> tuple[Section | None, Section | None]:
    """The sections before and after one."""
    every = list(SECTIONS)
    at = every.index(key)
    return (
        SECTIONS[every[at - 1]] if at else None,
        SECTIONS[every[at + 1]] if at + 1 < len(every) else None,
    )
