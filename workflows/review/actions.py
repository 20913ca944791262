"""The acts on a proposal. The only place that fires the machine's transitions and writes work items and decisions.

Every act is one transaction in the same order: lock; has it changed since the person looked; is it possible now; may this
person; do the rules allow it; then change, record, queue. A "no" is a refusal with its own sentence, and nothing happened.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from governance import clock
from governance.audit.actions import ASSENT, record
from governance.audit.canonical import Json
from governance.audit.models import Event
from governance.audit.queries import events_of
from governance.audit.verbs import Verb
from governance.people.duties import Right
from governance.people.models import User
from governance.people.queries import find_body, holdings
from governance.policies.models import PolicyVersion
from governance.policies.queries import in_force, place_of
from governance.policies.resolve import Route, RouteStage
from governance.policies.vocabulary import Effect, Outcome
from governance.refusals import Incomplete, NotPossible, Stale
from governance.working_days import add_working_days
from workflows.notices import outbox
from workflows.proposals.actions import locked
from workflows.proposals.completeness import gaps
from workflows.proposals.content import Content
from workflows.proposals.models import Audience, Comment, Proposal, Revision
from workflows.proposals.states import ENDED, State
from workflows.review import letters
from workflows.review.machine import Lifecycle
from workflows.review.models import Closing, Condition, Decision, WorkItem
from workflows.review.permits import Act, refusal
from workflows.review.progress import Answer, next_stages, standing_approvals
from workflows.review.queries import answers_of, open_items, route_of, standing

# A comment does not make a page stale; these do.
MATERIAL: Final = (
    Verb.PROPOSAL_SUBMITTED,
    Verb.PROPOSAL_RESUBMITTED,
    Verb.PROPOSAL_WITHDRAWN,
    Verb.DECISION_APPROVED,
    Verb.DECISION_APPROVED_WITH_CONDITIONS,
    Verb.DECISION_RETURNED,
    Verb.DECISION_SENT_BACK,
    Verb.DECISION_DECLINED,
)


@dataclass(frozen=True)
class NewCondition:
    """A condition as the person wrote it."""

    text: str
    due_on: date | None = None
    owner: str = ""


@dataclass(frozen=True)
class Stay:
    """A proposal locked at a stage that this person may decide now, with what the decision depends on."""

    proposal: Proposal
    item: WorkItem
    route: Route
    answers: tuple[Answer, ...]

    @property
    def stage(self) -> RouteStage:
        return self.route[self.item.stage_key]


@transaction.atomic
def submit(*, actor: User, proposal: Proposal, seen: int, note_to_reviewers: str = "") -> Revision:
    """Send the draft as an immutable revision to the bodies of its route, for the first time or after a return.

    The first submission binds the proposal to the policy version in force today. Raises Incomplete with every gap that
    the policy names, NotPossible when no policy is in force or a stage has no body.
    """
    proposal = locked(proposal)
    _unchanged_since(proposal, seen)
    _allowed(Act.SUBMIT, actor, proposal)
    policy_version = proposal.policy_version or in_force(settings.APPROVAL_POLICY)
    if policy_version is None:
        raise NotPossible(_("No approval policy is in force today, so nothing can be sent for review."))
    content = proposal.draft_content()
    _complete(policy_version, proposal, content)
    again = proposal.revision_number > 0
    proposal.policy_version = policy_version
    revision = _new_revision(actor, proposal, content, note_to_reviewers)
    Lifecycle(proposal).submit()
    proposal.submitted_at = proposal.submitted_at or revision.submitted_at
    opened = _open_next_items(proposal, revision, route_of(proposal), answers_of(proposal))
    _record(
        proposal,
        Verb.PROPOSAL_RESUBMITTED if again else Verb.PROPOSAL_SUBMITTED,
        actor,
        after={
            "state": proposal.state,
            "title": proposal.title,
            "holder": _names(opened),
            "stages": [item.stage_key for item in opened],
            "changed_sections": list(revision.changed_sections),
            "attachments": list(revision.attachments),
        },
        reason=note_to_reviewers,
    )
    _keep(proposal)
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
    """Approve at a stage, with conditions where any are given; the route says who holds the proposal next, or that it is approved.

    `confirmed` holds the keys of the checklist items that the person confirmed. Raises Incomplete when a required one is missing.
    """
    stay = _stay(Act.APPROVE, actor, item, seen)
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
    answers = (*stay.answers, Answer(stage=stay.item.stage_key, outcome=outcome))
    was = State(stay.proposal.state)
    remaining = next_stages(stay.route, _behind(stay.proposal, stay.route, answers))
    Lifecycle(stay.proposal).approve(stages_remain=any(stage.effect is not Effect.RECEIVE for stage in remaining))
    decision = _decide(actor, stay, outcome, was=was, confirmed=confirmed, reasons=reasons)
    Condition.objects.bulk_create(
        Condition(decision=decision, number=number, text=new.text, due_on=new.due_on, owner=new.owner)
        for number, new in enumerate(conditions, start=1)
    )
    _open_next_items(stay.proposal, stay.item.revision, stay.route, answers)
    _keep(stay.proposal)
    return decision


@transaction.atomic
def return_for_changes(
    *, actor: User, item: WorkItem, seen: int, reasons: str, to_stage: str = "", confirmed: Collection[str] = ()
) -> Decision:
    """Return the proposal with reasons to its author, or to the earlier stage of key `to_stage`, which then holds it again."""
    stay = _stay(Act.RETURN, actor, item, seen)
    if not reasons.strip():
        raise Incomplete(_("Say what should change."), {"reasons": _("Say what should change")})
    if to_stage and to_stage not in [stage.key for stage in stay.route.before(stay.item.stage_key)]:
        raise NotPossible(_("This proposal cannot be returned to that stage."))
    was = State(stay.proposal.state)
    Lifecycle(stay.proposal).return_for_changes(to_author=not to_stage)
    decision = _decide(actor, stay, Outcome.RETURN, was=was, confirmed=confirmed, reasons=reasons, to_stage=to_stage)
    _close_open_items(stay.proposal, Closing.SUPERSEDED)
    if to_stage:
        answer = Answer(stage=stay.item.stage_key, outcome=Outcome.RETURN, to_stage=to_stage)
        _open_next_items(stay.proposal, stay.item.revision, stay.route, (*stay.answers, answer))
    _keep(stay.proposal)
    return decision


@transaction.atomic
def decline(*, actor: User, item: WorkItem, seen: int, reasons: str, confirmed: Collection[str] = ()) -> Decision:
    """Decline the proposal with reasons. It ends, and stays in the record."""
    stay = _stay(Act.DECLINE, actor, item, seen)
    if not reasons.strip():
        raise Incomplete(_("Say why it is declined."), {"reasons": _("Say why it is declined")})
    was = State(stay.proposal.state)
    Lifecycle(stay.proposal).decline()
    decision = _decide(actor, stay, Outcome.DECLINE, was=was, confirmed=confirmed, reasons=reasons)
    _close_open_items(stay.proposal, Closing.SUPERSEDED)
    _keep(stay.proposal)
    return decision


@transaction.atomic
def withdraw(*, actor: User, proposal: Proposal, seen: int, reason: str) -> Proposal:
    """The author ends their own proposal, with a reason. What was said and decided about it stays."""
    proposal = locked(proposal)
    _unchanged_since(proposal, seen)
    _allowed(Act.WITHDRAW, actor, proposal)
    if not reason.strip():
        raise Incomplete(_("Say why you withdraw it."), {"reason": _("Say why you withdraw it")})
    was = State(proposal.state)
    Lifecycle(proposal).withdraw()
    for item in _close_open_items(proposal, Closing.WITHDRAWN):
        letters.queue("withdrawn", item.pk)
    _record(
        proposal,
        Verb.PROPOSAL_WITHDRAWN,
        actor,
        before={"state": was.value},
        after={"state": proposal.state},
        reason=reason,
    )
    _keep(proposal)
    return proposal


@transaction.atomic
def comment(*, actor: User, proposal: Proposal, audience: str, text: str, section: str = "") -> Comment:
    """Say something about a proposal to an audience. The author can only speak to everyone on it.

    A comment for "the body" goes to the body that holds the proposal and on which the person sits, or to the latest such.
    """
    proposal = locked(proposal)
    _allowed(Act.COMMENT, actor, proposal)
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
    _record(
        proposal,
        Verb.COMMENT_ADDED,
        actor,
        # The words stay with the comment: the record of a confidential remark is open to people the remark is not.
        after={"audience": audience, "comment": remark.pk, "section": section or None},
    )
    _keep_version(proposal)
    letters.queue("commented", remark.pk)
    return remark


# ---- the steps that acts share


def _unchanged_since(proposal: Proposal, seen: int) -> None:
    if proposal.version == seen:
        return
    changed = list(events_of(proposal.subject, after=seen, verbs=MATERIAL))
    if changed:
        raise Stale(_("This proposal changed while you were reading it, so nothing was decided."), changed)


def _allowed(act: Act, actor: User, proposal: Proposal) -> None:
    no = refusal(act, standing(actor, proposal))
    if no is not None:
        raise no


def _stay(act: Act, actor: User, item: WorkItem, seen: int) -> Stay:
    """Lock the proposal and its work item, and see that this person may decide on it now."""
    proposal = locked(item.proposal)
    item = WorkItem.objects.select_for_update(of=("self",)).select_related("body", "revision").get(pk=item.pk)
    item.proposal = proposal
    if item.revision.number == proposal.revision_number:
        proposal.current_revision = item.revision
    _unchanged_since(proposal, seen)
    answers = tuple(answers_of(proposal))
    no = refusal(act, standing(actor, proposal, item, answers=answers))
    if no is not None:
        raise no
    return Stay(proposal=proposal, item=item, route=route_of(proposal), answers=answers)


def _complete(policy_version: PolicyVersion, proposal: Proposal, content: Content) -> None:
    found = gaps(policy_version.typed_rules, content, place_of(proposal.unit), action=proposal.action)
    if found:
        raise Incomplete(
            _("The proposal is not complete yet."),
            {gap.field: _("%(says)s (clause %(clause)s)") % {"says": gap.says, "clause": gap.clause} for gap in found},
        )


def _new_revision(actor: User, proposal: Proposal, content: Content, words: str) -> Revision:
    previous = proposal.current_revision
    files = [
        {"name": file.name, "digest": file.digest, "size": file.size}
        for file in proposal.attachments.filter(removed_at=None)
    ]
    changed: list[str] = []
    if previous is not None:
        changed = [key for key in type(content).model_fields if content.section(key) != previous.content.section(key)]
        changed += ["files"] if files != previous.attachments else []
    canonical = content.canonical()
    revision = Revision.objects.create(
        proposal=proposal,
        number=proposal.revision_number + 1,
        content_text=canonical.decode(),
        digest=content.digest(files),
        changed_sections=changed,
        attachments=files,
        note=words.strip(),
        submitted_by=actor,
        submitted_by_name=actor.name,
        submitted_at=clock.now(),
    )
    proposal.revision_number = revision.number
    proposal.current_revision = revision
    return revision


def _decide(
    actor: User,
    stay: Stay,
    outcome: Outcome,
    *,
    was: State,
    confirmed: Collection[str],
    reasons: str,
    to_stage: str = "",
) -> Decision:
    """Close the work item with a decision, its event, its memo's place in the outbox and its letters'."""
    proposal, item = stay.proposal, stay.item
    assert proposal.policy_version is not None
    _close(item, Closing(outcome.value))
    to_label = stay.route[to_stage].label if to_stage else ""
    verb = {
        Outcome.APPROVE: Verb.DECISION_APPROVED,
        Outcome.APPROVE_WITH_CONDITIONS: Verb.DECISION_APPROVED_WITH_CONDITIONS,
        Outcome.RETURN: Verb.DECISION_SENT_BACK if to_stage else Verb.DECISION_RETURNED,
        Outcome.DECLINE: Verb.DECISION_DECLINED,
    }[outcome]
    event = _record(
        proposal,
        verb,
        actor,
        on_behalf_of=item.body.name,
        before={"state": was.value, "stage": item.stage_key, "opened_at": item.opened_at.isoformat()},
        after={
            "state": proposal.state,
            "outcome": outcome.value,
            "stage": item.stage_key,
            "stage_label": item.stage_label,
            "effect": item.effect,
            "to_stage": to_label or None,
            "confirmed": sorted(confirmed),
        },
        reason=reasons,
    )
    decision = Decision.objects.create(
        item=item,
        proposal=proposal,
        revision=item.revision,
        policy_version=proposal.policy_version,
        stage_key=item.stage_key,
        stage_label=item.stage_label,
        effect=item.effect,
        outcome=outcome,
        to_stage=to_stage,
        to_stage_label=to_label,
        body=item.body,
        body_name=item.body.name,
        by=actor,
        by_name=actor.name,
        by_title=actor.title,
        reasons=reasons.strip(),
        checklist=[
            {
                "key": question.key,
                "text": question.text,
                "clause": question.clause,
                "required": question.required,
                "confirmed": question.key in confirmed,
            }
            for question in stay.stage.stage.checklist
        ],
        at=clock.now(),
        event_number=event.pk,
    )
    outbox.queue(task="memos.render", key=f"memo:{decision.pk}", payload={"decision_id": decision.pk})
    letters.queue("decided", decision.pk)
    return decision


def _behind(proposal: Proposal, route: Route, answers: Iterable[Answer]) -> frozenset[str]:
    """The stages that are behind the proposal: those whose approval stands, and those that received it for information."""
    assert proposal.policy_version is not None
    resume = proposal.policy_version.typed_rules.resubmission.resume
    behind = standing_approvals(answers, route, resume)
    if any(stage.effect is Effect.RECEIVE for stage in route.stages):
        received = proposal.work_items.filter(closing=Closing.RECEIVED, revision=proposal.current_revision)
        behind |= set(received.values_list("stage_key", flat=True))
    return behind


def _open_next_items(
    proposal: Proposal, revision: Revision, route: Route, answers: Iterable[Answer]
) -> list[WorkItem]:
    """Give the proposal to the bodies whose stages come next; a stage that only receives is closed as it is opened."""
    already_open = set(proposal.work_items.filter(closed_at=None).values_list("stage_key", flat=True))
    opened = []
    for stage in next_stages(route, _behind(proposal, route, answers)):
        if stage.key in already_open:
            continue
        item = _open_item(proposal, revision, stage)
        if stage.effect is Effect.RECEIVE:
            _close(item, Closing.RECEIVED)
            _record(proposal, Verb.STAGE_RECEIVED, None, on_behalf_of=item.body.name, after={"stage": stage.key})
        else:
            opened.append(item)
            letters.queue("waits", item.pk)
    return opened


def _open_item(proposal: Proposal, revision: Revision, stage: RouteStage) -> WorkItem:
    """Raises NotPossible when the institution has no body of the kind that the stage names."""
    reference = stage.stage.body
    body = find_body(reference.kind, proposal.unit if reference.of else None)
    if body is None:
        raise NotPossible(
            _("The stage “%(stage)s” has no body for %(unit)s. An administrator must set one up.")
            % {"stage": stage.label, "unit": proposal.unit.name}
        )
    return WorkItem.objects.create(
        proposal=proposal,
        revision=revision,
        stage_key=stage.key,
        stage_label=stage.label,
        effect=stage.effect,
        body=body,
        opened_at=clock.now(),
        due_on=add_working_days(clock.today(), stage.stage.due.working_days),
    )


def _close(item: WorkItem, closing: Closing) -> None:
    item.closed_at, item.closing = clock.now(), closing
    item.save(update_fields=["closed_at", "closing"])


def _close_open_items(proposal: Proposal, closing: Closing) -> list[WorkItem]:
    items = list(open_items(proposal))
    for item in items:
        _close(item, closing)
    return items


def _keep(proposal: Proposal) -> None:
    """Save what the act changed; holder and state changed now."""
    proposal.since = clock.now()
    proposal.ended_at = clock.now() if proposal.state in ENDED else None
    proposal.save(
        update_fields=["state", "since", "ended_at", "submitted_at", "policy_version", "revision_number", "version"]
    )


def _keep_version(proposal: Proposal) -> None:
    proposal.save(update_fields=["version"])


def _record(
    proposal: Proposal,
    verb: Verb,
    actor: User | None,
    *,
    on_behalf_of: str = "",
    before: dict[str, Json] | None = None,
    after: dict[str, Json] | None = None,
    reason: str = "",
) -> Event:
    """Append to the proposal's stream; the act saves the proposal, and with it the new lock version, when it is done."""
    revision = proposal.current_revision
    event = record(
        verb=verb,
        subject=proposal.subject,
        actor=actor.as_actor() if actor else ASSENT,
        on_behalf_of=on_behalf_of,
        policy_version=proposal.policy_version.label if proposal.policy_version else "",
        revision=revision.mark if revision else None,
        before=before,
        after=after,
        reason=reason.strip(),
        sequence=proposal.version + 1,
    )
    proposal.version = event.sequence
    return event


def _names(items: Sequence[WorkItem]) -> str:
    return ", ".join(item.body.name for item in items)
