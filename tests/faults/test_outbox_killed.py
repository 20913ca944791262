"""The outbox with real processes that are killed, raced, asked to stop, and whose database goes away."""

import json
import signal
import subprocess
from collections.abc import Iterator
from email import message_from_string
from pathlib import Path

import pytest

from tests.workflows.notices.world.harness import World, stop


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


HELD = {"task": "world.hold", "key": "held", "payload": {"name": "held"}}


def test_row_whose_worker_is_killed_comes_back_when_the_lease_has_run_out(world: World) -> None:
    world.queue(HELD)
    (world.folder / "hold").touch()
    worker = world.start("manage.py", "deliver")
    world.until(world.notes, "the task to begin")

    assert stop(worker, signal.SIGKILL) == -signal.SIGKILL
    (world.folder / "hold").unlink()

    # Another worker keeps its hands off while the dead one's lease runs.
    assert world.drain() == {"delivered": 0, "put_off": 0, "given_up": 0, "waiting": 1}
    with world.database() as connection:
        connection.execute("UPDATE notices_outbox SET leased_until = '2001-01-01 00:00:00'")
    assert world.drain() == {"delivered": 1, "put_off": 0, "given_up": 0, "waiting": 0}
    assert [word for word, *_ in world.notes()] == ["began", "began", "ended"]
    assert world.select("SELECT attempts FROM notices_outbox WHERE done_at IS NOT NULL") == [(2,)]


def test_mail_killed_at_every_step_is_never_lost_and_never_differs(world: World) -> None:
    printed = world.run("-m", "tests.workflows.notices.world.run", "killed-at-every-step", WORLD_LEASE="0.2")
    ends = [json.loads(line) for line in printed.splitlines()]

    assert [end["killed"] for end in ends] == [True] * (len(ends) - 1) + [False]
    # Claim, read, send, note and settle: the drain has steps enough to be killed at.
    assert len(ends) > 15
    for end in ends:
        assert end["done"], end
        assert len(end["noted"]) == 1, end
        assert len(end["mails"]) in (1, 2), end
        assert len(set(end["mails"])) == 1, "the second mail can be told from the first"
        assert message_from_string(end["mails"][0])["Message-ID"] == end["noted"][0]
    # The one moment that no outbox can close, between the mail server's yes and the note of it, was met.
    assert any(len(end["mails"]) == 2 for end in ends)


def test_two_drains_at_once_never_run_a_row_twice(world: World) -> None:
    names = [f"n{number}" for number in range(40)]
    payload = {"seconds": 0.05}
    world.queue(*({"task": "world.note", "key": name, "payload": {**payload, "name": name}} for name in names))

    drains = [world.start("manage.py", "deliver") for _ in range(2)]
    assert [drain.wait(timeout=240) for drain in drains] == [0, 0], world.log

    ended = [(name, process) for word, name, process, _ in world.notes() if word == "ended"]
    assert sorted(name for name, _ in ended) == sorted(names)
    assert {int(process) for _, process in ended} == {drain.pid for drain in drains}
    assert world.select("SELECT count(*) FROM notices_outbox WHERE done_at IS NOT NULL AND attempts = 1") == [(40,)]


def test_worker_asked_to_stop_finishes_the_row_in_hand_and_takes_no_other(world: World) -> None:
    world.queue(HELD, {"task": "world.note", "key": "next", "payload": {"name": "next"}})
    (world.folder / "hold").touch()
    worker = world.start("manage.py", "deliver", "--forever")
    world.until(world.notes, "the task to begin")

    worker.terminate()
    with pytest.raises(subprocess.TimeoutExpired):
        worker.wait(timeout=0.5)
    (world.folder / "hold").unlink()

    assert worker.wait(timeout=240) == 0, world.log
    assert [(word, name) for word, name, *_ in world.notes()] == [("began", "held"), ("ended", "held")]
    assert world.select("SELECT key, attempts FROM notices_outbox WHERE done_at IS NULL") == [("next", 0)]


def test_worker_outlives_a_database_that_goes_away_and_comes_back(world: World) -> None:
    worker = world.start("manage.py", "deliver", "--forever", WORLD_TIMEOUT="0.2", WORLD_LEASE="1")
    world.queue({"task": "world.note", "key": "before", "payload": {"name": "before"}})
    world.until(lambda: len(world.notes()) == 2, "the first row")

    with world.database() as connection:
        if world.on_postgresql:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        else:
            # The worker is at a row when the database is locked, so it cannot write down that the row is delivered.
            hold = world.folder / "hold"
            hold.touch()
            world.queue({"task": "world.hold", "key": "locked out", "payload": {"name": "locked-out"}})
            world.until(lambda: world.notes()[-1][:2] == ["began", "locked-out"], "the row that will be locked out")
            connection.execute("BEGIN EXCLUSIVE")
            hold.unlink()
        world.until(lambda: "the database is away or locked" in world.log, "the worker to notice")
    world.queue({"task": "world.note", "key": "after", "payload": {"name": "after"}})

    world.until(lambda: ("ended", "after") in {(word, name) for word, name, *_ in world.notes()}, "the last row")
    waiting = "SELECT count(*) FROM notices_outbox WHERE done_at IS NULL"
    world.until(lambda: world.select(waiting) == [(0,)], "the row whose delivery could not be written down")
    assert worker.poll() is None
    assert stop(worker) == 0, world.log
