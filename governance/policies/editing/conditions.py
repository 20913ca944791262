"""A condition as lines that people read from top to bottom, and back. Pure functions.

Example: "kind is academic, and level is graduate, or hours at least 40" holds for graduate proposals for credit and for
long ones: "and" binds tighter than "or". Whatever nesting a condition has, its lines hold for the same proposals.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final, assert_never

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from governance.forms import MOST_ROWS
from governance.policies.conditions import All, AnyOf, AtLeast, Condition, In, Is, LessThan, Not
from governance.policies.vocabulary import FactName, Value


class Joint(TextChoices):
    """How a line goes on from the one before it."""

    AND = "and", pgettext_lazy("between conditions", "and")
    OR = "or", pgettext_lazy("between conditions", "or")


class Operator(TextChoices):
    """What a line says of its field."""

    IS = "is", pgettext_lazy("condition", "is")
    IS_NOT = "is-not", pgettext_lazy("condition", "is not")
    IN = "in", pgettext_lazy("condition", "is one of")
    NOT_IN = "not-in", pgettext_lazy("condition", "is not one of")
    AT_LEAST = "at-least", _("is at least")
    LESS_THAN = "less-than", _("is less than")


@dataclass(frozen=True)
class Line:
    """One line: how it goes on from the line before, and what it compares with what."""

    joint: Joint
    field: FactName
    operator: Operator
    values: tuple[Value, ...]


# A comparison, and whether it is to hold.
_Literal = tuple[Is | In | AtLeast | LessThan, bool]
_Term = tuple[_Literal, ...]

# Facts that are words: one of these is never at least a number, so that it is not so holds always.
_NEVER_NUMBERS: Final = {FactName.ACTION, FactName.KIND, FactName.LEVEL, FactName.UNIT, FactName.UNIT_KIND}


def lines_of(condition: Condition | None) -> tuple[Line, ...] | None:
    """The lines that hold whenever the condition does; none at all where it always holds.

    None when they would be more than a form has room for; such a condition is changed in the YAML file.
    """
    if condition is None:
        return ()
    terms = _either(condition, holds=True)
    if terms is None or sum(map(len, terms)) > MOST_ROWS:
        return None
    return tuple(
        _line(Joint.AND if place else Joint.OR, literal) for term in terms for place, literal in enumerate(term)
    )


def condition_of(lines: Sequence[Line]) -> Condition | None:
    """The condition that the lines say; None where there are none, which holds always."""
    groups: list[list[Condition]] = []
    for line in lines:
        if line.joint is Joint.OR or not groups:
            groups.append([])
        groups[-1].append(_comparison(line))
    terms: list[Condition] = [group[0] if len(group) == 1 else All(all=tuple(group)) for group in groups]
    if len(terms) > 1:
        return AnyOf(any=tuple(terms))
    return terms[0] if terms else None


def _comparison(line: Line) -> Condition:
    first = line.values[0]
    match line.operator:
        case Operator.IS:
            return Is(field=line.field, is_=first)
        case Operator.IS_NOT:
            return Not(not_=Is(field=line.field, is_=first))
        case Operator.IN:
            return In(field=line.field, in_=line.values)
        case Operator.NOT_IN:
            return Not(not_=In(field=line.field, in_=line.values))
        case Operator.AT_LEAST:
            return AtLeast(field=line.field, at_least=int(first))
        case Operator.LESS_THAN:
            return LessThan(field=line.field, less_than=int(first))
        case _:
            assert_never(line.operator)


def _line(joint: Joint, literal: _Literal) -> Line:
    comparison, holds = literal
    match comparison:
        case Is():
            return Line(joint, comparison.field, Operator.IS if holds else Operator.IS_NOT, (comparison.is_,))
        case In():
            return Line(joint, comparison.field, Operator.IN if holds else Operator.NOT_IN, comparison.in_)
        case AtLeast():
            return Line(joint, comparison.field, Operator.AT_LEAST, (comparison.at_least,))
        case LessThan():
            return Line(joint, comparison.field, Operator.LESS_THAN, (comparison.less_than,))
        case _:
            assert_never(comparison)


# ---- the disjunctive normal form


def _either(condition: Condition, *, holds: bool) -> list[_Term] | None:
    """The terms of which at least one must hold; None when there are too many to go on."""
    match condition:
        case Not():
            return _either(condition.not_, holds=not holds)
        case All() | AnyOf():
            inner = [
                _either(part, holds=holds) for part in (condition.all if isinstance(condition, All) else condition.any)
            ]
            parts = [terms for terms in inner if terms is not None]
            if len(parts) < len(inner):
                return None
            together = isinstance(condition, All) == holds
            return _shortest(_multiplied(parts) if together else (term for terms in parts for term in terms))
        case Is() | In():
            return [((condition, holds),)]
        case AtLeast() | LessThan():
            return [() if not holds and condition.field in _NEVER_NUMBERS else (_positive(condition, holds),)]
        case _:
            assert_never(condition)


def _multiplied(parts: Sequence[list[_Term]]) -> Iterator[_Term]:
    for chosen in product(*parts):
        yield tuple(literal for term in chosen for literal in term)


def _shortest(terms: Iterable[_Term]) -> list[_Term] | None:
    """The terms without what says nothing new: a comparison made twice, and a term that another one already covers."""
    kept: list[_Term] = []
    for number, term in enumerate(terms):
        if number > 50 * MOST_ROWS:
            return None
        literals = tuple(dict.fromkeys(term))
        if any(_covers(other, literals) for other in kept):
            continue
        kept = [other for other in kept if not _covers(literals, other)] + [literals]
        if len(kept) > MOST_ROWS:
            return None
    return kept


def _covers(short: _Term, long: _Term) -> bool:
    return set(short) <= set(long)


def _positive(comparison: AtLeast | LessThan, holds: bool) -> _Literal:
    """A number that is not at least so much is less."""
    if holds:
        return comparison, True
    if isinstance(comparison, AtLeast):
        return LessThan(field=comparison.field, less_than=comparison.at_least), True
    return AtLeast(field=comparison.field, at_least=comparison.less_than), True
