"""The proposals that the route of a version can tell apart: a few combinations of facts, each standing for every
proposal that the conditions treat alike. Pure functions.

Example: where the conditions read only the kind and "40 hours or more", "for academic credit, fewer than 40 hours" is
one of the combinations, and it stands for a proposal of 12 hours as well as for one of 39.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from governance.policies.conditions import AtLeast, Condition, In, Is, LessThan, literals
from governance.policies.rules import Check, Requirement, Rules
from governance.policies.vocabulary import Action, FactName, Facts, Kind, Level, UnitPlace, Value, value_of

Literal = Is | In | AtLeast | LessThan

# How many combinations are looked at, each once for every group of units that the conditions treat alike.
MOST_COMBINATIONS: Final = 20_000

OF_THE_UNIT: Final = frozenset({FactName.UNIT, FactName.UNIT_KIND})
NUMBERS: Final = frozenset({FactName.HOURS, FactName.WEEKS, FactName.CREDIT_HUNDREDTHS, FactName.PARTNERS})
# Facts that read "" while this field of the proposal is empty.
SAID_IN: Final = {FactName.KIND: "summary.kind", FactName.LEVEL: "summary.level"}


@dataclass(frozen=True)
class FactClass:
    """Values of one fact that no condition tells apart. `value` stands for all of them, `words` names them."""

    value: Value
    words: str


@dataclass(frozen=True)
class Combination:
    """One class of every fact that the conditions read."""

    classes: tuple[tuple[FactName, FactClass], ...]

    @property
    def facts(self) -> Facts:
        """A proposal of this combination."""
        values: dict[str, Any] = {name.value: one.value for name, one in self.classes}
        return Facts(**values)

    @property
    def words(self) -> str:
        """Such as "for academic credit, graduate, 40 hours or more"."""
        return ", ".join(one.words for _name, one in self.classes if one.words) or _("any proposal")


def conditions_of(rules: Rules) -> Iterator[tuple[str, Condition]]:
    """Every condition that the route depends on, with the key of its stage."""
    for stage in rules.route:
        if stage.when is not None:
            yield stage.key, stage.when
        if isinstance(stage.effect, tuple):
            yield from ((stage.key, case.when) for case in stage.effect if case.when is not None)


def classes_of(rules: Rules) -> dict[FactName, tuple[FactClass, ...]]:
    """The classes of each fact of a proposal that the conditions read; those of its unit follow from the units."""
    read = _read(rules)
    names = [name for name in FactName if name not in OF_THE_UNIT and any(literal.field is name for literal in read)]
    return {name: _classes(name, rules, [literal for literal in read if literal.field is name]) for name in names}


def count_combinations(rules: Rules) -> int:
    return prod(len(classes) for classes in classes_of(rules).values())


def combinations(rules: Rules) -> Iterator[Combination]:
    """Every combination of classes, in the order of the vocabulary; see `can_be_sent` for those that can exist."""
    classes = classes_of(rules)
    for chosen in product(*classes.values()):
        yield Combination(tuple(zip(classes, chosen, strict=True)))


def units_alike(rules: Rules, units: Iterable[UnitPlace]) -> list[list[UnitPlace]]:
    """The units in groups that no condition tells apart."""
    about_units = [literal for literal in _read(rules) if literal.field in OF_THE_UNIT]
    groups: dict[tuple[bool, ...], list[UnitPlace]] = {}
    for unit in units:
        groups.setdefault(tuple(literal.holds(Facts(), unit) for literal in about_units), []).append(unit)
    return list(groups.values())


def can_be_sent(rules: Rules, facts: Facts, unit: UnitPlace) -> bool:
    """Whether a proposal of these facts can be sent for review: what the rules ask to be filled in is not empty."""
    empty = [SAID_IN[name] for name in SAID_IN if value_of(name, facts, unit) == ""]
    return not empty or not any(
        requirement.field in empty and (requirement.when is None or requirement.when.holds(facts, unit))
        for requirement in _asking(rules)
    )


def unknown_values(
    rules: Rules, units: Iterable[UnitPlace], unit_kinds: Iterable[str]
) -> Iterator[tuple[str, FactName, Value]]:
    """What conditions compare with a fact that can never be so, such as a misspelt level, with the key of the stage."""
    known: dict[FactName, frozenset[Value]] = {
        FactName.ACTION: frozenset(Action.values),
        FactName.KIND: frozenset(Kind.values),
        FactName.LEVEL: frozenset(Level.values),
        FactName.NEW_RESOURCES: frozenset({False, True}),
        FactName.UNIT: frozenset(unit.code for unit in units),
        FactName.UNIT_KIND: frozenset(unit_kinds),
    }
    for key, condition in conditions_of(rules):
        for literal in literals(condition):
            for value in _named(literal):
                if literal.field in NUMBERS:
                    possible = isinstance(value, int) and value >= 0
                else:
                    possible = value in known[literal.field]
                if not possible:
                    yield key, literal.field, value


def _read(rules: Rules) -> list[Literal]:
    """Every comparison of the route's conditions, and of those under which the kind or the level may stay empty."""
    conditions = [condition for _key, condition in conditions_of(rules)]
    conditions += [requirement.when for requirement in _asking(rules) if requirement.when is not None]
    return [literal for condition in conditions for literal in literals(condition)]


