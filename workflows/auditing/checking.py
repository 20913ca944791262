"""Runs the offline verifier over this installation's own database, and checks what only the database can show.

Beside what a stranger checks in an export: each event's columns say what its body says, no event stands in the table
past the record, the kept hashes are those of the events, and the log continues what was signed last.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from time import monotonic
from typing import Any, Final

from django.db import DatabaseError, connection, transaction
from django.db.models import Q

from governance import clock
from governance.audit import keys
from governance.audit.actions import seal_all
from governance.audit.columns import body_code, policy_version
from governance.audit.keys import NoKey
from governance.audit.merkle import WIDTH, DamagedTree, Tree, complete_root
from governance.audit.models import Checkpoint, Event, Leaf, Pending, Tile
from governance.audit.personal import HIDDEN, commitment, is_hidden
from governance.audit.queries import read_tile, roots_below, size_of_log
from governance.audit.verifier import (
    Broken,
    Frontier,
    LogCheck,
    Observer,
    Report,
    Rows,
    Source,
    Start,
    VerifierKey,
    WitnessPolicy,
    exit_code,
    leaf_hash,
)
from governance.audit.verifier import Checkpoint as SignedCheckpoint
from governance.people.models import User
from workflows.auditing.beside import look_at_attachments, look_at_openings
from workflows.auditing.models import Verification
from workflows.auditing.source import CHUNK, DatabaseSource

# Events past the record that are named; the others are counted.
NAMED: Final = 20
# So often what waits is sealed for a check to begin with nothing waiting; acts may come faster than that.
TRIES: Final = 5


@dataclass(frozen=True)
class Checked:
    """A check of the database: what came out, and from where the next may go on."""

    report: Report
    check: LogCheck
    code: int
    whole: bool
    begun: datetime
    seconds: float


@dataclass(frozen=True)
class Columns:
    """A row of the table of events, as far as it repeats the event's body."""

    subject: str
    sequence: int
    verb: str
    at: datetime
    actor: str
    actor_name: str
    body_code: str
    policy_version: str


@dataclass
class WatchedSource(DatabaseSource):
    """The database as a source that remembers the row of the event it gave last, and looks at its leaf and tile.

    Beyond the last checkpoint it gives the events that are sealed and not signed yet: rows may rest on them.
    """

    report: Report = field(default_factory=Report)
    row: Columns | None = None
    tiles: "Tiles | None" = None

    @cached_property
    def reach(self) -> int:
        return size_of_log() if self.checkpoint else 0

    def events(self, start: int = 0) -> Iterator[tuple[int, bytes]]:
        self.tiles = Tiles(start, self.report)
        return super().events(start)

    def events_at(self, indexes: Sequence[int]) -> Iterator[tuple[int, bytes]]:
        names = [f"event__{name}" for name in Columns.__dataclass_fields__]
        for first in range(0, len(indexes), CHUNK):
            some = indexes[first : first + CHUNK]
            leaves = Leaf.objects.filter(index__range=(some[0], some[-1])).order_by("index")
            for index, body, leaf, *columns in leaves.values_list("index", "event__body", "event__leaf", *names):
                self.row = Columns(*columns)
                if leaf_hash(bytes(body)) != bytes(leaf):
                    self.report.fails("columns", f"Event {index}: the column “leaf” is not the hash of its body.")
                if self.tiles is not None:
                    self.tiles.take(index, bytes(leaf))
                yield index, bytes(body)


class ColumnsCheck:
    """Compares each event's columns with its body, and its actor's name with the commitment to it."""

    def __init__(self, source: WatchedSource) -> None:
        self._source = source
        self._salts = {f"person/{pk}": bytes(salt) for pk, salt in User.objects.values_list("pk", "salt")}
        self._erased = {f"person/{pk}" for pk in User.objects.exclude(erased_at=None).values_list("pk", flat=True)}
        self._commitments: dict[tuple[str, str], str] = {}

    def observe(self, index: int, event: dict[str, Any], body: bytes) -> None:
        row = self._source.row
        assert row is not None
        told = {
            "subject": event["subject"],
            "sequence": event["sequence"],
            "verb": event["verb"],
            "actor": event["actor"]["key"],
            "at": event["at"],
            "body_code": body_code(event),
            "policy_version": policy_version(event),
        }
        at = row.at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        for name, value in told.items():
            if (at if name == "at" else getattr(row, name)) != value:
                self._source.report.fails("columns", f"Event {index}: the column “{name}” is not what its body says.")
        if not self._is_name(row.actor_name, event["actor"]):
            self._source.report.fails("columns", f"Event {index}: the column “actor_name” is not what its body says.")

    def _is_name(self, name: str, actor: dict[str, Any]) -> bool:
        told, key = actor["name"], actor["key"]
        if not is_hidden(told):
            return bool(name == told)
        if not name:
            return key in self._erased
        salt = self._salts.get(key)
        if not salt:
            return False
        if (key, name) not in self._commitments:
            self._commitments[key, name] = commitment(salt, name)
        return bool(self._commitments[key, name] == told[HIDDEN])

    def finish(self, source: Source, report: Report) -> None:
        if not report.counts["columns"]:
            report.holds("Every event's columns in the database say what its body says.")


