"""Comparing two ways of doing something: processor time, interleaved rounds, the median of their ratios.

Wall time says more about the neighbours on a small machine than about us, so it is not asked for.
"""

import gc
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

FEWEST_ROUNDS: Final = 9
ROUND_SECONDS: Final = 0.02

Deed = Callable[[], object]
Clock = Callable[[], int]


@dataclass(frozen=True)
class Result:
    """One line of the report. `floor` is what `ours` is held against; `ratio` is met up to `target`."""

    name: str
    ratio: float
    target: float
    ours: float
    floor: float
    unit: str
    rounds: int
    spread: tuple[float, float]

    @property
    def met(self) -> bool:
        return self.ratio <= self.target


def counted(name: str, ours: float, limit: float, unit: str) -> Result:
    """Something counted and not timed, held against a limit."""
    share = ours / limit
    return Result(name, share, 1.0, ours, limit, unit, 1, (share, share))


@dataclass(frozen=True)
class Compared:
    """Medians of a comparison: milliseconds of either side, their ratio, and the ratios' smallest and largest."""

    ratio: float
    ours: float
    floor: float
    rounds: int
    spread: tuple[float, float]

    def as_result(self, name: str, target: float) -> Result:
        return Result(name, self.ratio, target, self.ours, self.floor, "ms", self.rounds, self.spread)


def cpu_clock(backends: Iterable[int]) -> Clock:
    """Nanoseconds of processor time of this process and, where Linux tells, of the database's backends."""
    files = [path for pid in backends if (path := Path(f"/proc/{pid}/schedstat")).exists()]

    def read() -> int:
        return time.process_time_ns() + sum(int(path.read_text().split()[0]) for path in files)

    return read


def per_round(deed: Deed, clock: Clock) -> int:
    """How often a deed is done in a round, so that a round is long enough to be measured."""
    begun = clock()
    deed()
    return max(1, min(20, round(ROUND_SECONDS * 1e9 / max(1, clock() - begun))))


@contextmanager
def _own_garbage_only() -> Iterator[None]:
    """Inside, collecting garbage walks what is made from now on. A walk over everything that was loaded takes as long
    as a page, and would fall on either side by chance."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def compare(ours: Deed, floor: Deed, *, clock: Clock, rounds: int, times: int | None = None) -> Compared:
    """Do both in turn, each round as often as `times` says or as makes a round long enough."""
    for deed in (floor, ours):
        deed()
    often = {"ours": times or per_round(ours, clock), "floor": times or per_round(floor, clock)}
    taken: dict[str, list[float]] = {"ours": [], "floor": []}
    with _own_garbage_only():
        for number in range(rounds):
            pair = [("floor", floor), ("ours", ours)]
            for name, deed in pair if number % 2 else reversed(pair):
                gc.collect()
                begun = clock()
                for _ in range(often[name]):
                    deed()
                taken[name].append((clock() - begun) / often[name] / 1e6)
    ratios = [ours_ms / floor_ms for ours_ms, floor_ms in zip(taken["ours"], taken["floor"], strict=True)]
    return Compared(
        ratio=median(ratios),
        ours=median(taken["ours"]),
        floor=median(taken["floor"]),
        rounds=rounds,
        spread=(min(ratios), max(ratios)),
    )
