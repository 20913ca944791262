"""`manage.py audit export FOLDER_OR_FILE.zip`: write the record as a package that a stranger can check."""

import json
import shutil
from argparse import ArgumentParser, ArgumentTypeError
from datetime import date
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from governance.audit.actions import Actor
from workflows.auditing.actions.exports import record_export, write
from workflows.auditing.exporting.package import MANIFEST, Package
from workflows.auditing.exporting.packing import pack
from workflows.auditing.exporting.selection import Selection
from workflows.auditing.management.acting import actor_of

HELP: Final = "write the record, or a part of it, as a package that can be checked without Assent"


def add_arguments(verb: ArgumentParser) -> None:
    verb.add_argument("target", type=Path, metavar="FOLDER_OR_FILE.zip", help="where to write it; made if need be")
    verb.add_argument("--proposal", action="append", default=[], metavar="REF", help="only this one; may be repeated")
    verb.add_argument("--from", type=_day, dest="first", metavar="DATE", help="only proposals with an event from then")
    verb.add_argument("--to", type=_day, dest="last", metavar="DATE", help="and until then, the day itself included")
    verb.add_argument("--no-files", action="store_true", help="leave out memos and attached files")
    verb.add_argument("--reason", default="", metavar="TEXT", help="for whom or for what it is, for the record")
    verb.add_argument("--by", default="", metavar="EMAIL", help="who exports it; without, the record names Assent")
    verb.add_argument("--json", action="store_true", help="answer in JSON")


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    target: Path = options["target"]
    if options["proposal"] and (options["first"] or options["last"]):
        raise CommandError("Ask for proposals or for a period, not for both.")
    selection = Selection(
        references=tuple(dict.fromkeys(options["proposal"])),
        first=options["first"],
        last=options["last"],
        with_files=not options["no_files"],
    )
    selection.check()
    is_packed = target.suffix == ".zip"
    if is_packed and target.exists():
        raise CommandError(f"{target} is there already; name another file.")
    folder = target.with_name(f"{target.name}.folder") if is_packed else target
    try:
        if not is_packed and (folder / MANIFEST).exists():
            raise CommandError(f"{folder} holds a finished package already; name another folder.")
        package = _written(command, folder, selection, actor=actor_of(options["by"]), reason=options["reason"])
        digest = ""
        if is_packed:
            digest = pack(folder, target, package.head["made_at"])
            shutil.rmtree(folder)
    except OSError as error:
        raise CommandError(f"{error.filename or target} cannot be written: {error.strerror}.") from None
    _answer(command, target, package, digest, as_json=options["json"])


def _written(command: BaseCommand, folder: Path, selection: Selection, *, actor: Actor, reason: str) -> Package:
    """The package, written whole; one that was begun before is gone on with, and not recorded a second time."""
    package = Package(folder, selection)
    if not package.is_begun:
        record_export(actor=actor, selection=selection, reason=reason)
    shown = ""
    for progress in write(package):
        if command.stderr.isatty():
            shown = f"{progress.done} of {progress.total} events  {progress.file}"
            command.stderr.write(f"\r{shown[:78]:78}", ending="")
    if shown:
        command.stderr.write("")
    return package


def _answer(command: BaseCommand, target: Path, package: Package, digest: str, *, as_json: bool) -> None:
    head = package.head
    if as_json:
        told = {key: head[key] for key in ("scope", "size", "events", "made_at")}
        command.stdout.write(json.dumps({"target": str(target), "sha256": digest or None, **told}, ensure_ascii=False))
        return
    command.stdout.write(
        f"{target} holds {head['scope']['words']}: {head['events']} of the {head['size']} events in the log."
    )
    if digest:
        command.stdout.write(f"SHA-256 {digest}")
        command.stdout.write(f"To check it anywhere: unzip {target.name} verify.py, then")
    else:
        command.stdout.write("To check it anywhere:")
    verifier = "verify.py" if digest else target / "verify.py"
    command.stdout.write(f"  python3 {verifier} {target.name if digest else target} --key KEY")
    command.stdout.write("KEY is this log's key: manage.py audit key shows it. Give it to the auditor by another way.")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a day, such as 2026-10-16") from None
