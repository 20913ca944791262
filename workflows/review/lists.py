"""The rows of the lists beside the queue (decided, returned, mine, everything I may see), and what all lists share.

A row is a dictionary with words ready for the page, so that fifty rows cost the template as little as possible; each
list takes the same number of queries whatever its length.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import (
    Case,
    CharField,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from governance import clock
from governance.audit.models import named
from governance.people.duties import Right
from governance.people.models import Unit, User
from governance.people.queries import Holdings, Seat, holdings
from governance.policies.vocabulary import Effect, Outcome
from governance.site.templatetags.assent import day
from governance.working_days import working_days_between
from workflows.proposals.models import Audience, Comment, Proposal
from workflows.proposals.states import State
from workflows.review.models import Decision, WorkItem
from workflows.review.paging import COUNT_UP_TO, Key, Page, aware_moment, page_of
from workflows.review.queries import visible_to

LATEST_FIRST: Final = (Key("id", largest_first=True),)


# ---- the bodies I sit on, and what a list can be narrowed down to


@dataclass(frozen=True)
class Scope:
    """Where a person sits, and the units that a list may be narrowed down to."""

    user: User
    held: Holdings
    units: tuple[tuple[str, str], ...] = ()

    @property
    def seats(self) -> tuple[Seat, ...]:
        return seats_of(self.held)

    @property
    def bodies(self) -> list[int]:
        return [seat.body_id for seat in self.seats]

    def seat(self, body: int) -> Seat | None:
        return next((seat for seat in self.seats if seat.body_id == body), None)


def seats_of(held: Holdings) -> tuple[Seat, ...]:
    """The bodies on which a person sits: those whose papers they may see, which a proposer's staff is not."""
    return tuple(seat for seat in held.seats if Right.VIEW in seat.rights)


def scope_of(user: User) -> Scope:
    """A person's seats and every unit, in two queries: each list page needs both."""
    units = Unit.objects.order_by("short_name").values_list("code", "short_name")
    return Scope(user=user, held=holdings(user), units=tuple(units))


@dataclass(frozen=True)
class Narrow:
    """What the person narrowed a list down to; every field empty shows everything."""

    text: str = ""
    body: str = ""
    unit: str = ""
    kind: str = ""
    state: str = ""
    since: str = ""
    overdue: bool = False
    sort: str = "due"

    @property
    def is_narrow(self) -> bool:
        return any((self.text, self.body, self.unit, self.kind, self.state, self.since, self.overdue))


def of_proposals(narrow: Narrow, prefix: str = "") -> Q:
    """What of the narrowing concerns the proposal itself, reached through `prefix`."""
    wanted = Q()
    for word in narrow.text.split()[:6]:
        wanted &= (
            Q(**{f"{prefix}title__icontains": word})
            | Q(**{f"{prefix}reference__icontains": word})
            | Q(**{f"{prefix}author__name__icontains": word})
        )
    if narrow.unit:
        within = (f"{prefix}unit__code", f"{prefix}unit__parent__code", f"{prefix}unit__parent__parent__code")
        wanted &= Q(*((path, narrow.unit) for path in within), _connector=Q.OR)
    if narrow.kind:
        wanted &= Q(**{f"{prefix}kind": narrow.kind})
    if narrow.state:
        wanted &= Q(**{f"{prefix}state": narrow.state})
    return wanted


# ---- counting, never further than a thousand


def capped_counts(*queries: QuerySet[Any, Any]) -> list[int]:
    """How many rows each query has, counted no further than one beyond the limit, all in one query.

    Django can count one query at a time only; the statements it writes stand here side by side, parameters apart.
    """
    parts: list[str] = []
    parameters: list[Any] = []
    for query in queries:
        try:
            rows = query.order_by().values("pk")[: COUNT_UP_TO + 1].query
            sql, given = rows.get_compiler(connection=connection).as_sql()
        except EmptyResultSet:
            sql, given = "SELECT 1 WHERE 1 = 0", ()
        parts.append(f"(SELECT COUNT(*) FROM ({sql}) counted)")  # noqa: S608 - Django's own statement, parameters apart
        parameters += given
    with connection.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(parts), parameters)
        return [int(count) for count in cursor.fetchone()]


# ---- what a person has to do with: waiting, back with authors, decided


def waiting(scope: Scope) -> QuerySet[WorkItem]:
    """What waits for the bodies on which the person sits.

    The bound on the due date says nothing new. SQLite needs it said, or it walks through all that a body ever held.
    """
    return WorkItem.objects.filter(closed_at=None, body__in=scope.bodies, due_on__gte=date.min)


def returned_by_us(scope: Scope) -> QuerySet[Decision]:
    """The returns by those bodies that their authors have not answered yet."""
    return Decision.objects.filter(
        body__in=scope.bodies,
        outcome=Outcome.RETURN,
        to_stage="",
        proposal__state=State.RETURNED,
        revision__number=F("proposal__revision_number"),
    )


