"""Checks a record kept by Assent, for somebody who has no account, trusts nobody and may be looking in ten years.

This one file needs nothing but Python 3.11 or later: it goes with every export, and Assent itself uses it too, so that
what a stranger checks and what an administrator checks are the same. It follows RFC 6962 and RFC 9162 (the tree),
RFC 8032 (Ed25519), RFC 8785 (the bytes of an event), and the C2SP formats signed-note, tlog-checkpoint,
tlog-cosignature, tlog-proof and tlog-policy.
"""

# In this file, each under a line that begins with "# ----":
#   the tree (RFC 9162, section 2.1)
#   signatures (RFC 8032, section 5.1)
#   notes and checkpoints (C2SP signed-note, tlog-checkpoint, tlog-cosignature)
#   proofs in a file (C2SP tlog-proof)
#   what is checked, and what was found
#   who else must have seen the log (C2SP tlog-policy)
#   an event (RFC 8785, and docs/record.md)
#   the log as a whole
#   an export, in a folder or a zip file
#   the rows that lists and pages are made of
#   the law: conditions, routes, and which approvals stand
#   what changed with time, as it was known at each place of the log
#   notes on every proposal, on disk
#   the check of the rows
#   small things
#   the command

from __future__ import annotations

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - a stranger's Python may be older
    sys.stderr.write("verify.py needs Python 3.11 or later.\n")
    sys.exit(2)

import argparse
import base64
import binascii
import hashlib
import hmac
import io
import json
import lzma
import marshal
import os
import re
import sqlite3
import time
import zipfile
import zlib
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, Protocol, cast
from zoneinfo import ZoneInfo


class Broken(Exception):
    """Something that does not hold, in one plain sentence."""


# ---- the tree (RFC 9162, section 2.1)

EMPTY_ROOT: Final = hashlib.sha256(b"").digest()


def leaf_hash(body: bytes) -> bytes:
    """The hash of an event as a leaf of the tree."""
    return hashlib.sha256(b"\x00" + body).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash over two subtrees that stand beside each other."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """A tree that only grows at its end, of which it keeps the complete subtrees' hashes and nothing else.

    With `hashes` it goes on where another one of that size stood. Raises ValueError where they do not fit the size.
    """

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        self.size = size
        self._complete = list(hashes)
        if size < 0 or size.bit_count() != len(self._complete):
            raise ValueError(f"a tree of {size} leaves does not have {len(self._complete)} complete subtrees")

    @property
    def hashes(self) -> tuple[bytes, ...]:
        """The complete subtrees' hashes, largest first."""
        return tuple(self._complete)

    def add(self, leaf: bytes) -> None:
        """Put one more leaf hash at the end."""
        complete, size = self._complete, self.size
        while size & 1:
            leaf = hashlib.sha256(b"\x01" + complete.pop() + leaf).digest()
            size >>= 1
        complete.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """The root over every leaf so far."""
        if not self._complete:
            return EMPTY_ROOT
        root = self._complete[-1]
        for left in reversed(self._complete[:-1]):
            root = node_hash(left, root)
        return root


