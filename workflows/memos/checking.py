"""What a memo's PDF shows by itself, offline: that its record stands in the log, and that its seal fits all of it.

Nothing of the file is believed before it was checked, and nothing in it may bring the reader down, whoever sent it.
"""

import json
import logging
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from governance.audit.canonical import digest as digest_of
from governance.audit.verifier import Broken, InclusionProof, VerifierKey, signatures_that_hold
from governance.dates import in_full
from workflows.memos.apart import TooMany, read_apart

if TYPE_CHECKING:
    from workflows.memos.reading import SealFound

logger = logging.getLogger("assent.memos")

# Bytes of a file that is looked at; a memo has a hundredth of that.
LARGEST_FILE: Final = 20 * 1024 * 1024

_NUMBER: Final = re.compile(r"(?<![\w-])[A-Za-z][\w-]{0,40}-\d{4}-\d{3,}(?![\w-])", re.ASCII)


class Part(StrEnum):
    """What is checked of a memo."""

    RECORD = "record"
    PROOF = "proof"
    CHECKPOINT = "checkpoint"
    SEAL = "seal"
    WHOLE = "whole"
    SIGNER = "signer"


@dataclass(frozen=True)
class Finding:
    """One thing that was checked: whether it holds (None where nobody here can say), and what that means in words."""

    part: Part
    holds: bool | None
    sentence: str


@dataclass(frozen=True)
class MemoCheck:
    """What was found. `trouble` says why a file could not be read as a PDF at all; there are no findings then.

    `number` is only what the file calls itself. `record` is the event in it and `record_bytes` its bytes, where the
    proof in the file fits them.
    """

    digest: str
    trouble: str = ""
    findings: tuple[Finding, ...] = ()
    number: str = ""
    record: dict[str, Any] = field(default_factory=dict)
    record_bytes: bytes = b""

    @property
    def proves_itself(self) -> bool:
        """Whether every part was checked and holds."""
        return {found.part for found in self.findings if found.holds} == set(Part)


def check(
    pdf: bytes,
    *,
    keys: Collection[VerifierKey] = (),
    certificates: Collection[bytes] = (),
    institution: str = "",
    apart: bool = False,
) -> MemoCheck:
    """Check a file that is said to be a memo, without asking anybody; one that anybody may have sent, `apart`: in a
    process of its own.

    `keys` are those of the log, `certificates` (DER) those that the `institution` seals with; without them the file's
    parts are only held against each other. Raises nothing, whatever the file is.
    """
    digest = digest_of(pdf)
    if len(pdf) > LARGEST_FILE:
        return MemoCheck(digest, trouble=_("This file is larger than any memo."))
    from workflows.memos.reading import read  # Slow to import.

    try:
        contents = read_apart(pdf) if apart else read(pdf)
    except TooMany:
        return MemoCheck(digest, trouble=_("Many files are being checked now. Send it again in a minute."))
    except Exception as error:  # noqa: BLE001
        # A file made to hurt ends in any exception there is, and all of them mean the same.
        logger.info("the file %s cannot be read as a PDF: %r", digest, error)
        return MemoCheck(digest, trouble=_("This file cannot be read as a PDF."))
    if contents.is_encrypted:
        return MemoCheck(digest, trouble=_("This PDF is encrypted, which no memo is."))
    in_log = _of_the_log(contents.record, contents.proof, keys)
    fits = any(found.part is Part.PROOF and found.holds for found in in_log)
    return MemoCheck(
        digest,
        findings=(*in_log, *_of_the_seal(contents.seal, certificates, institution)),
        number=_number(contents.title),
        record=_event(contents.record) if fits else {},
        record_bytes=contents.record if fits else b"",
    )


