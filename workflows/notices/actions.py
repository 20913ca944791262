"""Emptying the outbox: a row is held by a lease, its task is run, and what became of it is written down.

Killed at any moment, nothing is lost: a row that was held comes back when its lease has run out, so every task must be
safe to run twice.
"""

import logging
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.utils.translation import gettext as _
from pydantic import JsonValue

from governance import clock
from governance.audit.actions import record
from governance.audit.verbs import Verb
from governance.people.models import User
from governance.refusals import NotPermitted, NotPossible
from workflows.notices.models import Outbox
from workflows.notices.outbox import tell_a_worker, wall_clock

logger = logging.getLogger("assent.notices")

MOST_ATTEMPTS = 6
LONGEST_ERROR = 4000


class Outcome(StrEnum):
    """What became of one row."""

    NOT_TAKEN = "not taken"
    DELIVERED = "delivered"
    PUT_OFF = "put off"
    GIVEN_UP = "given up"


@dataclass(frozen=True)
class Report:
    """What one drain did."""

    delivered: int = 0
    put_off: int = 0
    given_up: int = 0

    @property
    def tried(self) -> int:
        return self.delivered + self.put_off + self.given_up

    def __add__(self, other: "Report") -> "Report":
        return Report(self.delivered + other.delivered, self.put_off + other.put_off, self.given_up + other.given_up)


class UnknownTask(LookupError):
    """A row names a task that no app has; trying again cannot help."""


def run_in_place(task: str, payload: Mapping[str, JsonValue]) -> None:
    """Run a Celery task's body here and now. Raises UnknownTask, or whatever the task raises."""
    if task not in current_app.tasks:
        # Outside a Celery worker nobody has yet imported every app's tasks.
        current_app.autodiscover_tasks(force=True)
    if task not in current_app.tasks:
        raise UnknownTask(f"there is no task named {task}")
    try:
        current_app.tasks[task](**payload)
    except Exception:
        # A task that lost its database connection must not keep us from writing down that it failed.
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
        raise


def deliver(*, row_id: int) -> Outcome:
    """Take up one row, if it is due and nobody holds it, and run its task. Holds no database lock while the task runs.

    A task that raises is tried again after 1 minute, 5 minutes, 25 minutes, 2 hours and 10 hours, which outlasts a mail
    server's bad night; then the row is given up until an administrator says `try_again`.
    """
    row = _claim(row_id)
    if row is None:
        return Outcome.NOT_TAKEN
    if row.attempts > MOST_ATTEMPTS:
        # Nobody lived to say what went wrong. Without this a task that kills its process would do so for ever.
        return _give_up(row, f"The process that ran this ended {MOST_ATTEMPTS} times before it was finished.")
    try:
        run_in_place(row.task, row.payload)
    except UnknownTask as error:
        return _give_up(row, _words(error))
    except Exception as error:  # noqa: BLE001  # whatever a task may raise belongs in its row, and no row stops the next
        if row.attempts >= MOST_ATTEMPTS:
            return _give_up(row, _words(error), error)
        return _put_off(row, _words(error), error)
    logger.debug("%s: delivered", row)
    _settle(row, done_at=clock.now())
    return Outcome.DELIVERED


def deliver_due(*, limit: int | None = None) -> Report:
    """Deliver what is due, one row after the other, until nothing is or `limit` rows were tried."""
    report = Report()
    while limit is None or report.tried < limit:
        # Asked anew for every row: the task before may have queued more, and another worker may have taken the next.
        row_id = Outbox.objects.due(wall_clock()).order_by("due_at", "id").values_list("pk", flat=True).first()
        if row_id is None:
            break
        outcome = deliver(row_id=row_id)
        report += Report(
            delivered=outcome is Outcome.DELIVERED,
            put_off=outcome is Outcome.PUT_OFF,
            given_up=outcome is Outcome.GIVEN_UP,
        )
    return report


@transaction.atomic
def try_again(*, actor: User, row: Outbox, reason: str = "") -> Outbox:
    """Give a row that was given up its full number of tries again, at once. It is recorded who asked, and why.

    The record does not repeat the error: a mail server's answer names the address that it refused.
    """
    row = Outbox.objects.select_for_update().get(pk=row.pk)
    if row.failed_at is None:
        raise NotPossible(_("This delivery has not been given up, so there is nothing to try again."))
    if not (actor.is_active and actor.is_staff):
        raise NotPermitted(_("Only an administrator can ask for another try."))
    row.failed_at, row.attempts, row.due_at = None, 0, wall_clock()
    row.save(update_fields=["failed_at", "attempts", "due_at"])
    record(
        verb=Verb.DELIVERY_TRIED_AGAIN,
        subject=f"delivery/{row.pk}",
        actor=actor.as_actor(),
        after={"task": row.task, "key": row.key},
        reason=reason.strip(),
    )
    tell_a_worker(row)
    return row


def _claim(row_id: int) -> Outbox | None:
    """Hold the row until the lease runs out, or None when it is not due or another holds it.

    One conditional UPDATE decides on SQLite and PostgreSQL alike: of two at once, the second finds the condition no
    longer true. Durable, because a lease inside somebody's open transaction would hold nobody off.
    """
    moment = wall_clock()
    lease = timedelta(seconds=getattr(settings, "OUTBOX_LEASE_SECONDS", 300))
    with transaction.atomic(durable=True):
        held = Outbox.objects.due(moment).filter(pk=row_id)
        if not held.update(leased_until=moment + lease, attempts=F("attempts") + 1):
            return None
        row: Outbox = Outbox.objects.get(pk=row_id)
        return row


def _settle(row: Outbox, **changes: Any) -> None:
    """Write what became of the row and let it go, unless the lease ran out and another has it now."""
    held = Outbox.objects.filter(pk=row.pk, leased_until=row.leased_until, attempts=row.attempts)
    if not held.update(leased_until=None, **changes):
        logger.warning("%s: took longer than its lease; whoever took it over will say what became of it", row)


def _put_off(row: Outbox, words: str, error: Exception) -> Outcome:
    pause = timedelta(seconds=getattr(settings, "OUTBOX_RETRY_SECONDS", 60) * 5 ** (row.attempts - 1))
    logger.warning("%s: try %s failed, next in %s", row, row.attempts, pause, exc_info=error)
    _settle(row, due_at=wall_clock() + pause, last_error=words)
    return Outcome.PUT_OFF


def _give_up(row: Outbox, words: str, error: Exception | None = None) -> Outcome:
    logger.error("%s: given up: %s", row, words, exc_info=error)
    _settle(row, failed_at=clock.now(), last_error=words)
    return Outcome.GIVEN_UP


def _words(error: Exception) -> str:
    """The error as an administrator reads it. PostgreSQL keeps no NUL in a text."""
    return "".join(traceback.format_exception_only(error)).strip().replace("\0", "")[:LONGEST_ERROR]
