"""Reading the record, in the order that lists and pages need."""

from collections.abc import Collection

from django.db.models import QuerySet

from governance.audit.models import Event


def events_of(subject: str, *, after: int = 0, verbs: Collection[str] = ()) -> QuerySet[Event]:
    """A subject's events in order, only those after a place in its stream and of some verbs where asked."""
    events = Event.objects.filter(subject=subject, sequence__gt=after).order_by("sequence")
    return events.filter(verb__in=verbs) if verbs else events
