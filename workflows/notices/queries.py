"""What the pages ask of the outbox."""

from workflows.notices.models import Outbox


def failed_count() -> int:
    """How many rows were given up and wait for an administrator: one query on an index that holds only those."""
    count: int = Outbox.objects.given_up().count()
    return count


def struggling_count() -> int:
    """How many rows failed at least twice and will be tried again by themselves."""
    count: int = Outbox.objects.waiting().filter(attempts__gte=2, leased_until=None).count()
    return count
