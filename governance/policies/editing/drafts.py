"""A draft's rules as data, of which one part at a time is shown, changed and put back. Pure functions.

Example: a stage that was moved up by somebody else while it was being edited is found again and saved where it stands
now; one that somebody else changed is not written over.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from governance.audit.canonical import digest_of

Data = Mapping[str, Any]

BASICS: Final = ("title", "effective_from", "governs")
DUTIES: Final = ("duties", "resubmission")
RETENTION: Final = ("retention",)

# What an item of a list is called by, beside its place.
_NAMES: Final[dict[str, Callable[[Data], object]]] = {
    "route": lambda item: item.get("key"),
    "questions": lambda item: item.get("key"),
    "requires": lambda item: (item.get("field"), item.get("check")),
    "reopens": lambda item: tuple(item.get("fields") or ()),
}


def token(part: Any) -> str:
    """What a page carries of the part it shows, so that nobody writes over what came later."""
    return digest_of(part)[:16]


def named(data: Data, names: Sequence[str]) -> dict[str, Any]:
    """The parts of the document that one section shows."""
    return {name: data[name] for name in names if name in data}


def clauses_in(data: Any) -> Iterator[str]:
    """Every clause that a rule names, as often as one does."""
    if isinstance(data, Mapping):
        for name, value in data.items():
            if name == "clause":
                yield value
            else:
                yield from clauses_in(value)
    elif isinstance(data, list):
        for item in data:
            yield from clauses_in(item)


@dataclass(frozen=True)
class Found:
    """Where an item stands now, and whether it is the one that the page showed."""

    place: int | None
    unchanged: bool


def items(data: Data, section: str) -> list[Any]:
    return list(data.get(section) or [])


def find(data: Data, section: str, place: int, seen: str, typed: Data) -> Found:
    """The item that a page showed, which may have moved since; else the one that is called what was typed."""
    there = items(data, section)
    same = [number for number, item in enumerate(there) if token(item) == seen]
    if same:
        return Found(place if place in same else same[0], unchanged=True)
    name = _NAMES[section]
    called = [number for number, item in enumerate(there) if name(item) == name(typed)]
    return Found(place if place in called else called[0] if called else None, unchanged=False)


def place_now(data: Data, section: str, place: int, seen: str, key: str) -> int:
    """Where the item stands that a page showed at a place, if it moved since; an item is known by its key too."""
    there = items(data, section)
    if place < len(there) and token(there[place]) == seen:
        return place
    moved_to = [number for number, item in enumerate(there) if token(item) == seen]
    called = [number for number, item in enumerate(there) if key and item.get("key") == key]
    return next(iter(moved_to + called), place)


def with_item(data: Data, section: str, place: int | None, item: Data) -> dict[str, Any]:
    """The rules with an item in a place, or at the end of its list."""
    there = items(data, section)
    if place is None:
        there.append(item)
    else:
        there[place] = item
    renamed = place is not None and section == "route" and items(data, section)[place].get("key") != item.get("key")
    changed = dict(data) | {section: there}
    return _renamed(changed, items(data, section)[place or 0]["key"], item["key"]) if renamed else changed


def without_item(data: Data, section: str, place: int) -> dict[str, Any]:
    there = items(data, section)
    del there[place]
    return dict(data) | {section: there}


def moved(data: Data, section: str, place: int, by: int) -> dict[str, Any]:
    """The rules with an item one place further up or down; at the end of the list it stays."""
    there = items(data, section)
    if 0 <= place + by < len(there):
        there[place], there[place + by] = there[place + by], there[place]
    return dict(data) | {section: there}


def _renamed(data: dict[str, Any], before: str, after: str) -> dict[str, Any]:
    """What reopens a stage goes on to mean it when its key changes."""
    reopens = [
        rule | {"stages": [after if key == before else key for key in rule.get("stages") or []]}
        for rule in items(data, "reopens")
    ]
    return data | ({"reopens": reopens} if reopens else {})
