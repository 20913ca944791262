"""A policy version's machine-read part as one typed document. Bad rules get an error that names the field.

Every rule names the clause of the policy's text that it carries out, so that a refusal can show its sentence.
"""

from collections import Counter
from collections.abc import Collection
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from django.utils.translation import gettext as _
from pydantic import Field, StringConstraints, model_validator

from governance.policies.conditions import Condition, Rule, Whole
from governance.policies.vocabulary import (
    Action,
    AnswerKind,
    Carries,
    DecidesBy,
    Effect,
    Ending,
    Facts,
    Outcome,
    UnitPlace,
    Voters,
)

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Clause = Annotated[str, StringConstraints(pattern=r"^\d+(\.\d+)*$", max_length=12)]
# Without the character NUL, which no database keeps in its texts.
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1_000, pattern=r"^[^\x00]*$")]
# As long as work items and decisions keep it.
Name = Annotated[Words, StringConstraints(max_length=200)]
FieldPath = Annotated[str, StringConstraints(pattern=r"^[a-z]+(\.[a-z_]+)?$", max_length=60)]


# ---- the route


class BodyRef(Rule):
    """Which body sits at a stage: the one of this kind that serves the proposal's unit, or the institution's only
    one."""

    kind: Slug
    of: Literal["proposal.unit"] | None = None


class ChecklistItem(Rule):
    """A question that the stage must answer before it can approve."""

    key: Slug
    text: Words
    clause: Clause
    required: bool = True
    evidence: Words | None = None


class Due(Rule):
    """When a stage should have answered, in working days after the proposal reached it."""

    working_days: int = Field(ge=1, le=250)
    clause: Clause