def _of_the_log(record: bytes, proof_bytes: bytes, keys: Collection[VerifierKey]) -> list[Finding]:
    """What the record and the proof in the file are worth."""
    event = _event(record)
    if not event:
        return [Finding(Part.RECORD, False, _("The file does not hold the record of a decision."))]
    found = [Finding(Part.RECORD, True, _what_the_record_says(event))]
    try:
        proof = InclusionProof.parse(proof_bytes.decode())
    except (Broken, ValueError):
        return [*found, Finding(Part.PROOF, False, _("The file holds no proof that its record is in a log."))]
    if not proof.holds_for(record):
        sentence = _("The record in the file is not the one that its proof was made for.")
        return [*found, Finding(Part.PROOF, False, sentence)]
    words = {"place": proof.index + 1, "log": proof.checkpoint.origin, "size": proof.checkpoint.size}
    sentence = _("That record is number %(place)s of the %(size)s in the log %(log)s.") % words
    return [*found, Finding(Part.PROOF, True, sentence), _of_the_checkpoint(proof, keys)]


def _of_the_checkpoint(proof: InclusionProof, keys: Collection[VerifierKey]) -> Finding:
    checkpoint = proof.checkpoint
    try:
        held = signatures_that_hold(checkpoint.note, [key for key in keys if key.name == checkpoint.origin])
    except Broken:
        held = []
    words = {"log": checkpoint.origin}
    if held:
        return Finding(Part.CHECKPOINT, True, _("The key of the log %(log)s signed that.") % words)
    if not keys:
        return Finding(Part.CHECKPOINT, None, _("Whether the log %(log)s signed that, its public key tells.") % words)
    return Finding(Part.CHECKPOINT, False, _("No key of this institution’s log signed that."))


def _what_the_record_says(event: dict[str, Any]) -> str:
    words = {
        "body": event["on_behalf_of"],
        "proposal": event["subject"].partition("/")[2],
        "submission": event["revision"]["number"],
        "day": in_full(localdate(datetime.fromisoformat(event["at"]))),
    }
    sentence = _("It holds the record of what %(body)s answered on %(proposal)s, submission %(submission)s, %(day)s.")
    return sentence % words


def _event(record: bytes) -> dict[str, Any]:
    """The event that the bytes are; empty where they are no decision on a proposal."""
    try:
        event: dict[str, Any] = json.loads(record)
        number = event["revision"]["number"]
        texts = [event["subject"], event["verb"], event["on_behalf_of"]]
        localdate(datetime.fromisoformat(event["at"]))
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return {}
    told = isinstance(number, int) and all(isinstance(text, str) for text in texts)
    return event if told and event["verb"].startswith("decision.") else {}


def _of_the_seal(seal: "SealFound | None", certificates: Collection[bytes], institution: str) -> list[Finding]:
    if seal is None:
        return [Finding(Part.SEAL, False, _("The file is not sealed: no certificate signed it."))]
    if not seal.fits:
        sentence = _("The seal does not fit the file: one of them was changed, or is damaged.")
        return [Finding(Part.SEAL, False, sentence)]
    found = [Finding(Part.SEAL, True, _("The seal fits what it was put on."))]
    if seal.covers_all:
        found.append(Finding(Part.WHOLE, True, _("Nothing was added to the file since.")))
    elif seal.only_stamps_since:
        found.append(Finding(Part.WHOLE, True, _("Nothing but time stamps was added to the file since.")))
    else:
        found.append(Finding(Part.WHOLE, False, _("Something was added to the file after it was sealed.")))
    return [*found, _of_the_signer(seal, certificates, institution)]


def _of_the_signer(seal: "SealFound", certificates: Collection[bytes], institution: str) -> Finding:
    words = {"signer": seal.signer, "institution": institution}
    if seal.certificate in certificates:
        return Finding(Part.SIGNER, True, _("The certificate of %(institution)s sealed it: %(signer)s.") % words)
    if not certificates:
        sentence = _("It was sealed by %(signer)s. Whether that is the institution, its certificate tells.")
        return Finding(Part.SIGNER, None, sentence % words)
    sentence = _("It was sealed by %(signer)s, which is not the certificate of %(institution)s.")
    return Finding(Part.SIGNER, False, sentence % words)


def _number(title: str) -> str:
    """The number of the memo that a title names; empty where it names none."""
    found = _NUMBER.search(title[:1_000])
    return found[0] if found else ""
