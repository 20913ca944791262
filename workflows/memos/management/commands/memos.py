"""`manage.py memos`: issue the memos that wait or failed, and say of a file whether it is one that was issued here."""

import hashlib
import json
import logging
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.formats import date_format
from django.utils.timezone import localtime

from workflows.memos.actions import issue
from workflows.memos.queries import issued_as, without_memo

logger = logging.getLogger("assent.memos")


class Command(BaseCommand):
    help = "Issues the memos that wait or failed, or says whether a file is a memo that this installation issued."

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True, metavar="render | verify")
        render = commands.add_parser("render", help="issue every memo that waits or failed, now")
        render.add_argument("--json", action="store_true", help="print what was done as JSON")
        verify = commands.add_parser("verify", help="say whether FILE is a memo as it was issued; ends with 1 if not")
        verify.add_argument("file", type=Path, metavar="FILE")
        verify.add_argument("--json", action="store_true", help="print the answer as JSON")

    def handle(self, *, command: str, json: bool, file: Path | None = None, **_: Any) -> None:
        if command == "render":
            self._render(as_json=json)
        else:
            assert file is not None
            self._verify(file, as_json=json)

    def _render(self, *, as_json: bool) -> None:
        """One after the other; one that fails does not stop the next."""
        issued: list[dict[str, str]] = []
        failed: list[dict[str, str]] = []
        waiting = list(without_memo())
        for done, decision in enumerate(waiting, start=1):
            if self.stderr.isatty():
                self.stderr.write(f"\r{done} of {len(waiting)}", ending="\n" if done == len(waiting) else "")
            try:
                memo = issue(decision_id=decision.pk)
            except Exception as error:
                logger.exception("the memo of decision %s could not be made", decision.pk)
                failed.append({"decision": str(decision), "why": str(error) or type(error).__name__})
            else:
                issued.append({"memo": memo.number, "decision": str(decision), "digest": memo.digest})
        if as_json:
            self.stdout.write(json.dumps({"issued": issued, "failed": failed}, ensure_ascii=False))
        else:
            for row in issued:
                self.stdout.write(f"{row['memo']}  {row['decision']}")
            for row in failed:
                self.stdout.write(f"failed  {row['decision']}: {row['why']}")
            self.stdout.write(f"{len(issued)} issued, {len(failed)} failed.")
        if failed:
            raise CommandError(f"{len(failed)} of {len(waiting)} could not be issued.")

    def _verify(self, file: Path, *, as_json: bool) -> None:
        try:
            with file.open("rb") as opened:
                digest = hashlib.file_digest(opened, "sha256").hexdigest()
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        memo = issued_as(digest)
        if as_json:
            self.stdout.write(json.dumps({"issued": memo is not None, "digest": digest, "memo": memo and memo.number}))
        elif memo is not None:
            day = date_format(localtime(memo.issued_at), "j F Y")
            proposal = memo.decision.proposal.reference
            self.stdout.write(f"This is memo {memo.number} on {proposal} as it was issued on {day}.")
        if memo is None:
            raise CommandError("This is not a memo that was issued here, or it was changed since.")
