"""The only place that writes the record and seals it. Every other action calls `record` inside its own transaction.

An act appends its event and waits for nobody. One sequencer, whoever runs it, moves events into the log (`seal`) and
signs checkpoints over it (`sign_checkpoint`).
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from typing import Final

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max

from governance import clock
from governance.audit import columns, keys
from governance.audit.canonical import Json, canonical_bytes
from governance.audit.keys import NoKey, SigningKey
from governance.audit.merkle import WIDTH, DamagedTree, Tree, complete_root
from governance.audit.models import Checkpoint, Cosignature, Event, Leaf, Pending, PersonalDatum, Serial, Tile
from governance.audit.personal import commitment, hidden
from governance.audit.queries import LOG, keys_of_log, latest_checkpoint, read_tile, size_of_log
from governance.audit.verbs import Verb
from governance.audit.verifier import Broken, Note, VerifierKey, checkpoint_text, leaf_hash, signatures_that_hold
from governance.audit.verifier import Checkpoint as SignedCheckpoint

MAX_BODY_BYTES: Final = 65_536
# Events moved into the log in one transaction.
BATCH: Final = 10_000
# Checkpoints come at least so often while there are new events.
EVERY: Final = timedelta(minutes=1)
# PostgreSQL's advisory lock of the sequencer: any number that nothing else in this database uses.
SEQUENCER: Final = 0x417373656E74


@dataclass(frozen=True)
class Actor:
    """Who acted, as the record keeps it: a key that stays, and the name and title of that day.

    A person's `salt` hides name and title in the event (`governance.audit.personal`); what is no person has none.
    """

    key: str
    name: str
    title: str = ""
    salt: bytes = field(default=b"", repr=False)


ASSENT = Actor(key="system", name="Assent")


@dataclass(frozen=True)
class RevisionMark:
    """The exact content an event speaks of."""

    number: int
    digest: str


def record(
    *,
    verb: Verb,
    subject: str,
    actor: Actor,
    on_behalf_of: str = "",
    policy_version: str = "",
    revision: RevisionMark | None = None,
    before: Mapping[str, Json] | None = None,
    after: Mapping[str, Json] | None = None,
    reason: str = "",
    sequence: int | None = None,
) -> Event:
    """Append one event to the subject's stream, as part of the caller's transaction.

    The caller holds a lock on the subject, so that the stream's next number is its own; should two callers not, the
    database's unique constraint lets one of them fail. A caller that knows the next number from the locked row passes
    it as `sequence`. Raises RuntimeError outside a transaction, and ValueError when the event is larger than 64 kB.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("an event is written in the transaction of the act that it records")
    if sequence is None:
        sequence = (Event.objects.filter(subject=subject).aggregate(last=Max("sequence"))["last"] or 0) + 1
    moment = clock.now().astimezone(UTC)
    facts: dict[str, Json] = {
        "version": 1,
        "subject": subject,
        "sequence": sequence,
        "verb": Verb(verb).value,
        "at": moment.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "actor": {
            "key": actor.key,
            "name": hidden(actor.salt, actor.name),
            "title": hidden(actor.salt, actor.title),
        },
        "on_behalf_of": on_behalf_of or None,
        "policy_version": policy_version or None,
        "revision": {"number": revision.number, "digest": revision.digest} if revision else None,
        "before": dict(before) if before else None,
        "after": dict(after) if after else None,
        "reason": reason or None,
    }
    body = canonical_bytes(facts)
    if len(body) > MAX_BODY_BYTES:
        raise ValueError(f"the event {verb} on {subject} is {len(body)} bytes; an event holds at most {MAX_BODY_BYTES}")
    event = Event.objects.create(
        subject=subject,
        sequence=sequence,
        verb=verb,
        at=moment,
        actor=actor.key,
        actor_name=actor.name,
        body_code=columns.body_code(facts),
        policy_version=columns.policy_version(facts),
        body=body,
        leaf=leaf_hash(body),
    )
    Pending.objects.create(event=event)
    return event


def take_number(key: str) -> int:
    """The next number under `key`, from 1. Taken for good only if the caller's transaction commits."""
    if not connection.in_atomic_block:
        raise RuntimeError("a number is taken in the transaction of the act that uses it")
    serial, _ = Serial.objects.select_for_update().get_or_create(key=key)
    serial.last += 1
    serial.save(update_fields=["last"])
    return serial.last


def keep_openings(*, person: str, salt: bytes, values: Iterable[str]) -> None:
    """Remember what the commitments to these names, titles and addresses of a person say, until it is erased."""
    PersonalDatum.objects.bulk_create(
        [
            PersonalDatum(person=person, commitment=commitment(salt, value), value=value)
            for value in dict.fromkeys(values)
            if value
        ],
        ignore_conflicts=True,
    )


# ---- sealing


class LogWouldFork(Exception):
    """Signing now would contradict a checkpoint that was signed before: the database is older than that, or altered."""


