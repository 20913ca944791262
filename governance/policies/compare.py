"""Two versions of a policy side by side: what was written anew, clause by clause and word by word, and what the rules
say otherwise, in sentences. Pure functions.

Example: clause 6.4 says "within ~~twenty~~ **fifteen** working days", and under it stands "“Senate” has 15 working days
instead of 20."
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

from governance.policies.differences.parts import Difference
from governance.policies.differences.rules import rule_differences
from governance.policies.rules import Rules
from governance.policies.text import TextClause, clauses, outside_clauses
from governance.redline import Mark, Marked, compare, count_words

# Clauses that share so many of their words are the same one, moved and rewritten.
ALIKE: Final = 0.6


class Side(NamedTuple):
    """A version as it is compared; `rules` is None for a draft whose rules cannot be used yet."""

    rules: Rules | None
    text: str


@dataclass(frozen=True)
class ClauseRow:
    """One clause of either version, or of both: `number` is the later one, empty for a clause that is gone."""

    number: str
    number_before: str
    words: Marked
    notes: tuple[Difference, ...] = ()

    @property
    def is_added(self) -> bool:
        return not self.number_before

    @property
    def is_removed(self) -> bool:
        return not self.number

    @property
    def is_renumbered(self) -> bool:
        return bool(self.number and self.number_before) and self.number != self.number_before

    @property
    def is_worth_a_look(self) -> bool:
        return self.words.changed or self.is_renumbered or bool(self.notes)


@dataclass(frozen=True)
class Section:
    """Clauses under one heading."""

    heading: Marked
    rows: tuple[ClauseRow, ...]

    @property
    def is_worth_a_look(self) -> bool:
        return self.heading.changed or any(row.is_worth_a_look for row in self.rows)


@dataclass(frozen=True)
class Comparison:
    """What differs between two versions. `general` are the differences of rules that stand under no clause; None when
    the rules of one version cannot be used yet, so that only the texts were compared."""

    outside: Marked
    sections: tuple[Section, ...]
    general: tuple[Difference, ...] | None

    @cached_property
    def rows(self) -> tuple[ClauseRow, ...]:
        return tuple(row for section in self.sections for row in section.rows)

    @property
    def differences(self) -> tuple[Difference, ...]:
        return (*(self.general or ()), *(note for row in self.rows for note in row.notes))

    @property
    def clause_count(self) -> int:
        return len(self.rows)

    @property
    def changed_count(self) -> int:
        return sum(row.words.changed for row in self.rows)

    @property
    def renumbered_count(self) -> int:
        return sum(row.is_renumbered for row in self.rows)

    @property
    def folded_count(self) -> int:
        """How many clauses have neither other words nor other rules."""
        return sum(not row.is_worth_a_look for row in self.rows)

    @property
    def words_added(self) -> int:
        return self._words(Mark.ADDED)

    @property
    def words_removed(self) -> int:
        return self._words(Mark.REMOVED)

    @property
    def is_same(self) -> bool:
        return not (self.outside.changed or self.differences or any(one.is_worth_a_look for one in self.sections))

    def _words(self, mark: Mark) -> int:
        texts = [self.outside, *(section.heading for section in self.sections), *(row.words for row in self.rows)]
        return sum(count_words(run.text) for text in texts for run in text.runs if run.mark is mark)


def compare_versions(before: Side, after: Side) -> Comparison:
    """What the later version says otherwise than the earlier one, in its words and in its rules."""
    pairs = _paired(clauses(before.text), clauses(after.text))
    renumbered = {was.number: now.number for was, now in pairs if was and now and was.number != now.number}
    found: tuple[Difference, ...] | None = None
    if before.rules is not None and after.rules is not None:
        found = rule_differences(before.rules, after.rules, renumbered)
    numbers = {now.number for _was, now in pairs if now}, {was.number for was, _now in pairs if was}
    return Comparison(
        outside=compare(outside_clauses(before.text), outside_clauses(after.text)),
        sections=tuple(_sections(pairs, found or ())),
        general=None if found is None else tuple(one for one in found if one.clause not in numbers[one.gone]),
    )


# ---- which clause of one text is which of the other

Pair = tuple[TextClause | None, TextClause | None]


def _paired(before: list[TextClause], after: list[TextClause]) -> list[Pair]:
    """The clauses of both texts in the later order, each that is gone beside those it stood with."""
    partner = _partners(before, after)
    place_now = {was: now for now, was in partner.items()}
    first: list[TextClause] = []
    beside: dict[tuple[int, bool], list[TextClause]] = {}
    for at, gone in enumerate(before):
        if at in place_now:
            continue
        anchor = _neighbour(at, before, place_now)
        (first if anchor is None else beside.setdefault(anchor, [])).append(gone)
    pairs: list[Pair] = [(gone, None) for gone in first]
    for at, now in enumerate(after):
        pairs += [(gone, None) for gone in beside.get((at, False), ())]
        pairs.append((before[partner[at]] if at in partner else None, now))
        pairs += [(gone, None) for gone in beside.get((at, True), ())]
    return pairs


def _partners(before: list[TextClause], after: list[TextClause]) -> dict[int, int]:
    """For places in the later text the place in the earlier one: the same words first, under the same number rather
    than another; then words that are much alike; then whatever stands under the same number."""

    def same_number(was: TextClause, now: TextClause) -> bool:
        return was.number == now.number

    def same_words(was: TextClause, now: TextClause) -> bool:
        return was.text == now.text

    def both(*tests: Callable[[TextClause, TextClause], bool]) -> Callable[[TextClause, TextClause], bool]:
        return lambda was, now: all(test(was, now) for test in tests)

    partner: dict[int, int] = {}
    free = dict(enumerate(before))
    for test in (both(same_number, same_words), same_words, both(same_number, _alike), _alike, same_number):
        for at, now in enumerate(after):
            found = next((place for place, was in free.items() if at not in partner and test(was, now)), None)
            if found is not None:
                partner[at] = found
                del free[found]
    return partner


def _alike(was: TextClause, now: TextClause) -> bool:
    one, other = Counter(was.text.lower().split()), Counter(now.text.lower().split())
    return (one & other).total() >= ALIKE * max(one.total(), other.total(), 1)


def _neighbour(at: int, before: list[TextClause], place_now: dict[int, int]) -> tuple[int, bool] | None:
    """Where a clause that is gone is shown: after the clause of its heading that it followed, or before the one it
    preceded, or, where its heading is gone with all its clauses, after the last clause before. (place, after it?)"""
    heading = before[at].heading
    earlier = [place for place in range(at) if place in place_now]
    if earlier and before[earlier[-1]].heading == heading:
        return place_now[earlier[-1]], True
    later = next((place for place in range(at + 1, len(before)) if place in place_now), None)
    if later is not None and before[later].heading == heading:
        return place_now[later], False
    return (place_now[earlier[-1]], True) if earlier else None


# ---- headings

# Of a section: its heading in the earlier text and in the later one, empty where it has none.
Headings = tuple[str, str]


def _sections(pairs: list[Pair], found: Iterable[Difference]) -> Iterator[Section]:
    notes: dict[tuple[bool, str], list[Difference]] = {}
    for one in found:
        if one.clause:
            notes.setdefault((one.gone, one.clause), []).append(one)
    renamed = _renamed(pairs)
    now_called = {before: now for now, before in renamed.items() if before or not now}
    rows: dict[Headings, list[ClauseRow]] = {}
    for was, now in pairs:
        number, number_before = now.number if now else "", was.number if was else ""
        if now is not None:
            headings = renamed[now.heading], now.heading
        else:
            assert was is not None
            headings = was.heading, now_called.get(was.heading, "")
        row = ClauseRow(
            number=number,
            number_before=number_before,
            words=compare(was.text if was else "", now.text if now else ""),
            notes=(*notes.get((True, number_before), ()), *notes.get((False, number), ())),
        )
        rows.setdefault(headings, []).append(row)
    for was, _now in pairs:
        if was and was.heading not in now_called:
            rows.setdefault((was.heading, ""), [])  # its clauses all stand under other headings now
    for (heading_before, heading), under in rows.items():
        yield Section(compare(heading_before, heading), tuple(under))


def _renamed(pairs: list[Pair]) -> dict[str, str]:
    """Of each heading of the later text the earlier one: the same, or that of most of its clauses; empty if it is
    new."""
    known = {was.heading for was, _now in pairs if was}
    headings = dict.fromkeys(now.heading for _was, now in pairs if now)
    renamed = {heading: heading for heading in headings if heading in known}
    for heading in headings:
        came_from = Counter(was.heading for was, now in pairs if was and now and now.heading == heading)
        free = (before for before, _count in came_from.most_common() if before not in renamed.values())
        renamed.setdefault(heading, next(free, ""))
    return renamed
