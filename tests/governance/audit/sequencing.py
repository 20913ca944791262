"""What the tests of the sequencer do in processes of their own: be killed at every step, write and seal all at once.

python -m tests.governance.audit.sequencing at-every-step
python -m tests.governance.audit.sequencing race 5
"""

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import NoReturn

import django

WRITERS, SEQUENCERS = 4, 3
# Signatures take some milliseconds each to verify in plain Python.
MOST_SIGNATURES = 150


@dataclass
class Found:
    """What there is when everybody is gone and the last sequencer has run."""

    events: int
    sealed_once: bool
    waiting: int
    streams_in_order: bool
    rebuilt: bool
    consistent: bool
    signed: bool
    checkpoints: int
    # How many events were sealed after one with a higher number: committed out of order.
    late: int
    head: int


def look() -> Found:
    """Hash the whole log anew from the events' bodies, and hold tiles and checkpoints against it."""
    from governance.audit import keys
    from governance.audit.merkle import WIDTH
    from governance.audit.models import Checkpoint, Event, Leaf, Pending, Tile
    from governance.audit.queries import consistency_proof, keys_of_log
    from governance.audit.verifier import Checkpoint as SignedCheckpoint
    from governance.audit.verifier import Frontier, Note, leaf_hash, signatures_that_hold, verify_consistency

    rows = list(Leaf.objects.order_by("index").values_list("index", "event_id", "event__subject", "event__sequence"))
    bodies = Leaf.objects.order_by("index").values_list("event__body", flat=True)
    leaves = [leaf_hash(bytes(body)) for body in bodies.iterator()]
    frontier, roots = Frontier(), {}
    for leaf in leaves:
        frontier.add(leaf)
        roots[frontier.size] = frontier.root()
    checkpoints = list(Checkpoint.objects.order_by("size"))
    tiles = {(tile.level, tile.index): bytes(tile.hashes) for tile in Tile.objects.all()}
    streams: dict[str, list[int]] = {}
    for _, _, subject, sequence in rows:
        streams.setdefault(subject, []).append(sequence)
    known = [key for each in keys_of_log() for key in (each, each.as_cosigner)]
    highest, late = 0, 0
    for _, event, _, _ in rows:
        late += event < highest
        highest = max(highest, event)
    return Found(
        events=Event.objects.count(),
        sealed_once=[index for index, *_ in rows] == list(range(len(rows)))
        and sorted(event for _, event, _, _ in rows) == sorted(Event.objects.values_list("pk", flat=True)),
        waiting=Pending.objects.count(),
        streams_in_order=all(stream == list(range(1, len(stream) + 1)) for stream in streams.values()),
        rebuilt=all(bytes(each.root) == roots[each.size] for each in checkpoints)
        and tiles
        == {
            (0, number): b"".join(leaves[number * WIDTH : (number + 1) * WIDTH])
            for number in range(len(leaves) // WIDTH)
        },
        consistent=all(
            verify_consistency(
                size=one.size,
                root=bytes(one.root),
                later_size=other.size,
                later_root=bytes(other.root),
                proof=consistency_proof(one.size, other),
            )
            for one, other in pairwise(checkpoints)
        ),
        signed=all(
            len(signatures_that_hold(Note.parse(one.note), known)) == 2 for one in checkpoints[-MOST_SIGNATURES:]
        ),
        checkpoints=len(checkpoints),
        late=late,
        head=SignedCheckpoint.parse(keys.head()).size,
    )


def answer(**more: object) -> None:
    print(json.dumps(asdict(look()) | more))  # noqa: T201  # this is how it answers the test


def forked(deed: Callable[[], object]) -> int:
    """A process of its own, with its own connection, that does this and ends."""
    child = os.fork()
    if child == 0:
        try:
            deed()
        finally:
            os._exit(0)
    return child


# ---- killed at every step


def killed_at_every_step() -> None:
    """For each step in turn, fork a sequencer that is killed there; let another go on; print what came of it."""
    from django.db import connection, connections

    from governance.audit.actions import seal_and_sign
    from tests.workflows.notices.world.steps import around_each_statement, die_at

    connection.execute_wrappers.append(around_each_statement)
    number, killed = 0, True
    while killed:
        # Enough to complete a tile in some of the rounds.
        for _ in range(40):
            write("a stream")
        connections.close_all()

        def die_sealing(step: int = number) -> None:
            die_at(step)
            seal_and_sign(now=True)

        killed = os.WIFSIGNALED(os.waitpid(forked(die_sealing), 0)[1])
        seal_and_sign(now=True)
        # The first signature of all brings about the event of the key.
        seal_and_sign(now=True)
        answer(killed=killed)
        number += 1
    connections.close_all()


def write(subject: str, *, pause: float = 0.0, take_back: bool = False) -> None:
    """An event, committed after a pause or not at all. Whoever writes to a stream holds its number, as an act holds
    its subject."""
    from django.db import transaction

    from governance.audit.actions import ASSENT, record, take_number
    from governance.audit.verbs import Verb

    with transaction.atomic():
        number = take_number(subject)
        record(verb=Verb.COMMENT_ADDED, subject=subject, actor=ASSENT, sequence=number)
        time.sleep(pause)
        if take_back:
            transaction.set_rollback(True)


# ---- all at once


def write_until_killed(own: str) -> NoReturn:
    """Events on a stream of one's own and on one that all share. On PostgreSQL some transactions stay open for a
    while, so that numbers are committed out of order; SQLite would make everybody wait."""
    from django.db import connection

    chance = random.Random()
    slow = connection.vendor == "postgresql"
    while True:
        subject = own if chance.random() < 0.7 else "shared"
        pause = chance.random() * 0.02 if slow and chance.random() < 0.5 else 0.0
        write(subject, pause=pause, take_back=chance.random() < 0.1)
        time.sleep(0.0 if slow else chance.random() * 0.004)


def seal_until_killed() -> NoReturn:
    from governance.audit.actions import seal, seal_and_sign

    chance = random.Random()
    while True:
        if chance.random() < 0.5:
            seal(at_most=chance.randrange(1, 40))
        else:
            seal_and_sign(now=True)
        time.sleep(chance.random() * 0.01)


def race(seconds: float) -> None:
    """Writers and sequencers, of which one after the other is killed and replaced until the time is over."""
    from governance.audit.actions import seal_and_sign

    roles: list[Callable[[], object]] = [
        *(lambda own=f"own/{number}": write_until_killed(own) for number in range(WRITERS)),
        *([seal_until_killed] * SEQUENCERS),
    ]
    running = {forked(role): role for role in roles}
    chance, kills = random.Random(), {"writers": 0, "sequencers": 0}
    ended = 0
    over = time.monotonic() + seconds
    while time.monotonic() < over:
        time.sleep(chance.uniform(0.01, 0.12))
        child = chance.choice(list(running))
        role = running.pop(child)
        os.kill(child, signal.SIGKILL)
        ended += not os.WIFSIGNALED(os.waitpid(child, 0)[1])
        kills["sequencers" if role is seal_until_killed else "writers"] += 1
        running[forked(role)] = role
    for child in running:
        os.kill(child, signal.SIGKILL)
        ended += not os.WIFSIGNALED(os.waitpid(child, 0)[1])
    seal_and_sign(now=True)
    seal_and_sign(now=True)
    answer(kills=kills, ended_by_themselves=ended)


if __name__ == "__main__":
    django.setup()
    match sys.argv[1:]:
        case ["at-every-step"]:
            killed_at_every_step()
        case ["race", seconds]:
            race(float(seconds))
        case _:
            sys.exit(__doc__)
