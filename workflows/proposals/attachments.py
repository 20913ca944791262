"""Which files may be attached. The type is read from the bytes, never from the name that came with them."""

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import PurePath
from typing import BinaryIO, Final

from django.conf import settings
from django.core.exceptions import SuspiciousFileOperation
from django.utils.text import get_valid_filename
from django.utils.translation import gettext as _

from governance.refusals import Incomplete

DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
ODT: Final = "application/vnd.oasis.opendocument.text"
EXTENSIONS: Final = {"application/pdf": ".pdf", "image/png": ".png", "image/jpeg": ".jpg", DOCX: ".docx", ODT: ".odt"}
MAGIC: Final = {b"%PDF-": "application/pdf", b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
ACCEPTED: Final = "PDF, DOCX, ODT, PNG, JPEG"
NAMES: Final = {"application/pdf": "PDF", "image/png": "PNG", "image/jpeg": "JPEG", DOCX: "DOCX", ODT: "ODT"}
_CONTENT_TYPES: Final = "[Content_Types].xml"
_ENOUGH: Final = 1_000_000


@dataclass(frozen=True)
class Upload:
    """A file that may be kept, under a name that fits its type."""

    name: str
    size: int
    media_type: str


def check_upload(*, name: str, file: BinaryIO) -> Upload:
    """What a file is. Raises Incomplete, with the sentence for the field `file`, when it cannot be accepted."""
    file.seek(0, 2)
    size = file.tell()
    if size > settings.ATTACHMENT_MAX_BYTES:
        limit = settings.ATTACHMENT_MAX_BYTES // (1024 * 1024)
        raise _refused(_("“%(name)s” is larger than %(limit)s MB.") % {"name": name, "limit": limit})
    if size == 0:
        raise _refused(_("“%(name)s” is empty.") % {"name": name})
    media_type = sniff(file)
    file.seek(0)
    if media_type is None:
        raise _refused(_("“%(name)s” is not one of the accepted types: %(types)s.") % {"name": name, "types": ACCEPTED})
    path = PurePath(_plain_name(name))
    known = {".jpeg", ".jpg"} if media_type == "image/jpeg" else {EXTENSIONS[media_type]}
    suffix = path.suffix if path.suffix.lower() in known else path.suffix + EXTENSIONS[media_type]
    return Upload(name=path.stem[:200] + suffix[-20:], size=size, media_type=media_type)


def sniff(file: BinaryIO) -> str | None:
    """The media type that the bytes show, or None when it is not one that is accepted."""
    file.seek(0)
    head = file.read(16)
    for magic, media_type in MAGIC.items():
        if head.startswith(magic):
            return media_type
    return _office_type(file) if head.startswith(b"PK\x03\x04") else None


def _office_type(file: BinaryIO) -> str | None:
    """DOCX and ODT are ZIP archives, known by what lies inside; a document with macros is neither."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = set(archive.namelist())
            if "mimetype" in names:
                is_text = _read(archive, "mimetype") == ODT.encode()
                return ODT if is_text and not any(name.startswith(("Basic/", "Scripts/")) for name in names) else None
            is_word = {_CONTENT_TYPES, "word/document.xml"} <= names
            has_macros = any(name.lower().endswith("vbaproject.bin") for name in names)
            if not is_word or has_macros or b"macroenabled" in _read(archive, _CONTENT_TYPES).lower():
                return None
            return DOCX
    # Whatever is wrong with a stranger's archive, it is no document: damaged, locked, packed in a way of its own.
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, ValueError):
        return None


def _read(archive: zipfile.ZipFile, name: str) -> bytes:
    """The beginning of a member: an archive of a few kilobytes can say that it unpacks to gigabytes."""
    with archive.open(name) as member:
        return member.read(_ENOUGH)


def _plain_name(name: str) -> str:
    """The name without folders and without characters that a file system or a header could trip over."""
    try:
        return get_valid_filename(PurePath(name.replace("\\", "/")).name)
    except SuspiciousFileOperation:
        return _("file")


def _refused(sentence: str) -> Incomplete:
    return Incomplete(sentence, {"file": sentence})