def seal(*, at_most: int = BATCH) -> int:
    """Move events that wait into the log, in the order in which they were committed; returns how many.

    Run by several at once, one after the other does it; killed anywhere, nothing of that batch happened.
    """
    with _committed():
        _one_at_a_time()
        waiting = list(Pending.objects.order_by("event_id").values_list("event_id", "event__leaf")[:at_most])
        if not waiting:
            return 0
        first = size_of_log()
        Leaf.objects.bulk_create(
            [Leaf(index=index, event_id=event) for index, (event, _) in enumerate(waiting, start=first)],
            batch_size=2_000,
        )
        _keep_tiles(first, [bytes(leaf) for _, leaf in waiting])
        Pending.objects.filter(pk__in=[event for event, _ in waiting]).delete()
    return len(waiting)


def seal_all() -> None:
    """Move everything that waits into the log, a batch at a time."""
    while seal() == BATCH:
        pass


def sign_checkpoint() -> Checkpoint | None:
    """Sign the log as far as it is sealed, and return its latest checkpoint; None for an empty log.

    Never together with `seal` in one transaction: what is signed must have been committed. Raises LogWouldFork when the
    log does not continue what was signed last, and NoKey when the key is missing or cannot be used.
    """
    with _committed():
        _one_at_a_time()
        size, latest = size_of_log(), latest_checkpoint()
        if not size or (latest is not None and latest.size == size):
            return latest
        _check_head(size)
        key, root, moment = _signing_key(), Tree(size, read_tile).root(), clock.now()
        note = str(key.sign(checkpoint_text(key.name, size, root), moment=moment))
        # First outside the database: should this not be committed, the next try signs the same or a later tree.
        keys.keep_head(note)
        return Checkpoint.objects.create(size=size, root=root, note=note, at=moment)


def seal_and_sign(*, now: bool = False) -> Checkpoint | None:
    """Seal everything that waits; sign a checkpoint if the last one is a minute old, or `now`. Returns the latest."""
    seal_all()
    latest = latest_checkpoint()
    # A clock that was set back must not make anybody wait until it has come to where it was.
    if now or latest is None or not timedelta() <= clock.now() - latest.at < EVERY:
        return sign_checkpoint()
    return latest


def what_stops_signing() -> str:
    """Why the log cannot be signed as it is, in a sentence; empty where it can. Changes nothing."""
    try:
        _usable_key()
        _check_head(size_of_log())
    except (NoKey, LogWouldFork, DamagedTree) as error:
        return str(error)
    return ""


def checkpoint_over(event: Event) -> Checkpoint:
    """A checkpoint over a log that holds the event, signed now if need be."""
    leaf = Leaf.objects.filter(event=event).first()
    if leaf is not None:
        covering = Checkpoint.objects.filter(size__gt=leaf.index).order_by("size").first()
        if covering is not None:
            return covering
    latest = seal_and_sign(now=True)
    assert latest is not None
    return latest


def new_key(*, actor: Actor, reason: str, name: str = "", lost: bool = False) -> SigningKey:
    """Let a new key sign from now on. The log says so under a checkpoint of the old key, which still verifies.

    `lost` is for a database that was restored from a copy older than the last checkpoint, and for a key that is gone:
    the log then goes on under another `name`, because two histories under one would be a forgery's mark, and the record
    says what was lost. Killed anywhere and called again, it goes on with the same new key.

    Raises ValueError for a name that is missing, taken or cannot be one, and where nothing was lost; NoKey and
    LogWouldFork where the old key must sign and cannot.
    """
    upcoming = keys.load_next()
    if lost != bool(name) or name in _names_before(upcoming):
        raise ValueError(
            "a log that lost its end goes on under another name, which it never had; any other keeps its own"
        )
    if lost and _can_sign():
        raise ValueError("nothing was lost: the key is there, and the log continues what was signed last")
    with transaction.atomic():
        _one_at_a_time()
        if not lost:
            _check_head(size_of_log())
            name = name or _signing_key().name
        if upcoming is None or upcoming.name != name:
            upcoming = SigningKey.new(name)
            keys.keep_next(upcoming)
        known = keys_of_log()
        if upcoming.public not in known:
            after: dict[str, Json] = {"key": str(upcoming.public), "previous": str(known[-1]) if known else None}
            if lost:
                after["lost_head"] = keys.head()
            record(verb=Verb.KEY_INTRODUCED, subject=LOG, actor=actor, after=after, reason=reason)
    if not lost:
        seal_and_sign(now=True)
    keys.promote()
    return upcoming


@transaction.atomic
def add_cosignatures(*, text: str, witnesses: Iterable[VerifierKey]) -> list[Cosignature]:
    """Keep the witnesses' signatures under one of our checkpoints, as a signed note that came back from them.

    Raises Broken for a note that is not a checkpoint of ours or that no known witness signed.
    """
    signed = SignedCheckpoint.parse(text)
    checkpoint = Checkpoint.objects.filter(size=signed.size).first()
    if checkpoint is None or Note.parse(checkpoint.note).text != signed.note.text:
        raise Broken("This is not a checkpoint of this log.")
    held = {(one.key.name, one.key.id) for one in signatures_that_hold(signed.note, witnesses)}
    if not held:
        raise Broken("No known witness signed this checkpoint.")
    return [
        Cosignature.objects.get_or_create(
            checkpoint=checkpoint, line=str(line), defaults={"witness": line.name, "received_at": clock.now()}
        )[0]
        for line in signed.note.signatures
        if (line.name, line.id) in held
    ]


