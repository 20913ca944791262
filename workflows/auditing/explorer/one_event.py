"""One event for its page: in words, what it changed, the sealed record, its proof, its neighbours and its right.

The exact bytes and the proof are also given as files, which anybody can check with nothing but Python.
"""

from dataclasses import dataclass

from django.http import Http404
from django.urls import reverse

from governance.audit.models import Checkpoint, Event
from governance.audit.queries import beside, inclusion_proof, latest_checkpoint, read_whole
from governance.audit.verbs import Verb
from governance.policies.models import PolicyVersion
from workflows.auditing.explorer.differences import Difference, differences, pretty
from workflows.auditing.explorer.listing import Row, proof_of, row_of
from workflows.auditing.explorer.right_to_act import RightToAct, right_to_act
from workflows.auditing.rows import AS_SENT
from workflows.memos.models import Memo
from workflows.proposals.models import Proposal


@dataclass(frozen=True)
class OneEvent:
    """Everything the page of an event shows."""

    row: Row
    before: Event | None
    after: Event | None
    checkpoint: Checkpoint | None
    differences: list[Difference]
    right: RightToAct
    proposal: Proposal | None
    memo: str
    version: PolicyVersion | None

    @property
    def event(self) -> Event:
        return self.row.event

    @property
    def pretty(self) -> str:
        return pretty(self.event)

    @property
    def exact(self) -> str:
        return bytes(self.event.body).decode()

    @property
    def size(self) -> int:
        return len(bytes(self.event.body))

    @property
    def title(self) -> str:
        """The proposal's title, unless it may be that of a draft, which is its author's alone."""
        return self.proposal.title if self.proposal and self.proposal.state in AS_SENT else ""

    @property
    def as_of(self) -> str:
        """The address of the proposal as it was after this event."""
        if self.proposal is None or not self.event.subject.startswith("proposal/"):
            return ""
        return f"{reverse('audit-as-of', args=[self.proposal.reference])}?event={self.event.sequence}"


def event_of(pk: int) -> Event:
    """Raises Http404 where there is no such event."""
    event = Event.objects.filter(pk=pk).first()
    if event is None:
        raise Http404(pk)
    return event


def one_event(pk: int) -> OneEvent:
    """The page of an event, in at most eleven queries."""
    found = read_whole([pk]) if pk < 2**63 else []
    if not found:
        raise Http404(pk)
    (event,), checkpoint = found, latest_checkpoint()
    proposal = _proposal(event)
    before, after = beside(event)
    version = _version(event)
    return OneEvent(
        row=row_of(event, proof_of(event, checkpoint), version),
        before=before,
        after=after,
        checkpoint=checkpoint,
        differences=differences(event),
        right=right_to_act(event, proposal),
        proposal=proposal,
        memo=_memo(event),
        version=version,
    )


def proof_as_text(event: Event) -> str:
    """The proof that the event is in the log (C2SP tlog-proof). Raises Http404 while no checkpoint covers it."""
    checkpoint = latest_checkpoint()
    try:
        if checkpoint is None:
            raise ValueError
        return str(inclusion_proof(event, checkpoint))
    except ValueError:
        raise Http404(event.pk) from None


def _proposal(event: Event) -> Proposal | None:
    head, _slash, reference = event.subject.partition("/")
    if head not in {"proposal", "access"}:
        return None
    return Proposal.objects.filter(reference=reference).first()


def _memo(event: Event) -> str:
    """The number of the memo that transmitted the decision; empty where there is none."""
    if event.verb == Verb.MEMO_ISSUED:
        return str(event.facts["after"]["memo"])
    if not event.verb.startswith("decision."):
        return ""
    return Memo.objects.filter(decision__event_number=event.pk).values_list("number", flat=True).first() or ""


def _version(event: Event) -> PolicyVersion | None:
    """The policy version that the event names, found by the number at the end of its label."""
    title, _comma, number = event.policy_version.rpartition(", version ")
    if not number.isdecimal():
        return None
    found = PolicyVersion.objects.filter(policy__title=title, number=int(number))
    return found.select_related("policy").defer("text", "rules", "source").first()
