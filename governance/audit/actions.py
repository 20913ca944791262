"""The only place that writes the record. Every other action calls `record` inside its own transaction."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC

from django.db import connection
from django.db.models import Max

from governance import clock
from governance.audit.canonical import Json, canonical_bytes
from governance.audit.models import Event, Serial
from governance.audit.verbs import Verb

MAX_BODY_BYTES = 65_536


@dataclass(frozen=True)
class Actor:
    """Who acted, as the record keeps it: a key that stays, and the name and title of that day."""

    key: str
    name: str
    title: str = ""


ASSENT = Actor(key="system", name="Assent")


@dataclass(frozen=True)
class RevisionMark:
    """The exact content an event speaks of."""

    number: int
    digest: str


def record(
    *,
    verb: Verb,
    subject: str,
    actor: Actor,
    on_behalf_of: str = "",
    policy_version: str = "",
    revision: RevisionMark | None = None,
    before: Mapping[str, Json] | None = None,
    after: Mapping[str, Json] | None = None,
    reason: str = "",
    sequence: int | None = None,
) -> Event:
    """Append one event to the subject's stream, as part of the caller's transaction.

    The caller holds a lock on the subject, so that the stream's next number is its own; should two callers not, the
    database's unique constraint lets one of them fail. A caller that knows the next number from the locked row passes
    it as `sequence`. Raises RuntimeError outside a transaction, and ValueError when the event is larger than 64 kB.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("an event is written in the transaction of the act that it records")
    if sequence is None:
        sequence = (Event.objects.filter(subject=subject).aggregate(last=Max("sequence"))["last"] or 0) + 1
    moment = clock.now().astimezone(UTC)
    body = canonical_bytes(
        {
            "version": 1,
            "subject": subject,
            "sequence": sequence,
            "verb": Verb(verb).value,
            "at": moment.isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "actor": {"key": actor.key, "name": actor.name, "title": actor.title},
            "on_behalf_of": on_behalf_of or None,
            "policy_version": policy_version or None,
            "revision": {"number": revision.number, "digest": revision.digest} if revision else None,
            "before": dict(before) if before else None,
            "after": dict(after) if after else None,
            "reason": reason or None,
        }
    )
    if len(body) > MAX_BODY_BYTES:
        raise ValueError(f"the event {verb} on {subject} is {len(body)} bytes; an event holds at most {MAX_BODY_BYTES}")
    return Event.objects.create(
        subject=subject,
        sequence=sequence,
        verb=verb,
        at=moment,
        actor=actor.key,
        actor_name=actor.name,
        body=body,
        leaf=hashlib.sha256(b"\x00" + body).digest(),
    )


def take_number(key: str) -> int:
    """The next number under `key`, from 1. Taken for good only if the caller's transaction commits."""
    if not connection.in_atomic_block:
        raise RuntimeError("a number is taken in the transaction of the act that uses it")
    serial, _ = Serial.objects.select_for_update().get_or_create(key=key)
    serial.last += 1
    serial.save(update_fields=["last"])
    return serial.last
