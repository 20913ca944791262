"""Fills an empty database with as many proposals as asked for, shaped like life: whatever the size of the archive, what
waits for a body stays between 50 and 400 proposals.
"""

from collections.abc import Callable, Sequence

from django.db import connection, transaction

from governance.audit.actions import seal_and_sign
from governance.people.models import Body
from governance.policies.vocabulary import Kind, Level
from workflows.benchmarks.archive import FEWEST, Archive
from workflows.benchmarks.institution import Institution, Place
from workflows.demonstration.loading import anything_there
from workflows.demonstration.reading import read_demonstration
from workflows.proposals.content import Content
from workflows.review.models import WorkItem


class NotEmpty(Exception):
    """The database holds something already, so nothing was put into it."""


def fill(proposals: int, *, say: Callable[[str], object] = lambda sentence: None) -> Place:
    """Put an institution and so many proposals into the current database. Raises NotEmpty, and ValueError for fewer
    than `FEWEST` proposals."""
    if proposals < FEWEST:
        raise ValueError(f"a page of the queue needs {FEWEST} proposals or more, not {proposals}")
    there = anything_there()
    if there:
        raise NotEmpty(f"The database is not empty ({there}), so nothing is put into it.")
    content = _full_content()
    with transaction.atomic():
        institution = Institution.set_up()
    Archive(institution, content).write(proposals, say)
    with transaction.atomic():
        place = institution.place(content)
    seal_and_sign(now=True)
    _gather_statistics()
    return place


def _full_content() -> Content:
    """The longest text of the demonstration that goes to Undergraduate Council."""
    contents = [tale.proposal.content for tale in read_demonstration().tales]
    return max(
        (
            content
            for content in contents
            if (content.summary.kind, content.summary.level) == (Kind.ACADEMIC, Level.UNDERGRADUATE)
        ),
        key=lambda content: len(content.canonical()),
    )


def _gather_statistics() -> None:
    """What autovacuum does in life."""
    if connection.vendor == "postgresql" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def open_items_of(body: Body, *, but: Sequence[int] = ()) -> list[WorkItem]:
    """What waits for a body, without some proposals, with the proposal at hand as a page would have it."""
    items = WorkItem.objects.filter(body=body, closed_at=None).exclude(proposal__in=but)
    return list(items.select_related("proposal").order_by("due_on", "id"))
