"""Reading the log's heads: the last checkpoint of a day, and of the days before it."""

from collections.abc import Iterator
from datetime import date, timedelta

from django.utils.timezone import localdate

from governance.audit.models import Checkpoint
from governance.audit.queries import consistency_proof
from governance.dates import midnight


def last_of_day(day: date) -> Checkpoint | None:
    """The last checkpoint that was signed on a day, where the institution is; None where none was."""
    found = next(last_of_days_before(day + timedelta(days=1)), None)
    return found if found is not None and localdate(found.at) == day else None


def last_of_days_before(day: date | None = None) -> Iterator[Checkpoint]:
    """The last checkpoint of each day before this one, or of every day, newest first; days without any are left out."""
    # A query for each day reads one row of the index; grouping by day would read every checkpoint there is.
    checkpoints = Checkpoint.objects.prefetch_related("cosignatures").order_by("-at", "-size")
    while found := (checkpoints.filter(at__lt=midnight(day)) if day else checkpoints).first():
        yield found
        day = localdate(found.at)


def stored(size: int) -> Checkpoint | None:
    """The checkpoint over so many events, where one was signed."""
    return Checkpoint.objects.prefetch_related("cosignatures").filter(size=size).first()


def consistency(earlier: int, later: int) -> tuple[bytes, ...] | None:
    """The proof that one checkpoint continues another; None unless both were signed, the earlier one first."""
    checkpoint = stored(later)
    if checkpoint is None or earlier > later or stored(earlier) is None:
        return None
    return consistency_proof(earlier, checkpoint)
