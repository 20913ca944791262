"""Reading a PDF that anybody may have sent: its title, the two attachments of a memo, and its seal.

Whatever is asked of it stays within bounds of size and depth. Slow to import: import it late.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Final

from asn1crypto.cms import ContentInfo
from pyhanko.pdf_utils.decode_limits import DecodeLimits, DocumentDecodeBudget, StreamDecodeLimits
from pyhanko.pdf_utils.generic import ArrayObject, DictionaryObject, StreamObject
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from workflows.memos.certificates import name_of
from workflows.memos.names import PROOF, RECORD

logger = logging.getLogger("assent.memos")

# Bytes of an event, as docs/record.md has it, and of a proof, in which every signature costs some milliseconds.
LARGEST: Final = {RECORD: 65_536, PROOF: 16_384}
# Attachments, and nodes of the tree of their names, that are looked through for ours.
MOST_ATTACHMENTS: Final = 100
MOST_NODES: Final = 100

# Bytes of all that is unpacked from a file.
_UNPACKED: Final = 32 * 1024 * 1024
_LIMITS: Final = DecodeLimits(
    per_stream=StreamDecodeLimits(max_ratio=200, max_output_size=_UNPACKED),
    document_budget=DocumentDecodeBudget(base_allowance=_UNPACKED, max_ratio=1),
)


@dataclass(frozen=True)
class SealFound:
    """A file's first signature: whether it fits what it was put on, whether nothing came after it, or only what keeps
    it checkable (time stamps), and whose certificate (DER) it is."""

    fits: bool
    covers_all: bool = False
    only_stamps_since: bool = False
    signer: str = ""
    certificate: bytes = b""


@dataclass(frozen=True)
class Contents:
    is_encrypted: bool = False
    title: str = ""
    record: bytes = b""
    proof: bytes = b""
    seal: SealFound | None = None


def read(pdf: bytes) -> Contents:
    """What is in the file. Raises any exception there is for one that is no PDF, is broken or was made to hurt."""
    reader = PdfFileReader(BytesIO(pdf), decode_limits=_LIMITS)
    if reader.encrypted:
        return Contents(is_encrypted=True)
    attached = _attachments(reader)
    return Contents(
        title=str(_at(reader.trailer["/Info"], "/Title") or "") if "/Info" in reader.trailer else "",
        record=attached.get(RECORD, b""),
        proof=attached.get(PROOF, b""),
        seal=_seal(reader, pdf),
    )


def _attachments(reader: PdfFileReader) -> dict[str, bytes]:
    """The two attachments of a memo, as far as they are there and no larger than they can be."""
    found: dict[str, bytes] = {}
    for number, specification in enumerate(_leaves(_at(reader.root, "/Names", "/EmbeddedFiles"))):
        if number == MOST_ATTACHMENTS:
            break
        name = str(_at(specification, "/UF") or _at(specification, "/F"))
        stream = _at(specification, "/EF", "/F")
        if name in LARGEST and isinstance(stream, StreamObject) and len(stream.data) <= LARGEST[name]:
            found.setdefault(name, stream.data)
    return found


def _leaves(tree: object) -> Iterator[object]:
    """The values of a tree of names, from no more than so many of its nodes: it may lead back to itself."""
    nodes = [tree]
    for _visit in range(MOST_NODES):
        if not nodes:
            return
        node = nodes.pop(0)
        pairs, kids = _at(node, "/Names"), _at(node, "/Kids")
        if isinstance(pairs, ArrayObject):
            yield from (pairs[at] for at in range(1, len(pairs), 2))
        if isinstance(kids, ArrayObject):
            nodes += [kids[at] for at in range(min(len(kids), MOST_NODES - len(nodes)))]


def _at(node: object, *path: str) -> object:
    """What stands in a dictionary, and in the one that stands there, and so on; None where there is nothing."""
    for key in path:
        if not isinstance(node, DictionaryObject) or key not in node:
            return None
        # Only so does pyHanko follow a reference: its `get` gives the reference itself.
        node = node[key]
    return node


def _seal(reader: PdfFileReader, pdf: bytes) -> SealFound | None:
    """The first signature, which certifies the file; None where there is none."""
    try:
        signatures = reader.embedded_regular_signatures
        if not signatures:
            return None
        # Whom to trust is not asked of any chain: it is the institution's certificate, or it is not.
        trusting = ValidationContext(trust_roots=[signatures[0].signer_cert])
        status = validate_pdf_signature(signatures[0], trusting)
        is_alone = _is_alone(signatures[0], pdf)
    except Exception as error:  # noqa: BLE001
        # pyHanko meets a broken signature with whatever exception; all of them mean that it does not fit.
        logger.info("the seal of a file cannot be read: %r", error)
        return SealFound(fits=False)
    return SealFound(
        fits=status.intact and status.valid and is_alone,
        covers_all=status.coverage is SignatureCoverageLevel.ENTIRE_FILE,
        only_stamps_since=status.coverage is SignatureCoverageLevel.ENTIRE_REVISION and bool(status.docmdp_ok),
        signer=name_of(status.signing_cert),
        certificate=status.signing_cert.dump(),
    )


def _is_alone(signature: EmbeddedPdfSignature, pdf: bytes) -> bool:
    """Whether the one place that a signature cannot cover, its own, holds it and nothing but zeros behind it.

    A few bits of its envelope mean nothing to anybody and may still differ from the issued file's.
    """
    _start, before, after, _length = (int(each) for each in signature.byte_range)
    place = pdf[before:after]
    alone = b"<" + ContentInfo.load(signature.pkcs7_content).dump().hex().encode().ljust(len(place) - 2, b"0") + b">"
    return place in {alone, alone.upper()}
