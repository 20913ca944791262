"""The preview beside the queue: what was asked for last time, what changed first, the checks and the latest remark."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.utils.translation import gettext as _

from governance import clock
from governance.audit.models import named
from governance.people.duties import Right
from governance.policies.queries import place_of
from governance.policies.vocabulary import Outcome
from governance.redline import Marked, excerpt, plain
from governance.working_days import working_days_between
from workflows.proposals.blocks import SectionView
from workflows.proposals.changes import texts_of
from workflows.proposals.content import SECTIONS
from workflows.proposals.display import FILES, label_of, section
from workflows.proposals.models import Comment, Revision
from workflows.review.lists import Scope, due_words, readable_comments, waiting
from workflows.review.models import Decision, WorkItem
from workflows.review.panel import SystemCheck, system_checks

# Due within so many working days, a proposal is marked.
SOON: Final = 3


@dataclass(frozen=True)
class Asked:
    """The last return by the body that holds the proposal now, or to it."""

    at: datetime
    reasons: str
    by: str
    mine: bool


@dataclass(frozen=True)
class Changed:
    """The first changed section, and how many more there are; of a first submission, its overview."""

    key: str
    label: str
    words: Marked
    view: SectionView | None
    more: int


@dataclass(frozen=True)
class Said:
    by: str
    text: str


@dataclass(frozen=True)
class Peek:
    """One waiting proposal at a glance."""

    item: WorkItem
    due_words: str
    late: bool
    may_decide: bool
    asked: Asked | None
    changed: Changed | None
    checks: list[SystemCheck]
    said: Said | None

    @property
    def soon(self) -> bool:
        return working_days_between(clock.today(), self.item.due_on) <= SOON

    @property
    def passed(self) -> int:
        return sum(check.met for check in self.checks)

    @property
    def failing(self) -> list[SystemCheck]:
        return [check for check in self.checks if not check.met]


def peek(scope: Scope, wanted: Q) -> Peek | None:
    """The preview of the work item in question, if it waits for one of the person's bodies. One query."""
    item = _items(scope).filter(wanted).first()
    if item is None:
        return None
    version = item.proposal.policy_version
    assert version is not None
    content = item.revision.content
    seat = scope.seat(item.body_id)
    # Columns that the query adds to the row.
    found = vars(item)
    return Peek(
        item=item,
        due_words=due_words(item.due_on, clock.today()),
        late=item.due_on < clock.today(),
        may_decide=seat is not None and Right.DECIDE in seat.rights and item.proposal.author_id != scope.user.pk,
        asked=Asked(
            at=found["asked_at"],
            reasons=found["asked"]["reasons"],
            by=named(found["asked"]["by_name"]),
            mine=found["asked"]["by"] == scope.user.pk,
        )
        if found["asked_at"]
        else None,
        changed=_changed(item.revision, found["previous"]),
        checks=system_checks(version.typed_rules, content, place_of(item.proposal.unit), item.proposal.action),
        said=Said(**found["said"]) if found["said"] else None,
    )


def _items(scope: Scope) -> QuerySet[WorkItem]:
    returns: QuerySet[Decision] = Decision.objects.filter(
        Q(body=OuterRef("body")) | Q(to_stage=OuterRef("stage_key")),
        proposal=OuterRef("proposal"),
        outcome=Outcome.RETURN,
    ).order_by("-id")
    remarks: QuerySet[Comment] = (
        readable_comments(scope).filter(proposal=OuterRef("proposal")).exclude(author=scope.user).order_by("-at", "-id")
    )
    before = Revision.objects.filter(proposal=OuterRef("proposal"), number=OuterRef("revision__number") - 1)
    return (
        waiting(scope)
        .select_related(
            "body", "revision", "proposal__author", "proposal__unit__parent__parent", "proposal__policy_version"
        )
        .annotate(
            asked_at=Subquery(returns.values("at")[:1]),
            asked=Subquery(returns.values(row=JSONObject(reasons="reasons", by_name="by_name", by="by"))[:1]),
            said=Subquery(remarks.values(row=JSONObject(by="author_name", text="text"))[:1]),
            previous=Subquery(before.values("content_text")[:1]),
        )
        .order_by(F("due_on"), "id")
    )


def _changed(revision: Revision, previous: str | None) -> Changed | None:
    content = revision.content
    if previous is None:
        overview = content.summary.overview
        return Changed("summary", _("In brief"), plain(overview), None, 0) if overview else None
    keys = [key for key in (*SECTIONS, FILES) if key in revision.changed_sections]
    if not keys:
        return None
    key, more = keys[0], len(keys) - 1
    if key == FILES:
        return Changed(key, label_of(key), Marked(), None, more)
    base = type(content).model_validate_json(previous)
    view = section(key, content, base)
    words = next((words for block in view.blocks for _label, words in texts_of(block) if words.changed), Marked())
    return Changed(key, label_of(key), excerpt(words), view, more)
