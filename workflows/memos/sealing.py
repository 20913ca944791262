"""The seal of a memo: a PAdES signature with the institution's certificate, laid over the finished PDF as a layer of
its own.

It certifies the file and allows no change. With a time stamp authority it also says when (B-T); where the certificate's
file holds the roots that it and the authority go back to, all that a check needs later is put in too (B-LTA).

Slow to import: import it late.
"""

import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Final

from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, pkcs12
from cryptography.x509.oid import NameOID
from django.conf import settings
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import InvisSigSettings, MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers.pdf_cms import SimpleSigner
from pyhanko.sign.signers.pdf_signer import (
    DSSContentSettings,
    PdfSignatureMetadata,
    PdfSigner,
    PdfTimeStamper,
    SigDSSPlacementPreference,
    TimestampDSSContentSettings,
)
from pyhanko.sign.timestamps import HTTPTimeStamper
from pyhanko_certvalidator import ValidationContext

from governance import clock
from governance.audit import keys
from workflows.memos.certificates import name_of
from workflows.memos.facts import Certificate

DEMONSTRATION_FILE: Final = "demonstration-seal.p12"
FIELD: Final = "Seal"
# Seconds that a time stamp authority has to answer.
PATIENCE: Final = 20
# To be read out it must not be hidden, to be no part of the page it must lie outside, and archives want it printed.
UNSEEN: Final = InvisSigSettings(set_print_flag=True, set_hidden_flag=False, box_out_of_bounds=True)


class NoSeal(Exception):
    """The certificate cannot be used. The sentence says which file, and why."""


@dataclass(frozen=True)
class Seal:
    """A key with its certificate and the chain over it; `roots` are those of the chain that end it."""

    signer: SimpleSigner
    certificate: Certificate
    expires_at: datetime
    roots: tuple[asn1.Certificate, ...]


def load() -> Seal | None:
    """What memos are signed with: the file of the setting SEAL_FILE; in a demonstration without one, a certificate of
    its own, made when it is first needed; otherwise nothing. Raises NoSeal."""
    if settings.SEAL_FILE:
        return _read(Path(settings.SEAL_FILE), settings.SEAL_PASSWORD)
    if settings.DEMONSTRATION:
        path = keys.folder() / DEMONSTRATION_FILE
        if not path.exists():
            _make_demonstration(path)
        return _read(path, "")
    return None


def sign(pdf: bytes, seal: Seal) -> bytes:
    """The PDF with the seal's signature appended to it; nothing of it is changed.

    Raises NoSeal once the certificate has expired, and what the network or pyHanko raises when a time stamp or the
    state of a certificate cannot be had, so that the memo is tried again.
    """
    if seal.expires_at <= clock.now():
        raise NoSeal(f"The certificate of {seal.certificate.name} expired on {seal.expires_at:%Y-%m-%d}.")
    stamps = HTTPTimeStamper(settings.TIME_STAMP_AUTHORITY, timeout=PATIENCE) if settings.TIME_STAMP_AUTHORITY else None
    lasting = stamps is not None and bool(seal.roots)
    signer = PdfSigner(
        PdfSignatureMetadata(
            field_name=FIELD,
            certify=True,
            docmdp_permissions=MDPPerm.NO_CHANGES,
            subfilter=SigSeedSubFilter.PADES,
            # Authorities disagree about which use a seal's certificate must name.
            signer_key_usage=set(),
            embed_validation_info=lasting,
            validation_context=_trusting(seal) if lasting else None,
            dss_settings=DSSContentSettings(
                include_vri=False, placement=SigDSSPlacementPreference.TOGETHER_WITH_SIGNATURE
            ),
        ),
        seal.signer,
        timestamper=stamps,
        new_field_spec=SigFieldSpec(
            FIELD, invis_sig_settings=UNSEEN, readable_field_name=f"Seal of {settings.INSTITUTION}"
        ),
    )
    # With a time stamp, pyHanko makes a signature for nothing to learn how large it will be.
    reserved = None if stamps else 2 * _size_of_signature(seal.signer)
    signed: bytes = signer.sign_pdf(_OnlyAppending(BytesIO(pdf)), bytes_reserved=reserved).getvalue()
    if stamps is None or not lasting:
        return signed
    stamper = PdfTimeStamper(stamps, "Time", invis_settings=UNSEEN, readable_field_name="Time stamp of the seal")
    stamped: bytes = stamper.timestamp_pdf(
        _OnlyAppending(BytesIO(signed)),
        "sha256",
        validation_context=_trusting(seal),
        dss_settings=TimestampDSSContentSettings(include_vri=False, update_before_ts=True),
    ).getvalue()
    return stamped


class _OnlyAppending(IncrementalPdfFileWriter):
    """Leaves the metadata as it is. pyHanko would write it anew, with the present moment and in a form of its own."""

    def _update_meta(self) -> None:
        pass


def _size_of_signature(signer: SimpleSigner) -> int:
    """No fewer bytes than a signature takes: its certificates, and what signs and describes."""
    certificates = {each.dump() for each in [signer.signing_cert, *signer.cert_registry]}
    return 4096 + sum(map(len, certificates))


def _trusting(seal: Seal) -> ValidationContext:
    """Looks up whether the certificates of the seal and of the time stamp have been revoked."""
    return ValidationContext(trust_roots=list(seal.roots), allow_fetching=True, revocation_mode="hard-fail")


def _read(path: Path, password: str) -> Seal:
    try:
        return _parse(path, path.stat().st_mtime_ns, password)
    except OSError as error:
        raise NoSeal(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise NoSeal(
            f"{path} is not a PKCS #12 file with a key and its certificate, or the password is wrong."
        ) from error


@lru_cache(maxsize=4)
def _parse(path: Path, written: int, password: str) -> Seal:
    """The file as it was `written` last; opening one is meant to take long."""
    data, secret = path.read_bytes(), password.encode() or None
    key, certificate, others = pkcs12.load_key_and_certificates(data, secret)
    if key is None or certificate is None:
        raise ValueError("no key or no certificate")
    signer = SimpleSigner.load_pkcs12_data(data, other_certs=[], passphrase=secret)
    return Seal(
        signer=signer,
        certificate=Certificate(name=name_of(signer.signing_cert), is_demonstration=path.name == DEMONSTRATION_FILE),
        expires_at=certificate.not_valid_after_utc,
        roots=tuple(
            asn1.Certificate.load(each.public_bytes(Encoding.DER)) for each in others if each.subject == each.issuer
        ),
    )


def _make_demonstration(path: Path) -> None:
    """Make a key, and a certificate by which it vouches for itself, for the owner's eyes only. Of several at once the
    first wins."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, "Demonstration seal, not for legal use"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, settings.INSTITUTION[:64]),
        ]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # A demonstration may play on any day.
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2050, 1, 1, tzinfo=UTC))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=True,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=False,
                crl_sign=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .sign(key, SHA256())
    )
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, draft = tempfile.mkstemp(dir=path.parent, suffix=".part")
    with os.fdopen(descriptor, "wb") as file:
        file.write(pkcs12.serialize_key_and_certificates(None, key, certificate, None, NoEncryption()))
    with suppress(FileExistsError):
        Path(path).hardlink_to(draft)
    Path(draft).unlink()