@contextmanager
def log_begun_anew() -> Iterator[None]:
    """Within the block, a new log is begun and sealed inside the one transaction that fills an empty database.

    For the demonstration, whose earlier database was thrown away: key and head of that one's log are set aside. A real
    installation never gives up a log so; there, LogWouldFork is raised where one was begun.
    """
    if keys.head() and not settings.DEMONSTRATION:
        raise LogWouldFork(
            f"{keys.folder()} holds the last checkpoint of another log, so no log is begun in this empty database."
        )
    keys.set_aside()
    token = _filling.set(True)
    try:
        yield
    except BaseException:
        # What was signed goes with the transaction.
        keys.set_aside()
        raise
    finally:
        _filling.reset(token)


_filling: ContextVar[bool] = ContextVar("filling", default=False)


def _committed() -> transaction.Atomic:
    """A transaction that nobody can take back once it is left, so that nothing is signed that might not come true."""
    return transaction.atomic(durable=not _filling.get())


def _one_at_a_time() -> None:
    """Hold everybody else off until the transaction ends. SQLite has one writer at a time as it is."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SEQUENCER])


def _keep_tiles(first: int, leaves: list[bytes]) -> None:
    """Write the tiles that these leaves, which begin at index `first`, complete, level by level."""
    level, hashes = 0, leaves
    while hashes:
        begun = first // WIDTH
        row = [*read_tile(level, begun)[: first % WIDTH], *hashes]
        full = [row[at : at + WIDTH] for at in range(0, len(row) - WIDTH + 1, WIDTH)]
        roots = [complete_root(tile) for tile in full]
        Tile.objects.bulk_create(
            Tile(level=level, index=begun + at, hashes=b"".join(tile), root=root)
            for at, (tile, root) in enumerate(zip(full, roots, strict=True))
        )
        level, first, hashes = level + 1, begun, roots


def _signing_key() -> SigningKey:
    """The key that signs today, which the log knows; a new one for a log that never had any."""
    key = _usable_key()
    if key is None:
        key = SigningKey.new(settings.LOG_NAME)
        keys.keep(key)
    if key.public not in keys_of_log():
        record(
            verb=Verb.KEY_INTRODUCED,
            subject=LOG,
            actor=ASSENT,
            after={"key": str(key.public), "previous": None},
        )
    return key


def _usable_key() -> SigningKey | None:
    """The key in the key folder; None where neither it nor the log has one. Raises NoKey for one that may not sign."""
    key, known = keys.load(), keys_of_log()
    if key is None and known:
        raise NoKey(
            f"The key of this log, {known[-1]}, is not in {keys.folder()}. Bring it back; if it is gone for good,"
            " the log goes on under another name: manage.py audit key new --after-loss."
        )
    if key is not None and known and key.public not in known:
        raise NoKey(
            f"{keys.folder() / keys.KEY_FILE} holds {key.public}, a key that this log does not know. Bring back the"
            f" one that it does: {known[-1]}."
        )
    return key


def _names_before(upcoming: SigningKey | None) -> set[str]:
    """Every name under which the log was signed, or may have been; not that of the key that is about to follow."""
    key, head = keys.load(), keys.head()
    names = {each.name for each in keys_of_log() if upcoming is None or each != upcoming.public}
    return names | {head.partition("\n")[0]} | ({key.name} if key else set())


def _can_sign() -> bool:
    """Whether the log's own key is there and the log continues what was signed last."""
    key = keys.load()
    return key is not None and key.public in keys_of_log() and _continues(_last_signed(), size_of_log())


def _check_head(size: int) -> None:
    """See that the log of this size continues what was signed last."""
    signed = _last_signed()
    if not _continues(signed, size):
        assert signed is not None
        raise LogWouldFork(
            f"The last checkpoint was signed over {signed.size} events, and this database, with {size}, does not"
            " continue it: it was restored from an older copy, or altered. Nothing is signed. docs/running.md says what"
            " to do."
        )


def _last_signed() -> SignedCheckpoint | None:
    """What was signed last under the name that the key has today. What was signed under an earlier name was lost, as
    the event that introduced the new one says."""
    head, key = keys.head(), keys.load()
    if not head:
        return None
    try:
        signed = SignedCheckpoint.parse(head)
    except Broken as error:
        raise NoKey(f"{keys.folder() / keys.HEAD_FILE} cannot be used: {error}") from error
    return None if key is not None and key.name != signed.origin else signed


def _continues(signed: SignedCheckpoint | None, size: int) -> bool:
    return signed is None or (signed.size <= size and Tree(signed.size, read_tile).root() == signed.root)