def _asking(rules: Rules) -> list[Requirement]:
    """The requirements that keep a proposal without a kind or without a level from being sent."""
    return [one for one in rules.requires if one.field in SAID_IN.values() and one.check is Check.FILLED]


def _classes(name: FactName, rules: Rules, read: list[Literal]) -> tuple[FactClass, ...]:
    if name is FactName.NEW_RESOURCES:
        return FactClass(False, _("without new resources")), FactClass(True, _("with new resources"))
    if name in NUMBERS:
        return _ranges(name, read)
    if name is FactName.ACTION:
        actions = dict.fromkeys(rules.governs)
        return tuple(FactClass(action.value, action.label.lower() if len(actions) > 1 else "") for action in actions)
    vocabulary: list[Kind] | list[Level] = list(Kind) if name is FactName.KIND else list(Level)
    classes = tuple(FactClass(one.value, one.label.lower()) for one in vocabulary)
    if any(one.field == SAID_IN[name] and one.when is None for one in _asking(rules)):
        return classes
    return *classes, FactClass("", _("kind not said") if name is FactName.KIND else _("level not said"))


def _ranges(name: FactName, read: list[Literal]) -> tuple[FactClass, ...]:
    """The ranges of a number between the points at which some comparison changes its answer."""
    starts = {0}
    for literal in read:
        for value in _named(literal):
            if isinstance(value, int):
                starts.add(int(value))
                if isinstance(literal, Is | In):
                    starts.add(int(value) + 1)
    first = sorted(start for start in starts if start >= 0)
    following: list[int | None] = [*first[1:], None]
    return tuple(
        FactClass(start, _range_in_words(name, start, next_start))
        for start, next_start in zip(first, following, strict=True)
    )


def _range_in_words(name: FactName, start: int, next_start: int | None) -> str:
    """Such as "fewer than 40 hours", "40 hours", "40 to 79 hours", "80 hours or more"; nothing for any number."""
    if next_start is None:
        return _("%(count)s or more") % {"count": _counted(name, start)} if start else ""
    if next_start == start + 1:
        return _counted(name, start)
    if start == 0:
        return _("fewer than %(count)s") % {"count": _counted(name, next_start)}
    return _("%(first)s to %(last)s") % {"first": _number(name, start), "last": _counted(name, next_start - 1)}


def _counted(name: FactName, count: int) -> str:
    said = {"n": _number(name, count)}
    if name is FactName.HOURS:
        return ngettext("%(n)s hour", "%(n)s hours", count) % said
    if name is FactName.WEEKS:
        return ngettext("%(n)s week", "%(n)s weeks", count) % said
    if name is FactName.PARTNERS:
        return ngettext("%(n)s partner", "%(n)s partners", count) % said
    return ngettext("%(n)s unit of credit", "%(n)s units of credit", 1 if count == 100 else 2) % said


def _number(name: FactName, count: int) -> str:
    if name is not FactName.CREDIT_HUNDREDTHS:
        return str(count)
    whole, hundredths = divmod(count, 100)
    return f"{whole}.{hundredths:02}".rstrip("0").rstrip(".") if hundredths else str(whole)


def _named(literal: Literal) -> tuple[Value, ...]:
    if isinstance(literal, Is):
        return (literal.is_,)
    if isinstance(literal, In):
        return literal.in_
    return (literal.at_least if isinstance(literal, AtLeast) else literal.less_than,)
