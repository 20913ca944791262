"""Writes the record into a folder that a stranger can check, as `docs/record.md` describes it.

Each file is written beside its place and put there when it is whole, after a line in the journal has said what it
holds. Killed anywhere and run again, the writing goes on behind the last whole file, at the checkpoint that it began
with. The manifest is made of the journal and comes last: a folder without one is not finished.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.utils.translation import override

from governance import clock
from governance.audit import verifier
from governance.audit.models import Checkpoint
from governance.refusals import NotPossible
from workflows.auditing.exporting.index import index_page, read_rows
from workflows.auditing.exporting.selection import Selection
from workflows.auditing.rows import Row
from workflows.auditing.source import TABLES, DatabaseSource, Scope

FORMAT: Final = "assent-record/1"
JOURNAL: Final = ".unfinished.jsonl"
DRAFT: Final = f"{JOURNAL}.part"
MANIFEST: Final = "manifest.json"
EVENTS_A_FILE: Final = 10_000
PIECE: Final = 1 << 20
STYLE: Final = Path(__file__).with_name("index.css")

# The last of the tables that tell of the institution and not of proposals.
LAST_OF_INSTITUTION: Final = "policies.jsonl"

Lines = Callable[[], Iterable[bytes]]


@dataclass(frozen=True)
class Progress:
    """How many events are written, of how many, and the file that was written last."""

    done: int
    total: int
    file: str


class InstitutionChanged(Exception):
    """Rows of the institution were written that the checkpoint does not know: the package is to be begun again."""


class Package:
    """A folder that holds the record, or will."""

    def __init__(self, folder: Path, selection: Selection) -> None:
        """Raises NotPossible for a folder in which something else lies, or another package."""
        self.folder = folder
        self.selection = selection
        self._begun: dict[str, Any] | None = None
        if (folder / JOURNAL).is_file():
            self._begun = _mended(folder)
        elif (folder / MANIFEST).is_file():
            self._begun = _head_of_manifest(folder / MANIFEST)
        elif folder.exists() and (not folder.is_dir() or {each.name for each in folder.iterdir()} - {DRAFT}):
            raise NotPossible(f"{folder} is not an empty folder, and no export that was begun.")
        if self._begun is not None and self._begun["scope"]["asked"] != selection.as_data():
            raise NotPossible(f"{folder} holds another export: {self._begun['scope']['words']}.")

    @property
    def is_begun(self) -> bool:
        return self._begun is not None

    @property
    def is_finished(self) -> bool:
        return (self.folder / MANIFEST).is_file() and not (self.folder / JOURNAL).exists()

    @property
    def head(self) -> dict[str, Any]:
        """What stands in the manifest before its files."""
        if self._begun is None:
            raise RuntimeError("a package is begun before it is written")
        return self._begun

    def begin(self, checkpoint: Checkpoint) -> None:
        """Settle what goes in: the record as that checkpoint signs it. Its words are in the institution's language."""
        scope = self.selection.scope(checkpoint)
        with override(settings.LANGUAGE_CODE):
            words = self.selection.words
        source = DatabaseSource(scope, checkpoint)
        head = {
            "format": FORMAT,
            "institution": settings.INSTITUTION,
            "log": checkpoint.note.partition("\n")[0],
            "made_at": clock.now().isoformat(timespec="seconds"),
            "time_zone": settings.TIME_ZONE,
            "scope": {
                "words": words,
                "asked": self.selection.as_data(),
                "whole": scope.is_whole,
                "references": None if scope.references is None else sorted(scope.references),
            },
            "size": checkpoint.size,
            "events": len(source.indexes),
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = self.folder / DRAFT
        draft.write_bytes(_line(head))
        draft.replace(self.folder / JOURNAL)
        self._begun = head

    def start_over(self) -> None:
        """Throw away what was written, so that it can be begun at a later checkpoint."""
        shutil.rmtree(self.folder)
        self._begun = None
        del self.source

    @cached_property
    def source(self) -> DatabaseSource:
        """The record as of the checkpoint that the package began with."""
        references = self.head["scope"]["references"]
        scope = Scope(None if references is None else frozenset(references))
        return DatabaseSource(scope, Checkpoint.objects.get(size=self.head["size"]))

    def write(self) -> Iterator[Progress]:
        """Write what is missing, and say after each file written how far it is. Whoever asks no further stops it.

        Raises InstitutionChanged.
        """
        if self.is_finished:
            return
        done, total = 0, self.head["events"]
        for name, lines in self._files():
            if name.startswith("events/"):
                done = min(total, done + EVENTS_A_FILE)
            if not (self.folder / name).exists():
                self._put(name, lines())
                if name == LAST_OF_INSTITUTION and self.source.institution_moved_on():
                    raise InstitutionChanged
                yield Progress(done, total, name)
        self._finish()
        yield Progress(done, total, MANIFEST)

    def _files(self) -> Iterator[tuple[str, Lines]]:
        """Every file and how to write it. The tables come first, to be as near to the checkpoint as can be."""
        source = self.source
        for table in TABLES:
            yield f"{table}.jsonl", lambda table=table: map(_line, source.rows(table))  # type: ignore[misc]
        yield "verify.py", lambda: [Path(verifier.__file__).read_bytes()]
        yield "keys.txt", lambda: (f"{key}\n".encode() for key in source.keys())  # noqa: SIM118  # no dictionary
        if policy := source.witness_policy():
            yield "witnesses.tlog-policy", lambda: [policy.encode()]
        yield "checkpoints.jsonl", lambda: map(_line, source.checkpoints())
        for first in range(0, len(source.indexes), EVENTS_A_FILE):
            some = source.indexes[first : first + EVENTS_A_FILE]
            name = f"{some[0]:012d}"
            yield (
                f"events/{name}.txt",
                lambda some=some: (b"%d %b\n" % event for event in source.events_at(some)),  # type: ignore[misc]
            )
            if not source.is_whole:
                yield (
                    f"proofs/{name}.jsonl",
                    lambda some=some: (  # type: ignore[misc]
                        _line({"index": index, "hashes": hashes})
                        for index, hashes in zip(some, source.proofs_at(some), strict=True)
                    ),
                )
        if self.selection.with_files:
            yield from self._named_files()
        yield "index.css", lambda: [STYLE.read_bytes()]
        yield "index.html", lambda: [self._index().encode()]

    def _index(self) -> str:
        with override(settings.LANGUAGE_CODE):
            return index_page(self.folder, self.head, self.journal())

    def _named_files(self) -> Iterator[tuple[str, Lines]]:
        """The files that the package's own rows name, so that both are of one moment. One that is gone is noted.

        A confidential one is left out, because its author is promised to see everybody who reads it.
        """
        confidential = {kept["digest"] for kept in self._attached() if kept.get("confidential")}
        for digest in sorted(confidential):
            self._note({"left_out": f"attachments/{digest}"})
        memos = (("memos", row["memo"], ".pdf") for row in read_rows(self.folder / "memos.jsonl"))
        attached = (
            ("attachments", kept["digest"], "") for kept in self._attached() if kept["digest"] not in confidential
        )
        for kind, key, suffix in chain(memos, attached):
            name = f"{kind}/{key}{suffix}"
            if (self.folder / name).exists():
                yield name, list
                continue
            file = self.source.file(kind, key)
            if file is None:
                self._note({"missing": name})
            else:
                with file:
                    yield name, lambda file=file: iter(lambda: file.read(PIECE), b"")  # type: ignore[misc]

    def _attached(self) -> Iterator[Row]:
        return (kept for row in read_rows(self.folder / "revisions.jsonl") for kept in row["attachments"])

    def _put(self, name: str, lines: Iterable[bytes]) -> None:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        draft = path.with_name(f"{path.name}.part")
        digest, size, rows = hashlib.sha256(), 0, 0
        with draft.open("wb") as file:
            for line in lines:
                file.write(line)
                digest.update(line)
                size, rows = size + len(line), rows + 1
        told: Row = {"file": name, "size": size, "sha256": digest.hexdigest()}
        # First the line, then the name: a file that is there has its line.
        self._note(told | {"rows": rows} if name.endswith((".jsonl", ".txt")) else told)
        draft.replace(path)

    def _note(self, line: Row) -> None:
        with (self.folder / JOURNAL).open("ab") as journal:
            journal.write(_line(line))

    def journal(self) -> Iterator[Row]:
        """What is known of each file: its name, size, digest and rows; or that it is missing, or left out."""
        lines = read_rows(self.folder / JOURNAL)
        next(lines)
        return lines

    def _finish(self) -> None:
        """Make the manifest of the journal, line by line, and take the journal away."""
        absent: dict[str, set[str]] = {"missing": set(), "left_out": set()}
        for line in self.journal():
            for why in absent.keys() & line.keys():
                absent[why].add(line[why])
        head = self.head | {why: sorted(names) for why, names in absent.items()}
        text = json.dumps(head, ensure_ascii=False, indent=1).removesuffix("}").rstrip()
        draft = self.folder / f"{MANIFEST}.part"
        with draft.open("w", encoding="utf-8") as manifest:
            manifest.write(f'{text},\n "files": {{')
            comma = ""
            for line in self.journal():
                if "file" in line:
                    name = json.dumps(line.pop("file"), ensure_ascii=False)
                    manifest.write(f"{comma}\n  {name}: {json.dumps(line)}")
                    comma = ","
            manifest.write("\n }\n}\n")
        draft.replace(self.folder / MANIFEST)
        (self.folder / JOURNAL).unlink()


def _line(row: Row) -> bytes:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _mended(folder: Path) -> dict[str, Any]:
    """The journal's head, once it ends with a whole line about a file that is there. Killed, it may not."""
    path = folder / JOURNAL
    whole = last = 0
    with path.open("rb") as file:
        head: dict[str, Any] = json.loads(file.readline())
        whole = last = file.tell()
        line = b"{}"
        for text in file:
            if not text.endswith(b"\n"):
                break
            whole, last, line = whole + len(text), whole, text
    name = json.loads(line).get("file")
    keep = last if name and not (folder / name).exists() else whole
    with path.open("r+b") as file:
        file.truncate(keep)
    return head


def _head_of_manifest(path: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(path.read_bytes())
    return manifest
