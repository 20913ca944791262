"""Working days: Monday to Friday without the institution's public holidays. "Day 8 of 10, due Friday 16 October." """

from datetime import date, timedelta
from functools import lru_cache

import holidays
from django.conf import settings


@lru_cache(maxsize=128)
def public_holidays(year: int) -> frozenset[date]:
    """The public holidays of `settings.HOLIDAY_CALENDAR` (such as "CA-ON") in a year."""
    country, _, subdivision = settings.HOLIDAY_CALENDAR.partition("-")
    return frozenset(holidays.country_holidays(country, subdiv=subdivision or None, years=year))


def is_working_day(day: date) -> bool:
    return day.weekday() < 5 and day not in public_holidays(day.year)


def add_working_days(start: date, days: int) -> date:
    """The date `days` working days after `start`; with 0, `start` itself."""
    day = start
    while days > 0:
        day += timedelta(days=1)
        days -= is_working_day(day)
    return day


def working_days_between(start: date, end: date) -> int:
    """How many working days lie after `start` up to and with `end`; negative when `end` is earlier."""
    if end < start:
        return -working_days_between(end, start)
    return sum(is_working_day(start + timedelta(days=n)) for n in range(1, (end - start).days + 1))
