"""Everything that a memo says, as plain data. Its page is made of these facts and nothing else, so that the same facts
give the same memo.
"""

from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime

from governance.audit.canonical import Json


@dataclass(frozen=True)
class Person:
    """Somebody as a memo names them."""

    name: str
    title: str
    of: str

    @property
    def who(self) -> str:
        return ", ".join(word for word in (self.name, self.title) if word)


@dataclass(frozen=True)
class Sentence:
    """A sentence that names the micro-credential, whose title may be in another language than the memo."""

    before: str
    after: str


@dataclass(frozen=True)
class SetCondition:
    number: int
    text: str
    due_on: date | None
    owner: str


@dataclass(frozen=True)
class Question:
    """A question of the stage's checklist and whether it was confirmed."""

    text: str
    clause: str
    required: bool
    confirmed: bool


@dataclass(frozen=True)
class Step:
    """One answer on the way so far. Days are working days; a stage that only received for information has none."""

    stage: str
    body: str
    person: str
    answer: str
    submission: int
    on: date
    days_taken: int | None
    days_allowed: int | None


@dataclass(frozen=True)
class LearningOutcome:
    number: int
    text: str
    assessed_by: tuple[str, ...]


@dataclass(frozen=True)
class PlaceInLog:
    """Where the log holds the decision's event, and the checkpoint that says so."""

    log: str
    index: int
    size: int
    root: str
    signed_at: datetime


@dataclass(frozen=True)
class Certificate:
    """What the memo is signed with, as its text names it."""

    name: str
    is_demonstration: bool


@dataclass(frozen=True)
class MemoFacts:
    """Everything printed in a memo. Words are already in the memo's language, `lang`."""

    lang: str
    # Language of the proposal's own words where it is another one than the memo's, else empty.
    content_lang: str
    institution: str
    body: str
    address: tuple[str, ...]
    heading: str
    number: str
    title: str
    outcome: str
    verdict: str
    decided_at: datetime
    decided_on: date
    to: Person
    copies: tuple[str, ...]
    sender: Person
    reference: str
    asks: str
    submission: int
    submitted_on: date
    motion_heading: str
    motion: Sentence
    answer: str
    conditions: tuple[SetCondition, ...]
    reasons: tuple[str, ...]
    next_step: tuple[str, ...]
    checklist: tuple[Question, ...]
    route: tuple[Step, ...]
    content_heading: str
    terms: tuple[tuple[str, str], ...]
    outcomes: tuple[LearningOutcome, ...]
    revision_digest: str
    policy: str
    policy_digest: str
    policy_in_force_from: date
    clause: str
    event_number: int
    place: PlaceInLog
    certificate: Certificate | None
    address_of_memo: str
    address_to_check: str
    # What is attached: the event's canonical bytes, and the proof that the log holds it.
    record: str
    proof: str

    @property
    def document_title(self) -> str:
        return f"{self.heading} {self.number}: {self.title}"

    @property
    def footer(self) -> str:
        """The memo's number and as much of its title as fits on a line."""
        words = self.title if len(self.title) <= 72 else f"{self.title[:71].rstrip()}…"
        return f"{self.number}   {words}"

    def as_json(self) -> Json:
        """These facts as data with canonical bytes, from which the PDF's identifier is made."""
        return _as_json(self)


def _as_json(value: object) -> Json:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_as_json(each) for each in value]
    if is_dataclass(value):
        return {field.name: _as_json(getattr(value, field.name)) for field in fields(value)}
    raise TypeError(f"a memo has no facts of type {type(value).__name__}")