class Tiles:
    """Compares the kept hashes with those of the events, from an index on."""

    def __init__(self, start: int, report: Report) -> None:
        first = start // WIDTH
        self._report, self._first, self._last = report, first, first
        known = Leaf.objects.filter(index__gte=first * WIDTH, index__lt=start).order_by("index")
        self._row = [bytes(leaf) for leaf in known.values_list("event__leaf", flat=True)]

    def take(self, index: int, leaf: bytes) -> None:
        """One more leaf; with the 256th, its tile is looked at."""
        self._row.append(leaf)
        if len(self._row) == WIDTH:
            self._compare(0, self._last, self._row)
            self._row, self._last = [], self._last + 1

    def _compare(self, level: int, index: int, row: Sequence[bytes]) -> None:
        tile = Tile.objects.filter(level=level, index=index).first()
        if tile is None:
            self._report.fails("tiles", f"The kept hashes of level {level} have none at {index}.")
        elif bytes(tile.hashes) != b"".join(row) or bytes(tile.root) != complete_root(row):
            self._report.fails("tiles", f"The kept hashes of level {level} at {index} are not those of the events.")

    def finish(self) -> None:
        """Look at the upper levels over what was looked at below, and for tiles where no events are."""
        level, first, stop = 0, self._first, self._last
        while stop:
            level, first, stop = level + 1, first // WIDTH, stop // WIDTH
            for index in range(first, stop):
                self._compare(level, index, roots_below(level, index))
        sealed, level = size_of_log() // WIDTH, 0
        beyond = Q()
        while sealed:
            beyond |= Q(level=level, index__lt=sealed)
            sealed, level = sealed // WIDTH, level + 1
        strange = Tile.objects.exclude(beyond).count() if beyond else Tile.objects.count()
        if strange:
            self._report.fails("tiles", f"{strange} of the kept hashes stand where the log has no events yet.")
        if not self._report.counts["tiles"]:
            self._report.holds("The hashes that are kept for proofs are those of the events.")


def check_database(
    *,
    whole: bool,
    since: Iterable[SignedCheckpoint] = (),
    brought: Iterable[VerifierKey] = (),
    progress: Callable[[int], None] = lambda events: None,
) -> Checked:
    """Check the record in the database, from the beginning or from where the last check that held ended.

    Old checkpoints can only be compared from the beginning. The keys that are believed are those that were brought and
    those in the key folder, which is outside the database. Seals what waits, so that every row can be held against
    its event, and changes nothing else.
    """
    begun, started = clock.now(), monotonic()
    with _one_moment():
        return _check(begun, started, whole=whole, since=list(since), brought=brought, progress=progress)


@contextmanager
def _one_moment() -> Iterator[None]:
    """Whatever is read within is of one moment at which nothing waited to be sealed, whoever acts meanwhile.

    A caller's own transaction is such a moment already.
    """
    if connection.in_atomic_block:
        yield
        return
    for left in reversed(range(TRIES)):
        try:
            seal_all()
        except DatabaseError:
            # The hashes that are kept are in the way: the check says so.
            left = 0
        with _snapshot():
            if not left or not Pending.objects.exists():
                yield
                return


@contextmanager
def _snapshot() -> Iterator[None]:
    if connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
    else:
        # By itself, Django would take SQLite's one place for a writer and keep everybody else from acting.
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")


