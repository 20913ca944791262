"""Who sits where on a day, as far as the soundness of rules depends on it: units and who may propose for them, bodies
and who may decide or vote on them. Plain data; `institution.py` reads it from the database.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from governance.policies.rules import BodyRef
from governance.policies.vocabulary import UnitPlace


@dataclass(frozen=True)
class Person:
    key: int
    name: str


@dataclass(frozen=True)
class PlacedUnit:
    """A unit, its place in the tree, and the people who may propose for it."""

    place: UnitPlace
    name: str
    proposers: tuple[Person, ...] = ()


@dataclass(frozen=True)
class SeatedBody:
    """A body of a kind in the unit of code `unit`, with the people who may decide for it and those who may vote."""

    name: str
    kind: str
    unit: str
    deciders: tuple[Person, ...] = ()
    voters: tuple[Person, ...] = ()


@dataclass(frozen=True)
class Institution:
    """Every unit and every body on one day. `unit_kinds` are the kinds that a unit can be of."""

    units: tuple[PlacedUnit, ...] = ()
    bodies: tuple[SeatedBody, ...] = ()
    unit_kinds: tuple[str, ...] = ()

    @property
    def proposing(self) -> list[PlacedUnit]:
        """The units for which somebody may propose."""
        return [unit for unit in self.units if unit.proposers]

    def bodies_of(self, kind: str) -> list[SeatedBody]:
        return self._by_kind.get(kind, [])

    def body_for(self, reference: BodyRef, unit: UnitPlace) -> SeatedBody | None:
        """The body to which a stage's proposals from a unit go, by the rule of `people.queries.find_body`: the nearest
        one up the tree; or else the only one of its kind."""
        bodies = self.bodies_of(reference.kind)
        if reference.of is None:
            return bodies[0] if len(bodies) == 1 else None
        by_unit = {body.unit: body for body in bodies}
        return next((by_unit[code] for code in (unit.code, *unit.within) if code in by_unit), None)

    @cached_property
    def _by_kind(self) -> dict[str, list[SeatedBody]]:
        found: dict[str, list[SeatedBody]] = {}
        for body in self.bodies:
            found.setdefault(body.kind, []).append(body)
        return found


def first_unfilled(seats: Sequence[Sequence[int]]) -> int | None:
    """The first seat that cannot be filled together with those before it, when each person takes one seat at most and
    `seats` gives the people who may take each; None when all can be filled.

    A matching by augmenting paths: to fill a seat, somebody who sits elsewhere may move to another seat they may take.
    """
    sits_at: dict[int, int] = {}
    sitter: dict[int, int] = {}
    for wanted in range(len(seats)):
        asked_to: dict[int, int] = {}
        waiting = deque([wanted])
        free = None
        while waiting and free is None:
            seat = waiting.popleft()
            for person in seats[seat]:
                if person not in asked_to:
                    asked_to[person] = seat
                    if person not in sits_at:
                        free = person
                        break
                    waiting.append(sits_at[person])
        if free is None:
            return wanted
        # The free person goes where they were asked to, whoever sat there goes where they were asked to, and so on.
        moving: int | None = free
        while moving is not None:
            seat = asked_to[moving]
            before = sitter.get(seat)
            sits_at[moving], sitter[seat] = seat, moving
            moving = before
    return None
