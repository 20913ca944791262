"""The sequencer: every event gets one place in the log, the tree is that of RFC 9162, and what was signed is never
contradicted."""

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.db import connection, connections, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance import clock
from governance.audit import keys, tasks
from governance.audit.actions import (
    ASSENT,
    BATCH,
    LogWouldFork,
    checkpoint_over,
    log_begun_anew,
    record,
    seal,
    seal_and_sign,
    sign_checkpoint,
)
from governance.audit.keys import NoKey
from governance.audit.merkle import WIDTH, Tree
from governance.audit.models import Checkpoint, Event, Leaf, Pending, Tile
from governance.audit.queries import LOG, consistency_proof, inclusion_proof, keys_of_log, noted, read_tile, size_of_log
from governance.audit.verbs import Verb
from governance.audit.verifier import Checkpoint as SignedCheckpoint
from governance.audit.verifier import (
    Note,
    leaf_hash,
    signatures_that_hold,
    verify_consistency,
    verify_inclusion,
)
from tests.conftest import drop_triggers, install_triggers

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
NUMBERS = count(1)


def write(*subjects: str) -> list[Event]:
    """An event on each of the streams, each in a transaction of its own."""
    events = []
    for subject in subjects:
        with transaction.atomic():
            events.append(record(verb=Verb.COMMENT_ADDED, subject=subject, actor=ASSENT))
    return events


def fill(how_many: int) -> None:
    """So many events that wait, of which only the leaves matter, quickly."""
    events = Event.objects.bulk_create(
        Event(
            subject=f"filled/{number}",
            sequence=1,
            verb=Verb.COMMENT_ADDED,
            at=NOON,
            actor="system",
            actor_name="Assent",
            body=b"{}",
            leaf=hashlib.sha256(b"filled %d" % number).digest(),
        )
        for number in islice(NUMBERS, how_many)
    )
    Pending.objects.bulk_create(Pending(event_id=event.pk) for event in events)


def sealed() -> list[int]:
    """The events in the order of the log, whose places have no gap."""
    leaves = list(Leaf.objects.order_by("index").values_list("index", "event_id"))
    assert [index for index, _ in leaves] == list(range(len(leaves)))
    return [event for _, event in leaves]


def leaves_of_log() -> list[bytes]:
    return [bytes(leaf) for leaf in Leaf.objects.order_by("index").values_list("event__leaf", flat=True)]


def naive_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 9162, section 2.1.1, as it is written there."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + naive_root(leaves[:split]) + naive_root(leaves[split:])).digest()


def tiles() -> dict[int, list[int]]:
    """The indexes of the tiles there are, by level."""
    found: dict[int, list[int]] = {}
    for level, index in Tile.objects.order_by("level", "index").values_list("level", "index"):
        found.setdefault(level, []).append(index)
    return found


@contextmanager
def taken_back() -> Iterator[None]:
    """What is done within is not in the database afterwards; what was written outside it is."""
    before = transaction.savepoint()
    try:
        yield
    finally:
        transaction.savepoint_rollback(before)


# ---- the order


def test_events_are_sealed_once_each_in_order_and_none_waits_any_longer() -> None:
    events = write("a", "b", "a", "c", "b", "a")
    assert seal() == 6
    assert sealed() == [event.pk for event in events]
    assert not Pending.objects.exists()


def test_sealing_again_does_nothing() -> None:
    write("a", "b")
    assert [seal(), seal(), seal()] == [2, 0, 0]
    first = seal_and_sign(now=True)
    # The key's own event, which the first signature brought about.
    seal_and_sign(now=True)
    rows = (Leaf.objects.count(), Tile.objects.count(), Checkpoint.objects.count())
    assert rows == (3, 0, 2)
    assert seal_and_sign(now=True) != first
    assert (Leaf.objects.count(), Tile.objects.count(), Checkpoint.objects.count()) == rows


