"""The page that opens a package for people: what is in here, how to check it, and each proposal where there are few."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from django.template.loader import render_to_string
from django.utils.timezone import localtime

from governance.dates import in_full
from governance.policies.vocabulary import Outcome
from workflows.proposals.states import State

Row = dict[str, Any]
# A page shows proposals, and the events behind them, as long as there are no more; and files of one folder.
MOST_PROPOSALS: Final = 100
MOST_EVENTS: Final = 20_000
MOST_FILES: Final = 200


@dataclass
class Files:
    """The files of one folder of the package."""

    count: int = 0
    rows: int = 0
    size: int = 0
    named: list[Row] = field(default_factory=list)

    def add(self, file: Row) -> None:
        self.count += 1
        self.rows += file.get("rows", 0)
        self.size += file["size"]
        if self.count <= MOST_FILES:
            self.named.append(file)

    @property
    def others(self) -> int:
        """How many the manifest alone names."""
        return self.count - len(self.named)


@dataclass
class Told:
    """A proposal as the page shows it."""

    reference: str
    state: str
    title: str = ""
    events: int = 0
    stretches: dict[str, str] = field(default_factory=dict)
    decisions: list[Row] = field(default_factory=list)
    memos: list[str] = field(default_factory=list)
    attachments: dict[str, str] = field(default_factory=dict)


def index_page(folder: Path, head: Row, files: Iterable[Row]) -> str:
    """The page of a package in a folder whose other files are all written."""
    folders: dict[str, Files] = {}
    proposals = 0
    missing, left_out = set(), set()
    for file in files:
        if "missing" in file:
            missing.add(file["missing"])
        elif "left_out" in file:
            left_out.add(file["left_out"])
        else:
            within, _, _ = file["file"].rpartition("/")
            folders.setdefault(within, Files()).add(file)
            if file["file"] == "proposals.jsonl":
                proposals = file["rows"]
    is_small = proposals <= MOST_PROPOSALS and head["events"] <= MOST_EVENTS
    made_at = localtime(datetime.fromisoformat(head["made_at"]))
    context = {
        "head": head,
        "made_at": made_at,
        "made_on": in_full(made_at.date()),
        "proposals": _proposals(folder, head, folders, missing | left_out) if is_small else [],
        "folders": sorted(folders.items()),
        "missing": sorted(missing)[:MOST_FILES],
        "missing_count": len(missing),
        "left_out_count": len(left_out),
    }
    return render_to_string("auditing/export_index.html", context)


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a file of JSON lines."""
    with path.open("rb") as file:
        for line in file:
            yield json.loads(line)


def _proposals(folder: Path, head: Row, folders: dict[str, Files], absent: set[str]) -> list[Told]:
    """Each proposal of a small package, in the order of its rows."""
    with_files = head["scope"]["asked"]["files"]
    told = {
        row["proposal"]: Told(row["proposal"], str(State(row["state"]).label))
        for row in read_rows(folder / "proposals.jsonl")
    }
    for row in read_rows(folder / "revisions.jsonl"):
        one = told[row["proposal"]]
        one.title = _title(row["content"]) or one.title
        for kept in row["attachments"]:
            name = f"attachments/{kept['digest']}"
            if with_files and name not in absent:
                one.attachments[name] = kept["name"]
    for row in read_rows(folder / "decisions.jsonl"):
        told[row["proposal"]].decisions.append({**row, "outcome": Outcome(row["outcome"]).label})
    for row in read_rows(folder / "memos.jsonl"):
        told[row["proposal"]].memos.append(row["memo"])
    _count_events(folder, folders, told)
    return list(told.values())


def _count_events(folder: Path, folders: dict[str, Files], told: dict[str, Told]) -> None:
    """Count each proposal's events, and note in which files they stand."""
    for file in folders["events"].named if "events" in folders else ():
        counts: Counter[str] = Counter()
        with (folder / file["file"]).open("rb") as lines:
            for line in lines:
                kind, _, reference = json.loads(line.split(b" ", 1)[1])["subject"].partition("/")
                if kind == "proposal":
                    counts[reference] += 1
        for reference in counts.keys() & told.keys():
            told[reference].events += counts[reference]
            told[reference].stretches[file["file"]] = file["file"].removeprefix("events/")


def _title(content: str) -> str:
    """The title in a submission's words; none where they were disposed of."""
    try:
        return str(json.loads(content)["summary"]["title"])
    except (ValueError, KeyError, TypeError):
        return ""
