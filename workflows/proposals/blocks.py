"""The typed blocks that a section of a content document is drawn with, and that hold what changed in it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from governance.redline import Mark, Marked


class Shape(StrEnum):
    """How a block is drawn; the value names its template."""

    FACTS = "facts"
    PROSE = "prose"
    NUMBERED = "numbered"
    ENTRIES = "entries"
    MATRIX = "matrix"
    FILES = "files"


@dataclass(frozen=True)
class Fact:
    """A short answer under its question; `href` where the answer is an address in the web."""

    label: str
    words: Marked
    href: str = ""


@dataclass(frozen=True)
class Facts:
    shape: ClassVar = Shape.FACTS
    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class Prose:
    shape: ClassVar = Shape.PROSE
    label: str
    words: Marked


@dataclass(frozen=True)
class Numbered:
    """The learning outcomes: sentences with their numbers; a removed one has none."""

    shape: ClassVar = Shape.NUMBERED
    label: str
    items: tuple[tuple[int | None, Marked], ...]


@dataclass(frozen=True)
class Entry:
    """One item of a list: its name, short answers, longer ones, and whether all of it was added or removed."""

    title: Marked
    facts: tuple[Fact, ...]
    prose: tuple[Prose, ...]
    mark: Mark


@dataclass(frozen=True)
class Entries:
    shape: ClassVar = Shape.ENTRIES
    label: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Cell:
    """Whether an assessment covers an outcome, and how it did before if that changed."""

    now: str
    was: str = ""
    mark: Mark = Mark.SAME


@dataclass(frozen=True)
class MatrixColumn:
    title: str
    weight: int | None
    mark: Mark


@dataclass(frozen=True)
class MatrixRow:
    number: int | None
    text: str
    mark: Mark
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Matrix:
    """The alignment matrix; `open_outcomes` are the numbers of outcomes that no assessment assesses."""

    shape: ClassVar = Shape.MATRIX
    label: str
    columns: tuple[MatrixColumn, ...]
    rows: tuple[MatrixRow, ...]
    open_outcomes: tuple[int, ...]

    @property
    def changed_cells(self) -> int:
        return sum(cell.mark is not Mark.SAME for row in self.rows for cell in row.cells)


@dataclass(frozen=True)
class File:
    name: str
    digest: str
    size: int
    mark: Mark
    confidential: bool = False


@dataclass(frozen=True)
class Files:
    shape: ClassVar = Shape.FILES
    files: tuple[File, ...]


Block = Facts | Prose | Numbered | Entries | Matrix | Files


@dataclass(frozen=True)
class SectionView:
    """One section as a page shows it."""

    key: str
    number: int
    label: str
    blocks: tuple[Block, ...]
    changed: bool
    added_words: int = 0
    removed_words: int = 0
    changed_cells: int = 0
    changes: tuple[str, ...] = ()
