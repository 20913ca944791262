"""The log's signing key: in a folder outside the database, so that who has the database cannot sign in our name.

`log.key` holds the key that signs today, `log.head` the last checkpoint that was signed with it, and `log.key.next`,
for a moment, the key that is about to follow. The public keys, today's and every earlier one, stand in the log itself,
as events.
"""

import os
import stat
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from governance import clock
from governance.audit.verifier import (
    SIGNATURE,
    Broken,
    Note,
    SignatureLine,
    VerifierKey,
    cosigned_text,
    from_base64,
    to_base64,
)

KEY_FILE: Final = "log.key"
NEXT_FILE: Final = "log.key.next"
HEAD_FILE: Final = "log.head"
RETIRED: Final = "retired"
PRIVATE: Final = "PRIVATE+KEY"


class NoKey(Exception):
    """The key is not where it should be, or is not one. The sentence says which file."""


@dataclass(frozen=True)
class SigningKey:
    """The log's key, under the log's name (its origin)."""

    name: str
    private: Ed25519PrivateKey

    @classmethod
    def new(cls, name: str) -> "SigningKey":
        """A key made now. Raises ValueError for a name that no signature line could carry."""
        if not name or any(each.isspace() or each == "+" for each in name):
            raise ValueError("the name of a log has no spaces and no plus sign")
        return cls(name, Ed25519PrivateKey.generate())

    @property
    def public(self) -> VerifierKey:
        return VerifierKey(self.name, SIGNATURE, self.private.public_key().public_bytes_raw())

    def sign(self, text: str, *, moment: datetime) -> Note:
        """The text under our signature, and under the same key's cosignature, which states the time to the second."""
        seconds = int(moment.timestamp())
        signed = self.private.sign(text.encode())
        timed = seconds.to_bytes(8, "big") + self.private.sign(cosigned_text(text, seconds))
        public = self.public
        return Note(
            text,
            (
                SignatureLine(self.name, public.id, signed),
                SignatureLine(self.name, public.as_cosigner.id, timed),
            ),
        )

    def __str__(self) -> str:
        """As its file holds it: the private form of a C2SP verifier key."""
        secret = to_base64(bytes([SIGNATURE]) + self.private.private_bytes_raw())
        return f"{PRIVATE}+{self.name}+{self.public.id.hex()}+{secret}"

    @classmethod
    def parse(cls, text: str) -> "SigningKey":
        """Raises Broken for text that is no such key."""
        # From the left, because base64 has plus signs of its own.
        *head, name, _id, secret = (text.strip().split("+", 4) + [""] * 5)[:5]
        data = from_base64(secret)
        if "+".join(head) != PRIVATE or not name or len(data) != 33 or data[0] != SIGNATURE:
            raise Broken("This is not a signing key.")
        key = cls(name, Ed25519PrivateKey.from_private_bytes(data[1:]))
        if str(key) != text.strip():
            raise Broken("This signing key was copied wrongly: its parts do not fit each other.")
        return key


def folder() -> Path:
    """Where the key lies: the setting KEY_FOLDER."""
    return Path(settings.KEY_FOLDER)


def load() -> SigningKey | None:
    """The key that signs today; None where there never was one. Raises NoKey for a file that cannot be used."""
    return _read(folder() / KEY_FILE)


def own() -> list[VerifierKey]:
    """The public keys of this folder: today's, and those that signed before it. Raises NoKey as `load` does."""
    found = [_read(path) for path in (folder() / KEY_FILE, *sorted(folder().glob(f"{KEY_FILE}.*.{RETIRED}")))]
    return [key.public for key in found if key is not None]


def load_next() -> SigningKey | None:
    """The key that is about to follow; None unless `keep_next` kept one. Raises NoKey as `load` does."""
    return _read(folder() / NEXT_FILE)


def keep_next(key: SigningKey) -> None:
    """Keep a key, before anybody hears of it, until `promote` lets it sign."""
    _write(folder() / NEXT_FILE, f"{key}\n")


def promote() -> None:
    """Let the next key sign from now on. The earlier one is kept beside it, and at no moment is there none."""
    old = load()
    if old is not None:
        _write(folder() / f"{KEY_FILE}.{old.public.id.hex()}.{RETIRED}", f"{old}\n")
    (folder() / NEXT_FILE).replace(folder() / KEY_FILE)


def keep(key: SigningKey) -> None:
    """Put the key where `load` finds it, readable by its owner only."""
    keep_next(key)
    promote()


def head() -> str:
    """The last checkpoint that was signed here; empty where none was. Raises NoKey for a file that cannot be read."""
    path = folder() / HEAD_FILE
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        raise NoKey(f"{path} cannot be used: {error}") from error


def keep_head(note: str) -> None:
    """Remember a checkpoint before anybody sees it, so that a database restored from a copy cannot make us sign
    another one."""
    _write(folder() / HEAD_FILE, note)


def set_aside() -> None:
    """Put key and head of a log that is over under dated names, so that another log can begin."""
    for path in (folder() / KEY_FILE, folder() / HEAD_FILE):
        if path.exists():
            path.replace(path.with_name(f"{path.name}.{clock.now():%Y%m%dT%H%M%S%f}.set-aside"))


def _read(path: Path) -> SigningKey | None:
    try:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO) & ~stat.S_IRGRP:
            raise NoKey(f"{path} can be read by others than its owner. Run: chmod 600 {path}")
        return SigningKey.parse(path.read_text())
    except FileNotFoundError:
        return None
    except (OSError, Broken, ValueError) as error:
        raise NoKey(f"{path} cannot be used: {error}") from error


def _write(path: Path, text: str) -> None:
    """All of it or nothing, and only for the owner's eyes. Raises NoKey where the folder cannot be written."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise NoKey(f"{path} cannot be written: {error.strerror}.") from error
