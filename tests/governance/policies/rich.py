"""Rules that use everything rules can say, and a change of every single thing in them."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from pydantic import ValidationError

from governance.policies.rules import Check, Rules
from governance.policies.vocabulary import AnswerKind, Carries, Effect, Ending, Outcome, Voters

ACADEMIC = {"field": "kind", "is": "academic"}
LONG = {"any": [{"field": "hours", "at_least": 40}, {"not": {"field": "weeks", "less_than": 6}}]}

RICH: dict[str, Any] = {
    "policy": "micro-credential-approval",
    "title": "Micro-credential approval policy",
    "version": 3,
    "effective_from": "2026-07-01",
    "governs": ["new", "modify"],
    "route": [
        {
            "key": "dean",
            "label": "Dean",
            "clause": "4.1",
            "body": {"kind": "dean", "of": "proposal.unit"},
            "effect": "recommend",
            "due": {"working_days": 10, "clause": "6.1"},
            "checklist": [
                {"key": "need", "text": "The need is shown.", "clause": "5.1"},
                {"key": "fee", "text": "The fee is fair.", "clause": "5.1", "required": False, "evidence": "The date"},
            ],
        },
        {
            "key": "council",
            "label": "Graduate Council",
            "clause": "4.2",
            "body": {"kind": "council"},
            "effect": [{"when": ACADEMIC, "effect": "recommend"}, {"effect": "advise"}],
            "when": {"all": [{"field": "level", "in": ["graduate", "professional"]}, LONG]},
            "wave": "councils",
            "outcomes": ["approve", "return"],
            "due": {"working_days": 15, "clause": "6.2"},
        },
        {
            "key": "library",
            "label": "Library",
            "clause": "4.2",
            "body": {"kind": "library"},
            "effect": "advise",
            "wave": "councils",
            "due": {"working_days": 15, "clause": "6.2"},
        },
        {
            "key": "senate",
            "label": "Senate",
            "clause": "4.3",
            "body": {"kind": "senate"},
            "effect": "decide",
            "mandatory": True,
            "decides_by": "vote",
            "vote": {"quorum": 20, "clause": "6.4"},
            "due": {"working_days": 20, "clause": "6.3"},
        },
    ],
    "duties": {
        "author_may_decide": {"allowed": False, "clause": "8.1"},
        "one_person_many_stages": {"allowed": False, "clause": "8.2"},
    },
    "resubmission": {"resume": "returning-stage", "clause": "7.1"},
    "reopens": [
        {"fields": ["resources.fee", "outcomes"], "stages": ["dean", "council"], "clause": "7.2"},
        {"fields": ["files"], "stages": ["library"], "clause": "7.2"},
    ],
    "requires": [
        {"field": "summary.title", "says": "Give the title", "clause": "3.1"},
        {
            "field": "delivery.hours",
            "check": "at-least",
            "number": 6,
            "when": ACADEMIC,
            "says": "Give the contact hours",
            "clause": "3.1",
        },
    ],
    "questions": [
        {"key": "indigenous", "text": "Who was consulted?", "hint": "Name the community", "clause": "3.2"},
        {
            "key": "campus",
            "text": "On which campus?",
            "kind": "choice",
            "choices": ["North", "South"],
            "required": False,
            "when": ACADEMIC,
            "clause": "3.2",
        },
    ],
    "retention": [
        {"ending": "approved", "clause": "9.1"},
        {"ending": "declined", "years": 6, "clause": "9.1"},
    ],
}

Place = tuple[int | str, ...]
# What else a value may be, where a value of its kind would not do.
OTHERS: dict[str, tuple[Any, ...]] = {
    "of": ("proposal.unit", None),
    "effect": tuple(Effect),
    "outcomes": tuple(Outcome),
    "vote": (None,),
    "carries": tuple(Carries),
    "resume": ("first-stage", "returning-stage"),
    "check": tuple(Check),
    "kind": tuple(AnswerKind),
    "ending": tuple(Ending),
    "number": (7,),
    "quorum_percent": (50,),
    "evidence": ("Who gave it", None),
    "hint": ("One line", None),
    "wave": ("others", None),
    "years": (7, None),
    "when": (None, {"field": "new_resources", "is": True}),
    "clause": ("1.1",),
    "effective_from": ("2026-07-02",),
}


def typed(data: dict[str, Any]) -> Rules:
    return Rules.model_validate(data)


def full() -> dict[str, Any]:
    """The rich rules with every default written out."""
    data: dict[str, Any] = typed(RICH).model_dump(mode="json", by_alias=True)
    return data


def changes() -> Iterator[tuple[Place, Rules]]:
    """Every change of one thing that leaves rules which can be read: its place, and the rules."""
    for place, value in _places(full()):
        for other in _others(place, value):
            if other == value:
                continue
            data = full()
            _put(data, place, other)
            try:
                yield place, typed(data)
            except ValidationError:
                continue
    yield from _together()


def _together() -> Iterator[tuple[Place, Rules]]:
    """Changes that are only possible two at a time."""
    data = full()
    data["route"][3] |= {"decides_by": "one", "vote": None}
    yield ("route", 3, "decides_by"), typed(data)
    data = full()
    data["route"][0] |= {"decides_by": "vote", "vote": {"quorum_percent": 40, "clause": "6.4"}}
    yield ("route", 0, "vote"), typed(data)
    data = full()
    data["route"][3]["vote"] |= {"quorum": None, "quorum_percent": 40}
    yield ("route", 3, "vote", "quorum_percent"), typed(data)
    data = full()
    data["requires"][0] |= {"check": "at-most", "number": 3}
    yield ("requires", 0, "check"), typed(data)
    data = full()
    data["questions"][1] |= {"kind": "line", "choices": []}
    yield ("questions", 1, "kind"), typed(data)


def _places(data: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    if place:
        yield place, data
    children = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in children:
        yield from _places(value, (*place, key))


def _others(place: Place, value: Any) -> Iterator[Any]:
    """What else could stand here; what may not is left out later, since the rules refuse it."""
    names = [step for step in place if isinstance(step, str)]
    if isinstance(value, list):
        if len(value) > 1:
            yield from (value[:-1], value[1:], [*value[1:], value[0]])
    elif names[-2:] == ["vote", "of"]:
        yield from Voters
    elif names[-2:] == ["body", "kind"]:
        yield "board"
    elif names[-1] in OTHERS:
        yield from OTHERS[names[-1]]
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value + 1, value - 1)
    elif isinstance(value, str):
        yield from ("x1", "other.field", "Other words", "transfer", "graduate", "level", "unit")


def _put(data: Any, place: Place, value: Any) -> None:
    for step in place[:-1]:
        data = data[step]
    data[place[-1]] = deepcopy(value)
