"""What a memo's file proves by itself, and that no file brings the one who checks it down."""

import json
import os
import random
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from asn1crypto import x509 as asn1
from asn1crypto.keys import PrivateKeyInfo
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.signers import PdfTimeStamper
from pyhanko.sign.timestamps import DummyTimeStamper

from governance.audit import keys
from governance.audit.canonical import canonical_bytes
from governance.audit.keys import SigningKey
from governance.audit.verifier import Checkpoint, InclusionProof, checkpoint_text, leaf_hash, node_hash
from governance.policies.vocabulary import Outcome
from tests import conftest
from tests.workflows.memos.samples import FACTS, KEY
from workflows.memos import sealing
from workflows.memos.checking import LARGEST_FILE, MemoCheck, Part, check
from workflows.memos.render import render
from workflows.memos.sealing import Seal
from workflows.memos.standing import Answer, InForce, Standing, standing_of
from workflows.proposals.states import State

pytestmark = pytest.mark.once

INSTITUTION = "Kawartha University"
# A log of two events, of which the second is the decision.
RECORD = canonical_bytes(
    {
        "version": 1,
        "subject": "proposal/MC-2026-0041",
        "sequence": 9,
        "verb": "decision.approved-with-conditions",
        "at": "2026-10-29T18:31:00.000000Z",
        "on_behalf_of": "Senate",
        "revision": {"number": 3, "digest": FACTS.revision_digest},
    }
)
ROOT = node_hash(leaf_hash(b"{}"), leaf_hash(RECORD))
NOTE = KEY.sign(checkpoint_text(KEY.name, 2, ROOT), moment=FACTS.decided_at)
PROOF = InclusionProof(index=1, hashes=(leaf_hash(b"{}"),), checkpoint=Checkpoint.parse(str(NOTE)))

AT_NO_DAY = RECORD.replace(b"2026-10-29T18:31:00.000000Z", b"0001-01-01T00:00:00")

made: dict[str, Any] = {}


@pytest.fixture(autouse=True)
def _a_seal(settings: Any) -> None:
    settings.DEMONSTRATION = True
    settings.SEAL_FILE = settings.TIME_STAMP_AUTHORITY = ""


@pytest.fixture
def memo() -> bytes:
    """A sealed memo, made once: each takes a second."""
    if not made:
        seal = sealing.load()
        assert seal is not None
        made["seal"] = seal
        made["unsigned"] = render(replace(FACTS, record=RECORD.decode(), proof=str(PROOF)))
        made["memo"] = sealing.sign(made["unsigned"], seal)
    pdf: bytes = made["memo"]
    return pdf


def certificate(seal: Seal | None = None) -> bytes:
    signed_by = (seal or made["seal"]).signer.signing_cert
    assert isinstance(signed_by, asn1.Certificate)
    der: bytes = signed_by.dump()
    return der


def checked(pdf: bytes) -> MemoCheck:
    """As the institution's own page checks it."""
    return check(pdf, keys=[KEY.public], certificates=[certificate()], institution=INSTITUTION)


