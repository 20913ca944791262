"""What a draft policy would have changed: past proposals walked under the rules that governed them and under the draft.
Pure functions; nothing here knows a table.

Example: of 64 proposals decided under version 3, 58 end the same way under the draft, four are returned once more for
want of captions (clause 5.1), and two go to Senate (clause 3.2).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from governance.policies.rules import Question, Requirement, Rules
from governance.policies.vocabulary import Effect
from workflows.insights.walk import Case, Opening, Walk, as_recorded, walk
from workflows.proposals.completeness import gaps
from workflows.proposals.content import FURTHER
from workflows.proposals.states import State
from workflows.review.progress import Answer


class Result(StrEnum):
    """What became of a proposal under the draft: each counts once, under the first of these that holds."""

    ROUTE = "route"
    RETURNED = "returned"
    BARRED = "barred"
    SAME = "same"


class Because(StrEnum):
    """One thing that the draft does otherwise to a proposal."""

    GAINS = "gains"
    LOSES = "loses"
    INFORMED = "informed"
    ONCE_MORE = "once-more"
    ONCE_LESS = "once-less"
    ORDER = "order"
    BODY = "body"
    DECIDER = "decider"
    ENDING = "ending"
    GAP = "gap"
    BARRED = "barred"
    ANSWER = "answer"


class Reason(BaseModel):
    """Why a proposal fares otherwise: what happens, to which stage or field, and by which clause of the draft (or,
    where `of_draft` is false, by which clause that the draft no longer has); `says` and `was` hold what it depends
    on. `label` names the stage or, of a further question that was not answered, is the question."""

    model_config = ConfigDict(frozen=True)

    because: Because
    key: str = ""
    label: str = ""
    clause: str = ""
    of_draft: bool = True
    says: str = ""
    was: str = ""

    @property
    def mark(self) -> str:
        """By which a list finds the proposals behind one number, such as "gains:senate"."""
        return f"{self.because.value}:{self.key}"


# ---- time in stage


@dataclass(frozen=True)
class Time:
    """How long a stage takes, in half working days: the median of so many stays; with none, what the rules allow."""

    halves: int
    stays: int

    @property
    def is_estimate(self) -> bool:
        return self.stays == 0


def median_time(days: Mapping[int, int]) -> Time:
    """The median of a stage's stays, each so many working days: how many stays took how many."""
    count = sum(days.values())
    ordered = sorted(days.items())

    def at(place: int) -> int:
        for value, times in ordered:
            place -= times
            if place < 0:
                return value
        raise IndexError(place)

    return Time(halves=at((count - 1) // 2) + at(count // 2), stays=count)


Times = Mapping[str, Time]


def time_in(opening: Opening, times: Times) -> Time:
    """How long a stage is expected to take: as long as it always took, else the time that the rules give it."""
    return times.get(opening.key) or Time(halves=2 * opening.stage.stage.due.working_days, stays=0)


def expected(way: Walk, times: Times) -> int:
    """How long a way is expected to take, in half working days; stages opened together take as long as the longest."""
    longest: dict[int, int] = {}
    for opening in way.acting:
        longest[opening.turn] = max(longest.get(opening.turn, 0), time_in(opening, times).halves)
    return sum(longest.values())


# ---- one proposal


@dataclass(frozen=True)
class Difference:
    """A past proposal under the rules that governed it and under the draft; `elsewhere` counts the decisions that would
    have been for a body of another kind."""

    result: Result
    reasons: tuple[Reason, ...]
    before: Walk
    after: Walk
    halves_before: int
    halves_after: int
    elsewhere: int
    as_recorded: bool

    @property
    def halves(self) -> int:
        """The expected change in its elapsed time, in half working days."""
        return self.halves_after - self.halves_before


@dataclass(frozen=True)
class Comparison:
    """A draft beside the rules that governed, and the institution's own time in each stage."""

    governing: Rules
    draft: Rules
    times: Times

    def of(self, case: Case) -> Difference:
        """What the draft would have changed for one proposal."""
        before = walk(self.governing, case)
        after = before if self.same_route else walk(self.draft, case)
        routed = () if self.same_route else (*self._routed(before, after), *self._answers(after))
        gap = tuple(self._gaps(case))
        barred = tuple(self._barred(case, after))
        if routed:
            result = Result.ROUTE
        elif gap:
            result = Result.RETURNED
        else:
            result = Result.BARRED if barred else Result.SAME
        return Difference(
            result=result,
            reasons=(*routed, *gap, *barred),
            before=before,
            after=after,
            halves_before=expected(before, self.times),
            halves_after=expected(after, self.times),
            elsewhere=sum(answer.stage in self.other_bodies for answer in after.answers)
            + any(reason.because is Because.DECIDER for reason in routed),
            as_recorded=as_recorded(before, case.stays),
        )

    @cached_property
    def same_route(self) -> bool:
        """Whether everything in the rules that a way depends on is the same."""
        parts = ("route", "resubmission", "reopens")
        return all(getattr(self.governing, part) == getattr(self.draft, part) for part in parts)

    @cached_property
    def asked_anew(self) -> Rules:
        """The draft with only what the rules of the time did not ask for: the rest was there, or the proposal could not
        have been sent."""
        required = {_required(one) for one in self.governing.requires}
        questions = {_asked(one) for one in self.governing.questions}
        anew = {
            "requires": tuple(one for one in self.draft.requires if _required(one) not in required),
            "questions": tuple(one for one in self.draft.questions if _asked(one) not in questions),
        }
        return self.draft.model_copy(update=anew)

    @cached_property
    def other_bodies(self) -> frozenset[str]:
        """The stages of both that are for bodies of different kinds."""
        kinds = {stage.key: stage.body.kind for stage in self.governing.route}
        return frozenset(
            stage.key for stage in self.draft.route if kinds.get(stage.key, stage.body.kind) != stage.body.kind
        )

    # ---- the ways

    def _routed(self, before: Walk, after: Walk) -> Iterator[Reason]:
        """How the two ways differ; nothing where each stage, body and turn is the same."""
        reasons = [*_more_and_other(before, after), *_fewer(before, after), *_decider(before, after)]
        if before.ended is not after.ended:
            reasons.append(Reason(because=Because.ENDING, was=before.ended.value, says=after.ended.value))
        if not reasons and _turns(before) != _turns(after):
            reasons.append(Reason(because=Because.ORDER))
        yield from reasons

    def _answers(self, after: Walk) -> Iterator[Reason]:
        """Answers that were given and that the draft no longer lets the stage give."""
        allowed = {stage.key: stage.outcomes for stage in self.governing.route}
        for key, outcome in sorted({(answer.stage, answer.outcome) for answer in after.answers}):
            stage = self.draft.stage(key)
            if outcome in allowed.get(key, ()) and outcome not in stage.outcomes:
                yield Reason(
                    because=Because.ANSWER, key=key, label=stage.label, clause=stage.clause, says=outcome.value
                )

    # ---- before the first stage, and the people at each

    def _gaps(self, case: Case) -> Iterator[Reason]:
        """What a submission would have lacked, each once."""
        rules = self.asked_anew
        if not rules.requires and not rules.questions:
            return
        found = {
            (gap.field, gap.clause, gap.says)
            for submission in case.submissions
            for gap in gaps(rules, submission.content, case.unit, action=case.action)
        }
        questions = {f"{FURTHER}.{question.key}": question.text for question in rules.questions}
        for name, clause, says in sorted(found):
            label = questions.get(name, "")
            yield Reason(because=Because.GAP, key=name, label=label, clause=clause, says="" if label else says)

    def _barred(self, case: Case, after: Walk) -> Iterator[Reason]:
        """The decisions that their makers would have been kept from, and were not."""
        barred_then = {answer for answer, _clause in barred_by(self.governing, case.author, case.answers)}
        for answer, clause in barred_by(self.draft, case.author, after.answers):
            if answer not in barred_then:
                label = self.draft.stage(answer.stage).label
                yield Reason(because=Because.BARRED, key=answer.stage, label=label, clause=clause)


def barred_by(rules: Rules, author: int, answers: Iterable[Answer]) -> list[tuple[Answer, str]]:
    """The decisions that duties kept apart keep from those who made them, each with the clause that does.

    As `workflows.review.permits` asks it; somebody kept from one stage has not decided it, and may decide another.
    """
    duties = rules.duties
    found: list[tuple[Answer, str]] = []
    decided: dict[int, set[str]] = {}
    for answer in answers:
        others = decided.get(answer.by, set()) - {answer.stage}
        if answer.by == author and not duties.author_may_decide.allowed:
            found.append((answer, duties.author_may_decide.clause))
        elif others and not duties.one_person_many_stages.allowed:
            found.append((answer, duties.one_person_many_stages.clause))
        else:
            decided.setdefault(answer.by, set()).add(answer.stage)
    return found


def _required(rule: Requirement) -> object:
    """What a requirement asks for, in whatever words and by whatever clause."""
    return (rule.field, rule.check, rule.number, rule.when)


def _asked(rule: Question) -> object:
    """What a question asks for."""
    return (rule.key, rule.kind, rule.choices, rule.required, rule.when)


def _about(because: Because, opening: Opening, **more: Any) -> Reason:
    stage = opening.stage.stage
    return Reason(because=because, key=stage.key, label=stage.label, clause=stage.clause, **more)


def _by_stage(way: Walk) -> dict[str, tuple[Opening, int]]:
    """The stages that answer, each as it was come to last, and how often it was come to."""
    times = Counter(opening.key for opening in way.acting)
    return {opening.key: (opening, times[opening.key]) for opening in way.acting}


def _more_and_other(before: Walk, after: Walk) -> Iterator[Reason]:
    """Stages gained, those that are for another body, and those that are come to more or less often."""
    was = _by_stage(before)
    for key, (opening, times) in _by_stage(after).items():
        if key not in was:
            yield _about(Because.GAINS, opening)
            continue
        earlier, times_then = was[key]
        if earlier.body != opening.body:
            yield _about(Because.BODY, opening, says=opening.body, was=earlier.body)
        if times != times_then:
            yield _about(Because.ONCE_MORE if times > times_then else Because.ONCE_LESS, opening)


def _fewer(before: Walk, after: Walk) -> Iterator[Reason]:
    """Stages lost, or left with nothing to answer."""
    is_, informed = _by_stage(after), {opening.key: opening for opening in after.openings if not opening.acts}
    for key, (opening, _times) in _by_stage(before).items():
        if key in is_:
            continue
        if key in informed:
            yield _about(Because.INFORMED, informed[key])
        else:
            yield _about(Because.LOSES, opening, of_draft=False)


def _decider(before: Walk, after: Walk) -> Iterator[Reason]:
    """A body of another kind that has the last word on an approval."""
    if not before.ended is after.ended is State.APPROVED:
        return
    was, is_ = _last_word(before), _last_word(after)
    if was is not None and is_ is not None and was.body != is_.body:
        yield _about(Because.DECIDER, is_, says=is_.body, was=was.body)


def _last_word(way: Walk) -> Opening | None:
    decides = (opening for opening in reversed(way.acting) if opening.stage.effect is Effect.DECIDE)
    return next(decides, None)


def _turns(way: Walk) -> list[tuple[str, int, int]]:
    return [(opening.key, opening.revision, opening.turn) for opening in way.openings]


# ---- all of them


class Both(BaseModel):
    """How often something is under the rules that governed and under the draft, and for how many proposals it becomes
    more, or less."""

    before: int = 0
    after: int = 0
    more: int = 0
    fewer: int = 0

    def add(self, before: int, after: int) -> None:
        self.before += before
        self.after += after
        self.more += after > before
        self.fewer += after < before


class Tally(BaseModel):
    """What a replay has found so far. It grows with the rules, not with the proposals."""

    cases: int = 0
    results: dict[str, int] = Field(default_factory=dict)
    reasons: dict[str, Reason] = Field(default_factory=dict)
    marks: dict[str, int] = Field(default_factory=dict)
    stages: dict[str, Both] = Field(default_factory=dict)
    bodies: dict[str, Both] = Field(default_factory=dict)
    incomplete: int = 0
    decisions_barred: int = 0
    decisions_elsewhere: int = 0
    unlike_record: int = 0
    halves_before: int = 0
    halves_after: int = 0
    slower: int = 0
    faster: int = 0

    def add(self, found: Difference) -> None:
        self.cases += 1
        self.results[found.result.value] = self.result(found.result) + 1
        for mark, reason in {reason.mark: reason for reason in found.reasons}.items():
            self.marks[mark] = self.marks.get(mark, 0) + 1
            self.reasons.setdefault(mark, reason)
        for tally, name in ((self.stages, "key"), (self.bodies, "body")):
            before, after = (Counter(getattr(one, name) for one in way.acting) for way in (found.before, found.after))
            for key in before | after:
                tally.setdefault(key, Both()).add(before[key], after[key])
        self.incomplete += any(reason.because is Because.GAP for reason in found.reasons)
        self.decisions_barred += sum(reason.because is Because.BARRED for reason in found.reasons)
        self.decisions_elsewhere += found.elsewhere
        self.unlike_record += not found.as_recorded
        self.halves_before += found.halves_before
        self.halves_after += found.halves_after
        self.slower += found.halves > 0
        self.faster += found.halves < 0

    def result(self, result: Result) -> int:
        return self.results.get(result.value, 0)

    @property
    def different(self) -> int:
        return self.cases - self.result(Result.SAME)
