"""`manage.py audit grants ROLE`: what the web server's role may do, as SQL for PostgreSQL."""

import re
from argparse import ArgumentParser
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from governance.audit.roles import grants

HELP: Final = "print the SQL that lets a PostgreSQL role run Assent without being able to rewrite the record"


def add_arguments(verb: ArgumentParser) -> None:
    verb.add_argument("role", metavar="ROLE", help="the role in the web server's DATABASE_URL; it must own no table")


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    role = options["role"]
    if connection.vendor != "postgresql":
        raise CommandError("SQLite has no roles; its triggers and the log are what guards the record there.")
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,62}", role):
        raise CommandError(f"{role!r} is no name for a role: letters, digits and underscores are.")
    command.stdout.writelines(f"{statement};" for statement in grants(connection, role))
