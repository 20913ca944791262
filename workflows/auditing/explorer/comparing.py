"""A proposal as of a moment beside what it is now, and the steps from event to event."""

from dataclasses import dataclass
from datetime import datetime

from django.http import Http404
from django.utils.translation import gettext as _

from governance.audit.models import Event
from governance.audit.queries import events_of, open_together
from governance.policies.vocabulary import Effect
from governance.site.templatetags.assent import moment
from workflows.auditing.explorer.as_of import StateAsOf, Stay, place_at, state_as_of
from workflows.auditing.rows import AS_SENT
from workflows.proposals.models import Proposal
from workflows.proposals.states import WITH_AUTHOR


@dataclass(frozen=True)
class Line:
    """One fact, as it was and as it is now."""

    label: str
    then: str
    now: str

    @property
    def differs(self) -> bool:
        return self.then != self.now


@dataclass(frozen=True)
class AsOf:
    """The proposal at a place of its stream; `then` is None before its first event. `moment` is the one asked for, else
    that of the event."""

    proposal: Proposal
    moment: datetime
    events: list[Event]
    then: StateAsOf | None
    now: StateAsOf
    lines: list[Line]

    @property
    def title(self) -> str:
        """The proposal's title, unless it may be that of a draft, which is its author's alone."""
        return self.proposal.title if self.proposal.state in AS_SENT else ""

    @property
    def place(self) -> int:
        return self.then.sequence if self.then else 0

    @property
    def event(self) -> Event | None:
        """The last event that had been written."""
        return self.events[self.place - 1] if self.place else None

    @property
    def earlier(self) -> Event | None:
        return self.events[self.place - 2] if self.place > 1 else None

    @property
    def later(self) -> Event | None:
        return self.events[self.place] if self.place < len(self.events) else None

    @property
    def is_now(self) -> bool:
        return self.place == len(self.events)

    @property
    def differing(self) -> int:
        return sum(line.differs for line in self.lines)


def as_of(reference: str, *, at: datetime | None = None, event: int | None = None) -> AsOf:
    """A proposal at a moment, after an event, or, where neither is given, now. Four queries, whatever there is.

    Raises Http404 where there is no such proposal or event.
    """
    proposal = Proposal.objects.filter(reference=reference).select_related("author", "unit").first()
    if proposal is None:
        raise Http404(reference)
    events = open_together(events_of(proposal.subject))
    stays = stays_of(proposal)
    place = len(events) if event is None else event
    if at is not None:
        place = place_at(events, at)
    elif not 1 <= place <= len(events):
        raise Http404(reference)
    then = state_as_of(events, stays, place) if place else None
    now = state_as_of(events, stays, len(events))
    return AsOf(
        proposal=proposal,
        moment=at or (then or now).at,
        events=events,
        then=then,
        now=now,
        lines=_lines(proposal, then, now),
    )


def stays_of(proposal: Proposal) -> list[Stay]:
    """The work items of a proposal but those that only received it, in the order in which they were opened."""
    items = proposal.work_items.exclude(effect=Effect.RECEIVE).order_by("id")
    return [
        Stay(*row)
        for row in items.values_list(
            "body__name",
            "stage_label",
            "revision__number",
            "opened_at",
            "closed_at",
            "closing",
            "decision__event_number",
        )
    ]


def _lines(proposal: Proposal, then: StateAsOf | None, now: StateAsOf) -> list[Line]:
    labels = (
        _("State"),
        _("Who holds it"),
        _("With its holder since"),
        _("Submission"),
        _("Digest of the submission"),
        _("Policy version"),
        _("First sent"),
        _("Ended"),
        _("Decisions"),
        _("Events"),
    )
    was = _words(proposal, then) if then else [""] * len(labels)
    return [Line(*line) for line in zip(labels, was, _words(proposal, now), strict=True)]


def _words(proposal: Proposal, state: StateAsOf) -> list[str]:
    nothing = "–"
    return [
        str(state.state.label),
        _holder(proposal, state) or nothing,
        moment(state.since),
        str(state.revision) if state.revision else nothing,
        state.digest[:16] or nothing,
        state.policy_version or nothing,
        moment(state.submitted_at) or nothing,
        moment(state.ended_at) or nothing,
        str(len(state.decisions)),
        str(state.sequence),
    ]


def _holder(proposal: Proposal, state: StateAsOf) -> str:
    if state.state in WITH_AUTHOR:
        return _("%(name)s, its author") % {"name": proposal.author.name}
    return ", ".join(holder.body for holder in state.holders)
