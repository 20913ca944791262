"""`manage.py deliver`: empties the outbox, once or for as long as it lives."""

import json
import logging
import signal
import time
from argparse import ArgumentParser
from dataclasses import asdict
from types import FrameType, TracebackType
from typing import Any, Self

from celery import current_app
from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError, connections

from workflows.notices.actions import Report, deliver_due
from workflows.notices.housekeeping import Housekeeping
from workflows.notices.models import Outbox
from workflows.notices.outbox import wall_clock

logger = logging.getLogger("assent.notices")

LONGEST_PAUSE = 30


class Command(BaseCommand):
    help = (
        "Delivers the mail, memos and whatever else waits in the outbox. Without a broker, --forever makes this "
        "process the one background worker; with one, Celery's workers do the same and this is for a repair."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--forever", action="store_true", help="go on until stopped, and run the beat schedule")
        how.add_argument("--json", action="store_true", help="print what was done as JSON")

    def handle(self, *, forever: bool, json: bool, **_: Any) -> None:
        if forever:
            work_until_stopped()
            return
        report = self._drain()
        waiting = Outbox.objects.waiting().count()
        self.stdout.write(_as_json(report, waiting) if json else _as_words(report, waiting))
        if report.given_up:
            raise CommandError(f"{report.given_up} given up. Their rows in the administration pages say why.")

    def _drain(self) -> Report:
        """Deliver all that is due, with a count that moves where somebody is watching."""
        total = Outbox.objects.due(wall_clock()).count() if self.stderr.isatty() else 0
        report = Report()
        while (one := deliver_due(limit=1)).tried:
            report += one
            if total:
                self.stderr.write(f"\r{report.tried} of {max(total, report.tried)}", ending="")
        if total:
            self.stderr.write("")
        return report


class Stopping:
    """Within the block, a first SIGTERM or Ctrl-C asks to finish the row in hand; a second one ends at once."""

    asked = False

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._ask) for number in (signal.SIGTERM, signal.SIGINT)}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._restore()

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def sleep(self, seconds: int) -> None:
        """Sleep, but no longer than a second past a request to stop."""
        for _ in range(seconds):
            if not self.asked:
                time.sleep(1)


def work_until_stopped() -> None:
    """Deliver rows as they become due and run the beat schedule, through a database that goes away and comes back."""
    housekeeping = Housekeeping(current_app)
    pause = 1
    with Stopping() as stopping:
        while not stopping.asked:
            try:
                busy = deliver_due(limit=1).tried > 0
                housekeeping.run_due()
            except (OperationalError, InterfaceError) as error:
                logger.warning("the database is away or locked, next try in %s s: %s", pause, str(error).strip())
                connections.close_all()
                stopping.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
                continue
            pause = 1
            if not busy:
                stopping.sleep(1)


def _as_json(report: Report, waiting: int) -> str:
    return json.dumps({**asdict(report), "waiting": waiting})


def _as_words(report: Report, waiting: int) -> str:
    return (
        f"{report.delivered} delivered, {report.put_off} to be tried again, {report.given_up} given up; "
        f"{waiting} waiting."
    )
