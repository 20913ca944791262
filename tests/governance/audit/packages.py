"""Exports made by hand, as docs/record.md describes them, so that tests can spoil them."""

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.audit.merkle import WIDTH, Tree, complete_root
from governance.audit.verifier import (
    COSIGNATURE,
    SIGNATURE,
    Note,
    SignatureLine,
    VerifierKey,
    checkpoint_text,
    cosigned_text,
    leaf_hash,
    to_base64,
)

BEGUN = 1_780_000_000
A_MINUTE = 60


class Signer:
    """Somebody who signs: the log, or a witness."""

    def __init__(self, name: str = "example.edu/record", seed: int = 1, kind: int = SIGNATURE) -> None:
        self.private = Ed25519PrivateKey.from_private_bytes(bytes([seed] * 32))
        self.key = VerifierKey(name, kind, self.private.public_key().public_bytes_raw())

    def plain(self, text: str) -> SignatureLine:
        return SignatureLine(self.key.name, self.key.id, self.private.sign(text.encode()))

    def timed(self, text: str, moment: int) -> SignatureLine:
        key = VerifierKey(self.key.name, COSIGNATURE, self.key.public)
        signed = moment.to_bytes(8, "big") + self.private.sign(cosigned_text(text, moment))
        return SignatureLine(key.name, key.id, signed)


def witness(seed: int) -> Signer:
    return Signer(f"witness-{seed}.example.org", seed, COSIGNATURE)


@dataclass
class Log:
    """A record as it grows, and the export of it."""

    signer: Signer = field(default_factory=Signer)
    bodies: list[bytes] = field(default_factory=list)
    checkpoints: list[str] = field(default_factory=list)
    keys: list[VerifierKey] = field(default_factory=list)
    now: int = BEGUN
    policy: str = ""
    streams: Counter[str] = field(default_factory=Counter)

    def event(self, subject: str = "delivery/1", **given: Any) -> bytes:
        """Write one more event, a minute after the one before."""
        self.now += A_MINUTE
        self.streams[subject] += 1
        at = datetime.fromtimestamp(self.now, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        facts: dict[str, Any] = {
            "version": 1,
            "subject": subject,
            "sequence": self.streams[subject],
            "verb": "delivery.tried-again",
            "at": at,
            "actor": {"key": "system", "name": "Assent", "title": ""},
            "on_behalf_of": None,
            "policy_version": None,
            "revision": None,
            "before": None,
            "after": None,
            "reason": None,
        } | given
        self.bodies.append(rfc8785.dumps(facts))
        return self.bodies[-1]

    def introduce(self, signer: Signer, **after: Any) -> None:
        """Write that from now on another key signs."""
        previous = str(self.keys[-1]) if self.keys else None
        self.event("log", verb="key.introduced", after={"key": str(signer.key), "previous": previous} | after)
        self.keys.append(signer.key)

    def sign(self, signer: Signer | None = None, *, size: int | None = None, witnesses: Iterable[Signer] = ()) -> str:
        """Sign the log as it stands."""
        self.now += A_MINUTE
        signer = signer or self.signer
        if signer.key not in self.keys:
            self.keys.append(signer.key)
        size = len(self.bodies) if size is None else size
        text = checkpoint_text(signer.key.name, size, self.tree(size).root())
        lines = [signer.plain(text), signer.timed(text, self.now), *(one.timed(text, self.now) for one in witnesses)]
        self.checkpoints.append(str(Note(text, tuple(lines))))
        return self.checkpoints[-1]

    def tree(self, size: int) -> Tree:
        return Tree(size, self._tile)

    def _tile(self, level: int, index: int) -> list[bytes]:
        row = list(map(leaf_hash, self.bodies))
        for _ in range(level):
            row = [complete_root(row[at : at + WIDTH]) for at in range(0, len(row) - WIDTH + 1, WIDTH)]
        return row[index * WIDTH : (index + 1) * WIDTH]

    # ---- the export

    def write(self, folder: Path, *, only: Callable[[bytes], bool] | None = None) -> Path:
        """Write the export of everything, or of the events that `only` picks, with their proofs."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        sizes = [int(note.split("\n")[1]) for note in self.checkpoints]
        sealed = sizes[-1] if sizes else 0
        chosen = [(at, body) for at, body in enumerate(self.bodies[:sealed]) if only is None or only(body)]
        tree = self.tree(sealed)
        rows = [{"size": size, "note": note} for size, note in zip(sizes, self.checkpoints, strict=True)]
        if only is not None:
            rows = [row | {"consistency": list(map(to_base64, tree.consistency(row["size"])))} for row in rows]  # type: ignore[arg-type]
        (folder / "checkpoints.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        (folder / "keys.txt").write_text("".join(f"{key}\n" for key in self.keys))
        if self.policy:
            (folder / "witnesses.tlog-policy").write_text(self.policy)
        for at in range(0, len(chosen), 5):
            some = chosen[at : at + 5]
            put(folder / f"events/{some[0][0]:012d}.txt", b"".join(b"%d %b\n" % each for each in some))
            if only is not None:
                proofs = [{"index": at, "hashes": list(map(to_base64, tree.inclusion(at)))} for at, _ in some]
                put(folder / f"proofs/{some[0][0]:012d}.jsonl", "".join(map(lined, proofs)).encode())
        manifest(folder, size=sealed, whole=only is None)
        return folder


def lined(row: Any) -> str:
    return json.dumps(row) + "\n"


def put(path: Path, data: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)


def manifest(folder: Path, **given: Any) -> None:
    """Write the manifest of what is in the folder, as whoever spoiled it would."""
    path = folder / "manifest.json"
    head = json.loads(path.read_text()) if path.exists() else {"format": "assent-record/1", "institution": "Example"}
    whole, size = given.get("whole", head.get("scope", {}).get("whole")), given.get("size", head.get("size"))
    files = {
        str(each.relative_to(folder)): {"sha256": hashlib.sha256(each.read_bytes()).hexdigest()}
        for each in sorted(folder.rglob("*"))
        if each.is_file() and each != path
    }
    path.write_text(json.dumps(head | {"size": size, "scope": {"whole": whole, "words": "a part"}, "files": files}))
