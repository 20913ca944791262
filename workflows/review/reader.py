"""A person in front of a proposal: what they hold today, what they may do, and the proposal's history."""

from dataclasses import dataclass

from django.http import Http404
from django.utils.translation import gettext as _

from governance.audit.models import named
from governance.people.duties import Right
from governance.people.models import User
from governance.people.queries import Holdings, holdings
from governance.refusals import NotPermitted, Refusal
from workflows.proposals.models import Proposal
from workflows.review.lists import seats_of
from workflows.review.models import WorkItem
from workflows.review.permits import Act, Standing, refusal
from workflows.review.queries import route_of, standing
from workflows.review.route import History


class NoAccess(NotPermitted):
    """A proposal that is there and that this person may not see; the sentence says why."""


@dataclass(frozen=True)
class Reader:
    """A person in front of a proposal: what they hold today, what they may do, what they had seen before."""

    user: User
    held: Holdings
    proposal: Proposal
    standing: Standing
    item: WorkItem | None
    history: History | None

    @property
    def is_author(self) -> bool:
        return self.standing.is_author

    def may(self, act: Act) -> bool:
        return refusal(act, self.standing) is None

    def why_not(self, act: Act) -> Refusal | None:
        return refusal(act, self.standing)


def reader_of(user: User, reference: str, item: int | None = None) -> Reader:
    """The person in front of the proposal of that reference, at the stage that they may decide if there is one.

    Raises Http404 where there is no such proposal, and NoAccess with the reason where this person may not see it.
    """
    proposal = (
        Proposal.objects.filter(reference=reference)
        .select_related("author", "unit__parent__parent", "policy_version__policy")
        .first()
    )
    if proposal is None:
        raise Http404(reference)
    held = holdings(user)
    history = _history(proposal, held)
    at = _item_for(held, history, item)
    stands = standing(user, proposal, at, held=held, answers=history.answers if history is not None else ())
    if refusal(Act.VIEW, stands) is not None:
        raise NoAccess(_why_unseen(proposal))
    return Reader(user=user, held=held, proposal=proposal, standing=stands, item=at, history=history)


def _why_unseen(proposal: Proposal) -> str:
    said = {"reference": proposal.reference, "author": named(proposal.author.name)}
    if not proposal.revision_number:
        return _("%(reference)s is a draft. Only its author sees it until it is sent. Ask %(author)s about it.") % said
    return _("%(reference)s has not come to a body on which you sit. Ask %(author)s about it.") % said


def _history(proposal: Proposal, held: Holdings) -> History | None:
    """What happened on the route; None before the first submission. Four queries."""
    if not proposal.revision_number:
        return None
    revisions = {revision.number: revision for revision in proposal.revisions.all()}
    for revision in revisions.values():
        revision.proposal = proposal
    proposal.current_revision = revisions[proposal.revision_number]
    items = list(proposal.work_items.select_related("body").order_by("id"))
    by_pk = {revision.pk: revision for revision in revisions.values()}
    for item in items:
        item.proposal, item.revision = proposal, by_pk[item.revision_id]
    decisions = list(proposal.decisions.prefetch_related("conditions").order_by("id"))
    return History(
        proposal=proposal,
        route=route_of(proposal),
        revisions=tuple(revisions.values()),
        items=items,
        decisions=decisions,
        mine=frozenset(seat.body_id for seat in seats_of(held)),
    )


def _item_for(held: Holdings, history: History | None, asked: int | None) -> WorkItem | None:
    """The open work item in question: the one asked for, else one that the person may decide, else any."""
    if history is None or not history.open_items:
        return None
    decides = held.bodies(Right.DECIDE)
    return min(history.open_items, key=lambda item: (item.pk != asked, item.body_id not in decides, item.pk))
