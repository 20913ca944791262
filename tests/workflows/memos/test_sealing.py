"""The seal: it holds for the file as it was issued, says by whom, and does not survive any change."""

import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import pikepdf
import pytest
from asn1crypto import keys as asn1_keys
from asn1crypto import tsp
from asn1crypto import x509 as asn1
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.timestamps.common_utils import TimestampRequestError
from pyhanko.sign.timestamps.dummy_client import DummyTimeStamper
from pyhanko.sign.validation import validate_pdf_signature, validate_pdf_timestamp
from pyhanko.sign.validation.status import SignatureCoverageLevel as Coverage
from pyhanko_certvalidator import ValidationContext

from governance import clock
from tests.workflows.memos import reading
from tests.workflows.memos.certificates import PASSWORD, Issued, certificate, packed
from tests.workflows.memos.samples import FACTS
from tests.workflows.memos.validating import faults, is_sealed
from workflows.memos import sealing
from workflows.memos.render import render
from workflows.memos.sealing import NoSeal, Seal

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def unsigned() -> bytes:
    return render(FACTS)


@pytest.fixture
def seal(settings: Any) -> Seal:
    settings.DEMONSTRATION = True
    seal = sealing.load()
    assert seal is not None
    return seal


@pytest.fixture
def signed(unsigned: bytes, seal: Seal) -> bytes:
    return sealing.sign(unsigned, seal)


def test_seal_certifies_the_whole_file_and_leaves_the_memo_as_it_was(
    unsigned: bytes, signed: bytes, seal: Seal
) -> None:
    assert signed.startswith(unsigned)
    assert is_sealed(signed, seal)
    with reading.opened(signed) as after, reading.opened(unsigned) as before:
        assert after.Root.Metadata.read_bytes() == before.Root.Metadata.read_bytes()
        assert dict(after.docinfo) == dict(before.docinfo)
        assert after.trailer.ID[0] == before.trailer.ID[0]
        assert [str(tag.S) for tag in reading.tags(after)] == [str(tag.S) for tag in reading.tags(before)]


def test_field_is_named_printed_not_hidden_and_off_the_page(signed: bytes) -> None:
    with reading.opened(signed) as document:
        (field,) = document.Root.AcroForm.Fields
        assert (str(field.T), str(field.TU)) == ("Seal", "Seal of Kawartha University")
        flags = int(field.F)
        assert flags & 0b100
        assert not flags & 0b10
        assert all(float(edge) < 0 for edge in field.Rect)
        assert str(field.V.SubFilter) == "/ETSI.CAdES.detached"
        assert int(field.V.Reference[0].TransformParams.P) == 1


# ---- attacks


def updated(pdf: bytes, change: Callable[[IncrementalPdfFileWriter], None]) -> bytes:
    """The file with an incremental update appended, as a program would that obeys the PDF standard."""
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    change(writer)
    writer.update_root()
    output = BytesIO()
    writer.write(output)
    return output.getvalue()


