"""The way that a draft would take if its author sent it now: which bodies, in which order, and which of them first.

Example: a proposal that the teaching centre returned goes straight back to it; the Associate Dean's approval stands,
unless the fee changed and the policy asks again for it then.
"""

from dataclasses import dataclass

from governance.people.queries import find_body
from governance.policies.models import PolicyVersion
from governance.policies.queries import place_of
from governance.policies.resolve import RouteStage, resolve
from governance.policies.vocabulary import Effect
from workflows.proposals.models import Proposal
from workflows.review.materiality import Reopened, reopened
from workflows.review.progress import next_stages, standing_approvals
from workflows.review.queries import answers_of, changes_of


@dataclass(frozen=True)
class Step:
    """A stage of the route: the body that sits there, what its answer does, and in how many working days; `reopened`
    when its approval stands now and would be asked for again."""

    key: str
    label: str
    body_name: str
    effect: str
    days: int
    done: bool
    reopened: bool


@dataclass(frozen=True)
class Ahead:
    """The route of a draft. `first` is where it goes when it is sent; `reopened` are the approvals that stand now and
    that sending it asks for again; `undecided`: too little is said to know the route."""

    steps: tuple[Step, ...] = ()
    first: Step | None = None
    reopened: tuple[Reopened, ...] = ()
    undecided: bool = False


def route_ahead(proposal: Proposal, version: PolicyVersion | None) -> Ahead:
    """What happens to a draft under a policy version, by its content as it is stored now."""
    if version is None:
        return Ahead()
    rules, content = version.typed_rules, proposal.draft_content()
    route = resolve(rules, content.facts(proposal.action), place_of(proposal.unit))
    approved: frozenset[str] = frozenset()
    again: tuple[Reopened, ...] = ()
    if proposal.revision_number and proposal.current_revision is not None:
        answers, next_number = answers_of(proposal), proposal.revision_number + 1
        changed = proposal.current_revision.changes_to(content, proposal.draft_files())
        changes = {**changes_of(proposal), next_number: changed}
        approved = standing_approvals(answers, route, rules, changes)
        again = reopened(answers, route, rules, changes, next_number)
    acting = [stage.key for stage in next_stages(route, approved) if stage.effect is not Effect.RECEIVE]
    asked_again = {one.stage for one in again}
    steps = tuple(
        _step(proposal, stage, done=stage.key in approved, reopened=stage.key in asked_again) for stage in route.stages
    )
    return Ahead(
        steps=steps,
        first=next((step for step in steps if step.key in acting), None),
        reopened=again,
        undecided=not (content.summary.kind and content.summary.level),
    )


def _step(proposal: Proposal, stage: RouteStage, *, done: bool, reopened: bool) -> Step:
    reference = stage.stage.body
    body = find_body(reference.kind, proposal.unit if reference.of else None)
    return Step(
        key=stage.key,
        label=stage.label,
        body_name=body.name if body else "",
        effect=str(stage.effect.label),
        days=stage.stage.due.working_days,
        done=done,
        reopened=reopened,
    )