def test_an_event_that_was_taken_back_is_not_sealed_and_leaves_no_gap() -> None:
    write("a")
    with taken_back():
        write("a")
    after = write("a", "b")
    assert seal() == 3
    assert [event.sequence for event in after] == [2, 1]
    assert len(sealed()) == 3


def test_batches_continue_each_other() -> None:
    events = write(*"abcabca")
    assert [seal(at_most=3), seal(at_most=3), seal(at_most=3), seal(at_most=3)] == [3, 3, 1, 0]
    assert sealed() == [event.pk for event in events]


def test_more_than_a_batch_is_sealed_in_one_go() -> None:
    fill(BATCH + 5)
    checkpoint = seal_and_sign()
    assert checkpoint is not None
    assert checkpoint.size == BATCH + 5
    assert not Pending.objects.exclude(event__subject=LOG).exists()


@pytest.mark.postgres
def test_a_lower_number_that_is_committed_later_is_sealed_later(transactional_db: None) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time, so numbers are committed in order")
    with others_hands(lambda: write("slow")) as others:
        (quick,) = write("quick")
        (slow,) = others.result
        assert quick.pk > slow.pk
        assert seal() == 1
        assert sealed() == [quick.pk]
    assert seal() == 1
    assert sealed() == [quick.pk, slow.pk]


@pytest.mark.postgres
def test_nobody_waits_for_the_sequencer_but_another_sequencer(transactional_db: None) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    write("a", "b")
    with others_hands(seal):
        # Its places are not committed yet; writing goes on, sealing waits.
        write("a", "c")
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '200ms'")
            with pytest.raises(Exception, match="lock timeout"):
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [0x417373656E74])
    assert seal() == 2
    assert len(sealed()) == 4


class others_hands:  # noqa: N801  # reads as a statement
    """Within the block, another connection has done something in a transaction that it commits when the block ends."""

    def __init__(self, deed: Callable[[], Any]) -> None:
        self.deed = deed
        self.done, self.leave = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.result: Any = None

    def _run(self) -> None:
        try:
            # What begins the transaction is not the deed, which may be one that wants to be committed by itself.
            connection.set_autocommit(False)
            self.result = self.deed()
            self.done.set()
            self.leave.wait(60)
            connection.commit()
        finally:
            self.done.set()
            connections.close_all()

    def __enter__(self) -> "others_hands":
        self.thread.start()
        assert self.done.wait(60)
        return self

    def __exit__(self, *_: object) -> None:
        self.leave.set()
        self.thread.join(60)


def test_sealing_refuses_to_be_part_of_another_transaction(transactional_db: None) -> None:
    """What is signed must have been committed."""
    with transaction.atomic():
        for deed in (seal, sign_checkpoint, seal_and_sign):
            with pytest.raises(RuntimeError, match="durable"):
                deed()


# ---- the tree


def test_tiles_are_complete_exactly_at_their_boundary() -> None:
    fill(WIDTH - 1)
    seal()
    assert tiles() == {}
    fill(1)
    seal()
    assert tiles() == {0: [0]}
    fill(1)
    seal()
    assert tiles() == {0: [0]}
    fill(2 * WIDTH - 1)
    seal()
    assert tiles() == {0: [0, 1, 2]}
    for index in range(3):
        tile = Tile.objects.get(level=0, index=index)
        below = leaves_of_log()[index * WIDTH : (index + 1) * WIDTH]
        assert bytes(tile.hashes) == b"".join(below)
        assert bytes(tile.root) == naive_root(below)


@pytest.mark.once
def test_the_second_level_is_complete_exactly_at_its_boundary() -> None:
    whole = WIDTH * WIDTH
    fill(whole - 1)
    while seal() == BATCH:
        pass
    assert tiles() == {0: list(range(WIDTH - 1))}
    for more, levels in ((1, {0: 256, 1: 1}), (1, {0: 256, 1: 1}), (WIDTH - 1, {0: 257, 1: 1})):
        fill(more)
        seal()
        assert {level: len(indexes) for level, indexes in tiles().items()} == levels
    above = Tile.objects.get(level=1)
    roots = Tile.objects.filter(level=0, index__lt=WIDTH).order_by("index").values_list("root", flat=True)
    assert bytes(above.hashes) == b"".join(map(bytes, roots))
    leaves = leaves_of_log()
    assert bytes(above.root) == naive_root(leaves[:whole])
    assert_tree_is(leaves, [whole - 1, whole])


