"""How far a proposal has come on its route: which approvals stand, and which stages come next. Pure functions.

Example: a proposal returned by the teaching centre keeps its Associate Dean's approval and, sent again, goes straight
back to the teaching centre, if the policy says so; where the fee changed meanwhile and the policy reopens the Associate
Dean's approval for it, it goes there first.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from governance.policies.resolve import Route, RouteStage
from governance.policies.rules import Resume, Rules
from governance.policies.vocabulary import Effect, Outcome

APPROVALS = frozenset({Outcome.APPROVE, Outcome.APPROVE_WITH_CONDITIONS})


@dataclass(frozen=True)
class Answer:
    """A decision as far as what follows depends on it: by which stage, what, on which submission, back to which stage,
    by whom (a key), and whether it decided or only recommended then."""

    stage: str
    outcome: Outcome
    revision: int = 1
    to_stage: str = ""
    by: int = 0
    effect: Effect = Effect.DECIDE


# The fields that differ from the submission before, by the number of the submission.
Changes = Mapping[int, Collection[str]]


def standing_approvals(
    answers: Iterable[Answer], route: Route, rules: Rules, changes: Changes | None = None
) -> frozenset[str]:
    """The stages whose approval stands after these answers, given in the order in which they were made, and after the
    submissions whose `changes` are given."""
    approved: set[str] = set()
    reopened_by = {number: rules.reopened_by(changed) for number, changed in (changes or {}).items()}
    revision = 1
    for answer in answers:
        for number in range(revision + 1, answer.revision + 1):
            approved -= reopened_by.get(number, frozenset())
        revision = max(revision, answer.revision)
        approved.discard(answer.stage)  # what a stage said last is what it says
        if answer.outcome in APPROVALS:
            if _suffices(answer, route):
                approved.add(answer.stage)
        elif answer.outcome is Outcome.RETURN and answer.to_stage in route:
            wave = route[answer.to_stage].wave
            approved -= {stage.key for stage in route.stages if stage.wave > wave} | {answer.to_stage}
        elif answer.outcome is Outcome.RETURN and rules.resubmission.resume is Resume.FIRST_STAGE:
            approved.clear()
    for number in range(revision + 1, max(reopened_by, default=1) + 1):
        approved -= reopened_by.get(number, frozenset())
    return frozenset(approved)


def _suffices(answer: Answer, route: Route) -> bool:
    """Whether an approval is as much as the route asks of its stage: a recommendation is no decision where the content,
    or the version, has come to be one on which the stage decides."""
    decides = answer.stage in route and route[answer.stage].effect is Effect.DECIDE
    return answer.effect is Effect.DECIDE or not decides


def only_received(received: Iterable[str], route: Route) -> frozenset[str]:
    """Of the stages that received the submission for information, those that have no more to do: under another version
    a stage may have to answer what it only received before."""
    return frozenset(key for key in received if key in route and route[key].effect is Effect.RECEIVE)


def next_stages(route: Route, approved: frozenset[str]) -> tuple[RouteStage, ...]:
    """The stages that should hold the proposal now: those without an approval in the first wave that lacks one.

    Stages that only receive for information and stand before or among them are included; empty at the end of the route.
    """
    reached: list[RouteStage] = []
    wave = -1
    while stages := route.wave_after(wave):
        wave = stages[0].wave
        missing = [stage for stage in stages if stage.key not in approved]
        reached += missing
        if any(stage.effect is not Effect.RECEIVE for stage in missing):
            break
    return tuple(reached)
