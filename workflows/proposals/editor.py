"""What the author's editor shows around a section's form: the task list, what reviewers look for, remarks on the words.

Pure functions over the content and the rules, for the page and for the answer to an autosave alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from governance.policies.models import PolicyVersion
from governance.policies.resolve import Route, resolve
from governance.policies.rules import Question
from governance.policies.vocabulary import UnitPlace
from workflows.proposals.completeness import Point, asked, by_section, questions
from workflows.proposals.content import FURTHER, SECTIONS, Content
from workflows.proposals.forms.section import anchor_of

FILES: Final = "files"
Words = str | Promise

# Words that say what happens in a learner's head, where nobody can watch it.
HIDDEN_VERBS: Final = {
    "appreciate", "be aware", "become familiar", "comprehend", "gain", "grasp", "have", "know", "learn", "understand",
    "apprendre", "avoir", "comprendre", "connaître", "découvrir", "maîtriser", "savoir", "se familiariser",
}  # fmt: skip


@dataclass(frozen=True)
class Task:
    """One line of the task list. `status` is done, fix, begun, untouched, or files."""

    key: str
    label: Words
    status: str
    count: int = 0


@dataclass(frozen=True)
class Asked:
    """Something that the policy asks of a section, and whether it is there."""

    says: str
    met: bool
    anchor: str


@dataclass(frozen=True)
class Clause:
    """A clause of the policy as it bears on a section: its words, what it asks for, and who will confirm what."""

    number: str
    text: str
    asks: list[Asked]
    confirms: list[tuple[str, str]]


@dataclass(frozen=True)
class Guide:
    """Everything that the page says about a draft under a policy version; without one in force there is less to say."""

    version: PolicyVersion | None
    content: Content
    unit: UnitPlace
    action: str

    @property
    def gaps(self) -> list[Point]:
        return [point for point in self.points if not point.met]

    @property
    def points(self) -> list[Point]:
        """Everything that the policy asks of the content."""
        if self.version is None:
            return []
        return asked(self.version.typed_rules, self.content, self.unit, action=self.action)

    @property
    def questions(self) -> list[Question]:
        """The further questions that the policy asks about the content."""
        if self.version is None:
            return []
        return questions(self.version.typed_rules, self.content, self.unit, action=self.action)

    @property
    def sections(self) -> dict[str, Words]:
        """The sections to write, with their names: further questions only where any is asked."""
        asks = bool(self.questions)
        return {key: label for key, (label, _part) in SECTIONS.items() if key != FURTHER or asks}

    @property
    def route(self) -> Route | None:
        if self.version is None:
            return None
        return resolve(self.version.typed_rules, self.content.facts(self.action), self.unit)

    @property
    def asked_fields(self) -> set[str] | None:
        """The fields that the policy asks for in this content; None when there is no policy to ask."""
        return {point.field for point in self.points} if self.version is not None else None

    def tasks(self, saves: Mapping[str, int], files: int) -> list[Task]:
        """The task list; `saves` counts how often each section was saved."""
        missing = by_section(self.gaps)
        tasks = []
        for key, label in self.sections.items():
            found = missing.get(key, [])
            if not found and self.version is not None:
                status = "done"
            elif any(gap.begun for gap in found) and saves.get(key):
                status = "fix"
            else:
                status = "begun" if saves.get(key) else "untouched"
            tasks.append(Task(key=key, label=label, status=status, count=len(found)))
        return [*tasks, Task(key=FILES, label=pgettext_lazy("section", "Files"), status=FILES, count=files)]

    def neighbours(self, section: str) -> tuple[tuple[str, Words] | None, tuple[str, Words] | None]:
        """The sections before and after one, with their names; files come after the last."""
        every = [*self.sections.items(), (FILES, gettext_lazy("Files"))]
        at = [key for key, _label in every].index(section)
        return (every[at - 1] if at else None), (every[at + 1] if at + 1 < len(every) else None)

    def clauses(self, section: str) -> list[Clause]:
        """The clauses that ask something of a section, in the policy's order."""
        if self.version is None:
            return []
        grouped: dict[str, list[Asked]] = {}
        for point in self.points:
            if point.section == section:
                ask = Asked(says=point.says, met=point.met, anchor=anchor_of(point.field))
                grouped.setdefault(point.clause, []).append(ask)
        return [
            Clause(number=number, text=self.version.clause_text(number), asks=asks, confirms=self._confirms(number))
            for number, asks in grouped.items()
        ]

    def _confirms(self, clause: str) -> list[tuple[str, str]]:
        stages = self.route.stages if self.route else ()
        return [
            (stage.label, question.text)
            for stage in stages
            for question in stage.stage.checklist
            if question.clause == clause
        ]


def remark_on(outcome: str) -> str:
    """A remark on the words of a learning outcome; empty when there is none."""
    words = outcome.strip().casefold()
    verb = next((verb for verb in sorted(HIDDEN_VERBS) if words.startswith(verb)), "")
    if not verb:
        return ""
    first = outcome.strip()[: len(verb)]
    return _("Begins with “%(verb)s”, which is hard to observe. Try: decide, justify, explain, demonstrate.") % {
        "verb": first
    }
