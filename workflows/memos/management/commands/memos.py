"""`manage.py memos`: issue the memos that wait or failed, and say of a file whether it is one that was issued here."""

import json
import logging
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any, Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils.timezone import localdate
from django.utils.translation import override

from governance.audit.queries import keys_of_log
from governance.audit.verifier import Broken, VerifierKey
from governance.dates import in_full
from workflows.memos import issued
from workflows.memos.actions import issue
from workflows.memos.checking import LARGEST_FILE, MemoCheck, check
from workflows.memos.issued import Issued
from workflows.memos.queries import without_memo

logger = logging.getLogger("assent.memos")

VERIFYING: Final = """\
Say whether FILE is a memo as it was issued. The file is checked by itself: that
its record stands in the log, that a key of the log signed that, and that the
institution's seal fits the whole file. Where the database is at hand, it also
says whether the memo was issued here and is still in force.

Ends with 0 where the file is as it was issued (or proves so by itself), with 1
where it is not or does not prove it, and with 2 where it cannot be read."""

AS_ISSUED: Final = 0
NOT_AS_ISSUED: Final = 1
CANNOT_BE_READ: Final = 2
MARKS: Final = {True: "yes", False: "no ", None: "?  "}


class Command(BaseCommand):
    help = "Issue the memos that wait or failed, or say whether a file is a memo as it was issued."

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True, metavar="render|verify")
        render = commands.add_parser("render", help="issue every memo that waits or failed, now")
        render.add_argument("--json", action="store_true", help="answer in JSON")
        verify = commands.add_parser(
            "verify",
            help="say whether FILE is a memo as it was issued",
            description=VERIFYING,
            formatter_class=RawDescriptionHelpFormatter,
        )
        verify.add_argument("file", type=Path, metavar="FILE", help="a PDF")
        verify.add_argument(
            "--key", action="append", default=[], help="a key of the log, name+id+base64, in place of those known here"
        )
        verify.add_argument(
            "--certificate",
            type=Path,
            metavar="FILE",
            help="the institution's certificate in PEM, in place of the one used here",
        )
        verify.add_argument("--json", action="store_true", help="answer in JSON")

    def handle(self, *, command: str, json: bool, **options: Any) -> None:
        if command == "render":
            self._render(as_json=json)
        else:
            # What a command says is English, whatever the institution's language.
            with override("en-ca"):
                self._verify(options["file"], options["key"], options["certificate"], as_json=json)

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

    def _verify(self, file: Path, keys: list[str], certificate: Path | None, *, as_json: bool) -> None:
        try:
            with file.open("rb") as opened:
                pdf = opened.read(LARGEST_FILE + 1)
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.", returncode=CANNOT_BE_READ) from error
        known = _known()
        checked = check(
            pdf,
            keys=_parsed(keys) or known.keys,
            certificates=[_certificate(certificate)] if certificate else issued.certificates(),
            institution=settings.INSTITUTION,
        )
        found = issued.of_digest(checked.digest) if known.has_memos else None
        claimed = issued.claimed_by(checked) if known.has_memos and found is None else None
        sentence, code = _answer(checked, found, claimed)
        if as_json:
            self.stdout.write(json.dumps(_as_json(checked, found, claimed), ensure_ascii=False))
        else:
            if not code:
                self.stdout.write(sentence)
            for part in checked.findings:
                self.stdout.write(f"{MARKS[part.holds]}  {part.sentence}")
        if code:
            raise CommandError(sentence, returncode=code)


class Known(NamedTuple):
    """What the database knows; nothing where there is none at hand."""

    keys: list[VerifierKey]
    has_memos: bool


def _known() -> Known:
    try:
        return Known(keys_of_log(), True)
    except DatabaseError:
        return Known([], False)


def _parsed(keys: list[str]) -> list[VerifierKey]:
    try:
        return [VerifierKey.parse(key) for key in keys]
    except Broken as error:
        raise CommandError(str(error)) from None


def _certificate(path: Path) -> bytes:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes()).public_bytes(Encoding.DER)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise CommandError(f"{path} is not a certificate in PEM.") from None


def _answer(checked: MemoCheck, found: Issued | None, claimed: Issued | None) -> tuple[str, int]:
    """What the file is, and the code that the command ends with."""
    if found is not None:
        memo, stands = found.memo, found.stands
        instead = f" by {stands.superseded_by}" if stands.superseded_by else ""
        return (
            f"This is memo {memo.number} on {memo.decision.proposal.reference} as it was issued on"
            f" {in_full(localdate(memo.issued_at))}. It is {stands.standing}{instead}."
        ), AS_ISSUED
    if checked.trouble:
        return checked.trouble, CANNOT_BE_READ
    if claimed is not None:
        memo = claimed.memo
        return (
            f"This is not a memo that was issued here: it says that it is {memo.number}, whose file has the digest"
            f" {memo.digest}."
        ), NOT_AS_ISSUED
    if not checked.proves_itself:
        return "This is not a memo that was issued here, or it was changed since.", NOT_AS_ISSUED
    return "The file proves by itself that it is a memo as the institution sealed it.", AS_ISSUED


def _as_json(checked: MemoCheck, found: Issued | None, claimed: Issued | None) -> dict[str, Any]:
    of = found or claimed
    return {
        "issued": found is not None,
        "digest": checked.digest,
        "memo": of.memo.number if of else None,
        "issued_digest": of.memo.digest if of else None,
        "standing": found.stands.standing if found else None,
        "superseded_by": (found.stands.superseded_by or None) if found else None,
        "proves_itself": checked.proves_itself,
        "trouble": checked.trouble or None,
        "findings": [{"part": part.part, "holds": part.holds, "says": part.sentence} for part in checked.findings],
    }
