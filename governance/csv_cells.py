"""Lists as CSV files that a spreadsheet opens as words: what somebody typed never becomes a formula there.

Example: a proposal called "=1+1" stands in the cell as "'=1+1".
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from django.utils import timezone

# Spreadsheets take a cell for a formula that begins so, some of them in full-width forms or after spaces too.
BEGIN_FORMULAS: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
CONTROLS: Final = ("\t", "\r", "\n")

Cell = str | int | Decimal | date | datetime | None


def safe_cell(value: Cell) -> str:
    """The cell as it stands in the file: dates in ISO form, times where the institution is; words never a formula."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return timezone.localtime(value).isoformat(timespec="minutes")
    if isinstance(value, str):
        risky = value.startswith(CONTROLS) or value.lstrip().startswith(BEGIN_FORMULAS)
        return f"'{value}" if risky else value
    return value.isoformat() if isinstance(value, date) else str(value)


def csv_lines(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """The lines of a CSV file one by one, so that a long list is sent as it is read.

    It begins with a byte order mark, without which Excel takes UTF-8 for something else. Every cell is quoted: where
    the decimal sign is a comma, spreadsheets also divide what is not quoted at each semicolon.
    """
    writer = csv.writer(_Echo(), quoting=csv.QUOTE_ALL)
    yield "\ufeff"
    yield writer.writerow([safe_cell(cell) for cell in head])
    for row in rows:
        yield writer.writerow([safe_cell(cell) for cell in row])


class _Echo:
    """A file that gives back what is written to it: `writerow` returns what `write` does."""

    def write(self, line: str) -> str:
        return line
