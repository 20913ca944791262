"""The record's events as rows of a list or a file: who, when, what, under which version, and whether sealed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from governance.audit.models import Checkpoint, Event, Leaf, named
from governance.audit.personal import HIDDEN, is_hidden
from governance.audit.queries import Narrowing, narrowed, read_through, read_whole
from governance.audit.verbs import Verb
from governance.csv_cells import Cell
from governance.policies.models import PolicyVersion
from workflows.auditing.explorer.kinds import STREAMS, WORDS
from workflows.review.lists import capped_counts
from workflows.review.paging import Key, Page, aware_moment, page_of

NEWEST_FIRST: Final = (Key("at", aware_moment, largest_first=True), Key("id", largest_first=True))


@dataclass(frozen=True)
class Proof:
    """How far an event is proved: its index in the log, and whether a checkpoint covers it."""

    index: int | None
    covered: bool

    @property
    def words(self) -> str:
        if self.index is None:
            return _("waits to be sealed")
        return _("sealed, under a checkpoint") if self.covered else _("sealed, waits for a checkpoint")


@dataclass(frozen=True)
class Row:
    """An event as the list shows it."""

    event: Event
    proof: Proof
    stream: str
    stream_url: str
    version_url: str = ""
    version_number: int = 0

    @property
    def who(self) -> str:
        return capfirst(named(self.event.actor_name))

    @property
    def what(self) -> str:
        """The sentence without who acted, where it begins so."""
        return capfirst(self.event.sentence.removeprefix(self.who).strip())

    @property
    def title(self) -> str:
        """The title of who acted, on that day; empty where they had none, or it was erased."""
        title = self.event.facts["actor"]["title"]
        return self.event.openings.get(title[HIDDEN], "") if is_hidden(title) else str(title)

    @property
    def leaf(self) -> str:
        """The hash of its leaf in hexadecimal."""
        return bytes(self.event.leaf).hex()

    @property
    def url(self) -> str:
        return reverse("audit-event", args=[self.event.pk])


@dataclass(frozen=True)
class Listing:
    page: Page
    rows: list[Row]
    found: int


def listing(wanted: Narrowing, checkpoint: Checkpoint | None, versions: list[PolicyVersion], cursor: str) -> Listing:
    """A page of the events that are wanted, newest first. Four queries, whatever there is."""
    events = narrowed(wanted)
    page = page_of(events.values("at", "id"), NEWEST_FIRST, cursor)
    (found,) = capped_counts(events)
    labelled = {version.label: version for version in versions}
    rows = [
        row_of(event, proof_of(event, checkpoint), labelled.get(event.policy_version))
        for event in read_whole([row["id"] for row in page.rows])
    ]
    return Listing(page=page, rows=rows, found=found)


def row_of(event: Event, proof: Proof, version: PolicyVersion | None) -> Row:
    return Row(
        event=event,
        proof=proof,
        stream=stream_in_words(event),
        stream_url=list_of(event.subject),
        version_url=version.get_absolute_url() if version else "",
        version_number=version.number if version else 0,
    )


def proof_of(event: Event, checkpoint: Checkpoint | None) -> Proof:
    """How far an event, read with its leaf, is proved."""
    leaf: Leaf | None = getattr(event, "leaf_of_log", None)
    if leaf is None:
        return Proof(None, covered=False)
    return Proof(leaf.index, covered=checkpoint is not None and leaf.index < checkpoint.size)


def stream_in_words(event: Event) -> str:
    """What an event is about: "Proposal MC-2026-0014", "Body SENATE", "The log"."""
    head, _slash, rest = event.subject.partition("/")
    return f"{STREAMS[head]} {rest}".strip() if head in STREAMS else event.subject


def list_of(subject: str) -> str:
    """The address of the list of everything on the stream; for a proposal, with the readings of its files."""
    about = subject.partition("/")[2] if subject.startswith("proposal/") else subject
    return f"{reverse('audit')}?{urlencode({'about': about})}"


# ---- the whole list as a file


def head() -> list[str]:
    """What stands above the columns of the CSV file."""
    return [
        _("Number in the record"),
        _("When"),
        _("Key of who acted"),
        _("Who acted"),
        _("Verb"),
        _("What happened"),
        _("In a sentence"),
        _("Stream"),
        _("Place in the stream"),
        _("Body"),
        _("Policy version"),
        _("Reason"),
        _("Index in the log"),
        _("Proof"),
        _("Hash of the leaf"),
    ]


def as_cells(wanted: Narrowing, checkpoint: Checkpoint | None) -> Iterator[tuple[Cell, ...]]:
    """Every event that is wanted, newest first, as the cells under `head`. Times are UTC to the microsecond, as they
    were sealed."""
    for event, proof in _all(wanted, checkpoint):
        yield (
            event.pk,
            event.facts["at"],
            event.actor,
            named(event.actor_name),
            event.verb,
            str(WORDS[Verb(event.verb)]),
            event.sentence,
            event.subject,
            event.sequence,
            event.body_code,
            event.policy_version,
            event.reason,
            proof.index,
            proof.words,
            bytes(event.leaf).hex(),
        )


def as_json(wanted: Narrowing, checkpoint: Checkpoint | None) -> Iterator[bytes]:
    """Every event that is wanted, newest first, as a JSON list: index, proof status and the canonical bytes as they
    were hashed. Names stay commitments."""
    yield b"["
    comma = b"\n"
    for event, proof in _all(wanted, checkpoint):
        status = b"waiting" if proof.index is None else b"covered" if proof.covered else b"sealed"
        index = b"null" if proof.index is None else str(proof.index).encode()
        yield comma + b'{"index":%b,"proof":"%b","event":%b}' % (index, status, bytes(event.body))
        comma = b",\n"
    yield b"\n]\n"


def _all(wanted: Narrowing, checkpoint: Checkpoint | None) -> Iterator[tuple[Event, Proof]]:
    for event in read_through(narrowed(wanted)):
        yield event, proof_of(event, checkpoint)
