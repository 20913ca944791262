"""The institution on a day as the soundness check sees it, and how sound rules are there. Three queries, whatever its
size.

Example: a version that begins on 1 July is checked against the mandates that are in force on 1 July.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from governance import clock
from governance.people.duties import ALLOWS, Duty, Right
from governance.people.models import Body, Mandate, Unit, UnitKind
from governance.policies.classes import count_combinations
from governance.policies.rules import Rules
from governance.policies.seats import Institution, Person, PlacedUnit, SeatedBody
from governance.policies.soundness import Fault, check
from governance.policies.vocabulary import UnitPlace

VOTING = frozenset({Duty.CHAIR, Duty.MEMBER})


@dataclass(frozen=True)
class Soundness:
    """What the check of rules found, as a page or a command tells it: against the mandates of which day, and how much
    was looked at. `checked` is false where there is no institution yet."""

    day: date
    combinations: int
    units: int
    faults: tuple[Fault, ...] = ()
    checked: bool = True


def soundness_of(rules: Rules) -> Soundness:
    """How sound rules are in this institution on their first day, or today where that is past."""
    day = first_day(rules)
    institution = institution_on(day)
    return Soundness(
        day=day,
        combinations=count_combinations(rules),
        units=len(institution.proposing),
        faults=tuple(check(rules, institution)),
        checked=bool(institution.units),
    )


def first_day(rules: Rules) -> date:
    """The first day on which rules that are adopted today can govern a proposal."""
    return max(clock.today(), rules.effective_from)


def institution_on(day: date) -> Institution:
    """Every unit and body, with the people who by the mandates of a day may propose, decide and vote."""
    proposers: dict[int, set[Person]] = defaultdict(set)
    deciders: dict[int, set[Person]] = defaultdict(set)
    voters: dict[int, set[Person]] = defaultdict(set)
    mandates = Mandate.objects.in_force(day).filter(user__is_active=True)
    for body, unit, duty, user, name in mandates.values_list("body", "body__unit", "duty", "user", "user__name"):
        person = Person(key=user, name=name)
        if Right.PROPOSE in ALLOWS[Duty(duty)]:
            proposers[unit].add(person)
        if Right.DECIDE in ALLOWS[Duty(duty)]:
            deciders[body].add(person)
        if duty in VOTING:
            voters[body].add(person)
    units = {unit.pk: unit for unit in Unit.objects.order_by("name", "pk")}
    return Institution(
        units=tuple(
            PlacedUnit(place=_place(unit, units), name=unit.name, proposers=_by_name(proposers[unit.pk]))
            for unit in units.values()
        ),
        bodies=tuple(
            SeatedBody(
                name=body.name,
                kind=body.kind,
                unit=units[body.unit_id].code,
                deciders=_by_name(deciders[body.pk]),
                voters=_by_name(voters[body.pk]),
            )
            for body in Body.objects.order_by("name", "pk")
        ),
        unit_kinds=tuple(UnitKind.values),
    )


def _place(unit: Unit, units: dict[int, Unit]) -> UnitPlace:
    """A unit as rules see it, from units that were read already."""
    within: list[Unit] = []
    above = units.get(unit.parent_id or 0)
    while above is not None and above is not unit and above not in within:
        within.append(above)
        above = units.get(above.parent_id or 0)
    return UnitPlace(code=unit.code, kind=unit.kind, within=tuple(one.code for one in within))


def _by_name(people: set[Person]) -> tuple[Person, ...]:
    return tuple(sorted(people, key=lambda person: (person.name, person.key)))
