"""What every comparison of rules is put together from: a difference in a sentence, lists matched item by item, and
rules that moved to another clause.

Example: "Under clause 4.6 instead of 4.5: “Senate” decides for every proposal."
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.utils.translation import gettext as _

from governance.policies.statements import RuleKind, Statement

Item = TypeVar("Item")


@dataclass(frozen=True)
class Difference:
    """One thing that the later rules say otherwise. `clause` is one of the later text, or of the earlier one for a rule
    that is gone; rules without a clause, such as the title, have none."""

    kind: RuleKind
    sentence: str
    clause: str = ""
    gone: bool = False


def added(rule: Statement) -> Difference:
    return Difference(rule.kind, _("New: %(rule)s") % {"rule": rule.sentence}, rule.clause)


def removed(rule: Statement) -> Difference:
    return Difference(rule.kind, _("No longer: %(rule)s") % {"rule": rule.sentence}, rule.clause, gone=True)


def restated(was: Statement, now: Statement) -> Iterator[Difference]:
    """A rule that is said in whole sentences on both sides."""
    if was.sentence != now.sentence:
        sentence = _("%(now)s Before: %(was)s") % {"now": now.sentence, "was": was.sentence}
        yield Difference(now.kind, sentence, now.clause)


@dataclass(frozen=True)
class Clauses:
    """Which clauses of the earlier text stand under another number in the later one."""

    renumbered: Mapping[str, str]

    def now(self, was: str) -> str:
        """The number that the words of a clause have now."""
        return self.renumbered.get(was, was)

    def moved(self, was: str, rule: Statement) -> Iterator[Difference]:
        """Whether a rule that rested on clause `was` rests on other words now. That its clause got another number, and
        the rule follows it there, is no difference."""
        if self.now(was) == rule.clause:
            return
        said = {"was": was, "now": rule.clause, "words": self.now(was), "rule": rule.sentence}
        sentence = (
            _("Still under clause %(was)s, whose words are now in clause %(words)s: %(rule)s") % said
            if was == rule.clause
            else _("Under clause %(now)s instead of %(was)s: %(rule)s") % said
        )
        yield Difference(rule.kind, sentence, rule.clause)


@dataclass(frozen=True)
class Matched(Generic[Item]):
    """The items of two lists: those in both, in the later order, those of the earlier alone and of the later alone."""

    pairs: tuple[tuple[Item, Item], ...]
    removed: tuple[Item, ...]
    added: tuple[Item, ...]
    in_order: bool


def matched(before: Sequence[Item], after: Sequence[Item], *identities: Callable[[Item], Hashable]) -> Matched[Item]:
    """Match what is equal first, then what has the same identity, the first identity before the second."""
    partner: dict[int, int] = {}
    equal: Callable[[Item], Hashable] = lambda item: item  # noqa: E731  (one more identity)
    for identity in (equal, *identities):
        free = set(range(len(before))) - set(partner.values())
        for place, item in enumerate(after):
            if place in partner:
                continue
            found = next((other for other in sorted(free) if identity(before[other]) == identity(item)), None)
            if found is not None:
                partner[place] = found
                free.remove(found)
    places = [partner[place] for place in sorted(partner)]
    return Matched(
        pairs=tuple((before[partner[place]], after[place]) for place in sorted(partner)),
        removed=tuple(item for place, item in enumerate(before) if place not in places),
        added=tuple(item for place, item in enumerate(after) if place not in partner),
        in_order=places == sorted(places),
    )