def verify_inclusion(*, leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the leaf hash stands at `index` in the tree of that size and root (RFC 9162, section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    at, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node_hash(sibling, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and found == root


def verify_consistency(*, size: int, root: bytes, later_size: int, later_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the later tree begins with the whole of the earlier one (RFC 9162, section 2.1.4.2)."""
    if not 0 <= size <= later_size:
        return False
    if size == later_size:
        return not proof and root == later_root
    if size == 0:
        return not proof and root == EMPTY_ROOT
    if not proof:
        return False
    hashes = list(proof) if size & (size - 1) else [root, *proof]
    at, last = size - 1, later_size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    earlier = later = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            earlier, later = node_hash(sibling, earlier), node_hash(sibling, later)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            later = node_hash(later, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and earlier == root and later == later_root


# ---- signatures (RFC 8032, section 5.1)

_P: Final = 2**255 - 19
_ORDER: Final = 2**252 + 27742317777372353535851937790883648493
_D: Final = -121665 * pow(121666, -1, _P) % _P
_ROOT_OF_MINUS_ONE: Final = pow(2, (_P - 1) // 4, _P)
# A point as X, Y, Z and T with x = X/Z, y = Y/Z and xy = T/Z.
Point = tuple[int, int, int, int]


def _add(one: Point, other: Point) -> Point:
    a = (one[1] - one[0]) * (other[1] - other[0]) % _P
    b = (one[1] + one[0]) * (other[1] + other[0]) % _P
    c = 2 * one[3] * other[3] * _D % _P
    d = 2 * one[2] * other[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _point(encoded: bytes) -> Point | None:
    """The point that 32 bytes stand for; None when they stand for none."""
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT_OF_MINUS_ONE % _P
    if (x * x - square) % _P or (x == 0 and sign):
        return None
    x = _P - x if x & 1 != sign else x
    return x, y, 1, x * y % _P


def _encoded(point: Point) -> bytes:
    """The 32 bytes that stand for a point."""
    inverse = pow(point[2], -1, _P)
    x, y = point[0] * inverse % _P, point[1] * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little")


@lru_cache(maxsize=64)
def _multiples(encoded: bytes, negative: bool) -> list[list[Point]] | None:
    """What each of a scalar's 64 half-bytes adds when the point is multiplied by it, or by the scalar's negative.

    Made once a key, because a log's checkpoints are many and its keys few. None for bytes that stand for no point.
    """
    point = _point(encoded)
    if point is None:
        return None
    if negative:
        point = _P - point[0], point[1], 1, _P - point[3]
    table = []
    for _ in range(64):
        row: list[Point] = [(0, 1, 1, 0)]
        for _ in range(16):
            row.append(_add(row[-1], point))
        point = row.pop()
        table.append(row)
    return table


_BASE: Final = (4 * pow(5, -1, _P) % _P).to_bytes(32, "little")


def verify_ed25519(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the holder of the public key signed the message."""
    if len(public) != 32 or len(signature) != 64:
        return False
    base, key = _multiples(_BASE, False), _multiples(public, True)
    scalar = int.from_bytes(signature[32:], "little")
    if base is None or key is None or scalar >= _ORDER:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % _ORDER
    total: Point = (0, 1, 1, 0)
    for of_base, of_key in zip(base, key, strict=True):
        total = _add(_add(total, of_base[scalar & 15]), of_key[challenge & 15])
        scalar, challenge = scalar >> 4, challenge >> 4
    return _encoded(total) == signature[:32]


# ---- notes and checkpoints (C2SP signed-note, tlog-checkpoint, tlog-cosignature)

SIGNATURE: Final = 1
COSIGNATURE: Final = 4
LONGEST_NOTE: Final = 1_000_000


def from_base64(text: str) -> bytes:
    """The bytes of canonical base64. Python alone would also take text whose last bits are not zero."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Broken(f"“{text[:60]}” is not base64.") from None
    if base64.b64encode(data).decode() != text:
        raise Broken(f"“{text[:60]}” is not canonical base64.")
    return data


def to_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def key_id(name: str, kind: int, public: bytes) -> bytes:
    """The four bytes by which a signature line points at its key."""
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


def _is_name(text: str) -> bool:
    """Whether a key may have this name: no spaces of any kind, no plus sign."""
    return text != "" and not any(each.isspace() or each == "+" for each in text)


@dataclass(frozen=True)
class VerifierKey:
    """Somebody's public key, and the name they sign under. Written as `name+id+base64`."""

    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        return key_id(self.name, self.kind, self.public)

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{to_base64(bytes([self.kind]) + self.public)}"

    @property
    def as_cosigner(self) -> VerifierKey:
        """The same key, as it signs with a time."""
        return VerifierKey(self.name, COSIGNATURE, self.public)

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Raises Broken for text that is no Ed25519 verifier key."""
        name, _, rest = text.strip().partition("+")
        written, _, encoded = rest.partition("+")
        data = from_base64(encoded)
        if not _is_name(name) or len(data) != 33 or data[0] not in (SIGNATURE, COSIGNATURE):
            raise Broken(f"“{text[:80]}” is not an Ed25519 verifier key (name+id+base64).")
        key = cls(name, data[0], data[1:])
        if key.id.hex() != written:
            raise Broken(f"The verifier key of {name} does not have the ID {written}; it was copied wrongly.")
        return key


@dataclass(frozen=True)
class SignatureLine:
    name: str
    id: bytes
    signature: bytes

    def __str__(self) -> str:
        return f"\N{EM DASH} {self.name} {to_base64(self.id + self.signature)}\n"


@dataclass(frozen=True)
class Note:
    """A text that ends in a newline, with the signatures under it."""

    text: str
    signatures: tuple[SignatureLine, ...]

    def __str__(self) -> str:
        return f"{self.text}\n{''.join(map(str, self.signatures))}"

    @classmethod
    def parse(cls, whole: str) -> Note:
        """Raises Broken for text that is not a signed note."""
        text, divider, lines = whole.rpartition("\n\n")
        if not divider or not lines.endswith("\n") or len(whole) > LONGEST_NOTE:
            raise Broken("This is not a signed note: a text, an empty line and signatures are expected.")
        if any(ord(each) < 32 and each != "\n" for each in whole):
            raise Broken("A signed note holds no control characters.")
        return cls(text + "\n", tuple(map(_signature_line, lines[:-1].split("\n"))))


def _signature_line(line: str) -> SignatureLine:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != "\N{EM DASH}" or not _is_name(parts[1]):
        raise Broken(f"“{line[:80]}” is not a signature line.")
    data = from_base64(parts[2])
    if len(data) < 5:
        raise Broken(f"“{line[:80]}” is not a signature line.")
    return SignatureLine(parts[1], data[:4], data[4:])


def signed_message(kind: int, text: str, signature: bytes) -> tuple[bytes, bytes, int | None]:
    """What was signed, the bare signature, and the time it states (seconds since 1970) if it states one."""
    if kind == SIGNATURE:
        return text.encode(), signature, None
    moment = int.from_bytes(signature[:8], "big")
    return cosigned_text(text, moment), signature[8:], moment


def cosigned_text(text: str, moment: int) -> bytes:
    """What a cosigner signs: the note's text under a header and the time in seconds since 1970."""
    return f"cosignature/v1\ntime {moment}\n{text}".encode()


@dataclass(frozen=True)
class Signed:
    """A signature that holds: whose, and the time it states, in seconds since 1970."""

    key: VerifierKey
    moment: int | None


def signatures_that_hold(note: Note, keys: Iterable[VerifierKey]) -> list[Signed]:
    """Every signature by one of the keys. Raises Broken when one of theirs does not hold; others are passed over."""
    by_name = {(key.name, key.id): key for key in keys}
    held = []
    for line in note.signatures:
        key = by_name.get((line.name, line.id))
        if key is None:
            continue
        message, signature, moment = signed_message(key.kind, note.text, line.signature)
        if not verify_ed25519(key.public, message, signature):
            raise Broken(f"A signature of {key.name} does not fit the text above it.")
        held.append(Signed(key, moment))
    return held


def _is_count(text: str) -> bool:
    """Whether the text is a whole number from 0 as logs write it: in decimal, without leading zeros."""
    return text.isascii() and text.isdecimal() and len(text) < 20 and str(int(text)) == text


@dataclass(frozen=True)
class Checkpoint:
    """What a log says of itself: how many events it holds, and the root over them."""

    origin: str
    size: int
    root: bytes
    note: Note

    @classmethod
    def parse(cls, whole: str) -> Checkpoint:
        """Raises Broken for text that is not a checkpoint."""
        note = Note.parse(whole)
        lines = note.text.split("\n")[:-1]
        if len(lines) < 3 or not all(lines):
            raise Broken("This is not a checkpoint: origin, size and root are expected, a line each.")
        origin, size, root = lines[:3]
        if not _is_count(size):
            raise Broken(f"“{size[:40]}” is not the size of a log.")
        data = from_base64(root)
        if len(data) != 32:
            raise Broken("The root of a checkpoint has 32 bytes.")
        return cls(origin, int(size), data, note)


def checkpoint_text(origin: str, size: int, root: bytes) -> str:
    """The text of a checkpoint, to be signed."""
    return f"{origin}\n{size}\n{to_base64(root)}\n"


# ---- proofs in a file (C2SP tlog-proof)

PROOF_HEADER: Final = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True)
class InclusionProof:
    """That an event stands at an index of the log that a checkpoint signs."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: Checkpoint

    def __str__(self) -> str:
        lines = [PROOF_HEADER, f"index {self.index}", *map(to_base64, self.hashes)]
        return "\n".join(lines) + f"\n\n{self.checkpoint.note}"

    @classmethod
    def parse(cls, whole: str) -> InclusionProof:
        """Raises Broken for text that is not a tlog-proof."""
        head, divider, checkpoint = whole.partition("\n\n")
        header, *lines = head.split("\n")
        if not divider or header != PROOF_HEADER:
            raise Broken("This is not a proof of inclusion (tlog-proof, version 1).")
        if lines and lines[0].startswith("extra "):
            lines = lines[1:]
        word, _, index = (lines or [""])[0].partition(" ")
        if word != "index" or not _is_count(index):
            raise Broken("A proof of inclusion names the index of its event.")
        return cls(int(index), tuple(map(from_base64, lines[1:])), Checkpoint.parse(checkpoint))

    def holds_for(self, body: bytes) -> bool:
        """Whether the event of these bytes stands where the proof says. Who signed the checkpoint is another matter."""
        checkpoint = self.checkpoint
        return verify_inclusion(
            leaf=leaf_hash(body), index=self.index, size=checkpoint.size, proof=self.hashes, root=checkpoint.root
        )


# ---- what is checked, and what was found

# Failures kept with their sentence; all are counted.
KEPT: Final = 100


class Source(Protocol):
    """A record to be checked: an export in a folder or a zip file, or the database of an installation."""

    @property
    def is_whole(self) -> bool:
        """Whether every event is here, or only some with their proofs."""

    @property
    def size(self) -> int:
        """How many events the largest checkpoint signs."""

    def keys(self) -> list[str]:
        """The log's verifier keys as the source itself names them, oldest first."""

    def witness_policy(self) -> str:
        """The C2SP tlog-policy that the institution asks for; empty where it asks for none."""

    def checkpoints(self) -> Iterator[dict[str, Any]]:
        """`size` and `note` of each checkpoint, smallest first; in a part also `consistency`, in base64."""

    def events(self, start: int = 0) -> Iterator[tuple[int, bytes]]:
        """Index in the log and bytes of each event from an index on, in the log's order."""

    def proof(self, index: int) -> list[str]:
        """Only in a part: the proof, in base64, that the event is in the log of the largest checkpoint. Asked for in
        the order of `events`, once each."""

    def rows(self, table: str) -> Iterator[dict[str, Any]]:
        """The rows of a table such as "decisions"; none where the source does not have it."""

    def leaves_out(self, kind: str, name: str) -> bool:
        """Whether a file is not there because whoever asked for the export did not ask for it."""

    def file(self, kind: str, name: str) -> BinaryIO | None:
        """A file of "memos" (by number) or "attachments" (by digest); None where it is not there."""


@dataclass(frozen=True)
class Failure:
    """Something that does not hold: a short name of the check, and a sentence."""

    check: str
    sentence: str


@dataclass
class Report:
    """What was checked (`title`), what holds, and what does not, in the order in which it was found."""

    title: str = ""
    held: list[str] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def holds(self, sentence: str) -> None:
        """Something that was checked and holds, in a plain sentence."""
        self.held.append(sentence)

    def fails(self, check: str, sentence: str) -> None:
        """Something that does not hold. All are counted; the first hundred are kept."""
        self.counts[check] += 1
        if len(self.failures) < KEPT:
            self.failures.append(Failure(check, sentence))

    def remark(self, sentence: str) -> None:
        """Something a reader should know that is neither."""
        self.remarks.append(sentence)

    @property
    def first(self) -> Failure | None:
        return self.failures[0] if self.failures else None

    @property
    def failed(self) -> int:
        """How many things do not hold."""
        return self.counts.total()


class Observer(Protocol):
    """A check that sees every event go by, and looks at the rest of the source when all have."""

    def observe(self, index: int, event: dict[str, Any], body: bytes) -> None:
        """Called once an event, in the log's order, for events whose form is right."""

    def finish(self, source: Source, report: Report) -> None:
        """Called after the last event."""


# ---- who else must have seen the log (C2SP tlog-policy)


@dataclass(frozen=True)
class WitnessPolicy:
    """Which logs are meant, which witnesses there are, and how many of them must have signed a checkpoint."""

    logs: tuple[VerifierKey, ...]
    witnesses: dict[str, VerifierKey]
    groups: dict[str, tuple[int, tuple[str, ...]]]
    quorum: str

    @classmethod
    def parse(cls, text: str) -> WitnessPolicy:
        """Raises Broken for text that is not a tlog-policy; the sentence says which line."""
        policy = _PolicyReader()
        for number, line in enumerate(text.split("\n"), start=1):
            words = line.replace("\t", " ").split(" ")
            words = [word for word in words if word]
            if words and not words[0].startswith("#"):
                try:
                    policy.take(words)
                except Broken as error:
                    raise Broken(f"Line {number} of the witness policy: {error}") from None
        if not policy.quorum:
            raise Broken("A witness policy has one line “quorum”.")
        return cls(tuple(policy.logs), policy.witnesses, policy.groups, policy.quorum)

    def is_met(self, signers: Collection[VerifierKey]) -> bool:
        """Whether these witnesses' signatures are enough."""
        return self.quorum == "none" or self._saw(self.quorum, signers)

    def _saw(self, name: str, signers: Collection[VerifierKey]) -> bool:
        if name in self.witnesses:
            return self.witnesses[name] in signers
        needed, members = self.groups[name]
        return sum(self._saw(member, signers) for member in members) >= needed


class _PolicyReader:
    """Takes a tlog-policy line by line."""

    def __init__(self) -> None:
        self.logs: list[VerifierKey] = []
        self.witnesses: dict[str, VerifierKey] = {}
        self.groups: dict[str, tuple[int, tuple[str, ...]]] = {}
        self.quorum = ""
        self._members: set[str] = set()

    def take(self, words: list[str]) -> None:
        match words:
            case ["log", key] | ["log", key, _]:
                self.logs.append(self._key(key, SIGNATURE, self.logs))
            case ["witness", name, key] | ["witness", name, key, _]:
                self._name(name)
                self.witnesses[name] = self._key(key, COSIGNATURE, self.witnesses.values())
            case ["group", name, needed, first, *others]:
                self._name(name)
                self.groups[name] = self._group(needed, (first, *others))
            case ["quorum", name] if not self.quorum:
                if name != "none":
                    self._known(name)
                self.quorum = name
            case _:
                raise Broken(f"“{' '.join(words)[:80]}” is not a line that a witness policy has here.")

    def _key(self, text: str, kind: int, others: Iterable[VerifierKey]) -> VerifierKey:
        key = VerifierKey.parse(text)
        if key.kind != kind:
            raise Broken(f"The key of {key.name} is of another kind than this line asks for.")
        if any(key.public == other.public for other in others):
            raise Broken(f"The key of {key.name} is there twice.")
        return key

    def _name(self, name: str) -> None:
        if name == "none" or name in self.witnesses or name in self.groups:
            raise Broken(f"The name {name} is taken.")

    def _known(self, name: str) -> None:
        if name not in self.witnesses and name not in self.groups:
            raise Broken(f"No line above says who {name} is.")

    def _group(self, needed: str, members: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
        for member in members:
            self._known(member)
            if member in self._members:
                raise Broken(f"{member} is a member twice.")
            self._members.add(member)
        numbers = {"any": 1, "all": len(members)}
        count = numbers.get(needed) or (int(needed) if _is_count(needed) else 0)
        if not 1 <= count <= len(members):
            raise Broken(f"A group of {len(members)} cannot ask for {needed}.")
        return count, members


# ---- an event (RFC 8785, and docs/record.md)

MAX_BODY_BYTES: Final = 65_536
LARGEST_NUMBER: Final = 2**53 - 1
KEYS: Final = frozenset(
    {
        "version", "subject", "sequence", "verb", "at", "actor", "on_behalf_of", "policy_version", "revision", "before",
        "after", "reason",
    }
)  # fmt: skip
# Every verb there is. The list is closed: an event with any other was not written by Assent.
VERBS: Final = frozenset(
    {
        "person.added", "person.changed", "unit.added", "unit.changed", "body.created", "body.changed",
        "mandate.given", "mandate.ended", "policy.drafted", "policy.proposed", "policy.taken-back", "policy.adopted",
        "policy.in-force", "policy.superseded", "policy.withdrawn", "proposal.created", "attachment.added",
        "attachment.removed", "proposal.submitted", "proposal.resubmitted", "proposal.withdrawn", "proposal.moved",
        "comment.added", "decision.approved", "decision.approved-with-conditions", "decision.returned",
        "decision.sent-back", "decision.declined", "stage.received", "memo.issued", "delivery.tried-again",
        "key.introduced", "person.erased", "hold.placed", "hold.lifted", "proposal.disposed-of", "attachment.read",
        "record.exported",
    }
)  # fmt: skip
_MOMENT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
# Letters that UTF-16 orders before others and UTF-8 behind them.
_FOUR_BYTES: Final = re.compile(rb"[\xf0-\xf4]")


def _whole_number(text: str) -> int:
    number = int(text) if len(text) < 20 else LARGEST_NUMBER + 1
    if abs(number) > LARGEST_NUMBER:
        raise Broken(f"it holds the number {text[:40]}, which is too large")
    return number


def _no_number(text: str) -> int:
    raise Broken(f"it holds {text[:40]}, which is not a whole number")


_read_json = json.JSONDecoder(parse_int=_whole_number, parse_float=_no_number, parse_constant=_no_number).decode
_write_json = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False).encode
_write_json_as_it_is = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


def _by_utf16(value: Any) -> Any:
    """The value with every object's keys in the order of RFC 8785, section 3.2.3."""
    if isinstance(value, dict):
        return {key: _by_utf16(value[key]) for key in sorted(value, key=lambda key: key.encode("utf-16-be"))}
    return [_by_utf16(each) for each in value] if isinstance(value, list) else value


def read_event(body: bytes) -> dict[str, Any]:
    """The event that the bytes are. Raises Broken where they are not the canonical bytes of an event."""
    if len(body) > MAX_BODY_BYTES:
        raise Broken(f"it has {len(body)} bytes, and an event has at most {MAX_BODY_BYTES}")
    try:
        event = _read_json(body.decode())
        wide = not body.isascii() and _FOUR_BYTES.search(body)
        again = (_write_json_as_it_is(_by_utf16(event)) if wide else _write_json(event)).encode()
    except (ValueError, RecursionError):
        raise Broken("its bytes are not JSON text in UTF-8") from None
    if again != body:
        raise Broken("its bytes are not in canonical form (RFC 8785)")
    fault = _fault_in(event)
    if fault:
        raise Broken(fault)
    return cast(dict[str, Any], event)


def _fault_in(event: Any) -> str:  # noqa: C901 - a list of what an event must be, a line each
    """What an event's form has against it; nothing where it is right."""
    if type(event) is not dict or event.keys() != KEYS:
        return "it does not have the keys of an event"
    if event["version"] != 1 or event["version"] is True:
        return f"it is of version {str(event['version'])[:20]}, which this verifier does not know"
    if type(event["subject"]) is not str or not event["subject"]:
        return "it does not say what it is about"
    if type(event["sequence"]) is not int or event["sequence"] < 1:
        return "it has no place in a stream"
    if type(event["verb"]) is not str or event["verb"] not in VERBS:
        return f"its verb “{str(event['verb'])[:60]}” is not one that Assent writes"
    if type(event["at"]) is not str or not _MOMENT.fullmatch(event["at"]):
        return "its time is not one in UTC, to the microsecond"
    actor, revision = event["actor"], event["revision"]
    if type(actor) is not dict or actor.keys() != {"key", "name", "title"} or type(actor["key"]) is not str:
        return "it does not say who acted"
    if not _is_text_or_commitment(actor["name"]) or not _is_text_or_commitment(actor["title"]):
        return "it does not say who acted"
    if revision is not None and not _is_revision(revision):
        return "what it says of a revision is not a number and a digest"
    for key in ("on_behalf_of", "policy_version", "reason"):
        if event[key] is not None and type(event[key]) is not str:
            return f"its {key} is not text"
    for key in ("before", "after"):
        if event[key] is not None and type(event[key]) is not dict:
            return f"its {key} is not an object"
    return ""


def _is_text_or_commitment(value: Any) -> bool:
    if type(value) is str:
        return True
    return type(value) is dict and value.keys() == {"commitment"} and _is_digest(value["commitment"])


def _is_revision(value: Any) -> bool:
    if type(value) is not dict or value.keys() != {"number", "digest"}:
        return False
    return type(value["number"]) is int and value["number"] > 0 and _is_digest(value["digest"])


def _is_digest(value: Any) -> bool:
    return type(value) is str and _DIGEST.fullmatch(value) is not None


def seconds_of(moment: str) -> int:
    """The time of an event in seconds since 1970. Raises Broken for a day or an hour that there never was."""
    try:
        return int(datetime.fromisoformat(moment).timestamp())
    except (ValueError, OverflowError):
        raise Broken(f"its time {moment} is on no calendar") from None


# ---- the log as a whole

# By so many seconds the clocks of machines that write one record may differ.
CLOCKS: Final = 3_600
# No act takes so many seconds: an event older by that than a checkpoint without it claims a false time.
LONGEST_ACT: Final = 86_400
# Between two reports of progress, in events.
STEP: Final = 2_000


@dataclass(frozen=True)
class Start:
    """Where an earlier check of the same record ended, so that the next can go on from there."""

    size: int
    hashes: tuple[bytes, ...]
    keys: tuple[VerifierKey, ...]
    moment: int

    @classmethod
    def parse(cls, kept: dict[str, Any]) -> Start:
        """Raises Broken for what is not `as_json` of another."""
        try:
            return cls(
                int(kept["size"]),
                Frontier(kept["size"], map(from_base64, kept["hashes"])).hashes,
                tuple(map(VerifierKey.parse, kept["keys"])),
                int(kept["moment"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            raise Broken("The place where the last check ended cannot be read.") from None

    def as_json(self) -> dict[str, Any]:
        hashes = [to_base64(each) for each in self.hashes]
        return {"size": self.size, "hashes": hashes, "keys": [str(key) for key in self.keys], "moment": self.moment}


@dataclass
class _Introduced:
    """A key that an event of the log introduces, and the log's last checkpoint under another name if it was lost."""

    index: int
    key: VerifierKey
    lost: bool


@dataclass
class _Signer:
    """A key that signed checkpoints: how many, the size of the first, and how far the log is as it signed it."""

    first: int
    count: int = 0
    reach: int = 0


class LogCheck:
    """One walk through a record: every event, every checkpoint, the tree over them, and who signed.

    `keys` are those that the auditor brought; without any, the first one that the source lists is believed, and the
    record is only shown to agree with itself. `before` says where a subject's stream stood at `start`: the last
    sequence and its time, in seconds since 1970.
    """

    def __init__(
        self,
        source: Source,
        report: Report,
        *,
        keys: Iterable[VerifierKey] = (),
        since: Iterable[Checkpoint] = (),
        policy: WitnessPolicy | None = None,
        start: Start | None = None,
        before: Callable[[str], tuple[int, int]] = lambda subject: (0, 0),
        progress: Callable[[int], None] = lambda events: None,
    ) -> None:
        self.source, self.report, self.policy = source, report, policy
        self.brought = tuple(keys)
        self.start = start or Start(0, (), (), 0)
        self.events = self.unsealed = self.checkpoints = 0
        self.size = self.start.size
        self.witnessed: int | None = None
        self.trusted: set[VerifierKey] = set()
        self._before, self._progress = before, progress
        self._frontier = Frontier(self.start.size, self.start.hashes)
        self._streams: dict[str, int] = {}
        self._expected = self.start.size
        self._since = sorted(since, key=lambda one: one.size)
        self._coming = iter(source.checkpoints())
        self._next: dict[str, Any] | None = None
        self._largest: Checkpoint | None = None
        self._roots: dict[int, bytes] = {}
        self._listed = self._keys_listed()
        self._introduced: list[_Introduced] = []
        self._signers: dict[VerifierKey, _Signer] = {}
        self._rank, self._last = 0, -1
        self._moment = self.start.moment
        self._newest_event = 0
        self._agrees_up_to: int | None = self.start.size

    @property
    def is_tied(self) -> bool:
        """Whether the record is held against a key that did not come with it."""
        return bool(self.brought)

    def run(self, observers: Sequence[Observer] = ()) -> None:
        """Check everything, and say in the report what was found."""
        if not self.source.is_whole:
            self._read_largest()
        self._advance()
        for index, body in self.source.events(self.start.size):
            self._settle(index)
            self._event(index, body, observers)
        self._settle(None)
        self._finish()
        for each in observers:
            each.finish(self.source, self.report)

    def reached(self) -> Start:
        """Where the next check may go on, if everything held."""
        return Start(self._frontier.size, self._frontier.hashes, tuple(sorted(self.trusted, key=str)), self._moment)

    # ---- events

    def _event(self, index: int, body: bytes, observers: Sequence[Observer]) -> None:
        self.events += 1
        if self.events % STEP == 0:
            self._progress(self.events)
        if index != self._expected and (self.source.is_whole or index < self._expected):
            self._out_of_order(index)
        self._expected = index + 1
        if index >= self.source.size:
            self.unsealed += 1
        else:
            self._leaf(index, leaf_hash(body))
        try:
            event = read_event(body)
            moment = seconds_of(event["at"])
        except Broken as error:
            self.report.fails("event", f"Event {index} is not right: {error}.")
            return
        self._place(index, event, moment)
        if event["verb"] == "key.introduced":
            self._introduce(index, event)
        for each in observers:
            each.observe(index, event, body)

    def _out_of_order(self, index: int) -> None:
        if index < self._expected:
            self.report.fails("order", f"Event {index} comes after event {self._expected - 1}: they are out of order.")
        else:
            self.report.fails("order", f"{_missing(self._expected, index - 1)} from the log.")

    def _leaf(self, index: int, leaf: bytes) -> None:
        if self.source.is_whole:
            self._frontier.add(leaf)
            return
        try:
            proof = [from_base64(each) for each in self.source.proof(index)]
        except Broken as error:
            self.report.fails("tree", f"The proof of event {index} cannot be read: {error}")
            return
        at = self._largest
        if at is not None and not verify_inclusion(leaf=leaf, index=index, size=at.size, proof=proof, root=at.root):
            self.report.fails("tree", f"Event {index} is not the one that the log holds there: its proof does not fit.")

    def _place(self, index: int, event: dict[str, Any], moment: int) -> None:
        """The event's place in its own stream, and in time."""
        subject, sequence = event["subject"], event["sequence"]
        kept = self._streams.get(subject)
        last, when = (kept >> 40, kept & (1 << 40) - 1) if kept is not None else self._before(subject)
        if sequence != last + 1:
            self.report.fails(
                "stream", f"Event {index} is number {sequence} of {subject}, and number {last + 1} was expected there."
            )
        if moment < when - CLOCKS:
            self.report.fails("time", f"Event {index} of {subject} claims a time before the event before it.")
        if moment < self._moment - LONGEST_ACT:
            self.report.fails(
                "time", f"Event {index} claims to be of {event['at']}, but a checkpoint signed later does not hold it."
            )
        self._streams[subject] = sequence << 40 | max(moment, when)
        self._newest_event = max(self._newest_event, moment)

    def _introduce(self, index: int, event: dict[str, Any]) -> None:
        after = event["after"] or {}
        try:
            key = VerifierKey.parse(str(after.get("key")))
        except Broken as error:
            self.report.fails("key", f"Event {index} introduces a key that cannot be read: {error}")
            return
        self._introduced.append(_Introduced(index, key, "lost_head" in after))
        if "lost_head" in after:
            self.report.remark(
                f"Event {index}: the log's key was lost, or its database was restored from an older copy, and the log"
                f" goes on as {key.name}. {_lost_size(str(after['lost_head'] or ''))}"
            )

    # ---- checkpoints

    def _advance(self) -> None:
        """Look at the next checkpoint."""
        row = next(self._coming, None)
        while row is not None and isinstance(row.get("size"), int) and row["size"] < self.start.size:
            row = next(self._coming, None)
        self._next = row

    def _settle(self, upto: int | None) -> None:
        """Check the checkpoints, ours and the old ones that were brought, over no more events than came so far."""
        while self._next is not None:
            size = self._next.get("size")
            if upto is not None and isinstance(size, int) and size > upto:
                break
            self._checkpoint(self._next)
            self._advance()
        while self._since and (upto is None or self._since[0].size <= upto):
            self._compare_since(self._since.pop(0))

    def _read_largest(self) -> None:
        """In a part every proof leads to the largest checkpoint, so that one is read first."""
        last: dict[str, Any] | None = None
        for row in self.source.checkpoints():
            last = row
        try:
            self._largest = Checkpoint.parse(str(last["note"])) if last else None
        except (Broken, KeyError) as error:
            self.report.fails("checkpoint", f"The largest checkpoint cannot be read: {error}")

    def _checkpoint(self, row: dict[str, Any]) -> None:
        self.checkpoints += 1
        size = row.get("size")
        try:
            signed = Checkpoint.parse(str(row.get("note")))
        except Broken as error:
            self.report.fails("checkpoint", f"The checkpoint over {size} events cannot be read: {error}")
            return
        if signed.size != size:
            self.report.fails("checkpoint", f"A checkpoint over {signed.size} events is listed as one over {size}.")
        if signed.size <= self._last:
            self.report.fails(
                "checkpoint", f"The checkpoint over {signed.size} events is not in its order, or is twice."
            )
        agrees = self._root(signed, row)
        self._signatures(signed, agrees=agrees)
        self._roots[signed.size] = signed.root
        self._last = max(self._last, signed.size)
        self.size = max(self.size, signed.size)

    def _root(self, signed: Checkpoint, row: dict[str, Any]) -> bool:
        """Whether the log of that size has the root that was signed."""
        if not self.source.is_whole:
            return self._is_consistent(signed, row)
        if self._frontier.size != signed.size:
            self.report.fails(
                "tree",
                f"The checkpoint over {signed.size} events cannot be compared: there are {self._frontier.size} before"
                " it.",
            )
            return False
        if self._frontier.root() == signed.root:
            if self._agrees_up_to is not None:
                self._agrees_up_to = signed.size
            return True
        if self._agrees_up_to is None:
            # One altered event changes every root after it: the first says where to look.
            self.report.counts["tree"] += 1
            return False
        self.report.fails(
            "tree",
            f"The events are not those that were signed: up to {self._agrees_up_to} they are, but the checkpoint over"
            f" {signed.size} has another root. An event from {self._agrees_up_to} to {signed.size - 1} was changed,"
            " added, taken away or moved.",
        )
        self._agrees_up_to = None
        return False

    def _is_consistent(self, signed: Checkpoint, row: dict[str, Any]) -> bool:
        largest = self._largest
        if largest is None:
            return False
        try:
            proof = [from_base64(str(each)) for each in row.get("consistency") or []]
        except (Broken, TypeError):
            proof = []
        if verify_consistency(
            size=signed.size, root=signed.root, later_size=largest.size, later_root=largest.root, proof=proof
        ):
            return True
        self.report.fails(
            "tree",
            f"The largest checkpoint is not shown to continue the one over {signed.size} events: the log forked.",
        )
        return False

    def _signatures(self, signed: Checkpoint, *, agrees: bool) -> None:
        known = {*self.brought, *self._listed, *self.start.keys, *(each.key for each in self._introduced)}
        own = [key for key in known if key.name == signed.origin and key.kind == SIGNATURE]
        witnesses = self.policy.witnesses.values() if self.policy else ()
        try:
            held = signatures_that_hold(signed.note, [*own, *(key.as_cosigner for key in own), *witnesses])
        except Broken as error:
            self.report.fails("checkpoint", f"The checkpoint over {signed.size} events: {error}")
            return
        ours = [one.key for one in held if one.key in own]
        if not ours:
            self.report.fails(
                "key", f"The checkpoint over {signed.size} events: no known key of {signed.origin} signed."
            )
            return
        for key in ours:
            self._note_signer(key, signed.size, agrees=agrees)
        cosigners = {key.as_cosigner for key in ours}
        moment = max((one.moment for one in held if one.key in cosigners and one.moment is not None), default=None)
        self._check_moment(signed, moment)
        if self.policy is not None:
            self._witnesses(signed, [one for one in held if one.key in witnesses])

    def _note_signer(self, key: VerifierKey, size: int, *, agrees: bool) -> None:
        signer = self._signers.setdefault(key, _Signer(size))
        signer.count += 1
        if agrees:
            signer.reach = max(signer.reach, size)
        rank = max((at for at, each in enumerate(self._introduced) if each.key == key), default=0)
        if rank < self._rank:
            self.report.fails(
                "key", f"The checkpoint over {size} events is signed by a key that a later one had already replaced."
            )
        self._rank = max(self._rank, rank)

    def _check_moment(self, signed: Checkpoint, moment: int | None) -> None:
        if moment is None:
            self.report.fails("time", f"The checkpoint over {signed.size} events does not say when it was signed.")
            return
        if moment < self._moment - CLOCKS:
            self.report.fails(
                "time", f"The checkpoint over {signed.size} events claims a time before the one before it."
            )
        if self._newest_event > moment + CLOCKS:
            self.report.fails(
                "time", f"An event under the checkpoint over {signed.size} events claims a time after it was signed."
            )
        self._newest_event = 0
        self._moment = max(self._moment, moment)

    def _witnesses(self, signed: Checkpoint, held: list[Signed]) -> None:
        assert self.policy is not None
        for one in held:
            if one.moment is None or not self._moment - CLOCKS <= one.moment <= time.time() + LONGEST_ACT:
                self.report.fails(
                    "witnesses",
                    f"{one.key.name} states a time for the checkpoint over {signed.size} events before it was signed,"
                    " or in the future.",
                )
        if self.policy.is_met({one.key for one in held}):
            self.witnessed = signed.size

    def _compare_since(self, old: Checkpoint) -> None:
        """An old checkpoint from somewhere else, now that the log has come to its size."""
        if old.size > self.source.size:
            self.report.fails(
                "since",
                f"The log was longer once: a checkpoint over {old.size} events was signed, and it now ends at"
                f" {self.source.size}.",
            )
            return
        if self.source.is_whole:
            root = self._frontier.root() if self._frontier.size == old.size else None
        else:
            root = self._roots.get(old.size)
        if root is None:
            self.report.fails(
                "since", f"The old checkpoint over {old.size} events cannot be compared: this has none of that size."
            )
        elif root != old.root:
            self.report.fails(
                "since",
                f"The log has forked: an old checkpoint over {old.size} events has another root than the log of that"
                " size has now. What was signed then was altered since.",
            )
        self._since_signature(old)

    def _since_signature(self, old: Checkpoint) -> None:
        known = [*self.brought, *self._listed, *(each.key for each in self._introduced)]
        try:
            held = signatures_that_hold(old.note, known)
        except Broken as error:
            self.report.fails("since", f"The old checkpoint over {old.size} events: {error}")
            return
        ours = [one.key for one in held if one.key.name == old.origin]
        if not ours:
            self.report.fails("since", f"The old checkpoint over {old.size} events is not signed by a key of this log.")
        for key in ours:
            self._signers.setdefault(key, _Signer(old.size))

    # ---- at the end

    def _keys_listed(self) -> list[VerifierKey]:
        listed = []
        for text in self.source.keys():  # noqa: SIM118 - a source is no mapping
            try:
                listed.append(VerifierKey.parse(text))
            except Broken as error:
                self.report.fails("key", str(error))
        return listed

    def _trust(self) -> None:
        """Follow from the keys that are believed to those which a checkpoint of theirs covers the introduction of."""
        self.trusted = {*(self.brought or self._listed[:1]), *self.start.keys}
        found = True
        while found:
            reach = max((each.reach for key, each in self._signers.items() if key in self.trusted), default=0)
            found = False
            for each in self._introduced:
                good = each.index < reach or (each.lost and not self.is_tied)
                if good and each.key not in self.trusted:
                    self.trusted.add(each.key)
                    found = True

    def _finish(self) -> None:
        self._trust()
        report, events = self.report, self.events
        signers = {key: signer for key, signer in self._signers.items() if signer.count}
        if signers and not self.trusted & signers.keys():
            given, found = _named(self.trusted), _named(signers)
            report.fails(
                "key", f"No checkpoint is signed by a key that is trusted ({given}); they are signed by {found}."
            )
        else:
            for key in self._signers.keys() - self.trusted:
                report.fails("key", self._stranger(key, self._signers[key]))
        if not self.checkpoints and not self.start.size:
            if events:
                report.fails("checkpoint", "There are events, but no checkpoint: nothing of it was ever signed.")
            else:
                report.holds("The record is empty.")
            return
        if self.source.is_whole and self._expected < self.source.size:
            report.fails("order", f"{_missing(self._expected, self.source.size - 1)} from the log.")
        if self.source.size < self.start.size:
            report.fails(
                "since",
                f"The log was longer once: at the last check it held {self.start.size} events, and it now ends at"
                f" {self.source.size}.",
            )
        elif self.source.size != self.size:
            report.fails(
                "checkpoint", f"The log is said to hold {self.source.size} events, but checkpoints sign {self.size}."
            )
        self._check_witnessed()
        if self.unsealed:
            report.remark(f"{_count(self.unsealed, 'event')} after the largest checkpoint, not signed yet.")
        self._say_what_held()

    def _stranger(self, key: VerifierKey, signer: _Signer) -> str:
        introduced = next((each for each in self._introduced if each.key == key), None)
        if not signer.count:
            return f"An old checkpoint over {signer.first} events is signed by {key}, which nothing ties to this log."
        head = f"{_count(signer.count, 'checkpoint')}, the first over {signer.first} events, signed by {key},"
        if introduced is None:
            return f"{head} which is not a key that was given, and which no event of the log introduces."
        return (
            f"{head} which event {introduced.index} introduces; but no checkpoint of a trusted key covers that event."
            " If the institution itself confirms this key, give it with --key."
        )

    def _check_witnessed(self) -> None:
        if self.policy is None or self.policy.quorum == "none" or not self.checkpoints:
            return
        if self.witnessed is None:
            self.report.fails(
                "witnesses", "No checkpoint is signed by as many witnesses as the witness policy asks for."
            )
        elif self.witnessed < self.size:
            self.report.remark(
                f"As many witnesses as the policy asks for signed the log up to {self.witnessed} events; the"
                f" {self.size - self.witnessed} after that wait for them."
            )

    def _say_what_held(self) -> None:
        counts, report, whole = self.report.counts, self.report, self.source.is_whole
        checkpoints = _count(self.checkpoints, "checkpoint")
        if not self.events and self.start.size:
            report.holds("No event was sealed since the last check.")
        elif not counts["event"]:
            report.holds(f"{_count(self.events, 'event')}: each has the canonical bytes and the form of an event.")
        if whole and not counts["order"] and not counts["stream"]:
            report.holds("No event is missing from the log, and none from the stream of what it is about.")
        elif not counts["order"] and not counts["stream"]:
            report.holds(
                "Every stream that is here begins at 1 and has no gap. That nothing came after its last event, only an"
                " export of everything can show."
            )
        if not counts["time"]:
            report.holds("Times run forward, and no event claims a time that its checkpoint contradicts.")
        if whole and not counts["tree"]:
            report.holds(f"The tree over the events has every root that was signed ({checkpoints}).")
        elif not counts["tree"]:
            report.holds(
                f"Each event is proven to be in the log of {_count(self.size, 'event')}, and that log to continue every"
                f" earlier one that was signed ({checkpoints})."
            )
        if not counts["checkpoint"] and not counts["key"]:
            keys = _named(key for key, signer in self._signers.items() if signer.count)
            report.holds(f"Every checkpoint is signed by a key that is trusted: {keys}.")
        if self.policy is not None and self.witnessed is not None and not counts["witnesses"]:
            report.holds(f"The witness policy is met for the log of {self.witnessed} events.")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _named(keys: Iterable[VerifierKey]) -> str:
    return ", ".join(sorted(map(str, keys))) or "none"


def _missing(first: int, last: int) -> str:
    return f"Event {first} is missing" if first == last else f"Events {first} to {last} are missing"


def _lost_size(note: str) -> str:
    try:
        signed = Checkpoint.parse(note)
    except Broken:
        return "What had been signed before that is not known."
    return f"Before that, {_count(signed.size, 'event')} had been signed as {signed.origin}."


# ---- an export, in a folder or a zip file

FORMAT: Final = "assent-record/1"
MANIFEST: Final = "manifest.json"
UNFINISHED: Final = ".unfinished.jsonl"
# Made for people; nothing is read from them here.
NOT_CHECKED: Final = frozenset({"index.css", "index.html", "verify.py", MANIFEST})
FOLDERS: Final = frozenset({"events", "proofs", "memos", "attachments"})
LONGEST_LINE: Final = 1 << 26
PIECE: Final = 1 << 20
# What reading a damaged file may raise; zipfile's RuntimeError says that one is encrypted.
_DAMAGE: Final = (OSError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError)


class Unreadable(Broken):
    """The package cannot be read, or not to its end."""


class FolderSource:
    """An export of the record: a folder, or a zip file of it, which is read where it lies."""

    def __init__(self, path: Path) -> None:
        """Raises Unreadable for what is not a finished export."""
        self.path = path
        self._zip: zipfile.ZipFile | None = None
        self._head = ""
        try:
            self._names = self._in_zip() if path.is_file() else self._in_folder()
        except (*_DAMAGE, ValueError) as error:
            raise Unreadable(f"{path} cannot be read: {_said(error)}") from None
        self.manifest = self._manifest()
        self.is_whole = self.manifest["scope"]["whole"]
        self.size: int = self.manifest["size"]
        self._proofs: Iterator[dict[str, Any]] | None = None

    def _in_folder(self) -> frozenset[str]:
        if not self.path.exists():
            raise Unreadable(f"There is no {self.path}.")
        names: set[str] = set()
        for place in ("", *FOLDERS):
            folder = self.path / place
            if folder.is_dir() and not folder.is_symlink():
                with os.scandir(folder) as entries:
                    files = [entry.name for entry in entries if entry.is_file(follow_symlinks=False)]
                names.update(f"{place}/{name}" if place else name for name in files)
        return frozenset(names)

    def _in_zip(self) -> frozenset[str]:
        if not zipfile.is_zipfile(self.path):
            raise Unreadable(f"{self.path} is neither a folder nor a zip file that is whole.")
        self._zip = zipfile.ZipFile(self.path)
        names = [name for name in self._zip.namelist() if not name.endswith("/")]
        if len(set(names)) < len(names):
            raise Unreadable(f"{self.path} holds two files of one name.")
        manifests = sorted((name for name in names if name.split("/")[-1] == MANIFEST), key=len)
        self._head = manifests[0].removesuffix(MANIFEST) if manifests else ""
        return frozenset(name.removeprefix(self._head) for name in names if name.startswith(self._head))

    def _manifest(self) -> dict[str, Any]:
        if UNFINISHED in self._names:
            raise Unreadable(f"{self.path} is an export that was not finished.")
        if MANIFEST not in self._names:
            raise Unreadable(f"{self.path} is not an export of a record: it has no {MANIFEST}.")
        with _reading(MANIFEST):
            opened = self.open(MANIFEST)
            assert opened is not None
            with opened:
                manifest = _json(opened.read(LONGEST_LINE), MANIFEST)
        match manifest:
            case {"format": str(kind)} if kind != FORMAT:
                raise Unreadable(f"{self.path} is in the format {kind[:40]}, and this verifier reads {FORMAT}.")
            case {"format": str(), "size": int(), "scope": {"whole": bool()}, "files": dict(files)}:
                absent = [manifest.get("left_out", []), manifest.get("missing", [])]
                if all(isinstance(each, list) for each in absent) and all(
                    isinstance(each, dict) and isinstance(each.get("sha256"), str) for each in files.values()
                ):
                    return cast(dict[str, Any], manifest)
        raise Unreadable(f"{MANIFEST} does not say what an export's says: format, size, scope and files.")

    @property
    def title(self) -> str:
        """Whose record this is, and how much of it, in words."""
        manifest = self.manifest
        scope = "everything" if self.is_whole else str(manifest["scope"].get("words", "a part"))
        return f"{manifest.get('institution', '?')}: {scope}, exported {manifest.get('made_at', '?')}"

    @property
    def time_zone(self) -> str:
        """In which a day of the institution begins and ends; empty where the package does not say."""
        return str(self.manifest.get("time_zone", ""))

    def open(self, name: str) -> BinaryIO | None:
        """A file of the package; None where it is not there."""
        if name not in self._names:
            return None
        if self._zip is not None:
            return cast(BinaryIO, io.BufferedReader(cast(io.RawIOBase, self._zip.open(self._head + name)), PIECE))
        return (self.path / name).open("rb", buffering=PIECE)

    def check_files(self, report: Report) -> None:
        """Compare every file with the manifest. The page for people and this program are not looked at."""
        listed = self.manifest["files"]
        for name in sorted(listed.keys() - NOT_CHECKED):
            opened = self.open(name)
            if opened is None:
                report.fails("missing", f"{name} is missing.")
                continue
            with _reading(name), opened:
                digest = hashlib.sha256()
                while piece := opened.read(PIECE):
                    digest.update(piece)
            if digest.hexdigest() != listed[name]["sha256"]:
                report.fails("file", f"{name} is not the file that the manifest lists: its SHA-256 is another.")
        for name in sorted(self._names - listed.keys() - NOT_CHECKED):
            if "/" in name or name.endswith((".jsonl", ".tlog-policy")) or name == "keys.txt":
                report.fails("file", f"{name} is there, but the manifest does not list it.")
        left_out = self.manifest.get("left_out") or []
        if left_out:
            report.remark(f"{_count(len(left_out), 'confidential file')} is not in here; the digests are.")
        gone = self.manifest.get("missing") or []
        if gone:
            report.remark(f"{_count(len(gone), 'file')} had gone before the export was made, such as {gone[0]}.")
        if not report.counts["missing"] and not report.counts["file"]:
            report.holds(f"{_count(len(listed), 'file')}: each is there as the manifest lists it.")

    # ---- as a Source

    def keys(self) -> list[str]:
        return [line.decode(errors="replace").strip() for line in self._lines("keys.txt") if line.strip()]

    def witness_policy(self) -> str:
        return b"".join(self._lines("witnesses.tlog-policy")).decode(errors="replace")

    def checkpoints(self) -> Iterator[dict[str, Any]]:
        return self._json_lines("checkpoints.jsonl")

    def events(self, start: int = 0) -> Iterator[tuple[int, bytes]]:
        for name in self._within("events", ".txt"):
            for number, line in enumerate(self._lines(name), start=1):
                index, space, body = line.partition(b" ")
                if not space or not index.isdigit() or len(index) > 18 or not body.endswith(b"\n"):
                    raise Unreadable(f"{name}, line {number}, is not an index and an event.")
                if int(index) >= start:
                    yield int(index), body[:-1]

    def proof(self, index: int) -> list[str]:
        if self._proofs is None:
            self._proofs = (row for name in self._within("proofs", ".jsonl") for row in self._json_lines(name))
        row = next(self._proofs, {})
        hashes = row.get("hashes")
        if row.get("index") != index or not isinstance(hashes, list):
            raise Broken("there is none in its place.")
        return [str(each) for each in hashes]

    def rows(self, table: str) -> Iterator[dict[str, Any]]:
        return self._json_lines(f"{table}.jsonl")

    def leaves_out(self, kind: str, name: str) -> bool:
        asked = self.manifest["scope"].get("asked")
        left_out = self.manifest.get("left_out")
        without_files = isinstance(asked, dict) and asked.get("files") is False
        return without_files or (isinstance(left_out, list) and f"{kind}/{name}" in left_out)

    def file(self, kind: str, name: str) -> BinaryIO | None:
        return self.open(f"memos/{name}.pdf" if kind == "memos" else f"{kind}/{name}")

    def _within(self, folder: str, suffix: str) -> list[str]:
        return sorted(name for name in self._names if name.startswith(f"{folder}/") and name.endswith(suffix))

    def _lines(self, name: str) -> Iterator[bytes]:
        opened = self.open(name)
        if opened is None:
            return
        with _reading(name), opened:
            while line := opened.readline(LONGEST_LINE):
                yield line

    def _json_lines(self, name: str) -> Iterator[dict[str, Any]]:
        for number, line in enumerate(self._lines(name), start=1):
            row = _json(line, f"{name}, line {number},")
            if not isinstance(row, dict):
                raise Unreadable(f"{name}, line {number}, is not an object.")
            yield row


@contextmanager
def _reading(name: str) -> Iterator[None]:
    """Say of a file that cannot be read which one it is."""
    try:
        yield
    except Broken:
        raise
    except _DAMAGE as error:
        raise Unreadable(f"{name} cannot be read: {_said(error)}") from None


def _json(text: bytes, name: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Unreadable(f"{name} is not JSON.") from None


def _said(error: BaseException) -> str:
    return f"{getattr(error, 'strerror', None) or str(error) or type(error).__name__}."


# ---- the rows that lists and pages are made of

# A row or an event as JSON gives it.
Told = dict[str, Any]
# What reading a row that is not what it should be raises.
MALFORMED: Final = (
    ArithmeticError,
    AttributeError,
    Broken,
    IndexError,
    KeyError,
    RecursionError,
    TypeError,
    ValueError,
)
# The duties under which a person may decide for a body.
DECIDING_DUTIES: Final = frozenset({"officer", "reviewer", "chair"})
# A row is written in its event's transaction, a moment before or after it.
SECONDS_APART: Final = 60
# Where a proposal may stand when something happens to it, and where it may stand afterwards (None: where it stood).
LIFE: Final[dict[str, tuple[frozenset[str], frozenset[str] | None]]] = {
    "proposal.created": (frozenset({""}), frozenset({"draft"})),
    "proposal.submitted": (frozenset({"draft"}), frozenset({"in_review"})),
    "proposal.resubmitted": (frozenset({"returned"}), frozenset({"in_review"})),
    "proposal.withdrawn": (frozenset({"draft", "in_review", "returned"}), frozenset({"withdrawn"})),
    "proposal.moved": (frozenset({"in_review", "returned"}), None),
    "decision.approved": (frozenset({"in_review"}), frozenset({"in_review", "approved"})),
    "decision.approved-with-conditions": (frozenset({"in_review"}), frozenset({"in_review", "approved"})),
    "decision.returned": (frozenset({"in_review"}), frozenset({"returned"})),
    "decision.sent-back": (frozenset({"in_review"}), frozenset({"in_review"})),
    "decision.declined": (frozenset({"in_review"}), frozenset({"declined"})),
    "attachment.added": (frozenset({"draft", "returned"}), None),
    "attachment.removed": (frozenset({"draft", "returned"}), None),
    "comment.added": (frozenset({"in_review", "returned", "approved", "declined", "withdrawn"}), None),
    "proposal.disposed-of": (frozenset({"approved", "declined", "withdrawn"}), None),
}
OUTCOME_OF: Final = {
    "decision.approved": "approve",
    "decision.approved-with-conditions": "approve-with-conditions",
    "decision.returned": "return",
    "decision.sent-back": "return",
    "decision.declined": "decline",
}
APPROVING: Final = frozenset({"approve", "approve-with-conditions"})
# What a person does to their own proposal, and nobody else.
OF_THE_AUTHOR: Final = frozenset(
    {"proposal.submitted", "proposal.resubmitted", "proposal.withdrawn", "attachment.added", "attachment.removed"}
)
# How a policy version may stand before each of its events, and how it stands after it.
STATUSES: Final = {
    "policy.drafted": (frozenset({""}), "draft"),
    "policy.proposed": (frozenset({"draft"}), "proposed"),
    "policy.taken-back": (frozenset({"proposed"}), "draft"),
    "policy.adopted": (frozenset({"proposed"}), "adopted"),
    "policy.in-force": (frozenset({"adopted"}), "in-force"),
    "policy.superseded": (frozenset({"adopted", "in-force"}), "superseded"),
    "policy.withdrawn": (frozenset({"draft", "proposed", "adopted"}), "withdrawn"),
}


# ---- the law: conditions, routes, and which approvals stand


def condition_holds(condition: Told, facts: Told) -> bool:
    """Whether a rule's condition, of the closed vocabulary, holds for the facts of a proposal and its unit."""
    if "all" in condition:
        return all(condition_holds(part, facts) for part in condition["all"])
    if "any" in condition:
        return any(condition_holds(part, facts) for part in condition["any"])
    if "not" in condition:
        return not condition_holds(condition["not"], facts)
    value = facts[condition["field"]]
    if "is" in condition:
        return bool(value == condition["is"])
    if "in" in condition:
        return value in condition["in"]
    if not isinstance(value, int):
        return False
    return bool(value >= condition["at_least"] if "at_least" in condition else value < condition["less_than"])


class Passed(NamedTuple):
    """A stage that a proposal passes, what its answer does there, and its wave: those of one stand side by side."""

    key: str
    effect: str
    wave: int
    rule: Told

    @property
    def answers(self) -> bool:
        return self.effect != "receive"


def route_under(rules: Told, facts: Told) -> list[Passed]:
    """The stages that a proposal of these facts passes under the rules, in order."""
    route: list[Passed] = []
    wave, open_wave = -1, None
    for rule in rules["route"]:
        effect = effect_under(rule, facts)
        if effect is None or (rule.get("when") is not None and not condition_holds(rule["when"], facts)):
            continue
        if rule.get("wave") is None or rule["wave"] != open_wave:
            wave += 1
        open_wave = rule.get("wave")
        route.append(Passed(rule["key"], effect, wave, rule))
    return route


def effect_under(rule: Told, facts: Told) -> str | None:
    """What a stage does for a proposal of these facts; None where the matrix gives it no part."""
    effect = rule["effect"]
    if isinstance(effect, str):
        return effect
    for case in effect:
        if case.get("when") is None or condition_holds(case["when"], facts):
            return str(case["effect"])
    return None


class Answered(NamedTuple):
    """A decision as far as the route depends on it."""

    stage: str
    outcome: str
    revision: int
    to_stage: str
    by: str
    effect: str


def standing_under(
    rules: Told, route: list[Passed], answers: Iterable[Answered], changes: Mapping[int, Collection[str]]
) -> set[str]:
    """The stages whose approval stands after these answers and the changes that came with each later submission."""
    stages = {stage.key: stage for stage in route}
    reopened = {number: _reopened_by(rules, changed) for number, changed in changes.items()}
    approved: set[str] = set()
    revision = 1
    for answer in answers:
        for number in range(revision + 1, answer.revision + 1):
            approved -= reopened.get(number, set())
        revision = max(revision, answer.revision)
        approved.discard(answer.stage)
        if answer.outcome in APPROVING:
            asked = stages[answer.stage].effect if answer.stage in stages else ""
            # A recommendation is no decision.
            if answer.effect == "decide" or asked != "decide":
                approved.add(answer.stage)
        elif answer.outcome == "return" and answer.to_stage in stages:
            wave = stages[answer.to_stage].wave
            approved -= {stage.key for stage in route if stage.wave > wave} | {answer.to_stage}
        elif answer.outcome == "return" and rules["resubmission"]["resume"] == "first-stage":
            approved.clear()
    for number in range(revision + 1, max(reopened, default=1) + 1):
        approved -= reopened.get(number, set())
    return approved


def _reopened_by(rules: Told, changed: Collection[str]) -> set[str]:
    touched = [
        rule
        for rule in rules.get("reopens") or ()
        if any(path == name or path.startswith(f"{name}.") for path in changed for name in rule["fields"])
    ]
    return {stage for rule in touched for stage in rule["stages"]}


def next_under(route: list[Passed], behind: Collection[str]) -> list[Passed]:
    """The stages that come next: what is missing up to the first wave in which somebody still has to answer."""
    reached: list[Passed] = []
    for _wave, stages in groupby(route, key=lambda stage: stage.wave):
        missing = [stage for stage in stages if stage.key not in behind]
        reached += missing
        if any(stage.answers for stage in missing):
            break
    return reached


def facts_of_content(content: Told, action: str) -> Told:
    """What conditions may read of a proposal's content; those of its unit are added by the caller."""
    delivery = content.get("delivery") or {}
    summary = content.get("summary") or {}
    units, _, hundredths = (delivery.get("credits") or "0").partition(".")
    return {
        "action": action,
        "kind": summary.get("kind", ""),
        "level": summary.get("level", ""),
        "hours": delivery.get("hours") or 0,
        "weeks": delivery.get("weeks") or 0,
        "credit_hundredths": int(units) * 100 + int(f"{hundredths}00"[:2]),
        "partners": len((content.get("partners") or {}).get("partners") or ()),
        "new_resources": (content.get("resources") or {}).get("new_resources", False),
    }


def changed_between(before: Told, after: Told) -> set[str]:
    """The paths of the fields that differ. A field that one of them does not know counts as empty there."""
    changed = set()
    for section in before.keys() | after.keys():
        old, new = before.get(section) or {}, after.get(section) or {}
        for name in old.keys() | new.keys():
            one, other = old.get(name), new.get(name)
            if one != other and (one or other or (name in old and name in new)):
                changed.add(f"{section}.{name}")
    return changed


# ---- what changed with time, as it was known at each place of the log


class Past:
    """A value and when it changed. Only what stands before a place in the log was known there."""

    __slots__ = ("_indexes", "_values")

    def __init__(self) -> None:
        self._indexes: list[int] = []
        self._values: list[Any] = []

    def becomes(self, index: int, value: Any) -> None:
        self._indexes.append(index)
        self._values.append(value)

    def before(self, index: int) -> Any:
        """None where it was not known yet."""
        place = bisect_left(self._indexes, index)
        return self._values[place - 1] if place else None

    @property
    def now(self) -> Any:
        """None where it was never known."""
        return self._values[-1] if self._values else None


@dataclass
class PastPerson:
    """What the events say of a person. `shown` are the commitments that stand for what is theirs."""

    name: Any = None
    title: Any = None
    active: bool = True
    administrator: Past = field(default_factory=Past)
    added: bool = False
    acted: bool = False
    shown: set[str] = field(default_factory=set)


class VersionEvent(NamedTuple):
    place: int
    verb: str
    at: str
    actor: str
    digest: str
    effective_from: str
    motion: str


@dataclass
class Adopted:
    """A policy version as its adoption fixed it; `withdrawn` is the place in the log where it was, if it was."""

    policy: str
    index: int
    effective_from: str
    digest: str
    withdrawn: int | None = None


class PastInstitution:
    """Units, bodies, mandates, people and policy versions, told by the events alone."""

    def __init__(self) -> None:
        self.units: dict[str, Past] = {}
        self.bodies: dict[str, Past] = {}
        self._of_kind: dict[str, list[str]] = {}
        self.mandates: dict[tuple[str, str], dict[tuple[str, str], Past]] = {}
        self.people: dict[str, PastPerson] = {}
        self.erased: dict[str, int] = {}
        self.versions: dict[tuple[str, str], list[VersionEvent]] = {}
        self.adopted: dict[str, Adopted] = {}
        self.rules: dict[str, Told] = {}

    # ---- what each event adds

    def unit(self, code: str, index: int, after: Told) -> None:
        """A unit's name, kind and parent; a change tells a parent by its name."""
        known = dict(self.units[code].now) if code in self.units else {"name": None, "kind": None, "parent": None}
        if code in self.units and "parent" in after:
            after = after | {"parent": self._unit_named(after["parent"])}
        self.units.setdefault(code, Past()).becomes(index, known | {key: after[key] for key in known if key in after})

    def body(self, code: str, index: int, after: Told) -> None:
        """A body's name, kind and unit."""
        known = dict(self.bodies[code].now) if code in self.bodies else {"name": None, "kind": None, "unit": None}
        if code in self.bodies and "unit" in after:
            after = after | {"unit": self._unit_named(after["unit"])}
        named = {"name": after.get("name", after.get("body", known["name"]))}
        told = {key: after[key] for key in ("kind", "unit") if key in after}
        self.bodies.setdefault(code, Past()).becomes(index, known | named | told)
        of_kind = self._of_kind.setdefault(str(told.get("kind", known["kind"])), [])
        if code not in of_kind:
            of_kind.append(code)

    def mandate(self, body: str, index: int, after: Told) -> None:
        """A mandate, or its new end."""
        held = self.mandates.setdefault((after["person"], body), {})
        held.setdefault((after["duty"], after["starts_on"]), Past()).becomes(index, (after["ends_on"],))

    def person(self, key: str, index: int, verb: str, after: Told) -> None:
        person = self.people.setdefault(key, PastPerson())
        if verb == "person.erased":
            self.erased[key] = index
            return
        person.name = after.get("name", person.name)
        person.title = after.get("title", person.title)
        if verb == "person.added":
            person.added = True
        if "administrator" in after:
            person.administrator.becomes(index, after["administrator"] is True)
        if "is_staff" in after:
            person.administrator.becomes(index, after["is_staff"] == "True")
        if "is_active" in after:
            person.active = after["is_active"] == "True"

    def version(self, policy: str, event: VersionEvent, label: str) -> None:
        self.versions.setdefault((policy, label), []).append(event)
        if event.verb == "policy.adopted":
            self.adopted[label] = Adopted(policy, event.place, event.effective_from, event.digest)
        elif event.verb == "policy.withdrawn" and label in self.adopted:
            self.adopted[label].withdrawn = event.place

    def _unit_named(self, name: Any) -> str | None:
        """The code of the only unit of a name; "?" where that is not one."""
        if name in (None, "None"):
            return None
        codes = [code for code, past in self.units.items() if past.now["name"] == name]
        return codes[0] if len(codes) == 1 else "?"

    # ---- what is asked of it

    def lineage(self, unit: str, index: int) -> list[str]:
        """The unit and those it was part of, nearest first."""
        codes: list[str] = []
        code: str | None = unit
        while code is not None and code not in codes and code in self.units:
            codes.append(code)
            code = (self.units[code].before(index) or {}).get("parent")
        return codes

    def seat(self, reference: Told, unit: str, index: int) -> str | None:
        """The body to which a stage's proposals from a unit go: the nearest up the tree, or the only one."""
        found = {
            told["unit"]: code
            for code in self._of_kind.get(reference["kind"], ())
            if (told := self.bodies[code].before(index)) is not None and told["kind"] == reference["kind"]
        }
        if reference.get("of") is None:
            return next(iter(found.values())) if len(found) == 1 else None
        return next((found[code] for code in self.lineage(unit, index) if code in found), None)

    def may_decide(self, person: str, body: str, index: int, days: tuple[str, str]) -> bool:
        """Whether the person held, as far as was known then, a duty that decides for the body on one of these days."""
        first, last = days
        for (duty, starts_on), past in self.mandates.get((person, body), {}).items():
            known = past.before(index)
            if duty in DECIDING_DUTIES and known is not None and starts_on <= last:
                (ends_on,) = known
                if ends_on is None or ends_on >= first:
                    return True
        return False

    def in_force(self, label: str, index: int, days: tuple[str, str]) -> bool:
        """Whether the version governed one of these days, as far as was known then."""
        mine = self.adopted.get(label)
        if mine is None or mine.index >= index or mine.effective_from > days[1]:
            return False
        later = [
            other
            for other in self.adopted.values()
            if other.policy == mine.policy
            and other.index < index
            and mine.effective_from < other.effective_from <= days[0]
            and (other.withdrawn is None or other.withdrawn >= index)
        ]
        return not later and (mine.withdrawn is None or mine.withdrawn >= index)


# ---- notes on every proposal, on disk


class Step(NamedTuple):
    """An event of a proposal's stream."""

    sequence: int
    place: int
    verb: str
    at: str
    actor: str
    name: Any
    title: Any
    body: str
    policy: str | None
    number: int | None
    digest: str | None
    was: str | None
    after: Told
    reason: str


OF_EVENT, OF_PROPOSAL, OF_REVISION, OF_CONTENT, OF_DECISION, OF_COMMENT, OF_MEMO = range(7)


class Notes:
    """What is to be compared, on a temporary file that nobody else sees, and read back proposal by proposal: memory
    stays flat however long the record."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("")
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute("CREATE TABLE note (proposal TEXT, kind INTEGER, place INTEGER, told BLOB)")
        self._waiting: list[tuple[str, int, int, bytes]] = []

    def keep(self, proposal: str, kind: int, place: int, told: Any) -> None:
        """Raises ValueError for a name or a place that no database keeps."""
        proposal.encode()
        if not 0 <= place < 2**63:
            raise ValueError(f"{place} is no place")
        self._waiting.append((proposal, kind, place, marshal.dumps(told)))
        if len(self._waiting) >= 5_000:
            self._flush()

    def of_each(self) -> Iterator[tuple[str, dict[int, list[tuple[int, Any]]]]]:
        """Each proposal with its notes by kind, in the order of their places."""
        self._flush()
        found = self._database.execute("SELECT * FROM note ORDER BY proposal, kind, place")
        for proposal, notes in groupby(found, key=itemgetter(0)):
            by_kind: dict[int, list[tuple[int, Any]]] = {}
            for _proposal, kind, place, told in notes:
                # What this process wrote a moment ago, where nobody else can write.
                by_kind.setdefault(kind, []).append((place, marshal.loads(told)))  # noqa: S302
            yield proposal, by_kind

    def close(self) -> None:
        self._database.close()

    def _flush(self) -> None:
        self._database.executemany("INSERT INTO note VALUES (?, ?, ?, ?)", self._waiting)
        self._waiting.clear()


# ---- the check of the rows


class Rows:
    """Compares every table of a record with its events, and every decision with the law of its day.

    Sees each event go by once; what it keeps of proposals lies on disk. Nothing in a record makes it raise.
    """

    def __init__(self) -> None:
        self.institution = PastInstitution()
        self.disposed: set[str] = set()
        self.report = Report()
        self.zone: ZoneInfo | None = None
        self.counts: dict[str, int] = {}
        self.ahead: list[str] = []
        self._sent_again: set[str] = set()
        self._salts: dict[str, bytes] = {}
        self._commitments: dict[tuple[str, str], str] = {}
        self._checked_files: set[str] = set()
        self._fitting = 0
        self._checklists: dict[tuple[str, str], list[tuple[Any, ...]] | None] = {}
        self._routes: dict[tuple[Any, ...], list[Passed]] = {}
        self._last_event: Callable[[str], int] | None = None
        self._early: list[tuple[str, str]] = []
        self._notes = Notes()

    # ---- events

    def observe(self, index: int, event: dict[str, Any], body: bytes) -> None:
        """Take note of an event. Called for each, in the log's order."""
        try:
            head, _, name = event["subject"].partition("/")
            if head == "proposal":
                self._step(name, index, event)
            actor = event["actor"]
            if isinstance(actor["name"], dict) or isinstance(actor["title"], dict):
                person = self.institution.people.setdefault(actor["key"], PastPerson())
                person.acted = True
                person.shown.update(_commitments_in([actor["name"], actor["title"]]))
            if head in _OF_THE_INSTITUTION:
                self._institutional(head, name, index, event)
        except MALFORMED as error:
            self._early.append(("events", f"Event {index} cannot be understood: {_fault(error)}."))

    def _step(self, reference: str, index: int, event: Told) -> None:
        actor, mark, before = event["actor"], event.get("revision") or {}, event.get("before") or {}
        after = event.get("after") or {}
        verb, sequence = event["verb"], event["sequence"]
        if verb == "proposal.resubmitted":
            self._sent_again.add(reference)
        elif verb == "proposal.disposed-of":
            self.disposed.add(reference)
        told = (index, verb, event["at"], actor["key"], actor["name"], actor["title"], event.get("on_behalf_of") or "")
        rest = (
            event.get("policy_version"),
            mark.get("number"),
            mark.get("digest"),
            before.get("state"),
            after,
            event.get("reason") or "",
        )
        self._notes.keep(reference, OF_EVENT, sequence, (*told, *rest))

    def _institutional(self, head: str, name: str, index: int, event: Told) -> None:
        verb, after, past = event["verb"], event.get("after") or {}, self.institution
        if head == "unit":
            past.unit(name, index, after)
        elif verb in ("body.created", "body.changed"):
            past.body(name, index, after)
        elif verb in ("mandate.given", "mandate.ended"):
            past.mandate(name, index, after)
            past.people.setdefault(after["person"], PastPerson()).shown.update(_commitments_in(after))
        elif head == "person":
            past.person(f"person/{name}", index, verb, after)
            shown = past.people[f"person/{name}"].shown
            shown.update(_commitments_in([event.get("before"), after]))
        elif verb in STATUSES:
            told = (index, verb, event["at"], event["actor"]["key"], after["digest"], after["effective_from"])
            past.version(name, VersionEvent(*told, after.get("motion", "")), after["policy"])

    # ---- rows

    def finish(self, source: Source, report: Report) -> None:
        """Read every table and say what agrees with the events and what does not."""
        self.report = report
        for check, sentence in self._early:
            report.fails(check, sentence)
        self.zone = _zone(getattr(source, "time_zone", ""))
        self._last_event = getattr(source, "last_event", None)
        try:
            self._check_institution(source)
            for table, note in (
                ("proposals", self._note_proposal),
                ("revisions", self._note_revision),
                ("decisions", self._note_decision),
                ("comments", self._note_comment),
                ("memos", self._note_memo),
            ):
                self._read(source, table, note)
            self._check_proposals()
        finally:
            self._notes.close()
        self._say_what_holds()

    def _read(self, source: Source, table: str, take: Callable[[Source, Told], None]) -> None:
        """Hand over each row of a table; what cannot be read is a failure, and the next row is read."""
        number = 0
        try:
            for row in source.rows(table):
                number += 1
                try:
                    take(source, row)
                except MALFORMED as error:
                    self.fails(table, f"Row {number} of {table} cannot be read: {_fault(error)}.")
        except MALFORMED as error:
            self.fails(table, f"The rows of {table} cannot be read beyond row {number}: {_fault(error)}.")
        self.counts[table] = number

    def fails(self, check: str, sentence: str) -> None:
        self.report.fails(check, sentence)

    def _say_what_holds(self) -> None:
        failed = self.report.counts
        for table, number in self.counts.items():
            if not failed[table]:
                self.report.holds(HOLDING[table].format(n=f"{number:,}"))
        if self._fitting and not failed["attachments"]:
            self.report.holds(f"Attached files: {self._fitting:,}, each the one that was sent.")
        if not failed["law"] and not failed["decisions"]:
            self.report.holds("Every decision was one that the policy of its day allowed, by somebody it allowed.")
        if self.ahead:
            named = ", ".join(self.ahead[:5]) + (" and others" if len(self.ahead) > 5 else "")
            self.report.remark(
                f"Proposals on which somebody acted after the last checkpoint were compared as far as it goes:"
                f" {len(self.ahead)} ({named}). What their rows show beyond it, nothing here proves."
            )

    # ---- the institution

    def _check_institution(self, source: Source) -> None:
        past = self.institution
        for table, key, known in (("units", "unit", past.units), ("bodies", "body", past.bodies)):
            self._check_named(source, table, key, known)
        self._check_people(source)
        self._check_mandates(source)
        self._check_policies(source)

    def _check_named(self, source: Source, table: str, key: str, known: dict[str, Past]) -> None:
        seen: set[str] = set()

        def take(_source: Source, row: Told) -> None:
            code = row[key]
            if code not in known:
                self.fails(table, f"The {key} {code} is in the table, and no event says so.")
                return
            if code in seen:
                self.fails(table, f"The {key} {code} stands twice in the table.")
            seen.add(code)
            for name, value in known[code].now.items():
                if value != "?" and row.get(name) != value:
                    said = f"the table says “{row.get(name)}”, the events say “{value}”"
                    self.fails(table, f"The {key} {code}: as its {name}, {said}.")

        self._read(source, table, take)
        for code in known.keys() - seen:
            self.fails(table, f"The {key} {code} is in the events and missing from the table.")

    def _check_people(self, source: Source) -> None:
        seen: set[str] = set()

        def take(_source: Source, row: Told) -> None:
            if row["person"] in seen:
                self.fails("people", f"{row['person']} stands twice in the table.")
            seen.add(row["person"])
            self._person(row)

        self._read(source, "people", take)
        for key, person in self.institution.people.items():
            expected = person.shown and key not in self.institution.erased and (source.is_whole or person.acted)
            if expected and key not in seen:
                self.fails("people", f"{key} is named in the record, was never erased, and is missing from the people.")

    def _person(self, row: Told) -> None:
        key, person, erased = row["person"], self.institution.people.get(row["person"]), self.institution.erased
        if key in erased:
            self.fails("people", f"{key} was erased (event {erased[key]}), and a name is still kept for them.")
            return
        if person is None:
            self.fails("people", f"{key} is among the people, and no event names them.")
            return
        salt = self._salts[key] = from_base64(row["salt"])
        name = commitment_to(salt, row["name"])
        if not person.shown <= {commitment_to(salt, value) for value in row["values"]} | {name}:
            self.fails("people", f"What is kept of {key} does not open every name of theirs in the record.")
        if isinstance(person.name, dict) and person.name != {"commitment": name}:
            self.fails("people", f"{key} is called “{row['name']}”, and the record has another name for them.")
        if isinstance(person.title, dict) and person.title != {"commitment": commitment_to(salt, row["title"])}:
            self.fails("people", f"{key} has the title “{row['title']}”, and the record has another for them.")
        if not person.added:
            if row["administrator"]:
                self.fails("people", f"{key} is an administrator, and no event made them one.")
            return
        for said, value in (("administrator", person.administrator.now), ("active", person.active)):
            if value is not None and row[said] is not value:
                self.fails("people", f"{key}: “{said}” is {row[said]} in the table and {value} by the events.")

    def _check_mandates(self, source: Source) -> None:
        missing = {
            (person, body, duty, starts_on): past.now[0]
            for (person, body), held in self.institution.mandates.items()
            for (duty, starts_on), past in held.items()
        }

        def take(_source: Source, row: Told) -> None:
            key = (row["person"], row["body"], row["duty"], row["starts_on"])
            if key not in missing:
                self.fails("mandates", f"{_mandate(*key)} is in the table, and no event gave it.")
                return
            ends_on = missing.pop(key)
            if row["ends_on"] != ends_on:
                self.fails(
                    "mandates",
                    f"{_mandate(*key)} ends on {row['ends_on'] or 'no day'} in the table, and on"
                    f" {ends_on or 'no day'} by the events.",
                )

        self._read(source, "mandates", take)
        for key in missing:
            self.fails("mandates", f"{_mandate(*key)} is in the events and missing from the table.")

    # ---- policies

    def _check_policies(self, source: Source) -> None:
        missing = dict(self.institution.versions)

        def take(_source: Source, row: Told) -> None:
            events = missing.pop((row["policy"], row["label"]), None)
            if events is None:
                self.fails("policies", f"{row['label']} is among the policies, and no event speaks of it.")
            else:
                self._version(row, events)

        self._read(source, "policies", take)
        for _policy, label in missing:
            self.fails("policies", f"{label} is in the events and missing from the policies.")

    def _version(self, row: Told, events: list[VersionEvent]) -> None:
        label = row["label"]
        status = ""
        for event in events:
            sources, target = STATUSES[event.verb]
            if status not in sources:
                self.fails("policies", f"{label}: {event.verb} (event {event.place}) came when it was “{status}”.")
            status = target
        self._differ("policies", label, "status", row["status"], status)
        if not label.endswith(f", version {row['number']}"):
            self.fails("policies", f"{label} is numbered {row['number']} in the table.")
        counted = b'{"rules":%b,"text":%b}' % (row["rules"].encode(), _write_json(row["text"]).encode())
        is_itself = hashlib.sha256(counted).hexdigest() == row["digest"]
        if not is_itself:
            self.fails("policies", f"{label}: its text or its rules are not those of its digest.")
        fixed = [event for event in events if event.verb not in ("policy.drafted", "policy.taken-back")]
        if status != "draft" and any((row["digest"], row["effective_from"]) != event[4:6] for event in fixed):
            is_itself = False
            self.fails("policies", f"{label}: its digest or its first day is not what its events say.")
        adopted = next((event for event in events if event.verb == "policy.adopted"), None)
        self._differ("policies", label, "motion", row["motion"], adopted.motion if adopted else "")
        self._differ("policies", label, "adopted by", row["adopted_by"], adopted.actor if adopted else None)
        if adopted is not None:
            self._at("policies", label, "adoption", row["adopted_at"], adopted.at)
            if any(event.actor == adopted.actor for event in events if event.verb == "policy.drafted"):
                self.fails("policies", f"{label} was adopted by {adopted.actor}, who drafted it.")
            if is_itself:
                self.institution.rules[label] = json.loads(row["rules"])

    def _differ(self, check: str, what: str, name: str, row: Any, told: Any) -> None:
        if row != told:
            said = f"“{_short(row)}” in the table, “{_short(told)}” by the events"
            self.fails(check, f"{what}: {name} is {said}.")

    def _at(self, check: str, what: str, name: str, row: str, told: str) -> None:
        if abs((_moment_of(row) - _moment_of(told)).total_seconds()) > SECONDS_APART:
            self.fails(check, f"{what}: the time of its {name} is {row} in the table, {told} by the events.")

    # ---- what is kept of each proposal's rows

    def _note_proposal(self, _source: Source, row: Told) -> None:
        self._notes.keep(row["proposal"], OF_PROPOSAL, 0, row)

    def _note_revision(self, source: Source, row: Told) -> None:
        reference, number, text = row["proposal"], row["number"], row["content"]
        what, facts = f"{reference}, submission {number}", None
        if text or reference not in self.disposed:
            counted = b'{"attachments":%b,"content":%b}' % (_write_json(row["attachments"]).encode(), text.encode())
            if hashlib.sha256(counted).hexdigest() != row["digest"]:
                self.fails("revisions", f"{what}: its content or its list of files is not that of its digest.")
            facts = facts_of_content(json.loads(text), "")
            if reference in self._sent_again:
                self._notes.keep(reference, OF_CONTENT, number, text)
        for file in row["attachments"]:
            self._attached(source, reference, what, file)
        kept = ("digest", "attachments", "changed_fields", "note", "submitted_by", "submitted_by_name", "submitted_at")
        told = {name: row[name] for name in kept} | {"facts": facts}
        self._notes.keep(reference, OF_REVISION, number, told)

    def _attached(self, source: Source, reference: str, what: str, file: Told) -> None:
        digest = file["digest"]
        if reference in self.disposed or digest in self._checked_files:
            return
        self._checked_files.add(digest)
        found = _digest_of_file(source, "attachments", digest)
        self._fitting += found == digest
        if found is None and source.leaves_out("attachments", digest):
            return
        if found is None:
            self.fails("attachments", f"{what}: the file “{file['name']}” ({digest[:16]}…) is missing.")
        elif found not in (None, digest):
            self.fails("attachments", f"{what}: the file “{file['name']}” is not the one of its digest {digest[:16]}….")

    def _note_decision(self, _source: Source, row: Told) -> None:
        reference, index = row["proposal"], row["event"]
        wanted = self._checklist(row["policy_version"], row["stage"])
        asked = [tuple(item[name] for name in _ASKED) for item in row["checklist"]]
        if wanted is not None and asked != wanted:
            words = f"the checklist of the stage “{row['stage']}” is not the policy’s."
            self.fails("decisions", f"{reference}: {words}")
        told = {
            **row,
            "checklist": sorted(item["key"] for item in row["checklist"] if item["confirmed"]),
            "asked": sorted(item["key"] for item in row["checklist"]),
            "conditions": [hashlib.sha256(_write_json(each).encode()).hexdigest() for each in row["conditions"]],
        }
        self._notes.keep(reference, OF_DECISION, 2**62 if index is None else index, told)

    def _checklist(self, label: str, stage: str) -> list[tuple[Any, ...]] | None:
        """What a stage is asked before it approves; None where the law is not known."""
        if (label, stage) not in self._checklists:
            rules = self.institution.rules.get(label)
            rule = _rule_of(rules, stage) if rules else None
            items = rule["checklist"] if rule is not None else ()
            self._checklists[label, stage] = (
                [tuple(item[name] for name in _ASKED) for item in items] if rule is not None else None
            )
        return self._checklists[label, stage]

    def _note_comment(self, _source: Source, row: Told) -> None:
        words = commitment_to(from_base64(row["salt"]), row["text"])
        told = {**row, "salt": "", "text": bool(row["text"]), "words": words}
        self._notes.keep(row["proposal"], OF_COMMENT, row["comment"], told)

    def _note_memo(self, source: Source, row: Told) -> None:
        number = row["memo"]
        found = _digest_of_file(source, "memos", number)
        if found is None and source.leaves_out("memos", number):
            self._notes.keep(row["proposal"], OF_MEMO, 0, row)
            return
        if found is None:
            self.fails("memos", f"The file of memo {number} is missing.")
        elif found not in (None, row["digest"]):
            self.fails("memos", f"The file of memo {number} is not the one that was issued: its digest is {found}.")
        self._notes.keep(row["proposal"], OF_MEMO, 0, row)

    # ---- each proposal's course

    def _check_proposals(self) -> None:
        for reference, notes in self._notes.of_each():
            try:
                Course(self, reference, notes).check()
            except MALFORMED as error:
                self.fails("proposals", f"{reference}: its events and rows do not fit each other: {_fault(error)}.")

    def route(self, label: str, rules: Told, facts: Told) -> list[Passed]:
        """The route under a version for these facts, which are always told in one order."""
        known = (label, *facts.values())
        if known not in self._routes:
            if len(self._routes) >= _REMEMBERED:
                self._routes.clear()
            self._routes[known] = route_under(rules, facts)
        return self._routes[known]

    def see_ahead(self, reference: str, version: int) -> None:
        """A proposal's row is ahead of the events that were signed; where the source has later ones, they must be
        there."""
        last = self._last_event(reference) if self._last_event is not None else version
        if last != version:
            self.fails("proposals", f"{reference}: its row counts {version} events, and there are {last}.")
        self.ahead.append(reference)

    def days(self, at: str) -> tuple[str, str]:
        """The first and the last local day that a moment may have fallen on, where the time zone is not known."""
        moment = _moment_of(at)
        if self.zone is not None:
            day = moment.astimezone(self.zone).date().isoformat()
            return day, day
        one = timedelta(days=1)
        return (moment - one).date().isoformat(), (moment + one).date().isoformat()

    def is_name_of(self, person: str, value: str, told: Any) -> bool:
        """Whether a name or title in a row is the one that an event holds, as a commitment or in the open."""
        if not isinstance(told, dict):
            return bool(value == told)
        if person in self.institution.erased:
            return value == ""
        if person not in self._salts:
            return True
        if (person, value) not in self._commitments:
            self._commitments[person, value] = commitment_to(self._salts[person], value)
        return told == {"commitment": self._commitments[person, value]}


# What is said of a table that agrees with the events, by the number of its rows.
HOLDING: Final = {
    "units": "Units: {n}, each as the events say.",
    "bodies": "Bodies: {n}, each as the events say.",
    "people": "People: {n}; every name in the record opens to what is kept of them, and none has a right unsaid.",
    "mandates": "Mandates: {n}, each as the events say, to the day.",
    "policies": "Policy versions: {n}, each word for word what was proposed and adopted.",
    "proposals": "Proposals: {n}, each where its events put it.",
    "revisions": "Submissions: {n}, each word for word what was sent.",
    "decisions": "Decisions: {n}, each as it was recorded.",
    "comments": "Comments: {n}, each in the words that were written.",
    "memos": "Memos: {n}, each as it was issued.",
}
_OF_THE_INSTITUTION: Final = frozenset({"unit", "body", "person", "policy"})
# What a decision repeats of each question of its stage's checklist.
_ASKED: Final = ("key", "text", "clause", "required")
# What a decision's row repeats of its event under the same key.
_OF_DECISION: Final = ("stage", "stage_label", "effect", "seat", "conditions")
# Routes that are remembered: proposals of the same facts go the same way.
_REMEMBERED: Final = 1_000


class Course:
    """One proposal from its first event to its last, beside its rows."""

    def __init__(self, rows: Rows, reference: str, notes: dict[int, list[tuple[int, Any]]]) -> None:
        self.rows, self.past, self.reference = rows, rows.institution, reference
        self.steps = [Step(place, *told) for place, told in notes.get(OF_EVENT, ())]
        self.row: Told | None = self._one_each(notes, OF_PROPOSAL, "proposals", "its row").get(0)
        self.revisions = self._one_each(notes, OF_REVISION, "revisions", "submission")
        self.contents: dict[int, str] = dict(notes.get(OF_CONTENT, ()))
        self.decisions = notes.get(OF_DECISION, [])
        self.comments = self._one_each(notes, OF_COMMENT, "comments", "the comment")
        self.memos = [told for _place, told in notes.get(OF_MEMO, ())]
        self.is_disposed = reference in rows.disposed
        last = self.steps[-1].sequence if self.steps else 0
        self.is_ahead = bool(self.row and self.steps and self.row["version"] > last)
        # What the events have told so far.
        self.stands, self.author, self.unit, self.action = "", "", "", ""
        self.revision = 0
        self.policy: str | None = None
        self.ended_at: str | None = None
        self.sent: dict[int, Step] = {}
        self.decided: dict[int, Step] = {}
        self.answers: list[Answered] = []
        self.changes: dict[int, set[str]] = {}
        self.received: set[tuple[str, int]] = set()
        # The stages that hold it, each with its effect and its body; None where that cannot be known.
        self.open: dict[str, tuple[str, str | None]] | None = {}

    def _one_each(self, notes: dict[int, list[tuple[int, Any]]], kind: int, check: str, words: str) -> dict[int, Told]:
        """The rows of a kind by their place, of which each has one."""
        found: dict[int, Told] = {}
        for place, told in notes.get(kind, ()):
            if place in found:
                self.fails(check, f"{words} {place or ''} stands twice in the table.".replace("  ", " "))
            found[place] = told
        return found

    def fails(self, check: str, words: str) -> None:
        self.rows.fails(check, f"{self.reference}: {words}")

    def differ(self, check: str, what: str, name: str, row: Any, told: Any) -> None:
        self.rows._differ(check, f"{self.reference}{what}", name, row, told)

    def at(self, check: str, what: str, name: str, row: str, told: str) -> None:
        self.rows._at(check, f"{self.reference}{what}", name, row, told)

    def check(self) -> None:
        if not self.steps:
            self.fails("proposals", "there are rows of this proposal, and no event speaks of it.")
            return
        if self.row is None:
            self.fails("proposals", "there are events of this proposal, and it is missing from the table.")
        else:
            self.unit, self.action = self.row["unit"], self.row["action"]
        if self.is_ahead and self.row is not None:
            self.rows.see_ahead(self.reference, self.row["version"])
        for step in self.steps:
            self._live(step)
            taken = _TAKEN.get(step.verb)
            if taken is not None:
                taken(self, step)
        self._check_row()
        self._check_left_over()

    # ---- the lifecycle

    def _live(self, step: Step) -> None:
        """See that this could happen to the proposal where it stood, and put it where it stands now."""
        what = f"{step.verb} on {step.at[:10]} (event {step.place})"
        if not self.stands and step.verb != "proposal.created":
            self.fails("proposals", f"its stream begins with {step.verb} instead of proposal.created.")
            self.stands = str(step.was or "draft")
        if step.verb in OF_THE_AUTHOR and self.author and step.actor != self.author:
            self.fails("proposals", f"{what} was by {step.actor}, who is not its author {self.author}.")
        if step.verb not in LIFE:
            return
        sources, targets = LIFE[step.verb]
        if self.stands not in sources or step.was not in (None, self.stands):
            self.fails("proposals", f"{what} came when it was “{self.stands}”.")
        if targets is None:
            return
        target = step.after.get("state")
        if target is None and len(targets) == 1:
            (target,) = targets
        if target is not None and target not in targets:
            self.fails("proposals", f"{what} cannot leave it “{target}”.")
        if target is not None:
            self.stands = str(target)
        self.ended_at = step.at if self.stands in ("approved", "declined", "withdrawn") else None

    def _created(self, step: Step) -> None:
        self.author = step.actor
        self.unit = step.after.get("unit", self.unit)
        self.action = step.after.get("action", self.action)

    def _sent(self, step: Step) -> None:
        """A submission: numbered, under the law of the day, and given to the stages that its route names."""
        what = f"submission {step.number} of {step.at[:10]} (event {step.place})"
        if step.number != self.revision + 1:
            self.fails("proposals", f"{what} followed submission {self.revision}.")
        first = self.policy is None
        if first and step.policy and not self.past.in_force(step.policy, step.place, self.rows.days(step.at)):
            self.fails("law", f"{what} was bound to “{step.policy}”, which was not in force that day.")
        if not first and step.policy != self.policy:
            self.fails("law", f"{what} was under “{step.policy}”, and the proposal under “{self.policy}”.")
        self.revision, self.policy = step.number or self.revision + 1, step.policy
        self.sent[self.revision] = step
        self._changed(step)
        self.open = {}
        self._hand_on(step)
        self._check_holders(step, what)

    def _changed(self, step: Step) -> None:
        """Which fields differ from the submission before: asked of the contents, not of what the row says."""
        number, mine, earlier = self.revision, self.revisions.get(self.revision), self.revisions.get(self.revision - 1)
        if mine is None or number < 2:
            return
        told = set(mine["changed_fields"])
        if earlier is not None and number in self.contents and number - 1 in self.contents:
            found = changed_between(json.loads(self.contents[number - 1]), json.loads(self.contents[number]))
            if earlier["attachments"] != mine["attachments"]:
                found.add("files")
            if found != told:
                self.fails("revisions", f"submission {number}: the fields that changed are not those that it names.")
            told = found
        self.changes[number] = told

    def _moved(self, step: Step) -> None:
        what = f"the move of {step.at[:10]} (event {step.place})"
        self.policy = step.policy
        person = self.past.people.get(step.actor)
        if step.actor == self.author:
            self.fails("law", f"{what} was by its author {step.actor}.")
        if person is not None and person.administrator.before(step.place) is False:
            self.fails("law", f"{what} was by {step.actor}, who was no administrator.")
        self.open = {}
        if self.stands == "in_review":
            self._hand_on(step)
        self._check_holders(step, what)

    def _stage_received(self, step: Step) -> None:
        self.received.add((step.after.get("stage", ""), step.number or 0))

    # ---- the route

    def _rules(self) -> Told | None:
        return self.past.rules.get(self.policy or "")

    def _route(self, index: int) -> list[Passed] | None:
        """The route of the submission that is before the bodies; None where its law or its content is not known."""
        rules, revision = self._rules(), self.revisions.get(self.revision)
        unit = self.past.units.get(self.unit)
        if rules is None or revision is None or revision["facts"] is None or unit is None:
            return None
        place = {"unit": self.unit, "unit_kind": (unit.before(index) or unit.now)["kind"]}
        return self.rows.route(self.policy or "", rules, revision["facts"] | {"action": self.action} | place)

    def _ahead(self, index: int) -> list[Passed] | None:
        """The stages that should hold it now; none at the end of its route."""
        route, rules = self._route(index), self._rules()
        if route is None or rules is None:
            return None
        changes = {number: changed for number, changed in self.changes.items() if number <= self.revision}
        behind = standing_under(rules, route, self.answers, changes)
        behind |= {stage.key for stage in route if not stage.answers and (stage.key, self.revision) in self.received}
        return next_under(route, behind)

    def _hand_on(self, step: Step) -> None:
        """Give it to the stages that come next and do not hold it already."""
        ahead = self._ahead(step.place)
        if ahead is None or self.open is None:
            self.open = None
            return
        for stage in ahead:
            if stage.answers and stage.key not in self.open:
                seat = self.past.seat(stage.rule["body"], self.unit, step.place)
                self.open[stage.key] = (stage.effect, seat)

    def _check_holders(self, step: Step, what: str) -> None:
        told = step.after.get("stages")
        if self.open is None or told is None or self.stands != "in_review":
            return
        if sorted(told) != sorted(self.open):
            self.fails("law", f"{what} went to {_listed(told)}, and the policy sends it to {_listed(self.open)}.")

    # ---- decisions

    def _decision(self, step: Step) -> None:
        stage, seat = step.after.get("stage", ""), step.after.get("seat")
        what = f"the decision of the stage “{stage}” on {step.at[:10]} (event {step.place})"
        outcome = OUTCOME_OF[step.verb]
        self.decided[step.place] = step
        row = self._row_of(step, what)
        to_stage = self._to_stage(step, row, what)
        if step.after.get("outcome", outcome) != outcome:
            self.fails("decisions", f"{what} has the outcome “{step.after['outcome']}” under the verb {step.verb}.")
        if step.number != self.revision or (
            self.revision in self.sent and step.digest != self.sent[self.revision].digest
        ):
            self.fails("decisions", f"{what} is on another submission than the one that was before the body.")
        if step.policy != self.policy:
            self.fails("law", f"{what} rests on “{step.policy}”, and the proposal is under “{self.policy}”.")
        self._by_whom(step, what, stage, seat)
        effect = step.after.get("effect", "")
        self._as_the_law_says(step, what, stage, outcome)
        self._at_its_stage(what, stage, effect, seat)
        if not effect and self.open is not None and stage in self.open:
            effect = self.open[stage][0]
        self.answers.append(Answered(stage, outcome, self.revision, to_stage, step.actor, effect))
        self._go_on(step, what, stage, outcome, to_stage)

    def _by_whom(self, step: Step, what: str, stage: str, seat: str | None) -> None:
        """The person held the duty that day, and no other that is to be kept apart from it."""
        if seat is not None and not self.past.may_decide(step.actor, seat, step.place, self.rows.days(step.at)):
            self.fails("law", f"{what} was by {step.actor}, who held no duty that day that decides for {seat}.")
        rules = self._rules()
        if rules is None:
            return
        duties = rules["duties"]
        if step.actor == self.author and not duties["author_may_decide"]["allowed"]:
            self.fails("law", f"{what} was by its author {step.actor}.")
        others = {answer.stage for answer in self.answers if answer.by == step.actor} - {stage}
        if others and not duties["one_person_many_stages"]["allowed"]:
            self.fails("law", f"{what} was by {step.actor}, who had decided {_listed(others)} before.")

    def _as_the_law_says(self, step: Step, what: str, stage: str, outcome: str) -> None:
        """The stage is in the policy, may do this, and confirmed what it must."""
        adopted = self.past.adopted.get(step.policy or "")
        if adopted is None or adopted.index >= step.place:
            self.fails("law", f"{what} rests on “{step.policy}”, which had not been adopted.")
        rules = self._rules()
        if rules is None:
            return
        rule = _rule_of(rules, stage)
        if rule is None:
            self.fails("law", f"{what} is of a stage that “{step.policy}” does not have.")
            return
        effects = [rule["effect"]] if isinstance(rule["effect"], str) else [case["effect"] for case in rule["effect"]]
        if step.after.get("effect", effects[0]) not in effects:
            self.fails("law", f"{what} has the effect “{step.after['effect']}”, which the policy does not give it.")
        if outcome not in rule["outcomes"]:
            self.fails("law", f"{what} has the outcome “{outcome}”, which the policy does not give it.")
        if "conditions" in step.after and bool(step.after["conditions"]) != (outcome == "approve-with-conditions"):
            self.fails("decisions", f"{what} is “{outcome}” with {len(step.after['conditions'])} conditions.")
        if outcome not in APPROVING and not step.reason.strip():
            self.fails("law", f"{what} gives no reasons.")
        required = {item["key"] for item in rule["checklist"] if item["required"]}
        lacking = required - set(step.after.get("confirmed", required))
        if outcome in APPROVING and lacking:
            self.fails("law", f"{what} approved without confirming {_listed(lacking)}.")

    def _at_its_stage(self, what: str, stage: str, effect: str, seat: str | None) -> None:
        """The stage held the proposal, with this effect and for this body."""
        if self.open is None:
            return
        if stage not in self.open:
            held = _listed(self.open) or "nobody"
            self.fails("law", f"{what} came when it was not this stage’s turn: it was with {held}.")
            return
        wanted_effect, wanted_seat = self.open[stage]
        if effect and effect != wanted_effect:
            self.fails("law", f"{what} has the effect “{effect}”, and for this proposal it is “{wanted_effect}”.")
        if seat is not None and seat != wanted_seat:
            self.fails("law", f"{what} was made for {seat}, and the policy names {wanted_seat}.")

    def _to_stage(self, step: Step, row: Told | None, what: str) -> str:
        """The key of the stage that it was sent back to; the event has its label."""
        label = step.after.get("to_stage")
        if not label or step.verb != "decision.sent-back":
            return ""
        labels = {rule["key"]: rule["label"] for rule in (self._rules() or {"route": []})["route"]}
        told = row["to_stage"] if row else ""
        if not labels or labels.get(told) == label:
            return str(told)
        if row is not None:
            self.fails("decisions", f"{what} was sent back to “{label}”, and the table says “{told}”.")
        return next((key for key, name in labels.items() if name == label), "")

    def _go_on(self, step: Step, what: str, stage: str, outcome: str, to_stage: str) -> None:
        """Where the proposal goes after the decision, and that it ended if and only if its route did."""
        if outcome not in APPROVING:
            route = self._route(step.place)
            waves = {passed.key: passed.wave for passed in route or ()}
            if to_stage and route is not None and not waves.get(to_stage, 0) < waves.get(stage, 0):
                self.fails("law", f"{what} sent it back to “{to_stage}”, which does not come before it.")
            self.open = {}
            if to_stage:
                self._hand_on(step)
            return
        if self.open is not None:
            self.open.pop(stage, None)
        self._hand_on(step)
        if self.open is None:
            return
        if step.after.get("state") is None:
            self.stands = "in_review" if self.open else "approved"
            self.ended_at = None if self.open else step.at
        elif self.stands == "approved" and self.open:
            self.fails("law", f"{what} ended it as approved, and {_listed(self.open)} had still to answer.")
        elif self.stands == "in_review" and not self.open:
            self.fails("law", f"{what} left it in review at the end of its route.")

    def _row_of(self, step: Step, what: str) -> Told | None:
        """The row of a decision, compared with its event."""
        found: list[Told] = [told for place, told in self.decisions if place == step.place]
        if len(found) != 1:
            self.fails("decisions", f"{what} has {'no row' if not found else f'{len(found)} rows'}.")
            return None
        row, name = found[0], f", {what}"
        told = {
            "outcome": OUTCOME_OF[step.verb],
            "revision": step.number,
            "digest": step.digest,
            "policy_version": step.policy,
            "by": step.actor,
            "body_name": step.body,
            "reasons": step.reason,
        } | {key: step.after[key] for key in _OF_DECISION if key in step.after}
        if "to_stage" in step.after:
            told["to_stage_label"] = step.after["to_stage"] or ""
        for key, value in told.items():
            self.differ("decisions", name, key, row[key], value)
        if "confirmed" in step.after:
            confirmed = sorted(set(step.after["confirmed"]) & set(row["asked"]))
            self.differ("decisions", name, "checklist", row["checklist"], confirmed)
        for key, hidden in (("by_name", step.name), ("by_title", step.title)):
            if not self.rows.is_name_of(step.actor, row[key], hidden):
                self.fails("decisions", f"{what}: the table names “{row[key]}”, and the event somebody else.")
        if bool(row["to_stage"]) != (step.verb == "decision.sent-back"):
            self.fails("decisions", f"{what}: the table sends it back to “{row['to_stage']}”, the event does not.")
        self.at("decisions", name, "making", row["at"], step.at)
        return row

    # ---- comments, memos

    def _comment(self, step: Step) -> None:
        number = step.after.get("comment")
        if number is None:
            return
        what = f"the comment {number} of {step.at[:10]} (event {step.place})"
        row = self.comments.pop(number, None)
        if row is None:
            self.fails("comments", f"{what} has no row.")
            return
        is_emptied = self.is_disposed and not row["text"]
        if not is_emptied and step.after.get("words", {}).get("commitment") != row["words"]:
            self.fails("comments", f"{what} does not have the words that were written.")
        told = {"author": step.actor, "audience": step.after["audience"], "section": step.after["section"] or ""}
        if step.number is not None:
            told["revision"] = step.number
        for key, value in told.items():
            self.differ("comments", f", {what}", key, row[key], value)
        if not self._is_named(step, row["author_name"]):
            self.fails("comments", f"{what}: the table names “{row['author_name']}”, and the event somebody else.")
        if not self._is_named(step, row["author_title"], step.title):
            self.fails("comments", f"{what}: the table has the title “{row['author_title']}”, and the event another.")
        self.at("comments", f", {what}", "writing", row["at"], step.at)

    def _memo(self, step: Step) -> None:
        number = step.after.get("memo")
        row = next((each for each in self.memos if each["memo"] == number), None)
        if row is None:
            self.fails("memos", f"memo {number} was issued on {step.at[:10]} (event {step.place}) and has no row.")
            return
        self.memos.remove(row)
        what = f", memo {number}"
        for key in ("digest", "unsigned_digest", "size"):
            if key in step.after:
                self.differ("memos", what, key, row[key], step.after[key])
        self.at("memos", what, "issue", row["issued_at"], step.at)
        decided = self.decided.get(row["decision"])
        if decided is None or decided.place >= step.place:
            self.fails("memos", f"memo {number} names no decision that was made before it.")
        elif step.after.get("outcome", OUTCOME_OF[decided.verb]) != OUTCOME_OF[decided.verb]:
            self.fails("memos", f"memo {number} says “{step.after['outcome']}”, and its decision does not.")
        elif not self._is_of_decision(step, decided):
            self.fails("memos", f"memo {number} is on another decision than the one that its event names.")
        elif row["checkpoint"] <= decided.place:
            self.fails("memos", f"memo {number} prints a checkpoint that does not cover its decision.")

    def _is_of_decision(self, step: Step, decided: Step) -> bool:
        seats = {each.after["seat"] for each in (step, decided) if "seat" in each.after}
        return step.digest == decided.digest and len(seats) < 2

    def _is_named(self, step: Step, value: str, told: Any = None) -> bool:
        return (self.is_disposed and not value) or self.rows.is_name_of(step.actor, value, told or step.name)

    # ---- the rows at the end

    def _check_row(self) -> None:
        for number, step in self.sent.items():
            self._check_revision(number, step)
        row = self.row
        if row is None:
            return
        self.differ("proposals", "", "author", row["author"], self.author or row["author"])
        self.differ("proposals", "", "unit", row["unit"], self.unit)
        self.differ("proposals", "", "action", row["action"], self.action)
        if self.is_ahead:
            return
        self.differ("proposals", "", "state", row["state"], self.stands)
        self.differ("proposals", "", "submission", row["revision"], self.revision)
        sent = self.sent.get(self.revision)
        if row["title"] is not None and sent is not None and "title" in sent.after:
            self.differ("proposals", "", "title", row["title"], sent.after["title"])
        facts = (self.revisions.get(self.revision) or {}).get("facts")
        if row["kind"] is not None and facts is not None:
            told = (facts["kind"], facts["level"])
            self.differ("proposals", "", "kind and level", (row["kind"], row["level"]), told)
        if self.stands != "in_review":
            self.differ("proposals", "", "stages", row["stages"], [])
        elif self.open is not None:
            self.differ("proposals", "", "stages", row["stages"], sorted(self.open))
        self.differ("proposals", "", "policy version", row["policy_version"], self.policy)
        self.differ("proposals", "", "last event", row["version"], self.steps[-1].sequence)
        if (row["ended_at"] is None) != (self.ended_at is None):
            self.differ("proposals", "", "end", row["ended_at"], self.ended_at)
        elif self.ended_at is not None:
            self.at("proposals", "", "end", row["ended_at"], self.ended_at)
        if (row["disposed_at"] is not None) != self.is_disposed:
            self.differ("proposals", "", "disposal", row["disposed_at"], None)
        self.at("proposals", "", "beginning", row["created_at"], self.steps[0].at)

    def _check_revision(self, number: int, step: Step) -> None:
        what, row = f", submission {number}", self.revisions.get(number)
        if row is None:
            self.fails("revisions", f"submission {number} of {step.at[:10]} (event {step.place}) has no row.")
            return
        self.differ("revisions", what, "digest", row["digest"], step.digest)
        self.differ("revisions", what, "files", row["attachments"], step.after.get("attachments", row["attachments"]))
        self.differ("revisions", what, "sender", row["submitted_by"], step.actor)
        if row["note"] or not self.is_disposed:
            self.differ("revisions", what, "note", row["note"], step.reason)
        if not self._is_named(step, row["submitted_by_name"]):
            self.fails(
                "revisions", f"submission {number} is of “{row['submitted_by_name']}”, and its event names another."
            )
        sections = step.after.get("changed_sections")
        if sections is not None and {path.partition(".")[0] for path in row["changed_fields"]} != set(sections):
            self.fails("revisions", f"submission {number}: the sections that changed are not those of its event.")
        self.at("revisions", what, "sending", row["submitted_at"], step.at)

    def _check_left_over(self) -> None:
        """Rows that no event speaks of. Those of a proposal that is ahead of the checkpoint may be younger than it."""
        for place, told in self.decisions:
            if place not in self.decided and not (self.is_ahead and place > self.steps[-1].place):
                self.fails(
                    "decisions", f"a decision of the stage “{told['stage']}” by {told['by']} is in no event of it."
                )
        if self.is_ahead:
            return
        for number in self.revisions.keys() - self.sent.keys():
            self.fails("revisions", f"submission {number} is in the table, and no event speaks of it.")
        if all(step.after.get("comment") is not None for step in self.steps if step.verb == "comment.added"):
            for number, told in self.comments.items():
                self.fails("comments", f"the comment {number} by {told['author']} is in no event of it.")
        for memo in self.memos:
            self.fails("memos", f"memo {memo['memo']} is in the table, and no event issued it.")


_TAKEN: Final[dict[str, Callable[[Course, Step], None]]] = {
    "proposal.created": Course._created,
    "proposal.submitted": Course._sent,
    "proposal.resubmitted": Course._sent,
    "proposal.moved": Course._moved,
    "stage.received": Course._stage_received,
    "comment.added": Course._comment,
    "memo.issued": Course._memo,
} | dict.fromkeys(OUTCOME_OF, Course._decision)


# ---- small things


def commitment_to(salt: bytes, value: str) -> str:
    """What stands in an event for a value: HMAC-SHA-256 under its owner's salt."""
    return hmac.digest(salt, value.encode(), "sha256").hex()


def _commitments_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if set(value) == {"commitment"}:
            yield value["commitment"]
            return
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _commitments_in(part)


def _digest_of_file(source: Source, kind: str, name: str) -> str | None:
    file = source.file(kind, name)
    if file is None:
        return None
    with file:
        return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]


def _rule_of(rules: Told, stage: str) -> Told | None:
    rules_of_stages: list[Told] = rules["route"]
    return next((rule for rule in rules_of_stages if rule["key"] == stage), None)


def _moment_of(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _zone(name: Any) -> ZoneInfo | None:
    """A time zone that this machine knows; None otherwise."""
    try:
        return ZoneInfo(name) if name else None
    except MALFORMED:
        return None


def _mandate(person: str, body: str, duty: str, starts_on: str) -> str:
    return f"The mandate of {person} as {duty} on {body} from {starts_on}"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"“{name}”" for name in sorted(names))


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 120 else f"{text[:119]}…"


def _fault(error: BaseException) -> str:
    return f"{type(error).__name__} {error}"


# ---- the command

HOLDS: Final = 0
FAILS: Final = 1
UNREADABLE: Final = 2
UNTIED: Final = 3
ABOUT_CODES: Final = """\
It ends with
  0  everything holds, up to a key that you gave with --key or --witnesses
  1  something does not hold; the first such thing is said first
  2  the package cannot be read, is not an export of a record, or is incomplete
  3  the package agrees with itself, but without a key that you brought anybody could have made it so
"""
AGREES_WITH_ITSELF: Final = (
    "No key was given, so this shows that the record agrees with itself, and not whose it is: whoever made all of it"
    " could have made it so. Ask the institution for its key by another way, and give it with --key."
)
_CHECKPOINT: Final = re.compile(
    r"^[^\s\N{EM DASH}]\S*\n[0-9]+\n[A-Za-z0-9+/]{43}=\n(?:[^\n]+\n)*\n(?:\N{EM DASH} \S+ [A-Za-z0-9+/=]+\n)+",
    re.MULTILINE,
)


def find_checkpoint(text: str) -> Checkpoint:
    """The first checkpoint in a text, such as a mail or a memo's proof. Raises Broken where there is none."""
    found = _CHECKPOINT.search(text.replace("\r\n", "\n") + "\n")
    if found is None:
        raise Broken("there is no checkpoint in it.")
    return Checkpoint.parse(found[0])


def exit_code(report: Report, *, tied: bool) -> int:
    """How a command ends that checked a record; `ABOUT_CODES` says it to people."""
    if report.counts["missing"]:
        return UNREADABLE
    if report.failed:
        return FAILS
    return HOLDS if tied else UNTIED


def outcome(code: int, report: Report) -> str:
    """What came out, in a sentence."""
    if code == HOLDS:
        return "The record holds."
    if code == UNTIED:
        return AGREES_WITH_ITSELF
    first = report.first.sentence if report.first else ""
    return f"Not all of it can be checked. {first}" if code == UNREADABLE else f"The record does not hold. {first}"


def as_text(code: int, report: Report) -> str:
    """The report for people."""
    lines = [report.title] if report.title else []
    lines.append(outcome(code, report))
    others = report.failures[1:]
    lines += [f"  Also: {each.sentence}" for each in others]
    if report.failed > len(report.failures):
        lines.append(f"  And {report.failed - len(report.failures):,} more of the kinds above.")
    lines += [f"  Holds: {each}" for each in report.held]
    lines += [f"  Note: {each}" for each in report.remarks]
    return "\n".join(lines) + "\n"


def as_data(code: int, report: Report, check: LogCheck | None) -> dict[str, Any]:
    """The report for programs."""
    return {
        "exit": code,
        "title": report.title,
        "outcome": outcome(code, report),
        "events": check.events if check else 0,
        "checkpoints": check.checkpoints if check else 0,
        "size": check.size if check else 0,
        "tied": check.is_tied if check else False,
        "failed": report.failed,
        "failures": [{"check": each.check, "sentence": each.sentence} for each in report.failures],
        "holds": report.held,
        "remarks": report.remarks,
    }


def read_keys(given: Iterable[str]) -> list[VerifierKey]:
    """Keys as somebody gave them: written out, or in a file, a line each. Raises Broken."""
    return [VerifierKey.parse(line) for each in given for line in _key_lines(each)]


def _key_lines(given: str) -> list[str]:
    if given.count("+") >= 2:
        return [given]
    return [line for line in read_text(given).splitlines() if line.strip()]


def read_since(files: Iterable[str]) -> list[Checkpoint]:
    """Old checkpoints in files. Raises Broken, and says in which."""
    found = []
    for file in files:
        try:
            found.append(find_checkpoint(read_text(file)))
        except Unreadable:
            raise
        except Broken as error:
            raise Broken(f"{file}: {error}") from None
    return found


def read_text(file: str) -> str:
    """The text of a file that was named on the command line. Raises Unreadable."""
    try:
        return Path(file).read_text("utf-8", "replace")
    except (OSError, ValueError) as error:
        raise Unreadable(f"{file} cannot be read: {_said(error)}") from None


def check_package(
    path: Path,
    report: Report,
    *,
    keys: Iterable[VerifierKey] = (),
    since: Iterable[Checkpoint] = (),
    policy: str = "",
    observers: Sequence[Observer] = (),
    progress: Callable[[int], None] = lambda events: None,
) -> LogCheck:
    """Check an export. Raises Unreadable where it cannot be read to its end; the report holds what was found so far."""
    source = FolderSource(path)
    report.title = source.title
    source.check_files(report)
    text = policy or source.witness_policy()
    wanted = WitnessPolicy.parse(text) if text else None
    check = LogCheck(
        source,
        report,
        keys=[*keys, *(wanted.logs if policy and wanted else ())],
        since=since,
        policy=wanted,
        progress=progress,
    )
    check.run(observers)
    return check


def _show_progress(events: int) -> None:
    sys.stderr.write(f"\r{events:,} events")
    sys.stderr.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Check a package and say what was found."""
    parser = argparse.ArgumentParser(
        prog="verify.py",
        description="Checks an export of a record that Assent keeps. It needs nothing but this file and Python.",
        epilog=ABOUT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("package", metavar="PACKAGE", type=Path, help="the export: a folder, or the zip file")
    parser.add_argument("--key", action="append", default=[], help="a key that you trust, name+id+base64, or its file")
    parser.add_argument(
        "--since", action="append", default=[], metavar="FILE", help="an old checkpoint that the log must continue"
    )
    parser.add_argument("--witnesses", metavar="FILE", help="your own witness policy (C2SP tlog-policy)")
    parser.add_argument("--json", action="store_true", help="answer in JSON")
    options = parser.parse_args(arguments)
    report, check = Report(), None
    watched = sys.stderr.isatty()
    try:
        check = check_package(
            options.package,
            report,
            keys=read_keys(options.key),
            since=read_since(options.since),
            policy=read_text(options.witnesses) if options.witnesses else "",
            observers=[Rows()],
            progress=_show_progress if watched else lambda events: None,
        )
        code = exit_code(report, tied=check.is_tied)
    except Broken as error:
        report.fails("missing", str(error))
        code = UNREADABLE
    except KeyboardInterrupt:
        return 130
    if watched:
        sys.stderr.write("\r\033[K")
    text = (
        json.dumps(as_data(code, report, check), ensure_ascii=False) + "\n" if options.json else as_text(code, report)
    )
    sys.stdout.buffer.write(text.encode(errors="replace"))
    return code


if __name__ == "__main__":
    sys.exit(main())
