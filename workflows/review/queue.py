"""The queue: what waits for a person, with what changed since they last looked, in rows ready for the page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from django.db.models import Count, F, FilteredRelation, IntegerField, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from governance import clock
from workflows.proposals.display import how_many_sections
from workflows.review.lists import (
    Days,
    Group,
    Narrow,
    Scope,
    back_with_authors,
    capped_counts,
    decided_by,
    of_proposals,
    readable_comments,
    waiting,
)
from workflows.review.models import WorkItem
from workflows.review.paging import Key, Page, aware_moment, page_of
from workflows.review.route import meter

LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
QUEUE_ORDERS: Final[dict[str, tuple[Key, ...]]] = {
    "due": (Key("due_on", date.fromisoformat), Key("id")),
    "longest": (Key("opened_at", aware_moment), Key("id")),
    "newest": (Key("opened_at", aware_moment, largest_first=True), Key("id", largest_first=True)),
}


@dataclass(frozen=True)
class Queue:
    """One tab of the queue as its page shows it."""

    groups: list[Group]
    page: Page
    counts: dict[str, int]
    found: int
    late: int

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [row for group in self.groups for row in group.rows]


def queue(scope: Scope, narrow: Narrow, cursor: str = "") -> Queue:
    """What waits for the person, with what changed since they last looked. Two queries."""
    today = clock.today()
    end_of_week = today + timedelta(days=6 - today.weekday())
    wanted = _narrowed(scope, narrow)
    page = page_of(
        wanted.values(  # type: ignore[misc]  # django-stubs does not follow a FilteredRelation
            "id",
            "due_on",
            "opened_at",
            "body_id",
            "proposal_id",
            "proposal__reference",
            "proposal__title",
            "proposal__version",
            "proposal__author_id",
            "proposal__author__name",
            "proposal__unit__short_name",
            "revision__number",
            "revision__changed_sections",
            "look__revision_number",
            "look__version",
            comments=_comments_since(scope),
        ),
        QUEUE_ORDERS[narrow.sort],
        cursor,
    )
    waits, back, done, found, late, this_week = capped_counts(
        waiting(scope),
        back_with_authors(scope),
        decided_by(scope.user),
        wanted,
        wanted.filter(due_on__lt=today),
        wanted.filter(due_on__gte=today, due_on__lte=end_of_week),
    )
    words = Days(today)
    rows = [_queue_row(scope, row, words) for row in page.rows]
    groups = [Group(label="", count=None, rows=rows)]
    if narrow.sort == "due":
        groups = [
            Group(_("Late"), late, [row for row in rows if row["due_on"] < today], late=True),
            Group(_("Due this week"), this_week, [row for row in rows if today <= row["due_on"] <= end_of_week]),
            Group(_("Later"), found - late - this_week, [row for row in rows if row["due_on"] > end_of_week]),
        ]
    return Queue(
        groups=[group for group in groups if group.rows],
        page=page,
        counts={"waiting": waits, "returned": back, "decided": done},
        found=found,
        late=late,
    )


def _narrowed(scope: Scope, narrow: Narrow) -> QuerySet[WorkItem]:
    wanted = waiting(scope).annotate(
        look=FilteredRelation("proposal__looks", condition=Q(proposal__looks__user=scope.user))
    )
    if narrow.body:
        wanted = wanted.filter(body__in=[seat.body_id for seat in scope.seats if seat.code == narrow.body])
    if narrow.overdue:
        wanted = wanted.filter(due_on__lt=clock.today())
    if narrow.since == "new":
        wanted = wanted.filter(look__version=None)
    elif narrow.since == "changed":
        wanted = wanted.filter(look__version__lt=F("proposal__version"))
    return wanted.filter(of_proposals(narrow, "proposal__"))


def _comments_since(scope: Scope) -> Coalesce:
    since = (
        readable_comments(scope)
        .filter(proposal=OuterRef("proposal_id"), at__gt=Coalesce(OuterRef("look__at"), Value(LONG_AGO)))
        .exclude(author=scope.user)
        .order_by()
        .values("proposal")
        .annotate(count=Count("pk"))
    )
    return Coalesce(Subquery(since.values("count")), 0, output_field=IntegerField())


def _queue_row(scope: Scope, row: dict[str, Any], days: Days) -> dict[str, Any]:
    due, reference = row["due_on"], row["proposal__reference"]
    late = due < days.today
    seat = scope.seat(row["body_id"])
    opened = timezone.localdate(row["opened_at"])
    held = meter(days.between(opened, days.today), days.between(opened, due), late=late)
    return {
        "id": row["id"],
        "proposal_id": row["proposal_id"],
        "body_id": row["body_id"],
        "reference": reference,
        "title": row["proposal__title"] or reference,
        "due_on": due,
        **days.due(due),
        "late": late,
        "unit": row["proposal__unit__short_name"],
        "author": row["proposal__author__name"],
        "body": seat.name if seat is not None and len(scope.seats) > 1 else "",
        "held": ngettext("%(n)s of %(m)s day", "%(n)s of %(m)s days", held.m) % {"n": held.n, "m": held.m},
        "meter": held,
        **_since_looked(scope, row),
    }


def _since_looked(scope: Scope, row: Mapping[str, Any]) -> dict[str, Any]:
    """What changed since the person last looked: a heading, or that it is new to them, and a second line."""
    comments, submission = row["comments"], row["revision__number"]
    second = ""
    if comments:
        second = ngettext("%(n)s comment", "%(n)s comments", comments) % {"n": comments}
    if row["proposal__author_id"] == scope.user.pk:
        return {"new": False, "delta": _("You wrote this"), "second": second}
    seen = row["look__revision_number"]
    if seen is None:
        if not second and submission > 1:
            second = _("Submission %(n)s") % {"n": submission}
        return {"new": True, "delta": "", "second": second}
    if seen < submission:
        if submission - seen > 1:
            delta = ngettext("%(n)s new submission", "%(n)s new submissions", submission - seen)
            return {"new": False, "delta": delta % {"n": submission - seen}, "second": second}
        keys = row["revision__changed_sections"]
        changed, total = len(keys), how_many_sections(keys)
        delta = ngettext("%(n)s of %(total)s sections changed", "%(n)s of %(total)s sections changed", changed)
        return {"new": False, "delta": delta % {"n": changed, "total": total}, "second": second}
    events = row["proposal__version"] - row["look__version"]
    if events and not second:
        second = ngettext("%(n)s event in its history", "%(n)s events in its history", events) % {"n": events}
    return {"new": False, "delta": second or _("Nothing new"), "second": ""}