def _check(
    begun: datetime,
    started: float,
    *,
    whole: bool,
    since: list[SignedCheckpoint],
    brought: Iterable[VerifierKey],
    progress: Callable[[int], None],
) -> Checked:
    report = Report()
    source = WatchedSource(report=report)
    start = None if whole or since else last_start()
    policy = _witness_policy(source, report)
    check = LogCheck(
        source,
        report,
        keys=[*brought, *_own_keys(report)],
        since=since,
        policy=WitnessPolicy.parse(policy) if policy else None,
        start=start,
        before=lambda subject: _end_of_stream(subject, start.size if start else 0),
        progress=progress,
    )
    # Rows rest on every event that there ever was.
    observers: list[Observer] = [ColumnsCheck(source)]
    check.run([*observers, Rows()] if start is None else observers)
    if source.tiles is not None:
        source.tiles.finish()
    if start is None:
        look_at_openings(report)
        look_at_attachments(report)
    _look_for_strays(report)
    _look_at_checkpoints(report, start.size if start else 0)
    _look_at_head(report)
    if start is not None:
        report.remark(f"The first {start.size:,} events were found to hold at an earlier check.")
    code = exit_code(report, tied=check.is_tied or not check.size)
    return Checked(report, check, code, start is None, begun, monotonic() - started)


def last_start() -> Start | None:
    """Where the last check ended; None where there was none, it did not hold, or the log is not what it was then."""
    last = Verification.objects.order_by("-pk").first()
    if last is None or not last.holds:
        return None
    try:
        start = Start.parse(last.frontier)
    except Broken:
        return None
    signed = Checkpoint.objects.filter(size=start.size).first()
    if signed is None or Frontier(start.size, start.hashes).root() != bytes(signed.root):
        return None
    return start


def _own_keys(report: Report) -> list[VerifierKey]:
    try:
        return keys.own()
    except NoKey as error:
        report.remark(f"{error} So the record is not held against it.")
        return []


def _witness_policy(source: WatchedSource, report: Report) -> str:
    try:
        return source.witness_policy()
    except NoKey as error:
        report.remark(f"{error} So no witness is asked for.")
        return ""


def _end_of_stream(subject: str, size: int) -> tuple[int, int]:
    """The last place in a subject's stream within a log of that size, and its time."""
    leaves = Leaf.objects.filter(event__subject=subject, index__lt=size).order_by("-event__sequence")
    last = leaves.values_list("event__sequence", "event__at").first() if size else None
    return (last[0], int(last[1].timestamp())) if last else (0, 0)


def _look_at_checkpoints(report: Report, size: int) -> None:
    """Compare the columns of each checkpoint, from a size on, with the note that was signed, to the second."""
    for each in Checkpoint.objects.filter(size__gte=size).order_by("size").iterator(chunk_size=CHUNK):
        try:
            signed = SignedCheckpoint.parse(each.note)
        except Broken:
            continue
        if bytes(each.root) != signed.root:
            report.fails("columns", f"The checkpoint over {each.size} events: the column “root” is not what it signs.")
        timed = [line for line in signed.note.signatures if line.name == signed.origin and len(line.signature) == 72]
        if int(each.at.timestamp()) not in [int.from_bytes(line.signature[:8], "big") for line in timed]:
            report.fails("columns", f"The checkpoint over {each.size} events: the column “at” is not what it signs.")


def _look_for_strays(report: Report) -> None:
    """Name the events that stand in the table but neither in the log nor among those that wait for it."""
    strays = Event.objects.filter(leaf_of_log=None, pending=None).order_by("pk")
    for event in strays[:NAMED]:
        report.fails("stray", f"{event} of {event.at:%Y-%m-%d %H:%M} was put into the table past the record.")
    more = strays.count() - NAMED
    if more > 0:
        report.fails("stray", f"{more} more events were put into the table past the record.")
    if not report.counts["stray"]:
        report.holds("No event stands in the table past the record.")
    waiting = Pending.objects.count()
    if waiting:
        report.remark(f"{waiting:,} events wait to be sealed.")


def _look_at_head(report: Report) -> None:
    """See that the log continues the checkpoint that was signed last, which is kept outside the database."""
    try:
        head, key = keys.head(), keys.load()
        signed = SignedCheckpoint.parse(head) if head else None
    except (NoKey, Broken) as error:
        report.remark(f"What was signed last cannot be read: {error}")
        return
    # What was signed under an earlier name was lost, and the record says so.
    if signed is None or (key is not None and key.name != signed.origin):
        return
    size = size_of_log()
    if signed.size > size:
        report.fails(
            "head", f"The log was longer once: {signed.size} events were signed, and the database holds {size}."
        )
        return
    try:
        continues = Tree(signed.size, read_tile).root() == signed.root
    except DamagedTree:
        report.fails("tiles", "The hashes that are kept for proofs are not all there.")
        return
    if continues:
        report.holds(f"The log continues what was signed last, over {signed.size:,} events.")
    else:
        report.fails("head", f"The log does not continue what was signed last, over {signed.size} events: it forked.")
