"""The steps that acts on a proposal share: locking, asking, deciding, handing on, recording. Only `actions.py` calls
them.

Each step works inside the transaction of the act that calls it, on a proposal whose row that act has locked.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _

from governance import clock
from governance.audit.actions import ASSENT, record
from governance.audit.canonical import Json
from governance.audit.models import Event
from governance.audit.queries import events_of
from governance.audit.verbs import Verb
from governance.people.models import User
from governance.people.queries import find_body
from governance.policies.models import PolicyVersion
from governance.policies.queries import place_of
from governance.policies.resolve import Route, RouteStage
from governance.policies.vocabulary import Effect, Outcome
from governance.refusals import Incomplete, NotPossible, Stale
from governance.working_days import add_working_days
from workflows.notices import outbox
from workflows.notices.outbox import Parcel
from workflows.proposals.actions import locked
from workflows.proposals.completeness import gaps
from workflows.proposals.content import Content
from workflows.proposals.models import Proposal, Revision
from workflows.proposals.states import ENDED, State
from workflows.review import letters
from workflows.review.materiality import Reopened, reopened
from workflows.review.models import Closing, Decision, WorkItem
from workflows.review.moves import Move
from workflows.review.permits import Act, Standing, refusal
from workflows.review.progress import Answer, next_stages, only_received, standing_approvals
from workflows.review.queries import answers_of, changes_of, open_items, route_of, standing

# A comment does not make a page stale; these do.
MATERIAL: Final = (
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

    def answer(self, outcome: Outcome, to_stage: str = "") -> Answer:
        """The answer that this decision adds to those before it."""
        number, effect = self.item.revision.number, Effect(self.item.effect)
        return Answer(stage=self.item.stage_key, outcome=outcome, revision=number, to_stage=to_stage, effect=effect)


def check_unchanged(proposal: Proposal, seen: int) -> None:
    if proposal.version == seen:
        return
    changed = list(events_of(proposal.subject, after=seen, verbs=MATERIAL))
    if changed:
        raise Stale(_("This proposal changed while you were reading it, so nothing was decided."), changed)


def check_allowed(act: Act, actor: User, proposal: Proposal) -> None:
    no = refusal(act, standing(actor, proposal))
    if no is not None:
        raise no


def check_administers(act: Act, actor: User, proposal: Proposal) -> None:
    """See that this person may do, as an administrator, what needs no seat on any body."""
    administers = actor.is_staff and actor.is_active
    is_author = proposal.author_id == actor.pk
    no = refusal(act, Standing(state=State(proposal.state), is_author=is_author, is_administrator=administers))
    if no is not None:
        raise no


def stay_at(act: Act, actor: User, item: WorkItem, seen: int) -> Stay:
    """Lock the proposal and its work item, and see that this person may decide on it now."""
    proposal = locked(item.proposal)
    item = WorkItem.objects.select_for_update(of=("self",)).select_related("body", "revision").get(pk=item.pk)
    item.proposal = proposal
    if item.revision.number == proposal.revision_number:
        proposal.current_revision = item.revision
    check_unchanged(proposal, seen)
    answers = tuple(answers_of(proposal))
    no = refusal(act, standing(actor, proposal, item, answers=answers))
    if no is not None:
        raise no
    return Stay(proposal=proposal, item=item, route=route_of(proposal), answers=answers)


def check_complete(policy_version: PolicyVersion, proposal: Proposal, content: Content) -> None:
    found = gaps(policy_version.typed_rules, content, place_of(proposal.unit), action=proposal.action)
    if found:
        raise Incomplete(
            _("The proposal is not complete yet."),
            {gap.field: _("%(says)s (clause %(clause)s)") % {"says": gap.says, "clause": gap.clause} for gap in found},
        )


def new_revision(actor: User, proposal: Proposal, content: Content, words: str) -> Revision:
    previous = proposal.current_revision
    files = proposal.draft_files()
    changed = previous.changes_to(content, files) if previous is not None else []
    canonical = content.canonical()
    revision = Revision.objects.create(
        proposal=proposal,
        number=proposal.revision_number + 1,
        content_text=canonical.decode(),
        digest=content.digest(files),
        changed_fields=changed,
        changed_sections=list(dict.fromkeys(path.partition(".")[0] for path in changed)),
        attachments=files,
        note=words.strip(),
        submitted_by=actor,
        submitted_by_name=actor.name,
        submitted_at=clock.now(),
    )
    proposal.revision_number = revision.number
    proposal.current_revision = revision
    return revision


def close_with_decision(
    actor: User,
    stay: Stay,
    outcome: Outcome,
    *,
    was: State,
    confirmed: Collection[str],
    reasons: str,
    to_stage: str = "",
    conditions: Sequence[Json] = (),
) -> Decision:
    """Close the work item with a decision and its event."""
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
    event = record_act(
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
            "seat": item.body.code,
            "conditions": list(conditions),
        },
        reason=reasons,
    )
    return Decision.objects.create(
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


def send_out(decision: Decision, opened: Iterable[WorkItem] = ()) -> None:
    """Queue the memo of a decision, and the letters to its author and to the bodies for which the proposal waits
    now."""
    outbox.queue_all(
        [
            Parcel("memos.render", f"memo:{decision.pk}", {"decision_id": decision.pk}),
            letters.parcel("decided", decision.pk),
            *(letters.parcel("waits", item.pk) for item in opened),
        ]
    )


def _stages_behind(proposal: Proposal, route: Route, answers: Iterable[Answer]) -> frozenset[str]:
    """The stages that are behind the proposal: those whose approval stands, and those that received it for
    information."""
    assert proposal.policy_version is not None
    behind = standing_approvals(answers, route, proposal.policy_version.typed_rules, changes_of(proposal))
    if any(stage.effect is Effect.RECEIVE for stage in route.stages):
        received = proposal.work_items.filter(closing=Closing.RECEIVED, revision=proposal.current_revision)
        behind |= only_received(received.values_list("stage_key", flat=True), route)
    return behind


def reopened_by(proposal: Proposal, route: Route, answers: Iterable[Answer]) -> tuple[Reopened, ...]:
    """The approvals that the current submission asks for again."""
    assert proposal.policy_version is not None
    rules = proposal.policy_version.typed_rules
    return reopened(answers, route, rules, changes_of(proposal), proposal.revision_number)


def stages_ahead(proposal: Proposal, route: Route, answers: Iterable[Answer]) -> tuple[RouteStage, ...]:
    """The stages that should hold the proposal after these answers; none at the end of its route."""
    return next_stages(route, _stages_behind(proposal, route, answers))


def open_items_at(proposal: Proposal, revision: Revision, stages: Iterable[RouteStage]) -> list[WorkItem]:
    """Give the proposal to the bodies of these stages, where they do not hold it already; a stage that only receives is
    closed as it is opened."""
    already_open = set(proposal.work_items.filter(closed_at=None).values_list("stage_key", flat=True))
    opened = []
    for stage in stages:
        if stage.key in already_open:
            continue
        item = _open_item(proposal, revision, stage)
        if stage.effect is Effect.RECEIVE:
            _close(item, Closing.RECEIVED)
            record_act(
                proposal,
                Verb.STAGE_RECEIVED,
                None,
                on_behalf_of=item.body.name,
                after={"stage": stage.key, "seat": item.body.code},
            )
        else:
            opened.append(item)
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


def close_open_items(proposal: Proposal, closing: Closing) -> list[WorkItem]:
    items = list(open_items(proposal))
    for item in items:
        _close(item, closing)
    return items


def locked_together(proposals: Iterable[Proposal]) -> list[Proposal]:
    """The rows of several proposals, locked in the order of their keys, so that two acts never wait for each other."""
    keys = [proposal.pk for proposal in proposals]
    return list(
        Proposal.objects.select_for_update(of=("self",))
        .select_related("unit__parent__parent", "policy_version__policy")
        .filter(pk__in=keys)
        .order_by("pk")
    )


def rebind(actor: User, proposal: Proposal, version: PolicyVersion, move: Move, *, plan: str, reason: str) -> None:
    """Put one proposal under another version as its part of the plan says: record it, end what it leaves, and give it
    to who holds it now."""
    assert proposal.policy_version is not None
    before: dict[str, Json] = {
        "state": proposal.state,
        "stages": [held.stage for held in move.case.held],
        "holder": ", ".join(held.body for held in move.case.held),
    }
    after: dict[str, Json] = {
        "state": proposal.state,
        "from_policy": proposal.policy_version.label,
        "policy": version.label,
        "stages": [] if move.is_returned else [one.stage for one in move.landing if not one.informed],
        "holder": "" if move.is_returned else ", ".join(one.body for one in move.landing if not one.informed),
        "kept": [one.as_json() for one in (*move.kept, *move.restored)],
        "lost": [one.as_json() for one in move.lost],
        "plan": plan,
    }
    proposal.policy_version = version
    event = record_act(proposal, Verb.PROPOSAL_MOVED, actor, before=before, after=after, reason=reason)
    letters.queue("moved", event.pk)
    route, leaving = route_of(proposal), {held.item for held in move.leaves}
    letters.queue("left", *sorted(leaving))
    for item in open_items(proposal):
        if item.pk in leaving:
            _close(item, Closing.MOVED)
        else:
            item.stage_label = route[item.stage_key].label
            item.save(update_fields=["stage_label"])
    if not move.is_returned:
        assert proposal.current_revision is not None
        stages = stages_ahead(proposal, route, answers_of(proposal))
        opened = open_items_at(proposal, proposal.current_revision, stages)
        letters.queue("waits", *(item.pk for item in opened))
    if move.leaves:
        proposal.since = clock.now()
    proposal.save(update_fields=["policy_version", "since", "version"])


def keep(proposal: Proposal) -> None:
    """Save what the act changed; holder and state changed now."""
    proposal.since = clock.now()
    proposal.ended_at = clock.now() if proposal.state in ENDED else None
    proposal.save(
        update_fields=["state", "since", "ended_at", "submitted_at", "policy_version", "revision_number", "version"]
    )


def keep_version(proposal: Proposal) -> None:
    proposal.save(update_fields=["version"])


def record_act(
    proposal: Proposal,
    verb: Verb,
    actor: User | None,
    *,
    on_behalf_of: str = "",
    before: Mapping[str, Json] | None = None,
    after: Mapping[str, Json] | None = None,
    reason: str = "",
) -> Event:
    """Append to the proposal's stream; the act saves the proposal, and with it the new lock version, when it is
    done."""
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


def names_of(items: Sequence[WorkItem]) -> str:
    return ", ".join(item.body.name for item in items)
