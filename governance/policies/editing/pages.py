"""What the pages of a draft show around a form: the task list, what is to be mended, the rules in words."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import ngettext

from governance.people.models import Unit
from governance.policies.drawing import drawing_of
from governance.policies.editing.drafts import clauses_in, items, named
from governance.policies.editing.part import PartForm
from governance.policies.editing.queries import Draft, offered
from governance.policies.editing.sections import SECTIONS, Section, Words, neighbours
from governance.policies.example import ExampleForm
from governance.policies.fields import field_in_words
from governance.policies.queries import rules_of
from governance.policies.rules import Duties, Question, Reopening, Requirement, Resubmission, Retention, Stage
from governance.policies.sentences import both, fields_in_words
from governance.policies.statements import (
    Statement,
    due_statement,
    duty_statements,
    item_statement,
    question_statement,
    reopening_statement,
    requirement_statement,
    resubmission_statement,
    retention_statement,
    stage_statement,
    vote_statement,
)
from governance.policies.text import TextClause


@dataclass(frozen=True)
class Task:
    """One line of the task list: how many things are to be mended in a section; of a list, how many items it has."""

    section: Section
    to_mend: int
    items: int | None


@dataclass(frozen=True)
class Item:
    """One item of a list, as its page lists it."""

    number: int
    label: Words
    sentences: Sequence[str]
    to_mend: Sequence[str]


@dataclass(frozen=True)
class Spot:
    """Where in a draft a person is: a section, and in a list the place of an item, or None for a new one."""

    draft: Draft
    section: Section
    place: int | None = None

    @property
    def is_new(self) -> bool:
        """Whether it is an item that no list has yet."""
        return self.section.is_list and self.place is None

    @property
    def stored(self) -> Mapping[str, Any] | None:
        """What stands there now; None when nothing does."""
        if self.section.key == "text":
            return {"text": self.draft.text}
        if not self.section.is_list:
            return named(self.draft.data, self.section.names)
        there = items(self.draft.data, self.section.key)
        return there[self.place] if self.place is not None and self.place < len(there) else None

    def form(self, data: Any = None, *, stored: Mapping[str, Any] | None = None) -> PartForm:
        """The form of what stands there; with `data`, as somebody typed it."""
        boxes = offered(self.draft, section=self.section.key, place=self.place)
        return PartForm(self.section.form, stored if stored is not None else self.stored or {}, boxes, data)

    def context(self) -> dict[str, Any]:
        """What every page of the draft shows."""
        before, after = neighbours(self.section.key)
        return around(self.draft, self.section.key) | {
            "section": self.section,
            "item": self.place + 1 if self.place is not None else None,
            "number": list(SECTIONS).index(self.section.key) + 1,
            "of": len(SECTIONS),
            "before": before,
            "after": after,
        }


def around(draft: Draft, current: str) -> dict[str, Any]:
    """The head of a draft's page and its task list."""
    version = draft.version
    return {
        "nav": "policy",
        "version": version,
        "current": current,
        "tasks": tasks(draft),
        "to_fix": len(draft.to_mend),
        "mending": [(one.address(*draft.address), one.sentence) for one in draft.to_mend],
        "last_saved": version.saved_at,
        "stored": version,
    }


def route_beside(draft: Draft, query: Mapping[str, Any]) -> dict[str, Any]:
    """The route as saved, drawn for every proposal or for the example that the address describes."""
    rules = rules_of(draft.version)
    if rules is None:
        return {"drawing": None}
    units = list(Unit.objects.select_related("parent__parent"))
    example = ExampleForm(query if "kind" in query else None, rules=rules, units=units)
    return {"drawing": drawing_of(rules, example.route()), "example": example if units else None}


def tasks(draft: Draft, current: str = "", wrong: int = 0) -> list[Task]:
    """The task list; `wrong` counts what cannot be kept of what somebody typed on the current page."""
    counted = [one.section for one in draft.to_mend]
    return [
        Task(
            section,
            counted.count(key) + (wrong if key == current else 0),
            len(items(draft.data, key)) if section.is_list else None,
        )
        for key, section in SECTIONS.items()
    ]


def listed(draft: Draft, section: Section) -> list[Item]:
    """The items of a list, each with what it says and what is to be mended in it."""
    wrong: dict[int, list[str]] = {}
    for one in draft.to_mend:
        if one.section == section.key and one.item is not None:
            wrong.setdefault(one.item, []).append(one.sentence)
    return [
        Item(number + 1, label_of(section.key, item), _listed_words(draft, section.key, item), wrong.get(number, []))
        for number, item in enumerate(items(draft.data, section.key))
    ]


# ---- in words


@dataclass(frozen=True)
class ClauseSaid:
    """A clause of the text, and what the system does because of it."""

    number: str
    text: str
    sentences: Sequence[str]


def clauses_said(spot: Spot, stored: Mapping[str, Any]) -> list[ClauseSaid]:
    """The clauses that what stands in a spot rests on, with the rules in words."""
    found: dict[str, list[str]] = {}
    for statement in _statements(spot.draft, spot.section.key, stored):
        found.setdefault(statement.clause, []).append(statement.sentence)
    version = spot.draft.version
    return [ClauseSaid(number, version.clause_text(number), sentences) for number, sentences in found.items()]


def clauses_used(draft: Draft) -> list[tuple[TextClause, int]]:
    """Every clause of the text with how many rules rest on it."""
    used = Counter(clauses_in(draft.data))
    return [(clause, used[clause.number]) for clause in draft.version.clauses]


def _statements(draft: Draft, section: str, part: Mapping[str, Any]) -> Iterator[Statement]:
    match section:
        case "route" if part:
            stage = Stage.model_validate(part)
            yield stage_statement(stage)
            yield due_statement(stage, stage.due)
            if stage.vote is not None:
                yield vote_statement(stage, stage.vote)
            for item in stage.checklist:
                yield item_statement(stage, item)
        case "requires" if part:
            yield requirement_statement(Requirement.model_validate(part))
        case "questions" if part:
            yield question_statement(Question.model_validate(part))
        case "reopens" if part:
            names = {stage["key"]: stage["label"] for stage in items(draft.data, "route")}
            yield reopening_statement(Reopening.model_validate(part), names)
        case "duties":
            yield from duty_statements(Duties.model_validate(part["duties"]))
            yield resubmission_statement(Resubmission.model_validate(part["resubmission"]))
        case "retention":
            yield from (retention_statement(Retention.model_validate(rule)) for rule in items(part, "retention"))


def label_of(section: str, item: Mapping[str, Any]) -> str:
    """What people call an item of a list."""
    match section:
        case "route":
            return str(item["label"])
        case "requires":
            return field_in_words(item["field"])
        case "questions":
            return str(item["text"])
        case _:
            return both(fields_in_words(item["fields"]))


def _listed_words(draft: Draft, section: str, item: Mapping[str, Any]) -> list[str]:
    """What a list says of an item: all but a stage's checklist, which is counted."""
    checks = len(item.get("checklist") or [])
    said = [statement.sentence for statement in _statements(draft, section, item)]
    if not checks:
        return said
    counted = ngettext("It confirms %(n)s thing.", "It confirms %(n)s things.", checks) % {"n": checks}
    return [*said[:-checks], counted]
