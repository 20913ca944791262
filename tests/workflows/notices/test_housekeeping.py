"""The beat schedule kept by the one local worker."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from celery import Celery
from celery.schedules import crontab

from workflows.notices.housekeeping import Housekeeping

NOON = datetime(2026, 5, 6, 12, 0, tzinfo=UTC)


@pytest.fixture
def app(make_task: Any) -> Iterator[Celery]:
    """An application with a schedule of its own; the tasks are the project's."""
    calls: list[Any] = []
    make_task("tests.note", lambda word="": calls.append(word))
    app = Celery("schedule", set_as_current=False)
    app.calls = calls
    yield app
    app.close()


def test_entries_run_at_the_start_and_then_by_their_schedule(db: None, app: Any) -> None:
    app.conf.beat_schedule = {
        "often": {"task": "tests.note", "schedule": 60.0, "kwargs": {"word": "often"}},
        "hourly": {"task": "tests.note", "schedule": timedelta(hours=1), "kwargs": {"word": "hourly"}},
        "at two": {"task": "tests.note", "schedule": crontab(hour="14", minute="0"), "kwargs": {"word": "at two"}},
    }
    with time_machine.travel(NOON, tick=False) as now:
        housekeeping = Housekeeping(app)
        runs = []
        for minutes in (0, 0.5, 0.5, 59, 60):
            now.shift(timedelta(minutes=minutes))
            runs.append(housekeeping.run_due())
    assert runs == [
        ["often", "hourly", "at two"],
        [],
        ["often"],
        ["often", "hourly"],
        ["often", "hourly", "at two"],
    ]
    assert app.calls == [name for run in runs for name in run]


def test_sweep_is_left_to_the_loop(db: None, app: Any) -> None:
    app.conf.beat_schedule = {"deliver": {"task": "notices.sweep", "schedule": 1.0}}
    assert Housekeeping(app).run_due() == []


def test_entry_that_fails_is_logged_and_stops_nothing(
    db: None, app: Any, make_task: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    make_task("tests.fail", fail)
    app.conf.beat_schedule = {
        "broken": {"task": "tests.fail", "schedule": 60.0},
        "unknown": {"task": "tests.missing", "schedule": 60.0},
        "sound": {"task": "tests.note", "schedule": 60.0},
    }
    housekeeping = Housekeeping(app)
    assert housekeeping.run_due() == ["broken", "unknown", "sound"]
    assert housekeeping.run_due() == []
    assert app.calls == [""]
    assert "broken failed" in caplog.text
    assert "unknown failed" in caplog.text
