"""Days: written out, and when they begin.

Example: "1 July 2025", in French "1er juillet 2025".
"""

from datetime import date, datetime, time

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import pgettext


def in_full(day: date) -> str:
    """A day with its month and year in words; its number as an ordinal where the language writes the first so."""
    number = pgettext("date", "1") if day.day == 1 else str(day.day)
    return f"{number} {date_format(day, 'F Y')}"


def midnight(day: date) -> datetime:
    """The moment at which a day begins where the institution is."""
    return datetime.combine(day, time.min, tzinfo=timezone.get_default_timezone())