def shadow_metadata(writer: IncrementalPdfFileWriter) -> None:
    packet = generic.StreamObject(stream_data=b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>")
    packet["/Type"], packet["/Subtype"] = generic.pdf_name("/Metadata"), generic.pdf_name("/XML")
    writer.root["/Metadata"] = writer.add_object(packet)


def swap_record(writer: IncrementalPdfFileWriter) -> None:
    file = writer.root["/Names"]["/EmbeddedFiles"]["/Names"][1]
    file["/EF"]["/F"] = writer.add_object(generic.StreamObject(stream_data=b'{"verb": "decision.approved"}'))
    writer.mark_update(writer.root["/Names"]["/EmbeddedFiles"]["/Names"].raw_get(1).reference)


def at(pdf: bytes, place: int) -> bytes:
    """The file with one byte changed."""
    return pdf[:place] + bytes([pdf[place] ^ 1]) + pdf[place + 1 :]


def emptied(pdf: bytes) -> bytes:
    """The file written anew by another program, with nothing in the field of the seal."""
    with pikepdf.open(BytesIO(pdf)) as document:
        del document.Root.AcroForm.Fields[0]["/V"]
        output = BytesIO()
        document.save(output)
    return output.getvalue()


def middle_of(pdf: bytes, length: int) -> int:
    """The middle of the stored bytes of a page's content, or of the attachment of so many bytes."""
    found = [match.end() for match in re.finditer(rb"/Length %d>>\nstream\n" % length, pdf)]
    return found[0] + length // 2


def test_attacks_are_noticed(signed: bytes, unsigned: bytes, seal: Seal, settings: Any, tmp_path: Path) -> None:
    with reading.opened(signed) as document:
        content = int(document.pages[0].Contents.Length)
        record = int(document.Root.Names.EmbeddedFiles.Names[1].EF.F.Length)
    settings.KEY_FOLDER = str(tmp_path / "forger")
    forger = sealing.load()
    assert forger is not None
    attacks = {
        "an update appended": updated(signed, lambda writer: None),
        "a byte of the page": at(signed, middle_of(signed, content)),
        "a byte of the attachment": at(signed, middle_of(signed, record)),
        "the seal taken off": unsigned,
        "the seal taken out of its field": emptied(signed),
        "another's certificate": sealing.sign(unsigned, forger),
        "metadata laid over": updated(signed, shadow_metadata),
        "another record attached": updated(signed, swap_record),
    }
    assert is_sealed(attacks["another's certificate"], forger)
    assert {name: is_sealed(pdf, seal) for name, pdf in attacks.items()} == dict.fromkeys(attacks, False)


def test_three_hundred_changed_bytes_are_noticed(signed: bytes, seal: Seal) -> None:
    """A change inside the padding of the signature is no change to what was signed; the digest in the record shows
    it."""
    padding = re.search(rb"(?:00){99,}>", signed)
    assert padding is not None
    random = Random(4)
    places = random.sample([place for place in range(len(signed)) if place not in range(*padding.span())], 300)
    assert [place for place in places if is_sealed(at(signed, place), seal)] == []


# ---- certificates


def test_demonstration_makes_its_certificate_once_and_for_its_owner_only(seal: Seal, settings: Any) -> None:
    path = Path(settings.KEY_FOLDER) / sealing.DEMONSTRATION_FILE
    assert path.stat().st_mode & 0o777 == 0o600
    assert sealing.load() == seal
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert seal.certificate.name == "Demonstration seal, not for legal use (Kawartha University)"
    assert seal.certificate.is_demonstration


def test_without_certificate_nothing_is_signed_outside_a_demonstration() -> None:
    assert sealing.load() is None


@pytest.fixture(scope="module")
def root() -> Issued:
    return certificate("Root", by=None)


@pytest.fixture
def own(root: Issued, settings: Any, tmp_path: Path) -> Seal:
    """An institution's own certificate, in a file with its chain."""
    settings.SEAL_FILE = packed(tmp_path, certificate("Registrar", by=root), root[0])
    settings.SEAL_PASSWORD = PASSWORD
    seal = sealing.load()
    assert seal is not None
    return seal


def test_own_certificate_signs_with_its_chain(unsigned: bytes, own: Seal) -> None:
    signed = sealing.sign(unsigned, own)
    assert own.certificate.name == "Registrar (Kawartha University)"
    assert not own.certificate.is_demonstration
    assert is_sealed(signed, own)
    assert faults(signed) == []
    (signature,) = PdfFileReader(BytesIO(signed)).embedded_signatures
    assert [each.subject.native["common_name"] for each in signature.other_embedded_certs] == ["Root"]


def test_file_that_is_no_certificate_or_has_another_password_says_so(own: Seal, settings: Any, tmp_path: Path) -> None:
    settings.SEAL_PASSWORD = "another"
    with pytest.raises(NoSeal, match=r"seal\.p12 is not a PKCS #12 file .*, or the password is wrong"):
        sealing.load()
    settings.SEAL_FILE = str(tmp_path / "none.p12")
    with pytest.raises(NoSeal, match=r"none\.p12 cannot be read: No such file or directory"):
        sealing.load()


def test_expired_certificate_signs_nothing(unsigned: bytes, own: Seal) -> None:
    with clock.at(own.expires_at + timedelta(seconds=1)), pytest.raises(NoSeal, match="expired on 20"):
        sealing.sign(unsigned, own)


# ---- time stamps


@pytest.fixture
def authority(root: Issued) -> Iterator[str]:
    """A time stamp authority on this machine."""
    issued, key = certificate("Time stamps", by=root, usage=ExtendedKeyUsageOID.TIME_STAMPING)
    private = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    stamper = DummyTimeStamper(
        asn1.Certificate.load(issued.public_bytes(Encoding.DER)), asn1_keys.PrivateKeyInfo.load(private)
    )

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = tsp.TimeStampReq.load(self.rfile.read(int(self.headers["Content-Length"])))
            answer = stamper.request_tsa_response(request).dump()
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *arguments: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_time_stamps_and_what_a_later_check_needs_are_put_in(
    unsigned: bytes, own: Seal, authority: str, settings: Any
) -> None:
    settings.TIME_STAMP_AUTHORITY = authority
    signed = sealing.sign(unsigned, own)
    reader = PdfFileReader(BytesIO(signed))
    _, _, second, rest = reader.embedded_signatures[0].byte_range
    assert faults(signed[: second + rest]) == []
    # The seal covers its own revision, as PAdES has it; the time stamp after it covers both.
    assert [fault.partition(":")[0] for fault in faults(signed)] == ["PDFA3A-SIGNATURE-BYTERANGE-001"]
    assert [each.field_name for each in reader.embedded_signatures] == ["Seal", "Time"]
    assert len(reader.root["/DSS"]["/Certs"]) >= 3
    trusted = ValidationContext(trust_roots=list(own.roots))
    seal = validate_pdf_signature(reader.embedded_regular_signatures[0], trusted, trusted)
    assert seal.bottom_line
    assert seal.timestamp_validity is not None and seal.timestamp_validity.valid and seal.timestamp_validity.trusted
    stamp = validate_pdf_timestamp(reader.embedded_timestamp_signatures[0], trusted)
    assert stamp.valid and stamp.trusted and stamp.coverage is Coverage.ENTIRE_FILE
    assert is_sealed(signed, own, coverage=Coverage.ENTIRE_REVISION)


def test_certificate_without_its_root_gets_a_time_stamp_alone(
    unsigned: bytes, seal: Seal, own: Seal, authority: str, settings: Any
) -> None:
    settings.TIME_STAMP_AUTHORITY = authority
    signed = sealing.sign(unsigned, seal)
    assert faults(signed) == []
    (signature,) = PdfFileReader(BytesIO(signed)).embedded_signatures
    trusted = ValidationContext(trust_roots=[seal.signer.signing_cert, *own.roots])
    status = validate_pdf_signature(signature, trusted, trusted)
    assert status.bottom_line
    assert status.timestamp_validity is not None and status.timestamp_validity.valid


def test_authority_that_does_not_answer_leaves_the_memo_unsigned(unsigned: bytes, seal: Seal, settings: Any) -> None:
    settings.TIME_STAMP_AUTHORITY = "http://127.0.0.1:9/"
    with pytest.raises(TimestampRequestError, match="Error while contacting timestamp service"):
        sealing.sign(unsigned, seal)


# ---- other programs, where the machine has them


@pytest.mark.skipif(shutil.which("pdfsig") is None, reason="poppler's pdfsig is not on this machine")
def test_pdfsig_agrees(signed: bytes, tmp_path: Path) -> None:
    path = tmp_path / "memo.pdf"
    path.write_bytes(signed)
    said = subprocess.run(["pdfsig", str(path)], capture_output=True, text=True, timeout=60, check=False).stdout
    assert "Signature is Valid." in said
    assert "Total document signed" in said


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not on this machine")
def test_openssl_agrees(signed: bytes, tmp_path: Path) -> None:
    (signature,) = PdfFileReader(BytesIO(signed)).embedded_signatures
    first, length, second, rest = (int(number) for number in signature.byte_range)
    (tmp_path / "content").write_bytes(signed[first : first + length] + signed[second : second + rest])
    (tmp_path / "seal.der").write_bytes(signature.pkcs7_content)
    asked = "openssl cms -verify -inform DER -in seal.der -content content -binary -noverify -out checked"
    said = subprocess.run(
        asked.split(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert said.returncode == 0, said.stderr
