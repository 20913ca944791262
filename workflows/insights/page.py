"""What the page of a replay shows in sum: the bar, the bodies that gain or lose work, the time, and what asks why."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from django.utils.formats import number_format

from governance.policies.vocabulary import Kind
from workflows.insights.findings import OTHERWISE, TONES, Names, signed
from workflows.insights.history import halves_in_words
from workflows.insights.models import Replay
from workflows.insights.replay import Because, Both, Reason, Result, Tally, Time
from workflows.insights.words import RESULTS, sentence, to_complete

WIDTH: Final = 640
GAP: Final = 2
NARROWEST: Final = 4


@dataclass(frozen=True)
class Segment:
    """One part of the bar, with its words in the legend such as "4 returned once more"."""

    result: Result
    words: str
    count: int
    tone: str
    x: int
    width: int


@dataclass(frozen=True)
class Row:
    """How many proposals share one reason, and the mark by which the list finds them; `gone` when the draft no longer
    has its clause."""

    words: str
    clause: str
    gone: bool
    count: int
    mark: str


@dataclass(frozen=True)
class Work:
    """How often a body or a stage is come to, as it was and under the version replayed, and how long it takes."""

    name: str
    both: Both
    time: Time | None = None

    @property
    def change(self) -> str:
        return signed(2 * (self.both.after - self.both.before))

    @property
    def median(self) -> str:
        return halves_in_words(self.time.halves) if self.time is not None else ""


def segments_of(tally: Tally) -> list[Segment]:
    """The parts of the bar that are not empty, each wide enough to be seen; together they fill it."""
    counts = [(result, tally.result(result)) for result in (Result.SAME, *OTHERWISE) if tally.result(result)]
    found: list[Segment] = []
    x = 0
    for place, (result, count) in enumerate(counts):
        to_come = (len(counts) - place - 1) * (NARROWEST + GAP)
        room = WIDTH - x - to_come
        width = min(max(NARROWEST, round(WIDTH * count / tally.cases)), room) if to_come else room
        found.append(Segment(result, str(RESULTS[result]) % {"n": count}, count, TONES[result], x, width))
        x += width + GAP
    return found


def mean_days(halves: int, cases: int) -> str:
    """A mean in working days with one decimal, such as "41.5", in French "41,5"."""
    return number_format(f"{halves / 2 / cases:.1f}") if cases else "0"


@dataclass(frozen=True)
class ReplayPage:
    """One replay in sum."""

    replay: Replay
    names: Names

    @cached_property
    def tally(self) -> Tally:
        return self.replay.tally

    @property
    def same(self) -> int:
        return self.tally.result(Result.SAME)

    @property
    def seconds_left(self) -> int | None:
        left = self.replay.left()
        return max(1, round(left.total_seconds())) if left is not None else None

    @property
    def seconds_taken(self) -> int:
        return max(1, round(self.replay.took.total_seconds())) if self.replay.took is not None else 0

    @property
    def kind(self) -> str:
        return str(Kind(self.replay.kind).label) if self.replay.kind else ""

    @cached_property
    def segments(self) -> list[Segment]:
        return segments_of(self.tally)

    @cached_property
    def bodies(self) -> list[Work]:
        """The bodies that gain or lose work; the largest change first."""
        changed = (
            Work(self.names.bodies.get(kind, kind), both)
            for kind, both in self.tally.bodies.items()
            if both.more or both.fewer
        )
        return sorted(changed, key=lambda work: (-abs(work.both.after - work.both.before), work.name))

    @cached_property
    def stages(self) -> list[Work]:
        """Every stage that was or would be come to, with the time it takes."""
        times = self.replay.typed_times
        return [
            Work(
                stage.label,
                self.tally.stages[key],
                times.get(key) or Time(halves=2 * stage.due.working_days, stays=0),
            )
            for key, stage in self.names.stages.items()
            if key in self.tally.stages
        ]

    def _rows(self, wanted: frozenset[Because]) -> list[Row]:
        found = [
            Row(self._words(reason), reason.clause, not reason.of_draft, times, mark)
            for mark, times in self.tally.marks.items()
            if (reason := self.tally.reasons[mark]).because in wanted
        ]
        return sorted(found, key=lambda row: (-row.count, row.words))

    def _words(self, reason: Reason) -> str:
        return to_complete(reason) if reason.because is Because.GAP else sentence(reason, self.names.bodies)

    @cached_property
    def routes(self) -> list[Row]:
        """What becomes of routes, and for how many proposals."""
        return self._rows(frozenset(Because) - {Because.GAP, Because.BARRED})

    @cached_property
    def gaps(self) -> list[Row]:
        """What would have been asked for before the first stage."""
        return self._rows(frozenset({Because.GAP}))

    @cached_property
    def barred(self) -> list[Row]:
        """The stages where somebody would have been kept from deciding."""
        return self._rows(frozenset({Because.BARRED}))

    @property
    def mean_before(self) -> str:
        return mean_days(self.tally.halves_before, self.tally.cases)

    @property
    def mean_after(self) -> str:
        return mean_days(self.tally.halves_after, self.tally.cases)