def assert_tree_is(leaves: list[bytes], indexes: Iterable[int]) -> None:
    """The tree in the tiles has the naive tree's root, and the proofs of these leaves hold against it."""
    size, root = len(leaves), naive_root(leaves)
    tree = Tree(size, read_tile)
    assert tree.root() == root
    for index in indexes:
        proof = tree.inclusion(index)
        assert verify_inclusion(leaf=leaves[index], index=index, size=size, proof=proof, root=root)
        earlier = tree.consistency(index)
        assert verify_consistency(
            size=index, root=naive_root(leaves[:index]), later_size=size, later_root=root, proof=earlier
        )


batches = st.lists(st.one_of(st.integers(1, 40), st.sampled_from([WIDTH - 1, WIDTH, WIDTH + 1, 600])), max_size=8)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sizes=batches, at_most=st.sampled_from([7, 100, WIDTH, 1000]), data=st.data())
def test_any_batches_make_the_tree_of_rfc_9162(db: None, sizes: list[int], at_most: int, data: st.DataObject) -> None:
    # Small batches take a transaction each; a few hundred are enough.
    sizes = sizes if at_most >= 100 else sizes[:2]
    with taken_back():
        for size in sizes:
            fill(size)
            while seal(at_most=at_most):
                pass
        leaves = leaves_of_log()
        assert size_of_log() == len(leaves) == sum(sizes)
        assert tiles() == ({0: list(range(len(leaves) // WIDTH))} if len(leaves) >= WIDTH else {})
        drawn = data.draw(st.lists(st.integers(0, len(leaves) - 1), max_size=3)) if leaves else []
        assert_tree_is(leaves, drawn)


# ---- checkpoints


def test_a_checkpoint_comes_at_once_and_then_every_minute_while_there_are_new_events() -> None:
    assert seal_and_sign() is None
    write("a")
    for second in range(0, 300, 5):
        with clock.at(NOON + timedelta(seconds=second)):
            if 70 <= second <= 130:
                write("a")
            seal_and_sign()
    signed = Checkpoint.objects.order_by("size")
    # The first covers what was there, the second the key's own event; then thirteen come, from second 70 to 130.
    assert [((each.at - NOON).total_seconds(), each.size) for each in signed] == [(0, 1), (60, 2), (120, 13), (180, 15)]


def test_a_clock_that_was_set_back_keeps_nobody_waiting() -> None:
    write("a")
    with clock.at(NOON + timedelta(days=1)):
        seal_and_sign()
    write("b")
    with clock.at(NOON):
        signed = seal_and_sign()
    assert signed is not None and (signed.at, signed.size) == (NOON, 3)


def test_a_checkpoint_comes_on_demand() -> None:
    write("a")
    with clock.at(NOON):
        first = seal_and_sign()
        write("b")
        assert seal_and_sign() == first
        second = seal_and_sign(now=True)
    assert first is not None
    assert second is not None
    assert (first.size, second.size) == (1, 3)
    assert (first.at, second.at) == (NOON, NOON)


def test_nothing_new_is_never_signed_twice() -> None:
    write("a")
    seal_and_sign(now=True)
    seal_and_sign(now=True)
    with clock.at(clock.now() + timedelta(days=1)):
        for _ in range(3):
            seal_and_sign(now=True)
            seal_and_sign()
    assert Checkpoint.objects.count() == 2


def test_what_is_signed_states_name_size_root_and_time(settings: Any) -> None:
    settings.LOG_NAME = "approvals.kawartha.example/record"
    write("a", "b", "c")
    with clock.at(NOON):
        checkpoint = seal_and_sign()
    assert checkpoint is not None
    signed = SignedCheckpoint.parse(noted(checkpoint))
    root = naive_root(leaves_of_log())
    assert (signed.origin, signed.size, signed.root) == ("approvals.kawartha.example/record", 3, root)
    assert (bytes(checkpoint.root), checkpoint.size) == (root, 3)
    (key,) = keys_of_log()
    held = signatures_that_hold(Note.parse(checkpoint.note), [key, key.as_cosigner])
    assert [one.moment for one in held] == [None, int(NOON.timestamp())]


def test_the_first_key_stands_in_the_log_itself() -> None:
    write("a")
    seal_and_sign()
    introduced = Event.objects.get(subject=LOG)
    (key,) = keys_of_log()
    assert introduced.facts["after"] == {"key": str(key), "previous": None}
    covering = checkpoint_over(introduced)
    assert inclusion_proof(introduced, covering).holds_for(bytes(introduced.body))


def test_checkpoint_over_takes_the_earliest_that_covers_the_event_and_signs_only_if_none_does() -> None:
    (first,) = write("a")
    one = checkpoint_over(first)
    (second,) = write("a")
    two = checkpoint_over(second)
    assert (one.size, two.size) == (1, 3)
    assert (checkpoint_over(first), checkpoint_over(second)) == (one, two)
    (third,) = write("a")
    seal()
    assert checkpoint_over(third).size == 4
    assert Checkpoint.objects.count() == 3
    for event, checkpoint in ((first, one), (first, two), (second, two)):
        assert inclusion_proof(event, checkpoint).holds_for(bytes(event.body))
    with pytest.raises(ValueError, match="has no event 2"):
        inclusion_proof(second, one)


def test_every_checkpoint_continues_every_earlier_one() -> None:
    for _ in range(4):
        fill(100)
        seal_and_sign(now=True)
    signed = list(Checkpoint.objects.order_by("size"))
    assert [each.size for each in signed] == [100, 201, 301, 401]
    for later in signed:
        for earlier in signed:
            if earlier.size <= later.size:
                assert verify_consistency(
                    size=earlier.size,
                    root=bytes(earlier.root),
                    later_size=later.size,
                    later_root=bytes(later.root),
                    proof=consistency_proof(earlier.size, later),
                )


# ---- the head outside the database, and databases that go back


def head() -> SignedCheckpoint:
    return SignedCheckpoint.parse(keys.head())


def test_killed_between_head_and_commit_it_goes_on_with_the_same_tree() -> None:
    write("a", "b")
    seal_and_sign(now=True)
    write("a")
    seal()
    with taken_back():
        sign_checkpoint()
    before = head()
    assert before.size == 4
    assert Checkpoint.objects.earliest("-size").size == 2

    again = sign_checkpoint()
    assert again is not None
    assert (again.size, bytes(again.root)) == (before.size, before.root)
    write("a")
    later = seal_and_sign(now=True)
    assert later is not None
    assert later.size == 5


def test_killed_at_the_very_first_signature_the_same_key_is_introduced() -> None:
    write("a")
    seal()
    with taken_back():
        sign_checkpoint()
    assert keys_of_log() == []
    kept = keys.load()
    assert kept is not None
    assert sign_checkpoint() is not None
    assert keys_of_log() == [kept.public]
    assert head().size == 1


def test_a_database_older_than_the_head_is_not_signed_however_it_grows() -> None:
    write("a", "b")
    seal_and_sign(now=True)
    with taken_back():
        write("a", "c")
        seal_and_sign(now=True)
    lost = keys.head()
    assert head().size == 5

    for _ in range(3):
        # At first it is shorter than what was signed, then as long, then longer; the events are others.
        write("other", "other")
        with pytest.raises(LogWouldFork, match="5 events"):
            seal_and_sign(now=True)
        assert keys.head() == lost
        assert Checkpoint.objects.earliest("-size").size == 2
    # Sealing goes on: it contradicts nothing as long as nothing is signed.
    assert not Pending.objects.exists()
    with pytest.raises(LogWouldFork):
        checkpoint_over(write("a")[0])


def test_a_database_restored_to_what_was_signed_goes_on() -> None:
    """The copy was made after the last signature, with an event that waited and another that was sealed."""
    write("a", "b")
    seal_and_sign(now=True)
    write("b")
    seal()
    write("c")
    with taken_back():
        write("lost")
    checkpoint = seal_and_sign(now=True)
    assert checkpoint is not None
    assert checkpoint.size == 5


def test_an_altered_leaf_is_not_signed_over() -> None:
    """Somebody with the owner's rights changed what had been signed, and the tiles with it."""
    write("a", "b", "a")
    seal_and_sign(now=True)
    index = Leaf.objects.get(index=1)
    drop_triggers()
    Event.objects.filter(pk=index.event_id).update(leaf=leaf_hash(b"{}"))
    install_triggers()
    write("a")
    with pytest.raises(LogWouldFork):
        seal_and_sign(now=True)


def test_a_missing_key_is_not_replaced_by_a_new_one(settings: Any) -> None:
    write("a")
    seal_and_sign(now=True)
    (Path(settings.KEY_FOLDER) / keys.KEY_FILE).unlink()
    write("a")
    with pytest.raises(NoKey, match="not in"):
        seal_and_sign(now=True)
    assert keys.load() is None
    assert not Pending.objects.exists()


# ---- the worker


def test_the_worker_finds_the_task_by_the_name_in_the_schedule() -> None:
    current_app.autodiscover_tasks(force=True)
    (entry,) = (one for one in current_app.conf.beat_schedule.values() if one["task"] == "audit.seal")
    assert current_app.tasks["audit.seal"].name == tasks.seal.name
    assert entry["schedule"] == 5.0


def test_a_worker_that_cannot_sign_seals_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    write("a")
    with clock.at(NOON):
        tasks.seal()
    with taken_back():
        write("a")
        seal_and_sign(now=True)
    for minute in range(1, 20):
        write("b")
        with clock.at(NOON + timedelta(minutes=minute)):
            tasks.seal()
    (said,) = caplog.records
    assert said.levelname == "ERROR"
    assert said.exc_info is None
    assert "Nothing is signed" in said.getMessage()
    assert not Pending.objects.exists()


# ---- a log that begins anew, in a demonstration


def test_a_demonstration_begins_a_new_log_and_sets_the_old_key_aside(settings: Any) -> None:
    settings.DEMONSTRATION = True
    with taken_back():
        write("an earlier one")
        seal_and_sign(now=True)
    old, old_head = keys.load(), keys.head()
    assert old is not None
    with log_begun_anew(), transaction.atomic():
        write("a", "b")
        first = seal_and_sign(now=True)
    assert first is not None
    new = keys.load()
    assert new is not None
    assert new.public != old.public
    assert keys_of_log() == [new.public]
    assert head().size == first.size == 2
    aside = {path.name.split(".2")[0]: path for path in Path(settings.KEY_FOLDER).glob("*.set-aside")}
    assert aside["log.key"].read_text() == f"{old}\n"
    assert aside["log.head"].read_text() == old_head


def test_a_load_that_fails_leaves_no_head_behind(settings: Any, transactional_db: None) -> None:
    def load() -> None:
        with log_begun_anew(), transaction.atomic():
            write("a")
            seal_and_sign(now=True)
            raise FloatingPointError

    with pytest.raises(FloatingPointError):
        load()
    assert (keys.load(), keys.head(), Event.objects.count()) == (None, "", 0)
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        seal()


def test_a_real_installation_never_gives_up_its_log(settings: Any) -> None:
    assert not settings.DEMONSTRATION
    with taken_back():
        write("a")
        seal_and_sign(now=True)
    key, signed = str(keys.load()), keys.head()
    with pytest.raises(LogWouldFork, match="another log"), log_begun_anew():
        pytest.fail("it must not begin")
    assert (str(keys.load()), keys.head()) == (key, signed)
    write("b")
    with pytest.raises(LogWouldFork):
        seal_and_sign(now=True)
