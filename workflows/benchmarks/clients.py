"""Decisions by eight people at once, each in a process of their own, over the least that those must cost (PostgreSQL).

Taken by the clock on the wall, because waiting for each other is what it is about.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from statistics import median
from typing import Final, NoReturn

from django.db import DEFAULT_DB_ALIAS, connection, connections

from governance.audit.actions import seal
from governance.people.models import Body, User
from workflows.benchmarks.filling import open_items_of
from workflows.benchmarks.scratch import another_connection, current
from workflows.benchmarks.sides import Bench
from workflows.benchmarks.timing import Deed, Result
from workflows.proposals.models import Proposal
from workflows.proposals.states import State
from workflows.review import actions as review
from workflows.review.models import WorkItem

# The floor's rate over ours: 0.4 times the floor's decisions a second or more.
TARGET: Final = 2.5
MOST_A_ROUND: Final = 5


def decided_at_once(bench: Bench, least_change: Callable[[int], None]) -> list[Result]:
    """Every associate dean decides proposals of their own faculty, while a sequencer seals; the floor is as many
    clients that lock a row, update it, insert two and commit. Nothing on SQLite, which has one writer at a time, nor
    where too little waits."""
    deans = Body.objects.filter(kind="associate-dean").order_by("pk")
    waiting = [(_holder(dean), iter(open_items_of(dean))) for dean in deans]
    fewest = min(WorkItem.objects.filter(body=dean, closed_at=None).count() for dean in deans)
    each = min(MOST_A_ROUND, fewest // (bench.rounds + 1))
    if connection.vendor != "postgresql" or not each:
        return []
    questions = bench.site.place.policy.typed_rules.stage("associate-dean").checklist
    checklist = [question.key for question in questions]
    drafts = list(Proposal.objects.filter(state=State.DRAFT).values_list("pk", flat=True)[: len(waiting)])

    def decide(dean: User, items: Sequence[WorkItem]) -> None:
        for item in items:
            review.approve(actor=dean, item=item, seen=item.proposal.version, confirmed=checklist)

    def ours() -> float:
        deeds = [partial(decide, dean, [next(items) for _ in range(each)]) for dean, items in waiting]
        with somebody_seals():
            return seconds_together(deeds)

    def change(draft: int) -> None:
        for _ in range(each):
            least_change(draft)

    def floor() -> float:
        return seconds_together([partial(change, draft) for draft in drafts])

    taken = [(floor(), ours()) for _ in range(bench.rounds + 1)][1:]
    decisions = len(waiting) * each
    ratios = [mine / least for least, mine in taken]
    return [
        Result(
            name="decide-concurrent",
            ratio=median(ratios),
            target=TARGET,
            ours=median(mine for _, mine in taken) * 1_000 / decisions,
            floor=median(least for least, _ in taken) * 1_000 / decisions,
            unit="ms on the wall",
            rounds=bench.rounds,
            spread=(min(ratios), max(ratios)),
        )
    ]


def _holder(dean: Body) -> User:
    return User.objects.get(mandates__body=dean)


def seconds_together(deeds: Sequence[Deed]) -> float:
    """How long it takes until processes of their own, all begun at once, have done one deed each."""
    ready, begin = os.pipe(), os.pipe()
    children = [_forked(deed, ready[1], begin[0]) for deed in deeds]
    for _ in children:
        os.read(ready[0], 1)
    begun = time.perf_counter()
    os.write(begin[1], b"." * len(children))
    statuses = [os.waitpid(child, 0)[1] for child in children]
    seconds = time.perf_counter() - begun
    for end in (*ready, *begin):
        os.close(end)
    if any(statuses):
        raise RuntimeError("one of the clients did not finish")
    return seconds


def _forked(deed: Deed, ready: int, begin: int) -> int:
    """A process with a connection of its own that says when it is ready, waits for the beginning, and does its deed."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        with current(another_connection(connections[DEFAULT_DB_ALIAS])):
            connection.ensure_connection()
            os.write(ready, b".")
            os.read(begin, 1)
            deed()
            status = 0
    finally:
        os._exit(status)


@contextmanager
def somebody_seals() -> Iterator[None]:
    """Within the block, a process does nothing but move events into the log."""
    child = os.fork()
    if not child:
        _seal_until_killed()
    try:
        yield
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _seal_until_killed() -> NoReturn:
    try:
        with current(another_connection(connections[DEFAULT_DB_ALIAS])):
            while True:
                seal()
                time.sleep(0.01)
    finally:
        os._exit(1)
