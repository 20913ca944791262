"""What changed between two texts, word by word, and between two lists, item by item.

Example: "Understand a plan" and "Design a plan" differ by "Understand" taken out and "Design" put in. Pure functions:
the marked text without its deletions is the new text, and without its insertions the old one.
"""

import re
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final, TypeVar

from diff_match_patch import diff_match_patch

_WORD: Final = re.compile(r"\w+(?:[’'\-]\w+)*|\s+|[^\w\s]")
# Each distinct word stands for one character of a private plane, so that whole words are compared and nothing smaller.
_FIRST_CHARACTER: Final = 0xF0000

Item = TypeVar("Item")


class Mark(StrEnum):
    """What happened to a piece of text or to an item; the value is the HTML element that says so."""

    SAME = ""
    ADDED = "ins"
    REMOVED = "del"


_MARKS: Final = {0: Mark.SAME, 1: Mark.ADDED, -1: Mark.REMOVED}


@dataclass(frozen=True)
class Run:
    """A stretch of text with one mark."""

    text: str
    mark: Mark = Mark.SAME


@dataclass(frozen=True)
class Marked:
    """A text with what changed in it."""

    runs: tuple[Run, ...] = ()

    @property
    def new(self) -> str:
        return "".join(run.text for run in self.runs if run.mark is not Mark.REMOVED)

    @property
    def old(self) -> str:
        return "".join(run.text for run in self.runs if run.mark is not Mark.ADDED)

    @property
    def changed(self) -> bool:
        return any(run.mark is not Mark.SAME for run in self.runs)

    @property
    def replacements(self) -> Iterator[tuple[str, str]]:
        """Each change as what was taken out and what was put in its place; one of the two may be empty."""
        removed = ""
        for run in self.runs:
            if run.mark is Mark.REMOVED:
                removed = run.text
            elif run.mark is Mark.ADDED:
                yield removed, run.text
                removed = ""
            elif removed:
                yield removed, ""
                removed = ""
        if removed:
            yield removed, ""

    def __bool__(self) -> bool:
        return bool(self.runs)


def plain(text: str) -> Marked:
    """A text in which nothing is marked."""
    return Marked((Run(text),)) if text else Marked()


def replaced(old: str, new: str) -> Marked:
    """A value that changed as a whole, such as a date or a choice."""
    if old == new:
        return plain(new)
    runs = (Run(old, Mark.REMOVED), Run(new, Mark.ADDED))
    return Marked(tuple(run for run in runs if run.text))


@lru_cache(maxsize=1024)
def compare(old: str, new: str) -> Marked:
    """The new text with what was put in and taken out since the old one, in whole words."""
    if old == new or not old or not new:
        return replaced(old, new)
    characters: dict[str, str] = {}
    one, other = _in_characters(old, characters), _in_characters(new, characters)
    words = {character: word for word, character in characters.items()}
    differ = diff_match_patch()
    found = differ.diff_main(one, other, False)
    # Joins changes with fewer than three words between them, which a reader sees as one. The library's "semantic"
    # clean-up would also strike out and repeat whole phrases that stayed, next to a long insertion.
    differ.Diff_EditCost = 6
    differ.diff_cleanupEfficiency(found)
    return Marked(tuple(Run("".join(words[letter] for letter in text), _MARKS[kind]) for kind, text in found if text))


def _in_characters(text: str, characters: dict[str, str]) -> str:
    return "".join(characters.setdefault(word, chr(_FIRST_CHARACTER + len(characters))) for word in _WORD.findall(text))


def excerpt(marked: Marked, *, before: int = 8, after: int = 14) -> Marked:
    """The marked text around its changes: unmarked words far from any change are left out and shown as an ellipsis."""
    runs: list[Run] = []
    last = len(marked.runs) - 1
    for place, run in enumerate(marked.runs):
        words = run.text.split(" ")
        keep_start, keep_end = (after if place else 0), (before if place < last else 0)
        if run.mark is not Mark.SAME or len(words) <= keep_start + keep_end:
            runs.append(run)
            continue
        start, end = words[:keep_start], words[len(words) - keep_end :]
        runs.append(Run(" ".join([*start, "…", *end])))
    return Marked(tuple(runs))


def count_words(text: str) -> int:
    return sum(word[0].isalnum() for word in _WORD.findall(text))


def paired(
    old: Sequence[Item], new: Sequence[Item], identity: Callable[[Item], Hashable]
) -> list[tuple[Item | None, Item | None]]:
    """The items of two lists side by side, in the new order, each removed one after the item that it used to follow.

    Items are the same when their identity is; of those that are left over, the ones at the same place are taken to be
    rewritten.
    """
    by_identity = {identity(item): place for place, item in enumerate(old)}
    partner: dict[int, int] = {}
    for place, item in enumerate(new):
        found = by_identity.pop(identity(item), None)
        if found is not None:
            partner[place] = found
    free = set(range(len(old))) - set(partner.values())
    for place in range(len(new)):
        if place not in partner and place in free:
            partner[place] = place
            free.remove(place)
    removed_after: dict[int, list[int]] = {}
    for place in sorted(free):
        removed_after.setdefault(max((p for p in partner.values() if p < place), default=-1), []).append(place)
    pairs: list[tuple[Item | None, Item | None]] = [(old[place], None) for place in removed_after.get(-1, [])]
    for place, item in enumerate(new):
        was = partner.get(place)
        pairs.append((None if was is None else old[was], item))
        if was is not None:
            pairs += [(old[gone], None) for gone in removed_after.get(was, [])]
    return pairs
