"""When a rule applies: conditions over the facts of a proposal, in a closed vocabulary. Nothing is evaluated.

Example: `{all: [{field: kind, is: academic}, {field: level, is: graduate}]}` holds for graduate proposals for credit.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from governance.policies.vocabulary import FactName, Facts, UnitPlace, value_of

# The greatest number that canonical JSON holds exactly.
MOST: Final = 2**53 - 1
Whole = Annotated[int, Field(ge=-MOST, le=MOST)]
Compared = bool | Whole | str


class Rule(BaseModel):
    """Frozen, and with no field that the rules do not know: a misspelt rule is an error, not a rule that never
    applies."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Is(Rule):
    field: FactName
    is_: Compared = Field(alias="is")

    def holds(self, facts: Facts, unit: UnitPlace) -> bool:
        return value_of(self.field, facts, unit) == self.is_


class In(Rule):
    field: FactName
    in_: tuple[Compared, ...] = Field(alias="in", min_length=1)

    def holds(self, facts: Facts, unit: UnitPlace) -> bool:
        return value_of(self.field, facts, unit) in self.in_


class AtLeast(Rule):
    field: FactName
    at_least: Whole

    def holds(self, facts: Facts, unit: UnitPlace) -> bool:
        value = value_of(self.field, facts, unit)
        return isinstance(value, int) and value >= self.at_least


class LessThan(Rule):
    field: FactName
    less_than: Whole

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


def literals(condition: Condition) -> Iterator[Is | In | AtLeast | LessThan]:
    """Every comparison that a condition makes, in the order in which it stands there."""
    if isinstance(condition, All):
        inner: tuple[Condition, ...] = condition.all
    elif isinstance(condition, AnyOf):
        inner = condition.any
    elif isinstance(condition, Not):
        inner = (condition.not_,)
    else:
        yield condition
        return
    for part in inner:
        yield from literals(part)
