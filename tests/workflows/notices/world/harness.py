"""A database of its own and real processes on it, for what one process cannot show: kills, races, a real worker."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import psycopg
from django.conf import settings

BASE_DIR = Path(__file__).resolve().parents[4]
PATIENCE = 240  # seconds; only a machine that hangs takes so long


class World:
    """A migrated, empty database of the kind the tests run on, a folder for traces, and processes that use them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._mark = f"assent_world_{uuid4().hex[:12]}"
        self._server = settings.DATABASES["default"] if self.on_postgresql else None
        self._processes: list[subprocess.Popen[str]] = []
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.workflows.notices.world.settings",
            "WORLD_BASE_SETTINGS": os.environ["DJANGO_SETTINGS_MODULE"],
            "PYTHONPATH": os.pathsep.join([str(BASE_DIR), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]),
            "WORLD_DIR": str(folder),
            "ASSENT_KEYS": str(folder / "keys"),
            "WORLD_LEASE": "300",
            "WORLD_QUEUE": self._mark,
            "WORLD_TIMEOUT": "20",
            "DATABASE_URL": self._url(self._mark),
            "BROKER_URL": "",
            "ASSENT_DEMO": "1",
        }

    @property
    def on_postgresql(self) -> bool:
        return bool(settings.DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql")

    @property
    def queue_name(self) -> str:
        return self._mark

    def __enter__(self) -> Self:
        if self.on_postgresql:
            with psycopg.connect(self._url("postgres"), autocommit=True) as server:
                server.execute(f"CREATE DATABASE {self._mark}")  # a name made above
        self.manage("migrate", "notices", "--verbosity", "0")
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.kill()
            process.communicate()
        if self.on_postgresql:
            with psycopg.connect(self._url("postgres"), autocommit=True) as server:
                server.execute(f"DROP DATABASE {self._mark} WITH (FORCE)")

    def _url(self, name: str) -> str:
        if self._server is None:
            return f"sqlite:///{self.folder / 'world.sqlite3'}"
        user, password, host, port = (self._server.get(key) or "" for key in ("USER", "PASSWORD", "HOST", "PORT"))
        return f"postgres://{user}{password and ':' + password}@{host or '127.0.0.1'}:{port or 5432}/{name}"

    def run(self, *command: str, **environment: str) -> str:
        """Run a command to its end and answer what it printed. It must succeed."""
        done = subprocess.run(
            [sys.executable, *command],
            cwd=BASE_DIR,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def manage(self, *arguments: str, **environment: str) -> str:
        return self.run("manage.py", *arguments, **environment)

    def drain(self, **environment: str) -> dict[str, int]:
        """`manage.py deliver --json`, read."""
        report: dict[str, int] = json.loads(self.manage("deliver", "--json", **environment))
        return report

    def start(self, *command: str, **environment: str) -> subprocess.Popen[str]:
        """Start a command; it is killed at the end of the world at the latest. What it logs is in `log`."""
        with (self.folder / "log").open("a") as log:
            process = subprocess.Popen(
                [sys.executable, *command],
                cwd=BASE_DIR,
                env={**self.environment, **environment},
                stdout=log,
                stderr=log,
                text=True,
            )
        self._processes.append(process)
        return process

    def queue(self, *rows: dict[str, Any], **environment: str) -> None:
        self.run("-m", "tests.workflows.notices.world.run", "queue", json.dumps(rows), **environment)

    @contextmanager
    def database(self) -> Iterator[Any]:
        """A connection of the test's own, in autocommit."""
        connection: Any
        if self.on_postgresql:
            connection = psycopg.connect(self.environment["DATABASE_URL"], autocommit=True)
        else:
            connection = sqlite3.connect(self.folder / "world.sqlite3", isolation_level=None, timeout=20)
        try:
            yield connection
        finally:
            connection.close()

    def select(self, statement: str) -> list[tuple[Any, ...]]:
        with self.database() as connection:
            return list(connection.execute(statement).fetchall())

    def notes(self) -> list[list[str]]:
        """What the world's tasks noted: word, name, process, moment."""
        path = self.folder / "notes"
        return [line.split() for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait until the condition holds."""
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, f"waited in vain for {what}\n{self.log}"
            time.sleep(0.05)


def stop(process: subprocess.Popen[str], how: signal.Signals = signal.SIGTERM) -> int:
    """Send a signal, wait for the end, and answer the exit status."""
    process.send_signal(how)
    return process.wait(timeout=PATIENCE)
