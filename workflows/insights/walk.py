"""The way that a past proposal takes under a set of rules, with the answers that its bodies gave. Pure functions.

Example: under the rules that governed it, a proposal comes to the Associate Dean, the teaching centre and Senate, as it
did; under a draft that asks a council too, the council is taken to approve, and Senate says what it said.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from governance.policies.resolve import Route, RouteStage, resolve
from governance.policies.rules import Rules
from governance.policies.vocabulary import Effect, Facts, Outcome, UnitPlace
from workflows.proposals.content import Content
from workflows.proposals.states import State
from workflows.review.progress import APPROVALS, Answer, next_stages, standing_approvals


@dataclass(frozen=True)
class Submission:
    """What was sent: its number, its words, and the fields that differ from the submission before."""

    number: int
    content: Content
    changed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stay:
    """A time that a proposal spent at a stage: which, with a body of which kind, for which submission."""

    stage: str
    body: str
    revision: int


@dataclass(frozen=True)
class Case:
    """A past proposal, as far as any rules could have led it another way."""

    reference: str
    action: str
    unit: UnitPlace
    author: int
    submissions: tuple[Submission, ...]
    answers: tuple[Answer, ...]
    stays: tuple[Stay, ...]
    ended: State

    @cached_property
    def facts(self) -> tuple[Facts, ...]:
        """What conditions read of each submission."""
        return tuple(submission.content.facts(self.action) for submission in self.submissions)


@dataclass(frozen=True)
class Opening:
    """A stage that the proposal comes to, with which submission; those of one `turn` are opened together."""

    stage: RouteStage
    revision: int
    turn: int

    @property
    def key(self) -> str:
        return self.stage.key

    @property
    def body(self) -> str:
        return self.stage.stage.body.kind

    @property
    def acts(self) -> bool:
        """Whether the body answers there, and is not only informed."""
        return self.stage.effect is not Effect.RECEIVE

    @property
    def stay(self) -> Stay:
        return Stay(self.key, self.body, self.revision)


@dataclass(frozen=True)
class Walk:
    """The whole way: every stage in the order in which it is come to, the past answers that count there, how many
    approvals had to be taken for granted, and how it ends."""

    openings: tuple[Opening, ...]
    answers: tuple[Answer, ...]
    supposed: int
    ended: State

    @property
    def acting(self) -> tuple[Opening, ...]:
        return tuple(opening for opening in self.openings if opening.acts)


def walk(rules: Rules, case: Case) -> Walk:
    """The way of a past proposal under these rules.

    Each body says what it said. One that was not asked is taken to approve, as far as that is needed for the answers
    that were given to come about; a proposal that was withdrawn stops where no answer is left. An answer at a stage
    that the rules do not have, or a return to one, is left out.
    """
    way = _Way(rules, case.unit)
    for facts, submission in zip(case.facts, case.submissions, strict=True):
        way.submit(submission, facts)
        said = [answer for answer in case.answers if answer.revision == submission.number and way.hears(answer)]
        goes_on = submission is case.submissions[-1] and case.ended in (State.APPROVED, State.DECLINED)
        while way.open:
            answer = next((one for one in said if one.stage in way.open), None)
            if answer is not None:
                said.remove(answer)
                way.answer(answer)
            elif goes_on or way.wanting(said):
                way.suppose()
            else:
                break
    return way.walked(case.ended)


@dataclass
class _Way:
    """How far a proposal has come, as `workflows.review.actions` would have brought it there."""

    rules: Rules
    unit: UnitPlace
    openings: list[Opening] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    past: list[Answer] = field(default_factory=list)
    changes: dict[int, tuple[str, ...]] = field(default_factory=dict)
    open: list[str] = field(default_factory=list)
    received: set[str] = field(default_factory=set)
    approved: frozenset[str] = frozenset()
    route: Route = field(default_factory=lambda: Route(()))
    revision: int = 0
    turns: int = 0
    reached: State = State.IN_REVIEW

    def submit(self, submission: Submission, facts: Facts) -> None:
        self.revision = submission.number
        self.route = resolve(self.rules, facts, self.unit)
        if submission.number > 1:
            self.changes[submission.number] = submission.changed
        self.open.clear()
        self.received.clear()
        self.go_on()

    def hears(self, answer: Answer) -> bool:
        """Whether the answer could be given on this route."""
        return (
            answer.stage in self.route
            and self.route[answer.stage].effect is not Effect.RECEIVE
            and (not answer.to_stage or answer.to_stage in self.route)
        )

    def wanting(self, said: Iterable[Answer]) -> bool:
        """Whether an answer that was given has yet to come about."""
        return any(answer.stage not in self.approved for answer in said)

    def suppose(self) -> None:
        self.take(Answer(stage=self.open[0], outcome=Outcome.APPROVE, revision=self.revision))

    def answer(self, answer: Answer) -> None:
        self.past.append(answer)
        self.take(answer)

    def take(self, answer: Answer) -> None:
        """Let an answer count for what it would have been here, a decision or a recommendation."""
        self.answers.append(replace(answer, effect=self.route[answer.stage].effect))
        if answer.outcome in APPROVALS:
            self.open.remove(answer.stage)
            self.go_on()
        else:
            self.open.clear()
            if answer.to_stage:
                self.go_on()
            self.reached = State.DECLINED if answer.outcome is Outcome.DECLINE else self.reached

    def go_on(self) -> None:
        """Come to the stages that are next; a stage that only receives is left as it is come to."""
        self.approved = standing_approvals(self.answers, self.route, self.rules, self.changes)
        opened = [
            stage for stage in next_stages(self.route, self.approved | self.received) if stage.key not in self.open
        ]
        self.openings += [Opening(stage, self.revision, self.turns) for stage in opened]
        self.turns += bool(opened)
        for stage in opened:
            if stage.effect is Effect.RECEIVE:
                self.received.add(stage.key)
            else:
                self.open.append(stage.key)
        if not self.open:
            self.reached = State.APPROVED

    def walked(self, ended: State) -> Walk:
        return Walk(
            openings=tuple(self.openings),
            answers=tuple(self.past),
            supposed=len(self.answers) - len(self.past),
            ended=self.reached if self.reached is not State.IN_REVIEW else ended,
        )


def as_recorded(way: Walk, stays: Sequence[Stay]) -> bool:
    """Whether a walk is the way that the record says the proposal took."""
    return tuple(opening.stay for opening in way.openings) == tuple(stays)
