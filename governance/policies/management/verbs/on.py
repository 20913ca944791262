"""`manage.py policy on DATE`: the rules and mandates of a day, as the page of the same address tells them."""

import json
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from datetime import date
from typing import Any

from governance.policies.at_a_date import FIRST_DAY, LAST_DAY, AtADate, BodyOnDay, Seat, at_a_date
from governance.policies.models import PolicyVersion


def add_arguments(verb: ArgumentParser) -> None:
    verb.add_argument("day", type=_day, metavar="DATE", help="such as 2024-10-15")
    verb.add_argument("--json", action="store_true", help="answer in JSON")


def answer(day: date, *, as_json: bool) -> str:
    found = at_a_date(day)
    return json.dumps(_as_json(found), ensure_ascii=False) if as_json else "\n".join(_lines(found))


def _day(words: str) -> date:
    try:
        day = date.fromisoformat(words)
    except ValueError:
        raise ArgumentTypeError(f"{words!r} is no day such as 2024-10-15") from None
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ArgumentTypeError(f"{words} does not lie between {FIRST_DAY} and {LAST_DAY}")
    return day


def _lines(found: AtADate) -> Iterator[str]:
    yield f"The rules and mandates of {found.day}"
    if found.is_before_the_record:
        yield f"The record begins on {found.record_began}." if found.record_began else "The record has not begun."
    if found.is_empty:
        yield "No policy was in force, and nobody held a duty."
        return
    for policy in found.policies:
        if policy.version is None:
            yield f"{policy.title}: no version was in force."
        else:
            last = f" to {policy.last_day}" if policy.last_day else ""
            yield f"{policy.title}: version {policy.version.number}, {policy.version.effective_from}{last}."
        for later in policy.later:
            yield f"  version {later.number} from {later.effective_from}"
    for body in found.bodies:
        yield from _of_body(body, found)
    for body in found.set_up_since:
        yield f"{body.name} (set up since)"
        yield from (f"  + {_words(seat)}" for seat in body.others)


def _of_body(body: BodyOnDay, found: AtADate) -> Iterator[str]:
    yield f"{body.name} (that day: {body.name_then})" if body.name_then else body.name
    for seat in body.then:
        changed = "" if seat.today else (" (not yet)" if found.is_to_come else " (no longer)")
        then = [word for word in (seat.name_then, seat.title_then) if word]
        named = f" (that day: {', '.join(then)})" if then else ""
        yield f"  {_words(seat)}{named}{changed}"
    yield from (f"  + {_words(seat)}" for seat in body.others)


def _words(seat: Seat) -> str:
    last = f" to {seat.ends_on}" if seat.ends_on else ""
    return f"{seat.person}, {seat.duty.value}, {seat.starts_on}{last}"


def _as_json(found: AtADate) -> dict[str, Any]:
    return {
        "ok": True,
        "day": found.day.isoformat(),
        "today": found.today.isoformat(),
        "record_began": found.record_began.isoformat() if found.record_began else None,
        "policies": [
            {
                "policy": policy.key,
                "title": policy.title,
                "version": _version(policy.version),
                "later": [_version(later) for later in policy.later],
                "today": _version(policy.today),
            }
            for policy in found.policies
        ],
        "bodies": [_body(body) for body in found.bodies],
        "set_up_since": [_body(body) for body in found.set_up_since],
    }


def _version(version: PolicyVersion | None) -> dict[str, Any] | None:
    if version is None:
        return None
    return {
        "number": version.number,
        "effective_from": version.effective_from.isoformat(),
        "digest": version.digest,
        "motion": version.motion,
    }


def _body(body: BodyOnDay) -> dict[str, Any]:
    return {
        "code": body.code,
        "name": body.name,
        "name_that_day": body.name_then or body.name,
        "held": [_seat(seat) | {"today": seat.today} for seat in body.then],
        "others_today": [_seat(seat) for seat in body.others],
    }


def _seat(seat: Seat) -> dict[str, Any]:
    return {
        "person": seat.person,
        "title": seat.title,
        "person_that_day": seat.name_then or seat.person,
        "title_that_day": seat.title_then or seat.title,
        "duty": seat.duty.value,
        "starts_on": seat.starts_on.isoformat(),
        "ends_on": seat.ends_on.isoformat() if seat.ends_on else None,
    }
