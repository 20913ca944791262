"""Reading memos: those of a proposal, and those still to be made."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from workflows.memos.models import Memo
from workflows.proposals.models import Proposal
from workflows.review.models import Decision


@dataclass(frozen=True)
class MemoLine:
    """A decision's memo as a list shows it. `url` is empty while the memo is being made."""

    body: str
    stage: str
    outcome: str
    decided_at: datetime
    number: str = ""
    url: str = ""
    digest: str = ""
    size: int = 0
    issued_at: datetime | None = None

    @property
    def is_being_made(self) -> bool:
        return not self.url


def memos_of(proposal: Proposal) -> list[MemoLine]:
    """A memo for each decision on the proposal, oldest first, in one query."""
    decisions = Decision.objects.filter(proposal=proposal).select_related("memo").order_by("pk")
    return [_line_of(decision) for decision in decisions]


def _line_of(decision: Decision) -> MemoLine:
    memo: Memo | None = getattr(decision, "memo", None)
    line = MemoLine(
        body=decision.body_name,
        stage=decision.stage_label,
        outcome=str(decision.get_outcome_display()),
        decided_at=decision.at,
    )
    if memo is None:
        return line
    return MemoLine(
        body=line.body,
        stage=line.stage,
        outcome=line.outcome,
        decided_at=line.decided_at,
        number=memo.number,
        url=memo.get_absolute_url(),
        digest=memo.digest,
        size=memo.size,
        issued_at=memo.issued_at,
    )


def without_memo() -> QuerySet[Decision]:
    """The decisions whose memo is still to be made."""
    return Decision.objects.filter(memo=None).select_related("proposal").order_by("pk")
