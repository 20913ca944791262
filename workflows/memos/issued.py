"""What we know of a memo that somebody holds: whether it was issued here, and how it stands.

Example: an employer types the number printed on a memo; a court's clerk uploads the file.
"""

from dataclasses import dataclass

from governance.audit.models import Event
from governance.policies.vocabulary import Effect, Outcome
from workflows.memos.checking import MemoCheck
from workflows.memos.models import Memo
from workflows.memos.standing import Answer, InForce, standing_of
from workflows.memos.wording import verdict
from workflows.proposals.models import Proposal
from workflows.proposals.states import State
from workflows.review.models import Decision
from workflows.review.progress import standing_approvals
from workflows.review.queries import answers_of, changes_of, route_of

_MEMOS = Memo.objects.select_related("decision__proposal__policy_version", "decision__proposal__unit")


@dataclass(frozen=True)
class Issued:
    """A memo that was issued here, and how it stands today."""

    memo: Memo
    stands: InForce

    @property
    def verdict(self) -> str:
        """What was decided, as the memo's head says it, in the reader's language."""
        decision = self.memo.decision
        return verdict(Effect(decision.effect), Outcome(decision.outcome), decision.conditions.count())


def of_digest(digest: str) -> Issued | None:
    """The memo that was issued with a file of this SHA-256 digest."""
    return _issued(_MEMOS.filter(digest=digest).first())


def of_number(number: str) -> Issued | None:
    """The memo that was issued under this number, in capitals or not."""
    return _issued(_MEMOS.filter(number__iexact=number).first())


def claimed_by(checked: MemoCheck) -> Issued | None:
    """The memo that a file says it is: the one whose record it really holds, or else whose number is in its title."""
    return _of_record(checked) or (of_number(checked.number) if checked.number else None)


def certificates() -> list[bytes]:
    """The certificate that memos are sealed with here (DER); none where there is none, or it cannot be used."""
    from workflows.memos import sealing  # Slow to import.

    try:
        seal = sealing.load()
    except sealing.NoSeal:
        return []
    return [seal.signer.signing_cert.dump()] if seal and seal.signer.signing_cert else []


def _of_record(checked: MemoCheck) -> Issued | None:
    """Only who holds the record itself, byte for byte, learns the number of its memo."""
    record, sequence = checked.record, checked.record.get("sequence")
    if not isinstance(sequence, int) or not 0 < sequence < 2**31:
        return None
    event = Event.objects.filter(subject=record["subject"], sequence=sequence).first()
    if event is None or bytes(event.body) != checked.record_bytes:
        return None
    return _issued(_MEMOS.filter(decision__event_number=event.pk).first())


def _issued(memo: Memo | None) -> Issued | None:
    return None if memo is None else Issued(memo, _how_it_stands(memo))


def _how_it_stands(memo: Memo) -> InForce:
    decision = memo.decision
    proposal = decision.proposal
    later = Decision.objects.filter(proposal=proposal, pk__gt=decision.pk).order_by("pk")
    return standing_of(
        Answer(decision.stage_key, Outcome(decision.outcome)),
        later=[
            Answer(stage, Outcome(outcome), number or "")
            for stage, outcome, number in later.values_list("stage_key", "outcome", "memo__number")
        ],
        state=State(proposal.state),
        counts=decision.stage_key in _counting(proposal),
    )


def _counting(proposal: Proposal) -> set[str]:
    """The stages that the proposal passes today and whose approval counts."""
    assert proposal.policy_version is not None
    route, rules = route_of(proposal), proposal.policy_version.typed_rules
    approved = standing_approvals(answers_of(proposal), route, rules, changes_of(proposal))
    return {stage.key for stage in route.stages} & approved
