"""What pages read of the review: who may see what, a person's standing, the open work items, the queue."""

from collections.abc import Sequence

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from governance.people.duties import Right
from governance.people.models import User
from governance.people.queries import Holdings, holdings
from governance.policies.queries import place_of
from governance.policies.resolve import Route, RouteStage, resolve
from governance.policies.rules import Rules
from governance.policies.vocabulary import Effect, Outcome
from workflows.proposals.models import Audience, Comment, Proposal
from workflows.proposals.states import State
from workflows.review.models import Decision, WorkItem
from workflows.review.permits import Stage, Standing
from workflows.review.progress import Answer, Changes


def route_of(proposal: Proposal) -> Route:
    """The route of a submitted proposal: its policy version's rules over its current submission and its unit.

    Once the proposal was disposed of, its content says nothing any more: its route is the stages that it came to.
    """
    assert proposal.policy_version is not None and proposal.current_revision is not None
    if proposal.disposed_at is not None:
        return _route_taken(proposal, proposal.policy_version.typed_rules)
    content = proposal.current_revision.content
    return resolve(proposal.policy_version.typed_rules, content.facts(proposal.action), place_of(proposal.unit))


def _route_taken(proposal: Proposal, rules: Rules) -> Route:
    effects = dict(proposal.work_items.order_by("id").values_list("stage_key", "effect"))
    came_to = [stage for stage in rules.route if stage.key in effects]
    return Route(
        tuple(RouteStage(stage, Effect(effects[stage.key]), wave=place) for place, stage in enumerate(came_to))
    )


def answers_of(proposal: Proposal) -> list[Answer]:
    """Every decision on a proposal in the order made, as progress and duties depend on it."""
    rows = Decision.objects.filter(proposal=proposal).order_by("id")
    return [
        Answer(stage, Outcome(outcome), revision=revision, to_stage=to_stage, by=by, effect=Effect(effect))
        for stage, outcome, revision, to_stage, by, effect in rows.values_list(
            "stage_key", "outcome", "revision__number", "to_stage", "by", "effect"
        )
    ]


def changes_of(proposal: Proposal) -> Changes:
    """The fields that changed with each submission after the first; asked only where the policy reopens for any."""
    assert proposal.policy_version is not None
    if proposal.revision_number < 2 or not proposal.policy_version.typed_rules.reopens:
        return {}
    return dict(proposal.revisions.filter(number__gt=1).values_list("number", "changed_fields"))


def open_items(proposal: Proposal) -> QuerySet[WorkItem]:
    return proposal.work_items.filter(closed_at=None).select_related("body").order_by("id")


def oversees(held: Holdings) -> bool:
    """Whether these holdings let a person read every submitted proposal."""
    return settings.OVERSIGHT_BODY_KIND in held.kinds(Right.VIEW)


def may_audit(user: User, held: Holdings | None = None) -> bool:
    """Whether a person may look through the whole record: an administrator, or who may view on a body of oversight."""
    return user.is_staff or oversees(held or holdings(user))


def visible_to(user: User, held: Holdings | None = None) -> QuerySet[Proposal]:
    """Every proposal a person may see: their own, and those that a body reached on which they may view."""
    held = held or holdings(user)
    reached = WorkItem.objects.filter(proposal=OuterRef("pk"), body__in=held.bodies(Right.VIEW))
    visible = Q(author=user) | Q(Exists(reached))
    if oversees(held):
        visible |= Q(revision_number__gt=0)
    return Proposal.objects.filter(visible)


def standing(
    user: User,
    proposal: Proposal,
    item: WorkItem | None = None,
    *,
    held: Holdings | None = None,
    answers: Sequence[Answer] | None = None,
) -> Standing:
    """What matters of a person towards a proposal and, where given, one of its work items.

    A caller that has read the person's holdings or the proposal's answers already passes them.
    """
    held = held or holdings(user)
    is_author = proposal.author_id == user.pk
    stage = None
    if item is not None and item.closed_at is None:
        stage = Stage(
            key=item.stage_key,
            body=item.body.name,
            rights=held.rights_on(item.body_id),
            outcomes=frozenset(route_of(proposal)[item.stage_key].stage.outcomes),
        )
    reached = _bodies_reached(proposal, stage, item)
    if answers is None:
        answers = answers_of(proposal)
    return Standing(
        state=State(proposal.state),
        is_author=is_author,
        may_propose=is_author and proposal.unit_id in held.units(Right.PROPOSE),
        sees=is_author or bool(reached & held.bodies(Right.VIEW)) or (proposal.revision_number > 0 and oversees(held)),
        advises=bool(reached & held.bodies(Right.ADVISE)),
        stage=stage,
        decided_stages=frozenset(answer.stage for answer in answers if answer.by == user.pk),
        duties=proposal.policy_version.typed_rules.duties if proposal.policy_version else None,
        is_administrator=user.is_staff and user.is_active,
    )


def _bodies_reached(proposal: Proposal, stage: Stage | None, item: WorkItem | None) -> set[int]:
    """The bodies that a proposal has reached; where the person decides for the holding body, that one tells enough."""
    if proposal.revision_number == 0:
        return set()
    if item is not None and stage is not None and Right.DECIDE in stage.rights:
        return {item.body_id}
    return set(WorkItem.objects.filter(proposal=proposal).values_list("body", flat=True))


def comments_for(user: User, proposal: Proposal, held: Holdings | None = None) -> QuerySet[Comment]:
    """The comments on a proposal that a person may read: their own, those for everyone, and those for bodies they sit
    on."""
    comments = proposal.comments.select_related("body", "author").order_by("at", "id")
    held = held or holdings(user)
    if oversees(held):
        return comments
    readable = Q(audience=Audience.EVERYONE) | Q(author=user)
    mine = held.bodies(Right.VIEW)
    if proposal.work_items.filter(body__in=mine).exists():
        readable |= Q(audience=Audience.REVIEWERS) | Q(audience=Audience.BODY, body__in=mine)
    return comments.filter(readable)
