"""What a measurement is made of: the filled databases, and the sides that are compared."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from urllib.parse import urlencode

from django.db.backends.base.base import BaseDatabaseWrapper
from django.urls import reverse

from workflows.benchmarks.floor import Visitor
from workflows.benchmarks.institution import Place
from workflows.benchmarks.scratch import backend_of, current
from workflows.benchmarks.timing import Clock, Compared, Deed, Result, cpu_clock

# Each control must miss its target by this much.
BY: Final = 2.0


@dataclass
class Site:
    """A filled database, and what is asked of it again and again."""

    database: BaseDatabaseWrapper
    place: Place

    @cached_property
    def reviewer(self) -> Visitor:
        with current(self.database):
            return Visitor(self.place.reviewer)

    @cached_property
    def author(self) -> Visitor:
        with current(self.database):
            return Visitor(self.place.author)

    @cached_property
    def administrator(self) -> Visitor:
        with current(self.database):
            return Visitor(self.place.administrator)

    @cached_property
    def floor(self) -> Visitor:
        with current(self.database):
            return Visitor(self.place.reviewer, floor=True)

    def queue(self, **narrow: str) -> bytes:
        address = reverse("queue")
        return self.reviewer.get(f"{address}?{urlencode(narrow)}" if narrow else address)

    def floor_page(self) -> bytes:
        return self.floor.get(f"/floor/{self.place.council.pk}/")


@dataclass
class Bench:
    """One run: the filled databases, how many rounds, and whether the controls are shown."""

    site: Site
    rounds: int
    smaller: Site | None = None

    @cached_property
    def clock(self) -> Clock:
        sites = [self.site, *([self.smaller] if self.smaller else [])]
        return cpu_clock([pid for site in sites for pid in backend_of(site.database)])


@dataclass(frozen=True)
class Sides:
    """What is compared. `queries` is the most that ours may ask of the database; `times` how often a round does it;
    `also` gives further lines from what the comparison found."""

    ours: Deed
    floor: Deed
    control: Deed
    floor_of_control: Deed | None = None
    queries: int | None = None
    times: int | None = None
    also: Callable[[Compared], list[Result]] | None = None


@dataclass(frozen=True)
class Measure:
    """A line of the report to be taken: its target, and how its sides are prepared."""

    target: float
    prepare: Callable[[Bench], Sides]
