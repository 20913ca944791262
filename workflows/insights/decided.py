"""What was decided under one version: its proposals and its decisions, as far as a person may see them.

How many there are in all is said to everybody, so that nobody takes the part they see for the whole; what is searched
for by words is counted only among what they may see.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db.models import Exists, OuterRef, Q
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from governance.audit.models import named
from governance.csv_cells import Cell
from governance.people.models import User
from governance.people.queries import Holdings
from governance.policies.models import PolicyVersion
from governance.policies.vocabulary import Action, Kind, Level, Outcome
from workflows.insights.cases import Period, working_days
from workflows.insights.history import DECIDED, IN_FLIGHT
from workflows.proposals.models import Proposal
from workflows.proposals.states import State
from workflows.review.lists import LATEST_FIRST, Narrow, capped_counts, of_proposals
from workflows.review.models import Decision
from workflows.review.paging import Page, page_of
from workflows.review.queries import visible_to

# How proposals stand, as a list is narrowed down by it.
STANDINGS: Final[dict[str, tuple[State, ...]]] = {
    "decided": DECIDED,
    "approved": (State.APPROVED,),
    "declined": (State.DECLINED,),
    "withdrawn": (State.WITHDRAWN,),
    "open": IN_FLIGHT,
}


@dataclass(frozen=True)
class Wanted:
    """What a person narrowed the list down to."""

    narrow: Narrow
    outcome: str = ""
    period: Period = field(default_factory=Period)

    @property
    def is_narrow(self) -> bool:
        return self.narrow.is_narrow or bool(self.outcome) or self.period != Period()


@dataclass(frozen=True)
class DecidedList:
    """One page. `found` is what this person may see of it, `in_all` what there is; None where that may not be told."""

    page: Page
    rows: list[dict[str, Any]]
    found: int
    in_all: int | None


@dataclass(frozen=True)
class Decided:
    """What lies under one version, for one person."""

    version: PolicyVersion
    user: User
    held: Holdings

    def proposals(self, wanted: Wanted, cursor: str = "") -> DecidedList:
        """The proposals bound to the version, latest first. Two queries."""
        seen, every = self._proposals(wanted)
        page = page_of(seen.values(*PROPOSAL_COLUMNS, conditions=_CONDITIONS), LATEST_FIRST, cursor)
        found, in_all = capped_counts(seen, every)
        rows = [{**row, "days": _took(row["submitted_at"], row["ended_at"])} for row in page.rows]
        return DecidedList(page, rows, found, None if wanted.narrow.text else in_all)

    def decisions(self, wanted: Wanted, cursor: str = "") -> DecidedList:
        """The decisions made under the version, latest first. Two queries."""
        seen, every = self._decisions(wanted)
        page = page_of(seen.values(*DECISION_COLUMNS), LATEST_FIRST, cursor)
        found, in_all = capped_counts(seen, every)
        rows = [{**row, "said": _said(row)} for row in page.rows]
        return DecidedList(page, rows, found, None if wanted.narrow.text else in_all)

    def _proposals(self, wanted: Wanted) -> tuple[Any, Any]:
        asked = Q(of_proposals(wanted.narrow), wanted.period.of("ended_at"), policy_version=self.version)
        if wanted.outcome:
            asked &= Q(state__in=STANDINGS[wanted.outcome])
        return visible_to(self.user, self.held).filter(asked), Proposal.objects.filter(asked)

    def _decisions(self, wanted: Wanted) -> tuple[Any, Any]:
        every = Decision.objects.filter(
            of_proposals(wanted.narrow, "proposal__"), wanted.period.of("at"), policy_version=self.version
        )
        if wanted.outcome:
            every = every.filter(outcome=wanted.outcome)
        return every.filter(proposal__in=visible_to(self.user, self.held).values("pk")), every

    # ---- as a file

    def proposals_as_file(self, wanted: Wanted) -> tuple[list[str], Iterator[list[Cell]]]:
        """The head and the rows of the file with all proposals of the list, read while it is sent."""
        words = _labels(Action, Kind, Level, State)
        seen, _every = self._proposals(wanted)
        rows = seen.order_by("id").values(*PROPOSAL_COLUMNS, "action", "level", conditions=_CONDITIONS)
        head = [
            _("Reference"),
            _("Title"),
            _("Asks to"),
            _("Kind"),
            _("Level"),
            _("Faculty"),
            _("Author"),
            _("State"),
            _("With conditions"),
            _("Submissions"),
            _("First sent"),
            _("Ended"),
            _("Working days"),
            _("Policy version"),
        ]
        return head, self._proposal_cells(rows, words, (_("no"), _("yes")))

    def _proposal_cells(self, rows: Any, words: dict[str, str], no_yes: tuple[str, str]) -> Iterator[list[Cell]]:
        for row in rows.iterator(chunk_size=500):
            yield [
                row["reference"],
                row["title"],
                words.get(row["action"], ""),
                words.get(row["kind"], ""),
                words.get(row["level"], ""),
                row["unit__short_name"],
                row["author__name"],
                words[row["state"]],
                no_yes[row["conditions"]],
                row["revision_number"],
                row["submitted_at"],
                row["ended_at"],
                _took(row["submitted_at"], row["ended_at"]),
                self.version.number,
            ]

    def decisions_as_file(self, wanted: Wanted) -> tuple[list[str], Iterator[list[Cell]]]:
        """The head and the rows of the file with all decisions of the list, read while it is sent."""
        words = _labels(Outcome)
        seen, _every = self._decisions(wanted)
        rows = seen.order_by("id").values(*DECISION_COLUMNS, "event_number", "memo__number")
        head = [
            _("Reference"),
            _("Title"),
            _("Faculty"),
            _("Stage"),
            _("Body"),
            _("Outcome"),
            _("Decided"),
            _("Decided by"),
            _("Submission"),
            _("Memo"),
            _("Number in the record"),
            _("Policy version"),
        ]
        return head, self._decision_cells(rows, words)

    def _decision_cells(self, rows: Any, words: dict[str, str]) -> Iterator[list[Cell]]:
        for row in rows.iterator(chunk_size=500):
            yield [
                row["proposal__reference"],
                row["proposal__title"],
                row["proposal__unit__short_name"],
                row["stage_label"],
                row["body_name"],
                words[row["outcome"]],
                row["at"],
                named(row["by_name"]),
                row["revision__number"],
                row["memo__number"],
                row["event_number"],
                self.version.number,
            ]


PROPOSAL_COLUMNS: Final = (
    "id",
    "reference",
    "title",
    "kind",
    "state",
    "revision_number",
    "submitted_at",
    "ended_at",
    "author__name",
    "unit__short_name",
)
DECISION_COLUMNS: Final = (
    "id",
    "at",
    "outcome",
    "stage_label",
    "to_stage_label",
    "body_name",
    "by_name",
    "revision__number",
    "proposal__reference",
    "proposal__title",
    "proposal__unit__short_name",
)
_CONDITIONS: Final = Exists(Decision.objects.filter(proposal=OuterRef("pk"), outcome=Outcome.APPROVE_WITH_CONDITIONS))


def _said(row: dict[str, Any]) -> str:
    """What was decided, and to which stage a proposal went back."""
    if row["to_stage_label"]:
        return _("Returned to %(stage)s") % {"stage": row["to_stage_label"]}
    return str(Outcome(row["outcome"]).label)


def _took(sent: datetime, ended: datetime | None) -> int | None:
    return working_days(localdate(sent), localdate(ended)) if ended is not None else None


def _labels(*kinds: Any) -> dict[str, str]:
    """The words of closed choices in the reader's language, now: a file is sent when that is forgotten."""
    return {choice.value: str(choice.label) for kind in kinds for choice in kind}
