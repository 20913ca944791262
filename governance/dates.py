"""Dates written out.

Example: "1 July 2025", in French "1er juillet 2025".
"""

from datetime import date

from django.utils.formats import date_format
from django.utils.translation import pgettext


def in_full(day: date) -> str:
    """A day with its month and year in words; its number as an ordinal where the language writes the first so."""
    number = pgettext("date", "1") if day.day == 1 else str(day.day)
    return f"{number} {date_format(day, 'F Y')}"
