"""How far a proposal has come on its route: which approvals stand, and which stages come next. Pure functions.

Example: a proposal returned by the teaching centre keeps its Associate Dean's approval and, sent again, goes straight
back to the teaching centre, if the policy says so.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from governance.policies.resolve import Route, RouteStage
from governance.policies.rules import Resume
from governance.policies.vocabulary import Effect, Outcome

APPROVALS = frozenset({Outcome.APPROVE, Outcome.APPROVE_WITH_CONDITIONS})


@dataclass(frozen=True)
class Answer:
    """A decision as far as what follows depends on it: by which stage, what, back to which stage, and by whom (a
    key)."""

    stage: str
    outcome: Outcome
    to_stage: str = ""
    by: int = 0


def standing_approvals(answers: Iterable[Answer], route: Route, resume: Resume) -> frozenset[str]:
    """The stages whose approval stands after these answers, given in the order in which they were made."""
    approved: set[str] = set()
    for answer in answers:
        if answer.outcome in APPROVALS:
            approved.add(answer.stage)
        elif answer.outcome is Outcome.RETURN and answer.to_stage in route:
            wave = route[answer.to_stage].wave
            approved -= {stage.key for stage in route.stages if stage.wave > wave} | {answer.to_stage}
        elif answer.outcome is Outcome.RETURN and resume is Resume.FIRST_STAGE:
            approved.clear()
    return frozenset(approved)


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
