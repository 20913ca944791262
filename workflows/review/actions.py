"""The acts on a proposal. The only place that fires the machine's transitions and writes work items and decisions.

Every act is one transaction in the same order: lock; has it changed since the person looked; is it possible now; may
this person; do the rules allow it; then change, record, queue. A "no" is a refusal with its own sentence, and nothing
happened.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from governance import clock
from governance.audit.canonical import Json, digest_of
from governance.audit.personal import hidden
from governance.audit.verbs import Verb
from governance.people.duties import Right
from governance.people.models import User
from governance.people.queries import holdings
from governance.policies.models import PolicyVersion
from governance.policies.queries import in_force
from governance.policies.vocabulary import Effect, Outcome
from governance.refusals import Incomplete, NotPossible
from workflows.proposals.actions import locked
from workflows.proposals.models import Audience, Comment, Proposal, Revision
from workflows.proposals.states import State
from workflows.review import letters
from workflows.review.machine import Lifecycle
from workflows.review.models import Closing, Condition, Decision, WorkItem
from workflows.review.moving import check_same_plan, check_version, plan
from workflows.review.permits import Act
from workflows.review.queries import answers_of, route_of
from workflows.review.steps import (
    check_administers,
    check_allowed,
    check_complete,
    check_unchanged,
    close_open_items,
    close_with_decision,
    keep,
    keep_version,
    locked_together,
    names_of,
    new_revision,
    open_items_at,
    rebind,
    record_act,
    reopened_by,
    send_out,
    stages_ahead,
    stay_at,
)


@dataclass(frozen=True)
class NewCondition:
    """A condition as the person wrote it."""

    text: str
    due_on: date | None = None
    owner: str = ""


@transaction.atomic
def submit(*, actor: User, proposal: Proposal, seen: int, note_to_reviewers: str = "") -> Revision:
    """Send the draft as an immutable revision to the bodies of its route, for the first time or after a return.

    The first submission binds the proposal to the policy version in force today. Raises Incomplete with every gap that
    the policy names, NotPossible when no policy is in force, it does not govern what is asked for, or a stage has no
    body.
    """
    proposal = locked(proposal)
    check_unchanged(proposal, seen)
    check_allowed(Act.SUBMIT, actor, proposal)
    policy_version = proposal.policy_version or in_force(settings.APPROVAL_POLICY)
    if policy_version is None:
        raise NotPossible(_("No approval policy is in force today, so nothing can be sent for review."))
    if proposal.action not in policy_version.typed_rules.governs:
        raise NotPossible(_("This version does not govern what the proposal asks for."))
    content = proposal.draft_content()
    check_complete(policy_version, proposal, content)
    again = proposal.revision_number > 0
    proposal.policy_version = policy_version
    revision = new_revision(actor, proposal, content, note_to_reviewers)
    Lifecycle(proposal).submit()
    proposal.submitted_at = proposal.submitted_at or revision.submitted_at
    route, answers = route_of(proposal), answers_of(proposal)
    opened = open_items_at(proposal, revision, stages_ahead(proposal, route, answers))
    if not opened:
        raise NotPossible(
            _("As it is, no stage of its route is left to look at it. Undo the change that took the last one away.")
        )
    record_act(
        proposal,
        Verb.PROPOSAL_RESUBMITTED if again else Verb.PROPOSAL_SUBMITTED,
        actor,
        after={
            "state": proposal.state,
            "title": proposal.title,
            "holder": names_of(opened),
            "stages": [item.stage_key for item in opened],
            "changed_sections": list(revision.changed_sections),
            "reopened": [again.as_json() for again in reopened_by(proposal, route, answers)],
            "attachments": list(revision.attachments),
        },
        reason=note_to_reviewers,
    )
    keep(proposal)
    letters.queue("waits", *(item.pk for item in opened))
    return revision


@transaction.atomic
def approve(
    *,
    actor: User,
    item: WorkItem,
    seen: int,
    confirmed: Collection[str] = (),
    reasons: str = "",
    conditions: Sequence[NewCondition] = (),
) -> Decision:
    """Approve at a stage, with conditions where any are given; the route says who holds the proposal next, or that it
    is approved.

    `confirmed` holds the keys of the checklist items that the person confirmed. Raises Incomplete when a required one
    is missing.
    """
    stay = stay_at(Act.APPROVE, actor, item, seen)
    outcome = Outcome.APPROVE_WITH_CONDITIONS if conditions else Outcome.APPROVE
    if outcome not in stay.stage.stage.outcomes:
        raise NotPossible(_("The policy does not let this stage set conditions."))
    missing = {
        f"confirmed-{question.key}": _("Confirm this, or return the proposal")
        for question in stay.stage.stage.checklist
        if question.required and question.key not in confirmed
    }
    if missing:
        raise Incomplete(_("Answer the checklist before you approve."), missing)
    answers = (*stay.answers, stay.answer(outcome))
    was = State(stay.proposal.state)
    remaining = stages_ahead(stay.proposal, stay.route, answers)
    Lifecycle(stay.proposal).approve(stages_remain=any(stage.effect is not Effect.RECEIVE for stage in remaining))
    decision = close_with_decision(
        actor, stay, outcome, was=was, confirmed=confirmed, reasons=reasons, conditions=_marks_of(conditions)
    )
    Condition.objects.bulk_create(
        Condition(decision=decision, number=number, text=new.text, due_on=new.due_on, owner=new.owner)
        for number, new in enumerate(conditions, start=1)
    )
    opened = open_items_at(stay.proposal, stay.item.revision, remaining)
    keep(stay.proposal)
    send_out(decision, opened)
    return decision


@transaction.atomic
def return_for_changes(
    *, actor: User, item: WorkItem, seen: int, reasons: str, to_stage: str = "", confirmed: Collection[str] = ()
) -> Decision:
    """Return the proposal with reasons to its author, or to the earlier stage of key `to_stage`, which then holds it
    again."""
    stay = stay_at(Act.RETURN, actor, item, seen)
    if not reasons.strip():
        raise Incomplete(_("Say what should change."), {"reasons": _("Say what should change")})
    if to_stage and to_stage not in [stage.key for stage in stay.route.before(stay.item.stage_key)]:
        raise NotPossible(_("This proposal cannot be returned to that stage."))
    was = State(stay.proposal.state)
    Lifecycle(stay.proposal).return_for_changes(to_author=not to_stage)
    decision = close_with_decision(
        actor, stay, Outcome.RETURN, was=was, confirmed=confirmed, reasons=reasons, to_stage=to_stage
    )
    close_open_items(stay.proposal, Closing.SUPERSEDED)
    opened: list[WorkItem] = []
    if to_stage:
        answers = (*stay.answers, stay.answer(Outcome.RETURN, to_stage))
        opened = open_items_at(stay.proposal, stay.item.revision, stages_ahead(stay.proposal, stay.route, answers))
    keep(stay.proposal)
    send_out(decision, opened)
    return decision


@transaction.atomic
def decline(*, actor: User, item: WorkItem, seen: int, reasons: str, confirmed: Collection[str] = ()) -> Decision:
    """Decline the proposal with reasons. It ends, and stays in the record."""
    stay = stay_at(Act.DECLINE, actor, item, seen)
    if not reasons.strip():
        raise Incomplete(_("Say why it is declined."), {"reasons": _("Say why it is declined")})
    was = State(stay.proposal.state)
    Lifecycle(stay.proposal).decline()
    decision = close_with_decision(actor, stay, Outcome.DECLINE, was=was, confirmed=confirmed, reasons=reasons)
    close_open_items(stay.proposal, Closing.SUPERSEDED)
    keep(stay.proposal)
    send_out(decision)
    return decision


@transaction.atomic
def withdraw(*, actor: User, proposal: Proposal, seen: int, reason: str) -> Proposal:
    """The author ends their own proposal, with a reason. What was said and decided about it stays."""
    proposal = locked(proposal)
    check_unchanged(proposal, seen)
    check_allowed(Act.WITHDRAW, actor, proposal)
    if not reason.strip():
        raise Incomplete(_("Say why you withdraw it."), {"reason": _("Say why you withdraw it")})
    was = State(proposal.state)
    Lifecycle(proposal).withdraw()
    letters.queue("withdrawn", *(item.pk for item in close_open_items(proposal, Closing.WITHDRAWN)))
    record_act(
        proposal,
        Verb.PROPOSAL_WITHDRAWN,
        actor,
        before={"state": was.value},
        after={"state": proposal.state},
        reason=reason,
    )
    keep(proposal)
    return proposal


@transaction.atomic
def comment(*, actor: User, proposal: Proposal, audience: str, text: str, section: str = "") -> Comment:
    """Say something about a proposal to an audience. The author can only speak to everyone on it.

    A comment for "the body" goes to the body that holds the proposal and on which the person sits, or to the latest
    such.
    """
    proposal = locked(proposal)
    check_allowed(Act.COMMENT, actor, proposal)
    if proposal.disposed_at is not None:
        raise NotPossible(_("The contents of this proposal were disposed of, so nothing can be said about them."))
    if not text.strip():
        raise Incomplete(_("Write your comment."), {"text": _("Write your comment")})
    mine = proposal.work_items.filter(body__in=holdings(actor).bodies(Right.ADVISE)).select_related("body")
    item = mine.order_by(F("closed_at").desc(nulls_first=True), "-id").first()
    body = item.body if item else None
    if body is None and audience != Audience.EVERYONE:
        raise NotPossible(_("As its author you can write to everyone on the proposal only."))
    remark = Comment.objects.create(
        proposal=proposal,
        section=section,
        revision_number=proposal.revision_number,
        audience=Audience(audience),
        body=body if audience == Audience.BODY else None,
        author=actor,
        author_name=actor.name,
        author_title=actor.title,
        text=text.strip(),
        at=clock.now(),
    )
    record_act(
        proposal,
        Verb.COMMENT_ADDED,
        actor,
        # The words stay with the comment: the record of a confidential remark is open to people the remark is not, but
        # shows whether they were changed.
        after={
            "audience": audience,
            "comment": remark.pk,
            "section": section or None,
            "words": hidden(bytes(remark.salt), remark.text),
        },
    )
    keep_version(proposal)
    letters.queue("commented", remark.pk)
    return remark


@transaction.atomic
def move(
    *,
    actor: User,
    proposals: Collection[Proposal],
    version: PolicyVersion,
    plan_digest: str,
    reason: str,
    seen: Mapping[str, int] | None = None,
) -> list[Proposal]:
    """Put proposals in flight under another version of their policy, exactly as the plan of that digest says, or none
    of them.

    `seen` gives the lock versions in the plan that was shown, so that a refusal can say what happened since. Raises
    Stale when the plan of now is another one, NotPossible when a proposal cannot be moved or the version does not
    govern yet, NotPermitted to anybody but an administrator, Incomplete without a reason.
    """
    chosen = locked_together(proposals)
    for proposal in chosen:
        check_administers(Act.MOVE, actor, proposal)
    check_version(version)
    fresh = plan(chosen, version)
    check_same_plan(fresh, plan_digest, seen or {})
    for each in fresh.moves:
        if each.hindrance is not None:
            said = {"reference": each.case.reference, "why": each.hindrance.sentence}
            raise NotPossible(_("%(reference)s cannot be moved. %(why)s") % said)
    if not reason.strip():
        raise Incomplete(_("Say why they are moved."), {"reason": _("Say why they are moved")})
    by_reference = {proposal.reference: proposal for proposal in chosen}
    for each in fresh.moves:
        rebind(actor, by_reference[each.case.reference], version, each, plan=fresh.digest, reason=reason)
    return chosen


def _marks_of(conditions: Sequence[NewCondition]) -> list[Json]:
    """The digest of each condition, by which the record holds its words fast without repeating them."""
    return [
        digest_of({"text": new.text, "due_on": new.due_on.isoformat() if new.due_on else None, "owner": new.owner})
        for new in conditions
    ]