def back_with_authors(scope: Scope) -> QuerySet[Proposal]:
    """The proposals of `returned_by_us`, found from the few that are back with an author now and not from everything
    that a body ever decided: of those, the last decision is the return."""
    last = Decision.objects.filter(proposal=OuterRef("pk")).order_by("-id").values("body")
    return Proposal.objects.alias(back_from=Subquery(last[:1])).filter(state=State.RETURNED, back_from__in=scope.bodies)


def decided_by(user: User) -> QuerySet[Decision]:
    return Decision.objects.filter(by=user)


def readable_comments(scope: Scope) -> QuerySet[Comment]:
    """The comments that a person may read on a proposal which has reached one of their bodies."""
    return Comment.objects.filter(
        Q(audience__in=[Audience.EVERYONE, Audience.REVIEWERS])
        | Q(audience=Audience.BODY, body__in=scope.bodies)
        | Q(author=scope.user)
    )


@dataclass(frozen=True)
class Group:
    """Rows under one heading; `count` counts those on other pages too."""

    label: str
    count: int | None
    rows: list[dict[str, Any]]
    late: bool = False


class Days:
    """Distances from today in working days and due dates in words, remembered: many rows share the same few dates."""

    def __init__(self, today: date) -> None:
        self.today = today
        self._known: dict[tuple[date, date], int] = {}
        self._in_words: dict[date, dict[str, str]] = {}

    def between(self, start: date, end: date) -> int:
        if (start, end) not in self._known:
            self._known[start, end] = working_days_between(start, end)
        return self._known[start, end]

    def since(self, moment: datetime) -> int:
        return self.between(timezone.localdate(moment), self.today)

    def due(self, due: date) -> dict[str, str]:
        """A due date as a row of the queue says it."""
        if due not in self._in_words:
            said = {"due_iso": due.isoformat(), "due_day": day(due), "due_words": due_words(due, self.today)}
            self._in_words[due] = said
        return self._in_words[due]


def due_words(due: date, today: date) -> str:
    """How far a due date is away in working days: "2 days late", "today", "in 3 days"."""
    if due == today:
        return _("today")
    if due < today:
        days = max(1, working_days_between(due, today))
        return ngettext("%(n)s day late", "%(n)s days late", days) % {"n": days}
    days = working_days_between(today, due)
    return ngettext("in %(n)s day", "in %(n)s days", days) % {"n": days} if days else _("today")


# ---- the other tabs: decisions


@dataclass(frozen=True)
class DecisionList:
    page: Page
    rows: list[dict[str, Any]]
    counts: dict[str, int]
    found: int


def decisions(scope: Scope, narrow: Narrow, tab: str, cursor: str = "") -> DecisionList:
    """What my bodies returned and is still with its author, or what I decided; latest first. Two queries."""
    base = returned_by_us(scope) if tab == "returned" else decided_by(scope.user)
    wanted = base.filter(of_proposals(narrow, "proposal__"))
    if narrow.body:
        wanted = wanted.filter(body__code=narrow.body)
    page = page_of(
        wanted.values(
            "id",
            "at",
            "outcome",
            "body__short_name",
            "by_id",
            "by_name",
            "reasons",
            "to_stage_label",
            "proposal__reference",
            "proposal__title",
            "proposal__state",
            "proposal__author__name",
            "proposal__unit__short_name",
        ),
        LATEST_FIRST,
        cursor,
    )
    waits, back, done, found = capped_counts(waiting(scope), back_with_authors(scope), decided_by(scope.user), wanted)
    days = Days(clock.today())
    rows = [
        {
            "reference": row["proposal__reference"],
            "title": row["proposal__title"] or row["proposal__reference"],
            "unit": row["proposal__unit__short_name"],
            "author": named(row["proposal__author__name"]),
            "body": row["body__short_name"] if len(scope.seats) > 1 else "",
            "day": day(row["at"]),
            "iso": timezone.localdate(row["at"]).isoformat(),
            "ago": days.since(row["at"]),
            "outcome": row["outcome"],
            "said": _said(row),
            "by": _("you") if row["by_id"] == scope.user.pk else named(row["by_name"]),
            "reasons": row["reasons"],
            "state": row["proposal__state"],
        }
        for row in page.rows
    ]
    return DecisionList(page=page, rows=rows, counts={"waiting": waits, "returned": back, "decided": done}, found=found)


def _said(row: Mapping[str, Any]) -> str:
    if row["to_stage_label"]:
        return _("Returned to %(stage)s") % {"stage": row["to_stage_label"]}
    return str(Outcome(row["outcome"]).label)


# ---- my proposals, and everything I may see

_STATE_RANK: Final = Case(
    When(state=State.RETURNED, then=Value(0)),
    When(state=State.DRAFT, then=Value(1)),
    When(state=State.IN_REVIEW, then=Value(2)),
    default=Value(3),
    output_field=IntegerField(),
)
MINE_FIRST: Final = (
    Key("rank"),
    Key("since", aware_moment, largest_first=True),
    Key("id", largest_first=True),
)
_COLUMNS: Final = (
    "id",
    "reference",
    "title",
    "kind",
    "state",
    "since",
    "revision_number",
    "author_id",
    "author__name",
    "unit__short_name",
)