def an_authority() -> tuple[asn1.Certificate, PrivateKeyInfo]:
    """Somebody who says what time it is, as of the year 2000."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Time stamps")])
    begun = datetime(2000, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, begun, begun + timedelta(days=36_500))
    der = builder.sign(key, SHA256()).public_bytes(Encoding.DER)
    private = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return asn1.Certificate.load(der), PrivateKeyInfo.load(private)


def held(found: MemoCheck) -> dict[Part, bool | None]:
    return {part.part: part.holds for part in found.findings}


def sentences(found: MemoCheck) -> str:
    return " ".join(part.sentence for part in found.findings)


def changed(pdf: bytes, change: Callable[[pikepdf.Pdf], None]) -> bytes:
    """The file opened, changed and written anew."""
    out = BytesIO()
    with pikepdf.open(BytesIO(pdf)) as opened:
        change(opened)
        opened.save(out)
    return out.getvalue()


# ---- a file as it was issued


def test_a_memo_proves_itself(memo: bytes) -> None:
    found = checked(memo)
    assert found.proves_itself and found.trouble == ""
    assert held(found) == dict.fromkeys(Part, True)
    assert (found.number, found.record_bytes) == (FACTS.number, RECORD)
    assert [part.sentence for part in found.findings] == [
        "It holds the record of what Senate answered on MC-2026-0041, submission 3, 29 October 2026.",
        f"That record is number 2 of the 2 in the log {KEY.name}.",
        f"The key of the log {KEY.name} signed that.",
        "The seal fits what it was put on.",
        "Nothing was added to the file since.",
        f"The certificate of {INSTITUTION} sealed it: {made['seal'].certificate.name}.",
    ]


def test_without_key_and_certificate_it_says_what_it_cannot_tell(memo: bytes) -> None:
    found = check(memo)
    assert held(found) == dict.fromkeys(Part, True) | {Part.CHECKPOINT: None, Part.SIGNER: None}
    assert not found.proves_itself


def test_a_memo_without_a_seal_does_not_prove_itself(memo: bytes) -> None:
    found = checked(made["unsigned"])
    assert held(found) == {Part.RECORD: True, Part.PROOF: True, Part.CHECKPOINT: True, Part.SEAL: False}
    assert not found.proves_itself


def test_time_stamps_after_the_seal_are_no_change(memo: bytes) -> None:
    authority = DummyTimeStamper(*an_authority())
    stamped = PdfTimeStamper(authority, "Time").timestamp_pdf(IncrementalPdfFileWriter(BytesIO(memo)), "sha256")
    found = checked(stamped.getvalue())
    assert "Nothing but time stamps was added to the file since." in sentences(found)
    assert found.proves_itself


# ---- a file that was changed


def test_one_changed_byte_is_never_missed(memo: bytes) -> None:
    """150 of them, spread over all that can be read: none proves itself, and none ends in an exception.

    Within the signature's own envelope a few bits mean nothing to anybody; the digest of the issued file tells those.
    """
    chance = random.Random(14)
    envelope = range(memo.index(b"/Contents <") + 10, memo.index(b"0" * 200))
    for at in chance.sample([at for at in range(len(memo)) if at not in envelope], 150):
        flipped = bytearray(memo)
        flipped[at] ^= 1 << chance.randrange(8)
        assert not checked(bytes(flipped)).proves_itself, at


def test_words_changed_and_written_anew_break_the_seal(memo: bytes) -> None:
    def another_title(pdf: pikepdf.Pdf) -> None:
        pdf.docinfo["/Title"] = f"Decision memorandum {FACTS.number}: something else"

    found = checked(changed(memo, another_title))
    assert held(found)[Part.SEAL] is False
    assert found.number == FACTS.number
    assert "The seal does not fit the file" in sentences(found)


def test_something_appended_after_the_seal_is_found(memo: bytes) -> None:
    writer = IncrementalPdfFileWriter(BytesIO(memo))
    writer.root["/OpenAction"] = writer.root["/Pages"]
    writer.update_root()
    out = BytesIO()
    writer.write(out)
    found = checked(out.getvalue())
    assert held(found)[Part.SEAL] is True and held(found)[Part.WHOLE] is False
    assert "Something was added to the file after it was sealed." in sentences(found)


def test_another_record_does_not_fit_the_proof(memo: bytes) -> None:
    def another_record(pdf: pikepdf.Pdf) -> None:
        other = RECORD.replace(b"MC-2026-0041", b"MC-2026-0042")
        assert other != RECORD
        pdf.attachments["record.json"] = pikepdf.AttachedFileSpec(pdf, other, filename="record.json")

    found = checked(changed(memo, another_record))
    assert held(found)[Part.PROOF] is False
    assert found.record == {} and found.record_bytes == b""
    assert "The record in the file is not the one that its proof was made for." in sentences(found)


def test_a_checkpoint_that_another_log_signed_is_found(memo: bytes) -> None:
    found = check(memo, keys=[SigningKey.new(KEY.name).public], certificates=[certificate()])
    assert held(found)[Part.CHECKPOINT] is False


def test_a_seal_of_somebody_else_is_found(memo: bytes, settings: Any) -> None:
    """The same words, the true record and its proof, under a certificate that says the same name."""
    settings.KEY_FOLDER = str(keys.folder() / "somebody-else")
    forger = sealing.load()
    assert forger is not None and certificate(forger) != certificate()
    found = checked(sealing.sign(made["unsigned"], forger))
    assert held(found) == dict.fromkeys(Part, True) | {Part.SIGNER: False}
    assert "which is not the certificate of Kawartha University" in sentences(found)


def test_nothing_hides_in_the_place_that_the_seal_cannot_cover(memo: bytes) -> None:
    padding = memo.index(b"0" * 200)
    for other in (b"1" * 200, b"0" * 199 + b"a", b" " * 200):
        assert held(checked(memo[:padding] + other + memo[padding + 200 :]))[Part.SEAL] is False


# ---- a file that was made to hurt


def test_what_is_no_pdf_gets_a_sentence(memo: bytes) -> None:
    half = len(memo) // 2
    strange = [b"", b"%PDF-1.7", b"\x00" * 4096, b"not a pdf", memo[:half], memo[half:], memo[: half // 4] * 5]
    for pdf in strange:
        assert checked(pdf).trouble == "This file cannot be read as a PDF."


def test_a_file_larger_than_any_memo_is_not_looked_at() -> None:
    begun = time.monotonic()
    assert check(b"%PDF-1.7" + bytes(LARGEST_FILE)).trouble == "This file is larger than any memo."
    assert time.monotonic() - begun < 2


def test_an_encrypted_pdf_is_none_of_ours() -> None:
    out = BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.save(out, encryption=pikepdf.Encryption(owner="o", user="u"))
    assert check(out.getvalue()).trouble == "This PDF is encrypted, which no memo is."


def test_an_attachment_that_unpacks_without_end_is_not_unpacked() -> None:
    packer = zlib.compressobj(9)
    bomb = b"".join(packer.compress(bytes(1_000_000)) for _ in range(100)) + packer.flush()
    out = BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        stream = pdf.make_stream(bomb, {"/Type": pikepdf.Name.EmbeddedFile, "/Filter": pikepdf.Name.FlateDecode})
        pdf.Root.Names = pikepdf.Dictionary(
            EmbeddedFiles=pikepdf.Dictionary(
                Names=["record.json", {"/Type": pikepdf.Name.Filespec, "/UF": "record.json", "/EF": {"/F": stream}}]
            )
        )
        pdf.save(out)
    begun = time.monotonic()
    found = check(out.getvalue())
    assert not found.proves_itself
    assert time.monotonic() - begun < 2


def test_names_that_lead_to_themselves_come_to_an_end() -> None:
    out = BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        node = pdf.make_indirect(pikepdf.Dictionary())
        node.Kids = pikepdf.Array([node] * 100)
        pdf.Root.Names = pikepdf.Dictionary(EmbeddedFiles=node)
        pdf.save(out)
    begun = time.monotonic()
    assert held(check(out.getvalue())) == {Part.RECORD: False, Part.SEAL: False}
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    "record",
    [
        b"[]",
        b"null",
        b"{}",
        b"\xff",
        b"[" * 50_000,
        b'{"revision":{"number":"1"}}',
        b'{"revision":1,"at":"x"}',
        AT_NO_DAY,
    ],
)
def test_an_attachment_that_is_no_event_is_told(memo: bytes, record: bytes) -> None:
    def other(pdf: pikepdf.Pdf) -> None:
        pdf.attachments["record.json"] = pikepdf.AttachedFileSpec(pdf, record, filename="record.json")

    assert held(checked(changed(made["unsigned"], other)))[Part.RECORD] is False


# ---- on the command line, without a database


@pytest.mark.once
def test_memos_verify_needs_no_database(memo: bytes, tmp_path: Path) -> None:
    """On another machine, with nothing but the program, the log's key and the institution's certificate."""
    (tmp_path / "memo.pdf").write_bytes(memo)
    pem = x509.load_der_x509_certificate(certificate()).public_bytes(Encoding.PEM)
    (tmp_path / "certificate.pem").write_bytes(pem)

    def run(*given: str) -> subprocess.CompletedProcess[str]:
        program = [sys.executable, str(conftest.ROOT / "manage.py"), "memos", "verify", *given]
        environment = {**os.environ, "ASSENT_VAR": str(tmp_path / "var"), "ASSENT_SECRET_KEY": "x" * 50}
        environment.pop("DATABASE_URL", None)
        environment.pop("ASSENT_DEMO", None)
        return subprocess.run(program, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False)

    proved = run("memo.pdf", "--key", str(KEY.public), "--certificate", "certificate.pem")
    assert (proved.returncode, proved.stderr) == (0, "")
    assert proved.stdout.splitlines()[0] == "The file proves by itself that it is a memo as the institution sealed it."
    assert [line[:3] for line in proved.stdout.splitlines()[1:]] == ["yes"] * 6

    unsure = run("memo.pdf", "--json")
    assert unsure.returncode == 1
    told = json.loads(unsure.stdout)
    assert (told["proves_itself"], told["issued"], told["memo"]) == (False, False, None)
    assert [(part["part"], part["holds"]) for part in told["findings"]] == [
        *(("record", True), ("proof", True), ("checkpoint", None)),
        *(("seal", True), ("whole", True), ("signer", None)),
    ]


# ---- how a memo stands

YES, NO = Outcome.APPROVE, Outcome.DECLINE


@pytest.mark.parametrize(
    ("outcome", "later", "state", "counts", "expected"),
    [
        (YES, [], State.IN_REVIEW, True, InForce(Standing.IN_FORCE)),
        (YES, [], State.APPROVED, True, InForce(Standing.IN_FORCE)),
        (YES, [("senate", NO, "S-3")], State.IN_REVIEW, True, InForce(Standing.IN_FORCE)),
        (YES, [("senate", NO, "S-3")], State.DECLINED, True, InForce(Standing.ENDED)),
        (YES, [], State.WITHDRAWN, True, InForce(Standing.ENDED)),
        (YES, [], State.IN_REVIEW, False, InForce(Standing.ENDED)),
        (YES, [("ctl", YES, "C-2"), ("ctl", YES, "C-3")], State.APPROVED, True, InForce(Standing.SUPERSEDED, "C-3")),
        (YES, [("ctl", NO, "")], State.DECLINED, False, InForce(Standing.SUPERSEDED)),
        (NO, [], State.DECLINED, False, InForce(Standing.IN_FORCE)),
        (Outcome.RETURN, [], State.RETURNED, False, InForce(Standing.IN_FORCE)),
        (Outcome.RETURN, [], State.IN_REVIEW, False, InForce(Standing.IN_FORCE)),
        (Outcome.RETURN, [], State.WITHDRAWN, False, InForce(Standing.ENDED)),
        (Outcome.RETURN, [("ctl", YES, "C-2")], State.APPROVED, True, InForce(Standing.SUPERSEDED, "C-2")),
        (Outcome.APPROVE_WITH_CONDITIONS, [], State.APPROVED, True, InForce(Standing.IN_FORCE)),
    ],
)
def test_how_a_memo_stands(
    outcome: Outcome, later: list[tuple[str, Outcome, str]], state: State, counts: bool, expected: InForce
) -> None:
    given = [Answer(*each) for each in later]
    assert standing_of(Answer("ctl", outcome), later=given, state=state, counts=counts) == expected
