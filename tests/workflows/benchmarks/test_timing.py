"""Comparing deeds whose cost is known: they move the clock that they are measured with."""

import os
from pathlib import Path

import pytest

from workflows.benchmarks.timing import compare, cpu_clock, per_round

MILLISECOND = 1_000_000


class Clock:
    """A clock that only deeds move."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now


class Deed:
    """Takes the same time whenever it is done, but for the times given in `slow`."""

    def __init__(self, clock: Clock, name: str, milliseconds: float, slow: dict[int, float] | None = None) -> None:
        self.clock, self.name, self.milliseconds, self.slow = clock, name, milliseconds, slow or {}
        self.done = 0
        self.order: list[str] = []

    def __call__(self) -> None:
        self.done += 1
        self.order.append(self.name)
        self.clock.now += round(self.slow.get(self.done, self.milliseconds) * MILLISECOND)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_compare_gives_the_ratio_of_what_both_sides_take(clock: Clock) -> None:
    found = compare(Deed(clock, "ours", 6), Deed(clock, "floor", 4), clock=clock, rounds=9)
    assert (found.ratio, found.ours, found.floor, found.rounds) == (1.5, 6, 4, 9)
    assert found.spread == (1.5, 1.5)
    assert found.as_result("queue", 1.25).met is False
    assert found.as_result("queue", 1.5).met is True


def test_compare_is_not_moved_by_one_bad_round_but_shows_it(clock: Clock) -> None:
    # One is done to warm up; with `times` each round does it once.
    disturbed = Deed(clock, "ours", 6, slow={5: 60})
    found = compare(disturbed, Deed(clock, "floor", 4), clock=clock, rounds=9, times=1)
    assert (found.ratio, found.spread) == (1.5, (1.5, 15))


def test_compare_does_both_sides_in_turn_and_changes_which_comes_first(clock: Clock) -> None:
    ours, floor = Deed(clock, "ours", 1), Deed(clock, "floor", 1)
    ours.order = floor.order
    compare(ours, floor, clock=clock, rounds=4, times=2)
    in_turn = ["ours", "ours", "floor", "floor", "floor", "floor", "ours", "ours"]
    assert ours.order == ["floor", "ours", *in_turn, *in_turn]


def test_a_short_deed_is_done_often_enough_to_be_measured(clock: Clock) -> None:
    assert per_round(Deed(clock, "long", 500), clock) == 1
    assert per_round(Deed(clock, "short", 5), clock) == 4
    assert per_round(Deed(clock, "nothing", 0), clock) == 20


def test_the_clock_adds_the_time_of_backends_and_passes_over_those_elsewhere() -> None:
    assert cpu_clock([2**30])() < cpu_clock([])()
    if Path(f"/proc/{os.getppid()}/schedstat").exists():
        assert cpu_clock([os.getppid()])() > cpu_clock([])()