@dataclass(frozen=True)
class ProposalList:
    page: Page
    rows: list[dict[str, Any]]
    found: int
    groups: list[Group] = field(default_factory=list)


def mine(user: User, narrow: Narrow, cursor: str = "") -> ProposalList:
    """The person's own proposals: returned ones and drafts first, each with who holds each. Four queries."""
    wanted = Proposal.objects.filter(author=user).filter(of_proposals(narrow))
    page = page_of(wanted.annotate(rank=_STATE_RANK).values(*_COLUMNS, "rank"), MINE_FIRST, cursor)
    (found,) = capped_counts(wanted)
    rows = _proposal_rows(page.rows, user)
    labels = (_("With you"), _("With you"), _("In review"), pgettext("proposals", "Ended"))
    groups: list[Group] = []
    for row in rows:
        label = labels[row["rank"]]
        if not groups or groups[-1].label != label:
            groups.append(Group(label=label, count=None, rows=[]))
        groups[-1].rows.append(row)
    return ProposalList(page=page, rows=rows, found=found, groups=groups)


def everything(scope: Scope, narrow: Narrow, cursor: str = "") -> ProposalList:
    """Every proposal that the person may see, latest first, with who holds it. Four queries."""
    wanted = visible_to(scope.user, scope.held).filter(of_proposals(narrow))
    page = page_of(wanted.values(*_COLUMNS), LATEST_FIRST, cursor)
    (found,) = capped_counts(wanted)
    return ProposalList(page=page, rows=_proposal_rows(page.rows, scope.user), found=found)


@dataclass
class _Held:
    bodies: list[str] = field(default_factory=list)
    since: datetime | None = None
    due: date | None = None


def _proposal_rows(found: list[dict[str, Any]], user: User) -> list[dict[str, Any]]:
    """Rows in words, with who holds each: two queries for all of them."""
    days = Days(clock.today())
    held = _held(row["id"] for row in found if row["state"] == State.IN_REVIEW)
    ended = _ended_with(row["id"] for row in found if row["state"] in (State.RETURNED, State.APPROVED))
    rows = []
    for row in found:
        holder = held.get(row["id"], _Held())
        since = holder.since or row["since"]
        own = row["author_id"] == user.pk
        conditions, said_by = ended.get(row["id"], (False, ""))
        rows.append(
            {
                "rank": row.get("rank"),
                "reference": row["reference"],
                "title": row["title"] or _("No title yet"),
                "untitled": not row["title"],
                "unit": row["unit__short_name"],
                "author": named(row["author__name"]),
                "state": row["state"],
                "conditions": conditions and row["state"] == State.APPROVED,
                "submission": row["revision_number"],
                "holder": ", ".join(holder.bodies) or (_with_author(row, own) if row["state"] in _WITH_AUTHOR else ""),
                "since": day(since),
                "since_iso": timezone.localdate(since).isoformat(),
                "days": days.since(since),
                "ended": row["state"] not in (*_WITH_AUTHOR, State.IN_REVIEW),
                "due": day(holder.due),
                "due_iso": holder.due.isoformat() if holder.due else "",
                "due_words": due_words(holder.due, days.today) if holder.due else "",
                "late": holder.due is not None and holder.due < days.today,
                "returned_by": said_by if row["state"] == State.RETURNED else "",
                "own": own,
                "editable": own and row["state"] in _WITH_AUTHOR,
            }
        )
    return rows


_WITH_AUTHOR: Final = (State.DRAFT, State.RETURNED)


def _with_author(row: Mapping[str, Any], own: bool) -> str:
    return capfirst(_("you")) if own else named(row["author__name"])


def _held(proposals: Iterable[int]) -> dict[int, _Held]:
    held: dict[int, _Held] = {}
    items = (
        WorkItem.objects.filter(proposal__in=list(proposals), closed_at=None)
        .exclude(effect=Effect.RECEIVE)
        .order_by("id")
        .values_list("proposal_id", "body__short_name", "opened_at", "due_on")
    )
    for proposal, body, opened_at, due_on in items:
        holder = held.setdefault(proposal, _Held())
        holder.bodies.append(body)
        holder.since = min(holder.since or opened_at, opened_at)
        holder.due = min(holder.due or due_on, due_on)
    return held


def _ended_with(proposals: Iterable[int]) -> dict[int, tuple[bool, str]]:
    """For each proposal whether any approval set conditions, and the body of its latest decision."""
    found: dict[int, tuple[bool, str]] = {}
    rows = (
        Decision.objects.filter(proposal__in=list(proposals))
        .order_by("id")
        .values_list("proposal_id", "outcome", Coalesce("body__short_name", Value(""), output_field=CharField()))
    )
    for proposal, outcome, body in rows:
        conditions = found.get(proposal, (False, ""))[0] or outcome == Outcome.APPROVE_WITH_CONDITIONS
        found[proposal] = (conditions, body)
    return found
