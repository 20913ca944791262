"""`manage.py demo`: fill an empty database with the demonstration, or print who may sign in to it."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from governance.audit.actions import LogWouldFork
from governance.audit.keys import NoKey
from governance.policies.loading import BadFile
from workflows.demonstration.context import listed
from workflows.demonstration.loading import anything_there, holds, load
from workflows.demonstration.reading import FOLDER, read_demonstration


class Command(BaseCommand):
    help = (
        "Fill an empty, migrated database with the demonstration: an invented university whose proposals are replayed "
        "through the real actions. A database that holds anything else is refused."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--sign-ins", action="store_true", help="only print who may sign in; nothing is loaded")
        parser.add_argument(
            "--from", dest="folder", type=Path, default=FOLDER, metavar="FOLDER", help="the files (default %(default)s)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["sign_ins"]:
                self.stdout.write(table())
            else:
                self.load(options["folder"])
        except BadFile as error:
            raise CommandError(str(error)) from None

    def load(self, folder: Path) -> None:
        demonstration = read_demonstration(folder)
        try:
            if holds(demonstration.institution):
                self.stdout.write("The demonstration is already loaded.")
                return
            there = anything_there()
        except DatabaseError as error:
            reason = " ".join(str(error).split())
            raise CommandError(f"The database cannot be read: {reason}. Run first: manage.py migrate") from None
        if there:
            raise CommandError(f"The database is not empty ({there}), so the demonstration is not loaded into it.")
        try:
            load(demonstration, say=self.stdout.write)
        except (LogWouldFork, NoKey) as error:
            raise CommandError(str(error)) from None
        self.stdout.write("The demonstration is loaded.")


def table() -> str:
    """Who may sign in, one person a line, with the password that all of them share."""
    people = listed()
    widths = {key: max(len(one[key]) for one in people) for key in ("email", "name")}
    lines = [f"Demonstration sign-ins (password of all: {people[0]['password']})"]
    lines += [f"  {one['email']:{widths['email']}}  {one['name']:{widths['name']}}  {one['duty']}" for one in people]
    return "\n".join(lines)
