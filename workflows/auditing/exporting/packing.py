"""A package as one file: the same folder as a ZIP, whose bytes depend on nothing but what is in it."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from workflows.auditing.exporting.package import PIECE

# PDF and office documents are packed in themselves.
PACKED_ALREADY: Final = ("memos/", "attachments/")
READABLE: Final = 0o644 << 16


def pack(folder: Path, target: Path, made_at: str) -> str:
    """Write a finished folder into one file, which is there once it is whole, and answer its SHA-256.

    Made again of the same folder it has the same bytes.
    """
    moment = datetime.fromisoformat(made_at).timetuple()[:6]
    draft = target.with_name(f"{target.name}.part")
    with ZipFile(draft, "w", allowZip64=True) as archive:
        for path in _files(folder):
            member = ZipInfo(path.relative_to(folder).as_posix(), moment)
            member.compress_type = ZIP_STORED if member.filename.startswith(PACKED_ALREADY) else ZIP_DEFLATED
            member.external_attr = READABLE
            # Known before, so that a member of more than 4 GB gets the long form and no other does.
            member.file_size = path.stat().st_size
            with path.open("rb") as file, archive.open(member, "w") as packed:
                shutil.copyfileobj(file, packed, PIECE)
    with draft.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    draft.replace(target)
    return digest


def _files(folder: Path) -> Iterator[Path]:
    """Every file, those of the folder itself first."""
    for within, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            yield Path(within, name)