class Vote(Rule):
    """How a committee decides: how many must be there, and what carries a motion."""

    quorum: int | None = Field(default=None, ge=1, le=1_000)
    quorum_percent: int | None = Field(default=None, ge=1, le=100)
    carries: Carries = Carries.MAJORITY
    of: Voters = Voters.PRESENT
    clause: Clause

    def quorum_among(self, members: int) -> int:
        """How many people must be there, of a committee of so many."""
        return self.quorum if self.quorum is not None else -(-members * (self.quorum_percent or 0) // 100)

    @model_validator(mode="after")
    def _one_quorum(self) -> Self:
        if (self.quorum is None) == (self.quorum_percent is None):
            raise ValueError(_("A vote has a quorum either as a number or as a share of the members"))
        return self


class EffectCase(Rule):
    """One row of the approval matrix for a stage: its effect when the condition holds; without one, otherwise."""

    when: Condition | None = None
    effect: Effect


class Stage(Rule):
    key: Slug
    label: Name
    clause: Clause
    body: BodyRef
    effect: Effect | tuple[EffectCase, ...]
    when: Condition | None = None
    wave: Slug | None = None
    mandatory: bool = False
    decides_by: DecidesBy = DecidesBy.ONE
    vote: Vote | None = None
    outcomes: tuple[Outcome, ...] = (Outcome.APPROVE, Outcome.APPROVE_WITH_CONDITIONS, Outcome.RETURN, Outcome.DECLINE)
    checklist: tuple[ChecklistItem, ...] = ()
    due: Due

    def effect_for(self, facts: Facts, unit: UnitPlace) -> Effect | None:
        """The stage's effect for this proposal; None when the matrix gives it no part."""
        if isinstance(self.effect, Effect):
            return self.effect
        cases = (case.effect for case in self.effect if case.when is None or case.when.holds(facts, unit))
        return next(cases, None)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        _unique(_("The checklist has the key “%(key)s” twice"), [item.key for item in self.checklist])
        if Outcome.APPROVE not in self.outcomes:
            raise ValueError(_("A stage must be able to approve, or no proposal gets past it"))
        if (self.decides_by is DecidesBy.VOTE) != (self.vote is not None):
            raise ValueError(_("A stage that decides by vote says how, and only such a stage does"))
        return self

    @property
    def effects(self) -> frozenset[Effect]:
        """Every effect that the stage can have."""
        if isinstance(self.effect, Effect):
            return frozenset({self.effect})
        return frozenset(case.effect for case in self.effect)


# ---- duties kept apart, resubmission, completeness


class DutyRule(Rule):
    allowed: bool
    clause: Clause


class Duties(Rule):
    """Separation of duties."""

    author_may_decide: DutyRule
    one_person_many_stages: DutyRule


class Resume(StrEnum):
    RETURNING_STAGE = "returning-stage"
    FIRST_STAGE = "first-stage"


class Resubmission(Rule):
    """Where a proposal that was returned to its author goes when it is sent again."""

    resume: Resume
    clause: Clause


class Reopening(Rule):
    """Approvals that do not outlast a change: when one of these fields (`resources.fee`) or sections (`outcomes`)
    differs in a new submission, the approvals of these stages are asked for again."""

    fields: tuple[FieldPath, ...] = Field(min_length=1)
    stages: tuple[Slug, ...] = Field(min_length=1)
    clause: Clause

    def touched_by(self, changed: Collection[str]) -> bool:
        """Whether any of the changed fields, given as paths such as `resources.fee`, is one of these or in one of these
        sections."""
        return any(path == field or path.startswith(f"{field}.") for path in changed for field in self.fields)


class Check(StrEnum):
    """What a requirement may ask of the content."""

    FILLED = "filled"
    AT_LEAST = "at-least"
    AT_MOST = "at-most"
    EVERY_OUTCOME_ASSESSED = "every-outcome-assessed"
    WEIGHTS_TOTAL_100 = "weights-total-100"
    SUPPORTER_OR_REASON = "supporter-or-reason"
    CONSULTATIONS_ANSWERED = "consultations-answered"


class Requirement(Rule):
    """Something that must be complete before a person is asked to review; `says` tells the author what to do."""

    field: Annotated[str, StringConstraints(pattern=r"^[a-z]+\.[a-z_]+$")]
    check: Check = Check.FILLED
    number: Whole | None = None
    when: Condition | None = None
    says: Words
    clause: Clause

    @model_validator(mode="after")
    def _number_where_needed(self) -> Self:
        if (self.check in {Check.AT_LEAST, Check.AT_MOST}) != (self.number is not None):
            raise ValueError(_("A number goes with the checks “at least” and “at most”, and only with them"))
        return self


class Question(Rule):
    """Something that this institution asks beside what every proposal says."""

    key: Slug
    text: Words
    hint: Words | None = None
    kind: AnswerKind = AnswerKind.TEXT
    choices: tuple[Words, ...] = ()
    required: bool = True
    when: Condition | None = None
    clause: Clause

    @model_validator(mode="after")
    def _choices_where_needed(self) -> Self:
        if (self.kind is AnswerKind.CHOICE) != (len(self.choices) >= 2):
            raise ValueError(_("A question with a choice has two answers or more to choose from, and no other has any"))
        return self


class Retention(Rule):
    """How long a proposal that ended so is kept: so many years after its end, or for good where no number stands."""

    ending: Ending
    years: int | None = Field(default=None, ge=1, le=100)
    clause: Clause


class Rules(Rule):
    """The whole machine-read part of one policy version."""

    policy: Slug
    title: Name
    version: int = Field(ge=1)
    effective_from: date
    governs: tuple[Action, ...] = Field(min_length=1)
    route: tuple[Stage, ...] = Field(min_length=1)
    duties: Duties
    resubmission: Resubmission
    reopens: tuple[Reopening, ...] = ()
    requires: tuple[Requirement, ...] = ()
    questions: tuple[Question, ...] = ()
    retention: tuple[Retention, ...] = ()

    def stage(self, key: str) -> Stage:
        """The stage of that key. Raises KeyError when the route has none."""
        for stage in self.route:
            if stage.key == key:
                return stage
        raise KeyError(key)

    def clauses(self) -> set[str]:
        """Every clause of the text that some rule rests on."""
        rules: list[Any] = [self.duties.author_may_decide, self.duties.one_person_many_stages, self.resubmission]
        rules += [*self.reopens, *self.requires, *self.questions, *self.retention, *self.route]
        for stage in self.route:
            rules += [stage.due, *stage.checklist, *([stage.vote] if stage.vote else [])]
        return {rule.clause for rule in rules}

    def reopened_by(self, changed: Collection[str]) -> frozenset[str]:
        """The stages whose approval a new submission asks for again, when these fields changed in it."""
        return frozenset(stage for rule in self.reopens if rule.touched_by(changed) for stage in rule.stages)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        keys = [stage.key for stage in self.route]
        _unique(_("The stage “%(key)s” stands twice"), keys)
        _unique(_("The question “%(key)s” stands twice"), [question.key for question in self.questions])
        _unique(
            _("How long proposals that ended as “%(key)s” are kept is said twice"),
            [rule.ending.value for rule in self.retention],
        )
        acting = [stage for stage in self.route if stage.effects != {Effect.RECEIVE}]
        if not acting or Effect.DECIDE not in acting[-1].effects:
            raise ValueError(_("The route must end in a stage that decides"))
        unknown = [key for rule in self.reopens for key in rule.stages if key not in keys]
        if unknown:
            raise ValueError(_("The route has no stage “%(stage)s” to be reopened") % {"stage": unknown[0]})
        waves = [stage.wave for stage in self.route]
        for place, wave in enumerate(waves):
            if wave is not None and wave in waves[:place] and waves[place - 1] != wave:
                raise ValueError(_("The stages of the wave “%(wave)s” must stand next to each other") % {"wave": wave})
        return self


def _unique(sentence: str, keys: list[str]) -> None:
    twice = [key for key, count in Counter(keys).items() if count > 1]
    if twice:
        raise ValueError(sentence % {"key": twice[0]})
