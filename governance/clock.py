"""What time it is. Everything that writes a time into the record asks here, so that the demonstration can be replayed
in its own past.

Only the demonstration and the tests may set the clock; a contract in the test suite holds that.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime

from django.utils import timezone

_set_to: ContextVar[datetime | None] = ContextVar("clock", default=None)


def now() -> datetime:
    """The present moment, with its time zone."""
    return _set_to.get() or timezone.now()


def today() -> date:
    """Today's date where the institution is."""
    return timezone.localdate(now())


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Within the block it is `moment`."""
    token = _set_to.set(moment)
    try:
        yield
    finally:
        _set_to.reset(token)
