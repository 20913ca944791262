"""How an action asks for something to leave the house: a row for each thing, written in the action's own transaction.

Example: `queue(task="memos.render", key="memo/17", payload={"memo_id": 17})`.
"""

import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from celery import current_app
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from pydantic import JsonValue

from workflows.notices.models import KEY_LENGTH, Outbox

ONE_MORE_TRY = {"max_retries": 1, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.1}
SECONDS_TO_LEAVE_IT_ALONE = 30
_broker_away_until = 0.0


def wall_clock() -> datetime:
    """The real time, for leases and for when to try again.

    Not `governance.clock`: the demonstration replays the past with a set clock, and what it queues "last March" must be
    deliverable at once, by workers whose clocks nobody has set.
    """
    return timezone.now()


class Parcel(NamedTuple):
    """A task with its keyword arguments, under the key that names it."""

    task: str
    key: str
    payload: Mapping[str, JsonValue]


def queue(*, task: str, key: str, payload: Mapping[str, JsonValue]) -> Outbox:
    """Queue `task` with the keyword arguments `payload`, as `queue_all` does."""
    (row,) = queue_all([Parcel(task, key, payload)])
    return row


def queue_all(parcels: Iterable[Parcel]) -> list[Outbox]:
    """Queue parcels of different keys as part of the caller's transaction, in one statement: an act queues several.

    The same key again returns the row that is there already, whatever became of it. With a broker, a worker is told on
    commit; without one, and whenever the broker is away, `manage.py deliver` or the sweep finds the row.

    Raises RuntimeError outside a transaction, and ValueError for a key that is too long.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("what leaves the house is queued in the transaction of the act that asks for it")
    fresh = []
    for task, key, payload in parcels:
        if not 0 < len(key) <= KEY_LENGTH:
            raise ValueError(f"a key has 1 to {KEY_LENGTH} characters, not {len(key)}: {key}")
        fresh.append(Outbox(task=task, key=key, payload=dict(payload), due_at=wall_clock()))
    rows = Outbox.objects.bulk_create(
        fresh, update_conflicts=True, unique_fields=["key", "task"], update_fields=["key"]
    )
    for row in rows:
        tell_a_worker(row)
    return rows


def tell_a_worker(row: Outbox) -> None:
    """On commit, send the row's id to the broker, if there is one."""
    if not settings.BROKER_URL:
        return
    row_id = row.pk
    # Robust: a broker that is away is logged and costs a minute until the next sweep. The act itself is committed, and
    # its page must not say otherwise.
    transaction.on_commit(lambda: _send(row_id), robust=True)


def _send(row_id: int) -> None:
    """Send the id, with one quick second try for a connection that went stale in the pool.

    Once the broker did not answer, it is left alone for half a minute: an act that queues ten mails must not keep its
    page waiting for ten timeouts.
    """
    global _broker_away_until
    if time.monotonic() < _broker_away_until:
        return
    try:
        current_app.send_task("notices.deliver", kwargs={"row_id": row_id}, retry=True, retry_policy=ONE_MORE_TRY)
    except Exception:
        _broker_away_until = time.monotonic() + SECONDS_TO_LEAVE_IT_ALONE
        raise
