"""A proposal as it was at a moment: what its events and its stays with bodies say, without asking what it is today.

Example: after event 5 MC-2026-0014 was in review, with the Centre for Teaching and Learning since Fri 6 Mar, submission
2, one decision.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from governance.audit.models import Event
from governance.audit.verbs import Verb
from workflows.proposals.states import ENDED, State
from workflows.review.models import Closing

SENT: Final = (Verb.PROPOSAL_SUBMITTED, Verb.PROPOSAL_RESUBMITTED)
BACK: Final = (Verb.DECISION_RETURNED, Verb.DECISION_SENT_BACK, Verb.DECISION_DECLINED)
DECIDED: Final = (Verb.DECISION_APPROVED, Verb.DECISION_APPROVED_WITH_CONDITIONS, *BACK)
# The verbs after which state, submission, version or holder may be others.
TURNS: Final = (*SENT, *DECIDED, Verb.PROPOSAL_WITHDRAWN, Verb.PROPOSAL_MOVED)
# Which turn ends a stay that no decision of its own ended.
ENDED_BY: Final[dict[str, tuple[Verb, ...]]] = {
    Closing.SUPERSEDED: BACK,
    Closing.WITHDRAWN: (Verb.PROPOSAL_WITHDRAWN,),
    Closing.MOVED: (Verb.PROPOSAL_MOVED,),
}


@dataclass(frozen=True)
class Stay:
    """A work item as plain facts. `decision` is the key of the event that decided it; None where none did."""

    body: str
    stage: str
    revision: int
    opened_at: datetime
    closed_at: datetime | None = None
    closing: str = ""
    decision: int | None = None


@dataclass(frozen=True)
class Holder:
    body: str
    stage: str
    since: datetime


@dataclass(frozen=True)
class StateAsOf:
    """A proposal after the event of that place in its stream."""

    sequence: int
    at: datetime
    state: State
    since: datetime
    holders: tuple[Holder, ...]
    revision: int
    digest: str
    policy_version: str
    submitted_at: datetime | None
    ended_at: datetime | None
    decisions: tuple[Event, ...]


def state_as_of(events: Sequence[Event], stays: Sequence[Stay], sequence: int) -> StateAsOf:
    """The state of a proposal after one of its events. `events` are its whole stream in order, `stays` all its work
    items but those that only received it. Asks no database. Raises ValueError for a place that the stream does not
    have."""
    if not 1 <= sequence <= len(events):
        raise ValueError(f"the stream has {len(events)} events, and no event {sequence}")
    so_far = events[:sequence]
    turns = [event for event in so_far if event.verb in TURNS]
    sent = [event for event in turns if event.verb in SENT]
    last = turns[-1] if turns else None
    opened = {stay: _opened_by(stay, events) for stay in stays}
    closed = {stay: _closed_by(stay, events) for stay in stays}
    holding = [stay for stay in stays if opened[stay] <= sequence and not 0 < closed[stay] <= sequence]
    moves = {closed[stay] for stay in stays if stay.closing == Closing.MOVED}
    # A move that ended no stay left the proposal with whom it was.
    changed_hands = [turn for turn in turns if turn.verb != Verb.PROPOSAL_MOVED or turn.sequence in moves]
    state = State(last.facts["after"]["state"]) if last else State.DRAFT
    mark = last.facts["revision"] if last else None
    since = changed_hands[-1].at if changed_hands else events[0].at
    return StateAsOf(
        sequence=sequence,
        at=so_far[-1].at,
        state=state,
        since=since,
        holders=tuple(Holder(stay.body, stay.stage, stay.opened_at) for stay in holding),
        revision=mark["number"] if mark else 0,
        digest=mark["digest"] if mark else "",
        policy_version=(last.facts["policy_version"] or "") if last else "",
        submitted_at=sent[0].at if sent else None,
        ended_at=since if state in ENDED else None,
        decisions=tuple(event for event in turns if event.verb in DECIDED),
    )


def place_at(events: Sequence[Event], moment: datetime) -> int:
    """The place of the last event that had been written by a moment; 0 before the first."""
    return max((event.sequence for event in events if event.at <= moment), default=0)


def _opened_by(stay: Stay, events: Sequence[Event]) -> int:
    """The place of the act that gave the proposal to the body. Sending gives it just before its event is written, every
    other act just after."""
    for event in events:
        if event.verb in SENT and event.facts["revision"]["number"] == stay.revision and stay.opened_at <= event.at:
            return event.sequence
    decision = next((event.sequence for event in events if event.pk == stay.decision), len(events) + 1)
    turns = (event for event in events if event.verb in TURNS and event.sequence < decision)
    return max((event.sequence for event in turns if event.at <= stay.opened_at), default=0)


def _closed_by(stay: Stay, events: Sequence[Event]) -> int:
    """The place of the act that ended the stay; 0 for one that goes on."""
    if stay.closed_at is None:
        return 0
    if stay.decision is not None:
        return next(event.sequence for event in events if event.pk == stay.decision)
    ends = [event for event in events if event.verb in ENDED_BY[stay.closing]]
    # A withdrawal ends its stays just before its event is written, and there is only one.
    before = [end.sequence for end in ends if end.at <= stay.closed_at or stay.closing == Closing.WITHDRAWN]
    return max(before, default=0)
