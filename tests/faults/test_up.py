"""`manage.py up` with real processes: what is killed comes back, what is stopped is gone, and a refusal is one line."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, Queue
from typing import Self

import pytest
from django.core.management.base import CommandError

from governance.site.management.commands.up import open_listener

pytestmark = pytest.mark.once

BASE_DIR = Path(__file__).resolve().parents[2]
PATIENCE = 240  # seconds; only a machine that hangs takes so long


def installation(var: Path, **changes: str) -> dict[str, str]:
    """The environment of a demonstration on SQLite with its data in `var`, whatever the tests themselves run on."""
    kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "BROKER_URL")}
    return {**kept, "ASSENT_DEMO": "1", "ASSENT_VAR": str(var), **changes}


def manage(*arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(
        command, cwd=BASE_DIR, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


class Up:
    """A running `manage.py up` and what it has said."""

    def __init__(self, *arguments: str, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--bind", "127.0.0.1:0", *arguments],
            cwd=BASE_DIR,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: Queue[str] = Queue()
        self.said: list[str] = []
        self.started: list[int] = []
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line)

    def hear(self, pattern: str) -> str:
        """Waits until a line says `pattern`; answers with what its group matched."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                line = self.lines.get(timeout=max(0, end - time.monotonic()))
            except Empty:
                pytest.fail(f"{pattern!r} was not said, but:\n{''.join(self.said)}")
            self.said.append(line)
            if started := re.search(r"process (\d+)", line):
                self.started.append(int(started[1]))
            if found := re.search(pattern, line):
                return found[1] if found.re.groups else found[0]

    def stop(self, signal_number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(signal_number)
        return self.process.wait(timeout=PATIENCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self.process.poll() is None:
            self.stop()
        self.reader.join(timeout=PATIENCE)
        assert self.process.stdout is not None
        self.process.stdout.close()


def living(group: int) -> list[int]:
    """The processes of a group that still run; one that only waits to be reaped does not."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _parent, its_group = stat.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(its_group) == group and state != "Z":
            found.append(int(stat.parent.name))
    return found


def all_gone(groups: list[int]) -> bool:
    end = time.monotonic() + PATIENCE
    while any(living(group) for group in groups):
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def sign_in_page(address: str) -> int:
    try:
        with urllib.request.urlopen(f"{address}sign-in/", timeout=PATIENCE) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


linux_only = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc; only Linux ends orphans")


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An empty, migrated database and its static files, made once."""
    environment = installation(tmp_path_factory.mktemp("var"))
    migrated = manage("migrate", "--verbosity=0", environment=environment)
    assert migrated.returncode == 0, migrated.stderr
    return environment


@pytest.fixture
def up(demonstration: dict[str, str]) -> Iterator[Up]:
    with Up(environment=demonstration) as running:
        yield running


@linux_only
def test_up_answers_and_a_killed_web_server_comes_back(up: Up) -> None:
    first = int(up.hear(r"Started web \(process (\d+)\)"))
    address = up.hear(r"running at (\S+)")
    assert sign_in_page(address) == 200

    os.kill(first, signal.SIGKILL)
    up.hear("web ended with SIGKILL")
    second = int(up.hear(r"Started web \(process (\d+)\)"))

    assert sign_in_page(address) == 200
    assert all_gone([first]), "the killed server's own processes went on serving"
    assert living(second)
    assert up.stop() == 0


@linux_only
def test_links_lead_to_where_up_answers_when_no_address_was_given(up: Up) -> None:
    worker = int(up.hear(r"Started worker \(process (\d+)\)"))
    address = up.hear(r"running at (\S+)/")
    assert f"ASSENT_URL={address}" in Path(f"/proc/{worker}/environ").read_text().split("\0")


@linux_only
def test_up_brings_back_a_killed_worker_alone(up: Up) -> None:
    worker = int(up.hear(r"Started worker \(process (\d+)\)"))
    address = up.hear(r"running at (\S+)")
    os.kill(worker, signal.SIGKILL)
    up.hear("worker ended with SIGKILL")
    assert int(up.hear(r"Started worker \(process (\d+)\)")) != worker
    assert sign_in_page(address) == 200
    assert up.stop() == 0
    assert not [line for line in up.said if "web ended" in line]


@linux_only
@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_up_told_to_stop_ends_everything(up: Up, signal_number: signal.Signals) -> None:
    up.hear("running at")
    assert len(up.started) == 2
    assert up.stop(signal_number) == 0
    assert all_gone(up.started)


@linux_only
def test_up_killed_outright_leaves_nothing_behind(up: Up) -> None:
    up.hear("running at")
    assert up.stop(signal.SIGKILL) == -signal.SIGKILL
    assert all_gone(up.started)


def test_up_gives_up_on_what_never_stays_up(demonstration: dict[str, str]) -> None:
    broken = {**demonstration, "GUNICORN_CMD_ARGS": "--no-such-option"}
    with Up(environment=broken) as up:
        up.hear("web ended 5 times within 60 seconds, the last time with exit code")
        assert up.process.wait(timeout=PATIENCE) == 1


def test_up_on_a_port_in_use_says_so_in_one_line(demonstration: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        bind = f"127.0.0.1:{other.getsockname()[1]}"
        answer = manage("up", "--bind", bind, environment=demonstration)
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert answer.stderr.startswith(f"CommandError: Another program already answers on {bind}.")
    assert answer.stderr.count("\n") == 1


def test_up_on_a_database_without_tables_names_the_command(tmp_path: Path) -> None:
    answer = manage("up", "--bind", "127.0.0.1:0", environment=installation(tmp_path))
    assert answer.returncode == 1
    sentence = r"CommandError: The database is not up to date: \d+ migrations are missing .*: manage\.py migrate\n"
    assert re.fullmatch(sentence, answer.stderr)


@pytest.mark.parametrize("bind", ["8000", "localhost:", ":8000", "127.0.0.1:http", "127.0.0.1:70000"])
def test_up_with_an_address_that_is_none_says_what_it_wants(bind: str) -> None:
    with pytest.raises(CommandError, match=r"\bport\b"):
        open_listener(bind)
