"""Lists cut by a key and not by a page number, so that the last page costs what the first does.

A cursor is the key of the row at the edge of the page shown, in letters that mean nothing to a reader of the address.
"""

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

PAGE: Final = 50
COUNT_UP_TO: Final = 1_000


def whole_number(value: Any) -> int:
    """A whole number that fits a column. Raises ValueError."""
    if not isinstance(value, int) or abs(value) >= 2**63:
        raise ValueError(value)
    return value


def aware_moment(value: Any) -> datetime:
    """A moment with its time zone. Raises ValueError, or OverflowError for one that no clock elsewhere can show."""
    moment = datetime.fromisoformat(str(value))
    if moment.tzinfo is None:
        raise ValueError(value)
    return moment.astimezone(UTC)


@dataclass(frozen=True)
class Key:
    """A column of an order: its name, how its value is read back from a cursor, and whether the largest comes first."""

    field: str
    read: Callable[[Any], Any] = whole_number
    largest_first: bool = False


@dataclass(frozen=True)
class Page:
    """The rows of one page, and the cursors of the pages beside it; empty where there is none."""

    rows: list[dict[str, Any]]
    newer: str = ""
    older: str = ""


def page_of(rows: QuerySet[Any, Any], order: tuple[Key, ...], cursor: str = "", size: int = PAGE) -> Page:
    """One page of a query of dictionaries, in an order whose last column is unique and whose columns are all selected.

    A cursor that cannot be read gives the first page.
    """
    back, values = _read(cursor, order)
    if values:
        rows = rows.filter(_beyond(order, values, back))
    rows = rows.order_by(*(f"-{key.field}" if key.largest_first is not back else key.field for key in order))
    found = list(rows[: size + 1])
    more, found = len(found) > size, found[:size]
    if back:
        found.reverse()
    if not found:
        return Page([])
    return Page(
        rows=found,
        newer=_cursor("b", order, found[0]) if (more if back else values) else "",
        older=_cursor("a", order, found[-1]) if (back or more) else "",
    )


def _beyond(order: tuple[Key, ...], values: list[Any], back: bool) -> Q:
    """The rows on the far side of a key. The bound on the first column says nothing new; indexes need it said."""
    beyond, equal = Q(), Q()
    for key, value in zip(order, values, strict=True):
        lookup = "lt" if key.largest_first is not back else "gt"
        beyond |= equal & Q(**{f"{key.field}__{lookup}": value})
        equal &= Q(**{key.field: value})
    bound = "lte" if order[0].largest_first is not back else "gte"
    return Q(**{f"{order[0].field}__{bound}": values[0]}) & beyond


def _cursor(direction: str, order: tuple[Key, ...], row: Mapping[str, Any]) -> str:
    values = [value.isoformat() if hasattr(value := row[key.field], "isoformat") else value for key in order]
    return urlsafe_b64encode(json.dumps([direction, *values]).encode()).decode().rstrip("=")


def _read(cursor: str, order: tuple[Key, ...]) -> tuple[bool, list[Any]]:
    try:
        direction, *values = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return direction == "b", [key.read(value) for key, value in zip(order, values, strict=True)]
    except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error):
        return False, []


def count_in_words(count: int) -> str:
    """A count for a tab or a heading: exact up to a thousand, beyond that "1,000+"."""
    if count < COUNT_UP_TO:
        return str(count)
    return _("1,000") if count == COUNT_UP_TO else _("1,000+")


def address(request: HttpRequest, keep: tuple[str, ...] = (), **changes: str) -> str:
    """The address of this list with some of its words changed; an empty one is left out."""
    said = {name: value for name, value in request.GET.items() if not keep or name in keep} | changes
    return "?" + urlencode({name: value for name, value in said.items() if value})
