"""What forms with many fields share: plain line ends, dates, and rows that buttons add and remove.

Example: "Remove" beside the second question posts the whole form, and the third question becomes the second.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from django import forms
from django.http import QueryDict

MOST_ROWS: Final = 20


def with_plain_line_ends(words: str) -> str:
    """Words as the record keeps them, whichever line ends the browser sent."""
    return words.replace("\r\n", "\n").replace("\r", "\n")


class DayInput(forms.DateInput):
    """The browser's own box for dates; a plain one when what was typed is no date, so that it stays to be seen."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        if value and not isinstance(value, date) and not re.fullmatch(r"\d{4}-\d\d-\d\d", str(value)):
            context["widget"]["type"] = "text"
        return context


# ---- rows of what was typed


def row_count(data: Mapping[str, Any], name: str) -> int:
    """How many rows of a list the page had."""
    count = str(data.get(f"{name}-rows", ""))
    return min(int(count), MOST_ROWS) if count.isdecimal() and len(count) < 4 else 0


def with_row(data: QueryDict, name: str) -> QueryDict:
    """What was typed, with an empty row at the end of a list."""
    changed = data.copy()
    changed[f"{name}-rows"] = str(min(row_count(data, name) + 1, MOST_ROWS))
    return changed


def without_row(data: QueryDict, name: str, gone: int) -> QueryDict:
    """What was typed, without one row of a list; the rows after it move up."""
    count = row_count(data, name)
    if not 0 <= gone < count:
        return data
    changed = data.copy()
    numbered = re.compile(rf"{re.escape(name)}-(\d+)-(.+)")
    for key in data:
        match = numbered.fullmatch(key)
        if match and int(match[1]) >= gone:
            del changed[key]
            if int(match[1]) > gone:
                changed.setlist(f"{name}-{int(match[1]) - 1}-{match[2]}", data.getlist(key))
    changed[f"{name}-rows"] = str(count - 1)
    return changed
