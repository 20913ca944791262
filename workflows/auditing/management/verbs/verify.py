"""`manage.py audit verify`: check the record in the database, or an export of it."""

import json
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand

from governance.audit import keys
from governance.audit.verifier import (
    ABOUT_CODES,
    UNREADABLE,
    Broken,
    LogCheck,
    Report,
    Rows,
    as_data,
    as_text,
    check_package,
    exit_code,
    read_keys,
    read_since,
)
from workflows.auditing.actions import checks
from workflows.auditing.checking import check_database

HELP: Final = "check the record, or an export of it"


def add_arguments(verb: ArgumentParser) -> None:
    verb.epilog, verb.formatter_class = ABOUT_CODES, RawDescriptionHelpFormatter
    verb.add_argument(
        "package",
        nargs="?",
        type=Path,
        metavar="PACKAGE",
        help="an export: folder or zip file; without, the database",
    )
    verb.add_argument("--whole", action="store_true", help="from the beginning, not from where the last check ended")
    verb.add_argument(
        "--since", action="append", default=[], metavar="FILE", help="an old checkpoint that the log must continue"
    )
    verb.add_argument(
        "--key", action="append", default=[], help="a key to trust, or its file; without, those in the key folder"
    )
    verb.add_argument("--json", action="store_true", help="answer in JSON")


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    report, check = Report(), None
    try:
        if options["package"] is None:
            report, check, code = _check_database(command, options)
        else:
            check = check_package(
                options["package"],
                report,
                keys=read_keys(options["key"]) or keys.own(),
                since=read_since(options["since"]),
                observers=[Rows()],
                progress=_progress(command),
            )
            code = exit_code(report, tied=check.is_tied)
    except Broken as error:
        report.fails("missing", str(error))
        code = UNREADABLE
    if command.stderr.isatty():
        command.stderr.write("")
    answer = json.dumps(as_data(code, report, check), ensure_ascii=False) if options["json"] else as_text(code, report)
    command.stdout.write(answer)
    if code:
        sys.exit(code)


def _check_database(command: BaseCommand, options: dict[str, Any]) -> tuple[Report, LogCheck, int]:
    checked = check_database(
        whole=options["whole"],
        since=read_since(options["since"]),
        brought=read_keys(options["key"]),
        progress=_progress(command),
    )
    checks.keep(checked=checked)
    return checked.report, checked.check, checked.code


def _progress(command: BaseCommand) -> Any:
    """A count that moves where somebody is watching."""
    if not command.stderr.isatty():
        return lambda events: None
    return lambda events: command.stderr.write(f"\r{events:,} events", ending="")
