"""A policy version's machine-read part as one typed document. Bad rules get an error that names the field.

Every rule names the clause of the policy's text that it carries out, so that a refusal can show its sentence.
"""

from collections import Counter
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, StringConstraints, Tag, model_validator

from governance.policies.vocabulary import (
    Action,
    DecidesBy,
    Effect,
    FactName,
    Facts,
    Outcome,
    UnitPlace,
    Value,
    value_of,
)

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Clause = Annotated[str, StringConstraints(pattern=r"^\d+(\.\d+)*$", max_length=12)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1_000)]


class Rule(BaseModel):
    """Frozen, and with no field that the rules do not know: a misspelt rule is an error, not a rule that never
    applies."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


# ---- conditions: a closed vocabulary, nothing evaluated


class Is(Rule):
    field: FactName
    is_: Value = Field(alias="is")

    def holds(self, facts: Facts, unit: UnitPlace) -> bool:
        return value_of(self.field, facts, unit) == self.is_


class In(Rule):
    field: FactName
    in_: tuple[Value, ...] = Field(alias="in", min_length=1)

    def holds(self, facts: Facts, unit: UnitPlace) -> bool:
        return value_of(self.field, facts, unit) in self.in_


class AtLeast(Rule):
    field: FactName
    at_least: int

    def holds(self, facts: Facts, unit: UnitPlace) -> bool:
        value = value_of(self.field, facts, unit)
        return isinstance(value, int) and value >= self.at_least


class LessThan(Rule):
    field: FactName
    less_than: int

    def holds(self, facts: Facts, unit: UnitPlace) -> bool:
        value = value_of(self.field, facts, unit)
        return isinstance(value, int) and value < self.less_than


class All(Rule):
    all: tuple["Condition", ...] = Field(min_length=1)

    def holds(self, facts: Facts, unit: UnitPlace) -> bool:
        return all(condition.holds(facts, unit) for condition in self.all)


class AnyOf(Rule):
    any: tuple["Condition", ...] = Field(min_length=1)

    def holds(self, facts: Facts, unit: UnitPlace) -> bool:
        return any(condition.holds(facts, unit) for condition in self.any)


class Not(Rule):
    not_: "Condition" = Field(alias="not")

    def holds(self, facts: Facts, unit: UnitPlace) -> bool:
        return not self.not_.holds(facts, unit)


def _which(value: Any) -> str | None:
    """The tag of a condition: the one operator key it has."""
    if isinstance(value, Rule):
        return type(value).__name__
    keys = {
        "is": "Is",
        "in": "In",
        "at_least": "AtLeast",
        "less_than": "LessThan",
        "all": "All",
        "any": "AnyOf",
        "not": "Not",
    }
    found = [tag for key, tag in keys.items() if isinstance(value, dict) and key in value]
    return found[0] if len(found) == 1 else None


Condition = Annotated[
    Annotated[Is, Tag("Is")]
    | Annotated[In, Tag("In")]
    | Annotated[AtLeast, Tag("AtLeast")]
    | Annotated[LessThan, Tag("LessThan")]
    | Annotated[All, Tag("All")]
    | Annotated[AnyOf, Tag("AnyOf")]
    | Annotated[Not, Tag("Not")],
    Discriminator(
        _which,
        custom_error_type="condition",
        custom_error_message="a condition has exactly one of: is, in, at_least, less_than, all, any, not",
    ),
]


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


class EffectCase(Rule):
    """One row of the approval matrix for a stage: its effect when the condition holds; without one, otherwise."""

    when: Condition | None = None
    effect: Effect


class Stage(Rule):
    key: Slug
    label: Words
    clause: Clause
    body: BodyRef
    effect: Effect | tuple[EffectCase, ...]
    when: Condition | None = None
    wave: Slug | None = None
    decides_by: DecidesBy = DecidesBy.ONE
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
        _unique("checklist item", [item.key for item in self.checklist])
        if Outcome.APPROVE not in self.outcomes:
            raise ValueError("a stage must be able to approve, or no proposal gets past it")
        return self


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
    number: int | None = None
    when: Condition | None = None
    says: Words
    clause: Clause

    @model_validator(mode="after")
    def _number_where_needed(self) -> Self:
        if (self.check in {Check.AT_LEAST, Check.AT_MOST}) != (self.number is not None):
            raise ValueError("`number` goes with the checks at-least and at-most, and only with them")
        return self


class Rules(Rule):
    """The whole machine-read part of one policy version."""

    policy: Slug
    title: Words
    version: int = Field(ge=1)
    effective_from: date
    governs: tuple[Action, ...] = Field(min_length=1)
    route: tuple[Stage, ...] = Field(min_length=1)
    duties: Duties
    resubmission: Resubmission
    requires: tuple[Requirement, ...] = ()

    def stage(self, key: str) -> Stage:
        """The stage of that key. Raises KeyError when the route has none."""
        for stage in self.route:
            if stage.key == key:
                return stage
        raise KeyError(key)

    def clauses(self) -> set[str]:
        """Every clause of the text that some rule rests on."""
        rules: list[Any] = [self.duties.author_may_decide, self.duties.one_person_many_stages, self.resubmission]
        rules += [*self.requires, *self.route]
        for stage in self.route:
            rules += [stage.due, *stage.checklist]
        return {rule.clause for rule in rules}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        _unique("stage", [stage.key for stage in self.route])
        acting = [stage for stage in self.route if stage.effect is not Effect.RECEIVE]
        if not acting or not _may(acting[-1], Effect.DECIDE):
            raise ValueError("the route must end in a stage that decides")
        waves = [stage.wave for stage in self.route]
        for place, wave in enumerate(waves):
            if wave is not None and wave in waves[:place] and waves[place - 1] != wave:
                raise ValueError(f"the stages of wave {wave} must stand next to each other")
        return self


def _may(stage: Stage, effect: Effect) -> bool:
    effects = {stage.effect} if isinstance(stage.effect, Effect) else {case.effect for case in stage.effect}
    return effect in effects


def _unique(what: str, keys: list[str]) -> None:
    twice = [key for key, count in Counter(keys).items() if count > 1]
    if twice:
        raise ValueError(f"the {what} {twice[0]} stands twice")
