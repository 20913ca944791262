"""The past as a replay reads it: which proposals, their cases in batches, and the institution's own time in stage.

Whatever the size of the archive, no more than one batch is in memory, and each takes the same few queries.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any, Final

from django.db.models import Q, QuerySet
from django.utils.timezone import localdate, make_aware

from governance.audit.models import Event
from governance.audit.verbs import Verb
from governance.people.models import Unit
from governance.policies.models import Policy
from governance.policies.queries import place_of
from governance.policies.vocabulary import Outcome, UnitPlace
from governance.working_days import working_days_between
from workflows.insights.replay import Time, median_time
from workflows.insights.walk import Case, Stay, Submission
from workflows.proposals.content import Content
from workflows.proposals.models import Proposal, Revision
from workflows.proposals.states import ENDED, State
from workflows.review.models import Decision, WorkItem
from workflows.review.progress import Answer

# What a replay depends on; a comment or a memo changes nothing for it.
FOLLOWED: Final = (
    Verb.PROPOSAL_SUBMITTED,
    Verb.PROPOSAL_RESUBMITTED,
    Verb.PROPOSAL_WITHDRAWN,
    Verb.PROPOSAL_MOVED,
    Verb.DECISION_APPROVED,
    Verb.DECISION_APPROVED_WITH_CONDITIONS,
    Verb.DECISION_RETURNED,
    Verb.DECISION_SENT_BACK,
    Verb.DECISION_DECLINED,
)


def last_event() -> int:
    """The number of the last event that changed what replays read; 0 before the first."""
    latest = Event.objects.filter(verb__in=FOLLOWED).order_by("-id").values_list("id", flat=True)
    return latest.first() or 0


# Days beyond these have no midnight in every time zone, and nothing was decided then.
EARLIEST: Final = date(1000, 1, 1)
LATEST: Final = date(9000, 1, 1)


@dataclass(frozen=True)
class Period:
    """Days from one to another, both included; without a day, from the beginning or to the end."""

    first: date | None = None
    last: date | None = None

    def of(self, column: str) -> Q:
        """The rows whose moment in a column lies in the period, by the institution's own days."""
        wanted = Q()
        if self.first is not None:
            wanted &= Q(**{f"{column}__gte": make_aware(datetime.combine(_that_has_a_midnight(self.first), time.min))})
        if self.last is not None:
            wanted &= Q(**{f"{column}__lte": make_aware(datetime.combine(_that_has_a_midnight(self.last), time.max))})
        return wanted


def _that_has_a_midnight(day: date) -> date:
    return min(max(day, EARLIEST), LATEST)


def past_proposals(policy: Policy, *, ended: Period, unit: Unit | None, kind: str) -> QuerySet[Proposal]:
    """The proposals that were decided or withdrawn under any version of a policy."""
    # What was disposed of has no words left that rules could be tried on.
    past = Proposal.objects.filter(
        ended.of("ended_at"), policy_version__policy=policy, state__in=ENDED, disposed_at=None
    )
    if unit is not None:
        past = past.filter(Q(unit=unit) | Q(unit__parent=unit) | Q(unit__parent__parent=unit))
    return past.filter(kind=kind) if kind else past


def units_by_key() -> dict[int, UnitPlace]:
    """Every unit as rules see it, in one query."""
    units = {unit.pk: unit for unit in Unit.objects.all()}
    for unit in units.values():
        unit.parent = units[unit.parent_id] if unit.parent_id else None
    return {pk: place_of(unit) for pk, unit in units.items()}


COLUMNS: Final = ("id", "reference", "action", "unit_id", "author_id", "state", "policy_version_id")


def read_cases(rows: Sequence[dict[str, Any]], places: dict[int, UnitPlace]) -> list[Case]:
    """The cases of a batch of proposals, given by `COLUMNS`, in three queries.

    Raises pydantic's ValidationError for a submission that can no longer be read.
    """
    keys = [row["id"] for row in rows]
    revisions: defaultdict[int, list[Submission]] = defaultdict(list)
    answers: defaultdict[int, list[Answer]] = defaultdict(list)
    stays: defaultdict[int, list[Stay]] = defaultdict(list)
    for proposal, number, text, changed in (
        Revision.objects.filter(proposal__in=keys)
        .order_by("proposal_id", "number")
        .values_list("proposal_id", "number", "content_text", "changed_fields")
    ):
        revisions[proposal].append(Submission(number, Content.model_validate_json(text), tuple(changed)))
    for proposal, stage, outcome, revision, to_stage, by in (
        Decision.objects.filter(proposal__in=keys)
        .order_by("id")
        .values_list("proposal_id", "stage_key", "outcome", "revision__number", "to_stage", "by_id")
    ):
        answers[proposal].append(Answer(stage, Outcome(outcome), revision, to_stage, by))
    for proposal, stage, body, revision in (
        WorkItem.objects.filter(proposal__in=keys)
        .order_by("id")
        .values_list("proposal_id", "stage_key", "body__kind", "revision__number")
    ):
        stays[proposal].append(Stay(stage, body, revision))
    return [
        Case(
            reference=row["reference"],
            action=row["action"],
            unit=places[row["unit_id"]],
            author=row["author_id"],
            submissions=tuple(revisions[row["id"]]),
            answers=tuple(answers[row["id"]]),
            stays=tuple(stays[row["id"]]),
            ended=State(row["state"]),
        )
        for row in rows
    ]


def times_in_stage(policy: Policy) -> dict[str, Time]:
    """The median working days that a stage took to answer, over every answer ever given under the policy."""
    days: defaultdict[str, Counter[int]] = defaultdict(Counter)
    stays = WorkItem.objects.filter(proposal__policy_version__policy=policy, closing__in=Outcome.values)
    for stage, opened, closed in stays.values_list("stage_key", "opened_at", "closed_at").iterator(chunk_size=5_000):
        assert closed is not None
        days[stage][working_days(localdate(opened), localdate(closed))] += 1
    return {stage: median_time(counts) for stage, counts in days.items()}


# Many stays lie between the same few days.
working_days = lru_cache(maxsize=100_000)(working_days_between)
