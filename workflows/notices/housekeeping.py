"""What Celery's beat would start, for an installation without a broker: the same schedule, run in place."""

import logging
from datetime import UTC, datetime
from typing import Any, cast

from celery import Celery
from celery.schedules import BaseSchedule, maybe_schedule

from workflows.notices.actions import run_in_place

logger = logging.getLogger("assent.notices")

# The worker's own loop does what the sweep does, and can stop after each row.
DONE_BY_THE_LOOP = frozenset({"notices.sweep"})
NEVER = datetime(2000, 1, 1, tzinfo=UTC)


class Housekeeping:
    """Runs each entry of the app's beat schedule when it is due: once at the start, then by its schedule.

    At the start too, because a laptop that is opened for half an hour a day would never come to the hourly entries.
    """

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._last_run: dict[str, datetime] = {}

    def run_due(self) -> list[str]:
        """Run what is due and answer the names of those entries. One that fails is logged and keeps its turn."""
        entries = {
            name: entry
            for name, entry in self._app.conf.beat_schedule.items()
            if entry["task"] not in DONE_BY_THE_LOOP and self._is_due(name, entry["schedule"])
        }
        for name, entry in entries.items():
            self._last_run[name] = self._app.now()
            try:
                run_in_place(entry["task"], entry.get("kwargs", {}))
            except Exception:
                logger.exception("%s failed; it will be run again when it is next due", name)
        return list(entries)

    def _is_due(self, name: str, every: Any) -> bool:
        schedule = cast(BaseSchedule, maybe_schedule(every, app=self._app))
        due, _ = schedule.is_due(self._last_run.get(name, NEVER))
        return bool(due)
