"""The facts of one memo, fixed for good, and how to change them all at once."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.audit.canonical import canonical_bytes
from governance.audit.keys import SigningKey
from governance.audit.verifier import Checkpoint, InclusionProof, checkpoint_text, leaf_hash, node_hash, to_base64
from workflows.memos.facts import (
    Certificate,
    LearningOutcome,
    MemoFacts,
    Person,
    PlaceInLog,
    Question,
    Sentence,
    SetCondition,
    Step,
)

# A log of two events, of which the second is the decision.
KEY = SigningKey("assent.kawartha.example/record", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
RECORD = canonical_bytes({"subject": "proposal/MC-2026-0041", "verb": "decision.approved", "version": 1})
ROOT = node_hash(leaf_hash(b"{}"), leaf_hash(RECORD))
SIGNED_AT = datetime(2026, 10, 29, 18, 32, tzinfo=UTC)
PROOF = InclusionProof(
    index=1,
    hashes=(leaf_hash(b"{}"),),
    checkpoint=Checkpoint.parse(str(KEY.sign(checkpoint_text(KEY.name, 2, ROOT), moment=SIGNED_AT))),
)

FACTS = MemoFacts(
    lang="en-CA",
    content_lang="",
    institution="Kawartha University",
    body="Senate",
    address=("Gzowski Hall, Room 204", "senate@kawartha.example"),
    heading="Decision memorandum",
    number="SENATE-2026-014",
    title="Applied Data Stewardship for Community Health",
    outcome="approve-with-conditions",
    verdict="Approved, with one condition",
    decided_at=datetime(2026, 10, 29, 18, 31, tzinfo=UTC),
    decided_on=date(2026, 10, 29),
    to=Person(name="Nadia Rahimi", title="Associate Professor", of="Faculty of Health Sciences"),
    copies=("Associate Dean, Health Sciences", "Undergraduate Council"),
    sender=Person(name="Amara Nwosu", title="Chair of Senate", of="Senate"),
    reference="MC-2026-0041",
    asks="New",
    submission=3,
    submitted_on=date(2026, 10, 2),
    motion_heading="Decision",
    motion=Sentence(
        before="That Senate approve the micro-credential ",
        after=", proposed by Faculty of Health Sciences, subject to the condition below.",
    ),
    answer="So decided for Senate by Amara Nwosu, Chair of Senate.",
    conditions=(
        SetCondition(
            number=1,
            text="Finance confirms the fee.",
            due_on=date(2026, 11, 30),
            owner="Associate Dean, Health Sciences",
        ),
    ),
    reasons=("The need is shown by 41 unfilled roles.", "One member asked for the fee.\nIt was not known."),
    next_step=("This is the last decision that the policy asks for.", "The condition above is to be met."),
    checklist=(
        Question(text="The award is worthy of the name.", clause="5.4", required=True, confirmed=True),
        Question(text="The motion is in the minutes.", clause="5.5", required=False, confirmed=False),
    ),
    route=(
        Step(
            stage="Associate Dean",
            body="Associate Dean, Health Sciences",
            person="Marc Lavoie",
            answer="Approved",
            submission=2,
            on=date(2026, 9, 2),
            days_taken=6,
            days_allowed=10,
        ),
        Step(
            stage="Registrar",
            body="Office of Records",
            person="",
            answer="Received for information",
            submission=3,
            on=date(2026, 10, 2),
            days_taken=None,
            days_allowed=None,
        ),
    ),
    content_heading="What was approved",
    terms=(("Class", "For academic credit, Undergraduate, 1.0 units"), ("Fee", "$650")),
    outcomes=(
        LearningOutcome(
            number=1, text="Map where health information is kept.", assessed_by=("Data map, 40%", "Defence, 60%")
        ),
        LearningOutcome(number=2, text="Judge the quality of a data set.", assessed_by=()),
    ),
    revision_digest="a78a291f237e8b08fff2857a663753f466723893b36868142819c01bdb45e632",
    policy="Micro-credential approval policy, version 1",
    policy_digest="2c4e13c7494b6b096135516dc0e203007e44314ce1f3538618ffebdbaa10e1ff",
    policy_in_force_from=date(2025, 7, 1),
    clause="4.5",
    event_number=18391,
    place=PlaceInLog(log=KEY.name, index=1, size=2, root=to_base64(ROOT), signed_at=SIGNED_AT),
    certificate=Certificate(name="Registrar of Kawartha University", is_demonstration=False),
    address_of_memo="https://assent.kawartha.example/memos/SENATE-2026-014.pdf",
    address_to_check="https://assent.kawartha.example/verify/SENATE-2026-014/",
    record=RECORD.decode(),
    proof=str(PROOF),
)

# Facts that the template or the clockwork chooses among, rather than printing what somebody typed.
CHOSEN = frozenset(
    {"lang", "content_lang", "outcome", "number", "address_of_memo", "address_to_check", "record", "proof"}
)


def with_every_text(change: Callable[[str], str], facts: MemoFacts = FACTS) -> MemoFacts:
    """The facts with every text that a person may have typed changed."""
    return _changed(facts, change)


def texts(value: Any) -> list[str]:
    """Every text of the facts that is to be read in the memo."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, tuple):
        return [text for each in value for text in texts(each)]
    if is_dataclass(value):
        return [
            text for f in fields(value) if f.name not in CHOSEN - {"number"} for text in texts(getattr(value, f.name))
        ]
    return []


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, tuple):
        return tuple(_changed(each, change) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(
            value, **{f.name: _changed(getattr(value, f.name), change) for f in fields(value) if f.name not in CHOSEN}
        )
    return value
