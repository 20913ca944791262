"""`manage.py up`: one process that runs Assent's web server and worker, brings back what dies, and ends them together.

The web server's socket is opened here and handed down, so a port in use is known before anything starts, and whoever
calls while the web server is being brought back waits instead of being turned away.
"""

import asyncio
import ctypes
import errno
import os
import signal
import socket
import sys
import time
from argparse import ArgumentParser
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.shortcuts import resolve_url

PARTS = ("web", "worker", "beat")
DEATHS_TO_GIVE_UP = 5
WITHIN_SECONDS = 60
FIRST_PAUSE = 0.25
LONGEST_PAUSE = 10.0


class Command(BaseCommand):
    help = (
        "Run the web server and the worker under one supervisor. Without BROKER_URL the worker is `deliver --forever`; "
        "with it, a Celery worker and beat. SIGTERM, SIGINT (Ctrl+C) and SIGHUP stop everything in good order."
    )
    requires_system_checks = []  # handle() runs them, with the deployment checks where they belong

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--bind", default="127.0.0.1:8000", help="host:port to answer on (default %(default)s)")
        parser.add_argument("--workers", type=int, default=2, help="web processes (default %(default)s)")
        parser.add_argument("--threads", type=int, default=4, help="threads in each web process (default %(default)s)")
        parser.add_argument(
            "--only", choices=PARTS, action="append", help="run only this part; may be repeated (default: all parts)"
        )
        parser.add_argument(
            "--grace", type=float, default=25, help="seconds to finish work when stopping (default %(default)s)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        wanted: tuple[str, ...] = tuple(options["only"] or PARTS)
        listener = open_listener(options["bind"]) if "web" in wanted else None
        if listener is not None:
            # Where no address was given, links in mail and memos lead to where this answers.
            os.environ.setdefault("ASSENT_URL", local_address(listener))
        self.check(include_deployment_checks=not (settings.DEMONSTRATION or settings.DEBUG))
        refuse_missing_migrations()
        if listener is not None:
            collect_static_files()
        welcome = sign_ins() if listener is not None else ""
        # Children open their own connections; the supervisor keeps none.
        connections.close_all()

        parts = [part for part in [*web_part(listener, options), *worker_parts()] if part.name in wanted]
        if not parts:
            raise CommandError("There is nothing to run: beat belongs to Celery, and BROKER_URL is not set.")
        supervisor = Supervisor(parts=parts, say=self.say, grace=options["grace"])
        failure = asyncio.run(supervisor.run(listener=listener, welcome=welcome))
        if failure:
            raise CommandError(failure)

    def say(self, sentence: str) -> None:
        self.stdout.write(sentence)
        self.stdout.flush()


@dataclass(frozen=True, kw_only=True)
class Part:
    """One program that the supervisor keeps alive."""

    name: str
    arguments: list[str]
    descriptors: tuple[int, ...] = ()


def web_part(listener: socket.socket | None, options: dict[str, Any]) -> list[Part]:
    if listener is None:
        return []
    settled = {
        "--bind": f"fd://{listener.fileno()}",
        "--worker-class": "gthread",
        "--workers": options["workers"],
        "--threads": options["threads"],
        "--graceful-timeout": max(1, int(options["grace"]) - 5),
        "--log-level": "warning",
    }
    arguments = ["-m", "gunicorn", "governance.wsgi", "--no-control-socket"]
    arguments += [str(word) for option in settled.items() for word in option]
    return [Part(name="web", arguments=arguments, descriptors=(listener.fileno(),))]


def worker_parts() -> list[Part]:
    if not settings.BROKER_URL:
        return [Part(name="worker", arguments=[str(settings.BASE_DIR / "manage.py"), "deliver", "--forever"])]
    celery = ["-m", "celery", "--app", "governance", "--quiet"]
    schedule = str(settings.VAR_DIR / "beat-schedule")
    return [
        Part(name="worker", arguments=[*celery, "worker", "--loglevel", "WARNING", "--without-mingle"]),
        Part(name="beat", arguments=[*celery, "beat", "--loglevel", "WARNING", "--schedule", schedule]),
    ]


class Supervisor:
    """Starts the parts, brings back those that die, and ends them all when told to or when one will not stay up."""

    def __init__(self, *, parts: list[Part], say: Callable[[str], None], grace: float) -> None:
        self.parts = parts
        self.say = say
        self.grace = grace
        self.stopping = asyncio.Event()
        self.failure = ""

    async def run(self, *, listener: socket.socket | None, welcome: str) -> str:
        """Runs until told to stop. Answers with the reason when the parts had to be given up, else with nothing."""
        loop = asyncio.get_running_loop()
        for signal_number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(signal_number, self.stopping.set)
        async with asyncio.TaskGroup() as tasks:
            greeting = tasks.create_task(self.greet(listener, welcome)) if listener is not None else None
            for part in self.parts:
                tasks.create_task(self.keep(part))
            await self.stopping.wait()
            if greeting is not None:
                greeting.cancel()
        return self.failure

    async def keep(self, part: Part) -> None:
        """Keeps one part alive. Five deaths within a minute end everything: what dies so often needs a person."""
        deaths: deque[float] = deque(maxlen=DEATHS_TO_GIVE_UP)
        while not self.stopping.is_set():
            code = await self.run_once(part)
            if self.stopping.is_set():
                return
            deaths.append(time.monotonic())
            if len(deaths) == DEATHS_TO_GIVE_UP and deaths[-1] - deaths[0] < WITHIN_SECONDS:
                self.failure = (
                    f"{part.name} ended {DEATHS_TO_GIVE_UP} times within {WITHIN_SECONDS} seconds, "
                    f"the last time with {ending(code)}. Its own messages above say why. Everything is stopped."
                )
                self.stopping.set()
                return
            pause = min(FIRST_PAUSE * 2 ** (len(deaths) - 1), LONGEST_PAUSE)
            self.say(f"{part.name} ended with {ending(code)}. It starts again in {pause:g} seconds.")
            with suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), timeout=pause)

    async def run_once(self, part: Part) -> int:
        """One life of a part: from its start to its end, whether it ends by itself or because we stop."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *part.arguments,
            cwd=settings.BASE_DIR,
            stdin=asyncio.subprocess.DEVNULL,
            pass_fds=part.descriptors,
            # A session of its own: Ctrl+C in the terminal reaches the supervisor alone, which ends the parts in order.
            start_new_session=True,
            preexec_fn=end_with_supervisor(),
        )
        self.say(f"Started {part.name} (process {process.pid}).")
        ended, told = asyncio.create_task(process.wait()), asyncio.create_task(self.stopping.wait())
        try:
            await asyncio.wait({ended, told}, return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                process.terminate()
                await asyncio.wait({ended}, timeout=self.grace)
            if not ended.done():
                self.say(f"{part.name} did not end within {self.grace:g} seconds and is killed.")
        finally:
            told.cancel()
            # Also after a death by itself: nothing it started may outlive it and go on serving beside its successor.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        return await ended

    async def greet(self, listener: socket.socket, welcome: str) -> None:
        """Says where Assent answers, once it does."""
        status = await first_answer(listener)
        self.say(f"\nAssent is running at {address(listener)}  (Ctrl+C stops it)")
        if status >= 500:
            self.say(f"But its sign-in page answers with an error ({status}); the messages above say why.")
        elif welcome:
            self.say(welcome)


async def first_answer(listener: socket.socket) -> int:
    """The status of the sign-in page. The request waits in the socket's queue until one is there to take it."""
    host, port = listener.getsockname()[:2]
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  (read here, not bound)
    path, name = resolve_url(settings.LOGIN_URL), urlsplit(settings.BASE_URL).netloc
    while True:
        with suppress(OSError, ValueError, IndexError):
            reader, writer = await asyncio.open_connection(reachable, port)
            writer.write(f"GET {path} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
            status_line = await reader.readline()
            writer.close()
            return int(status_line.split()[1])
        # Only reached when a web server took the request and died over it; its successor is on the way.
        await asyncio.sleep(1)


def open_listener(bind: str) -> socket.socket:
    """The socket that the web server will answer on, or a refusal that says what to do."""
    host, _, port = bind.rpartition(":")
    host = host.strip("[]")
    if not host or not port.isdigit() or int(port) > 65535:
        raise CommandError(f"--bind wants a host and a port such as 127.0.0.1:8000, not {bind!r}.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, int(port)), family=family, backlog=512)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CommandError(
                f"Another program already answers on {bind}. Stop it, or choose another port: manage.py up --bind "
                f"{host if family == socket.AF_INET else f'[{host}]'}:{int(port) + 1}"
            ) from None
        # create_server puts the address into strerror, and we have named it already.
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        raise CommandError(f"Cannot answer on {bind}: {reason}.") from None


def local_address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104  (read here, not bound)
        host = "localhost"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def address(listener: socket.socket) -> str:
    local = f"{local_address(listener)}/"
    return f"{local}, for the public {settings.BASE_URL}" if settings.BASE_URL.startswith("https://") else local


def refuse_missing_migrations() -> None:
    try:
        executor = MigrationExecutor(connection)
    except OperationalError as error:
        reason = " ".join(str(error).split()).rstrip(".?")
        raise CommandError(f"The database cannot be opened: {reason}. DATABASE_URL names it.") from None
    missing = [
        f"{migration.app_label}.{migration.name}"
        for migration, _backwards in executor.migration_plan(executor.loader.graph.leaf_nodes())
    ]
    if missing:
        named = ", ".join(missing[:3]) + (" and others" if len(missing) > 3 else "")
        raise CommandError(
            f"The database is not up to date: {len(missing)} migrations are missing ({named}). Run: manage.py migrate"
        )


def collect_static_files() -> None:
    """Pages name their static files by digest, which needs the manifest that collectstatic writes."""
    if not (settings.STATIC_ROOT / "staticfiles.json").exists():
        call_command("collectstatic", interactive=False, verbosity=0)


def sign_ins() -> str:
    """Who can be tried out; only a demonstration says that."""
    if not settings.DEMONSTRATION or "demo" not in get_commands():
        return ""
    text = StringIO()
    call_command("demo", sign_ins=True, stdout=text)
    return text.getvalue().rstrip()


def end_with_supervisor() -> Callable[[], None] | None:
    """What a child does first: ask Linux for SIGTERM when the supervisor is gone, however it went.

    Other systems have no such request: there, children of a supervisor that was killed outright stay until stopped by
    hand, and the next `up` says that the port is in use.
    """
    if sys.platform != "linux":
        return None
    libc, supervisor, set_parent_death_signal = ctypes.CDLL(None), os.getpid(), 1

    def ask() -> None:
        libc.prctl(set_parent_death_signal, signal.SIGTERM)
        if os.getppid() != supervisor:
            os._exit(1)

    return ask


def ending(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
