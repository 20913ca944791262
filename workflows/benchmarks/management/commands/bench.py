"""`manage.py bench`: how fast the product is, as ratios that hold on any machine, measured in databases of its own."""

from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test.utils import override_settings
from django.utils.translation import override

from workflows.benchmarks.archive import FEWEST, waiting_for_the_council
from workflows.benchmarks.filling import NotEmpty, fill
from workflows.benchmarks.floor import HOST
from workflows.benchmarks.measures import GROWING, NAMES, decisions_a_round, take
from workflows.benchmarks.report import all_is_well, as_json, as_table
from workflows.benchmarks.scratch import current, scratch_database
from workflows.benchmarks.sides import Bench, Site
from workflows.benchmarks.timing import FEWEST_ROUNDS, Result


class Command(BaseCommand):
    help = (
        "Measure pages, decisions and memos against floors taken in the same run, and show each ratio beside its "
        "target. It fills a database of its own and throws it away: a temporary SQLite file, or, where DATABASE_URL "
        "names PostgreSQL, a database of its own on that server."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--proposals", type=int, default=10_000, metavar="N", help="size (default %(default)s)")
        parser.add_argument("--only", metavar="NAMES", help=f"of {', '.join(NAMES)}")
        parser.add_argument("--rounds", type=int, default=FEWEST_ROUNDS, help="at least %(default)s, the default")
        parser.add_argument("--json", action="store_true", help="for programs")
        parser.add_argument("--controls", action="store_true", help="also measure what must fail by twice its target")
        parser.add_argument("--gate", action="store_true", help="exit 1 when a target is missed or a control passes")
        parser.add_argument(
            "--here", action="store_true", help="fill and keep the configured database itself, which must be empty"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        asked = options["only"].split(",") if options["only"] else NAMES
        unknown = sorted(set(asked) - set(NAMES))
        if unknown:
            raise CommandError(f"There is nothing called {', '.join(unknown)}; there are {', '.join(NAMES)}.")
        names = [name for name in NAMES if name in asked]
        if options["rounds"] < FEWEST_ROUNDS:
            raise CommandError(f"A median of fewer than {FEWEST_ROUNDS} rounds says nothing.")
        if options["proposals"] < FEWEST:
            raise CommandError(f"A page of the queue needs {FEWEST} proposals or more.")
        waiting = waiting_for_the_council(options["proposals"])
        if "decide" in names and decisions_a_round(waiting, options["rounds"]) < 1:
            raise CommandError(
                f"{options['rounds']} rounds take more decisions than the {waiting} that wait among "
                f"{options['proposals']} proposals."
            )
        results: list[Result] = []
        controls: list[Result] = []
        try:
            with self.bench(options, names) as bench:
                for name in names:
                    self.say(f"{name} …")
                    found, failing = take(name, bench, controls=options["controls"])
                    results += found
                    controls += failing
        except NotEmpty as no:
            raise CommandError(str(no)) from None
        except DatabaseError as error:
            raise CommandError(f"The database said: {' '.join(str(error).split())}") from error
        self.stdout.write((as_json if options["json"] else as_table)(results, controls))
        if options["gate"] and not all_is_well(results, controls):
            raise SystemExit(1)

    def say(self, sentence: str) -> None:
        self.stderr.write(sentence, self.style.NOTICE)

    @contextmanager
    def bench(self, options: dict[str, Any], names: Sequence[str]) -> Iterator[Bench]:
        """The filled databases, with files in a folder of their own and nothing sent to a broker."""
        with ExitStack() as stack:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="assent-bench-")))
            stack.enter_context(_apart(folder))
            stack.enter_context(override(settings.LANGUAGE_CODE))
            smaller = None
            if GROWING & set(names):
                size = max(FEWEST, min(10_000, options["proposals"] // 10))
                database = stack.enter_context(scratch_database("smaller", folder))
                with override_settings(KEY_FOLDER=str(folder / "keys-of-smaller")):
                    smaller = self.fill(database, size)
            if options["here"]:
                database = connections[DEFAULT_DB_ALIAS]
            else:
                stack.enter_context(override_settings(KEY_FOLDER=str(folder / "keys")))
                database = stack.enter_context(scratch_database("filled", folder))
            site = self.fill(database, options["proposals"])
            stack.enter_context(current(database))
            yield Bench(site=site, rounds=options["rounds"], smaller=smaller)

    def fill(self, database: BaseDatabaseWrapper, proposals: int) -> Site:
        with current(database):
            self.say(f"Filling {database.display_name} with {proposals:,} proposals …")
            return Site(database, fill(proposals, say=self.say))


@contextmanager
def _apart(folder: Path) -> Iterator[None]:
    """Settings under which a run leaves nothing behind; static files are those of the source."""
    storages = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(folder)}},
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    with override_settings(
        STORAGES=storages, BROKER_URL="", TIME_STAMP_AUTHORITY="", ALLOWED_HOSTS=[HOST], DEBUG=False
    ):
        yield
