"""What is measured of the record: writing an event, sealing, verifying, and looking through it.

Example: `seal` is a thousand waiting events moved into the log, over making their bytes and hashes alone.
"""

import re
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from itertools import count, islice
from pathlib import Path
from statistics import median
from typing import Any, Final
from urllib.parse import urlencode

from django.db import connection, transaction
from django.urls import reverse

from governance import clock
from governance.audit import keys
from governance.audit.actions import record, seal, seal_and_sign
from governance.audit.canonical import canonical_bytes
from governance.audit.models import Event, Pending
from governance.audit.queries import keys_of_log
from governance.audit.verbs import Verb
from governance.audit.verifier import Frontier, LogCheck, Note, Report, leaf_hash, signatures_that_hold
from workflows.auditing.explorer.comparing import as_of
from workflows.auditing.source import DatabaseSource
from workflows.benchmarks.filling import open_items_of
from workflows.benchmarks.scratch import current
from workflows.benchmarks.sides import Bench, Measure, Sides, Site
from workflows.benchmarks.timing import Compared, Deed, Result, counted
from workflows.review import actions as review

EVENTS_A_BATCH: Final = 1_000
EVENTS_ONE_BY_ONE: Final = 20
# Microseconds an event: 20,000 a second sealed, 60,000 verified, and hashed 450,000 on SQLite, 250,000 on PostgreSQL.
TIME_TO_SEAL: Final = 50.0
TIME_TO_VERIFY: Final = 1e6 / 60_000
TIME_TO_HASH: Final = {"sqlite": 1e6 / 450_000, "postgresql": 1e6 / 250_000}
MEMORY_TO_VERIFY: Final = 150.0
# Milliseconds of the database.
TIME_AS_OF: Final = 1.0
_names = count(1)


# ---- writing


def _append(bench: Bench) -> Sides:
    """Both sides are taken back, so that the same work item can be approved again and again; neither waits for the
    disk."""
    place = bench.site.place
    item = open_items_of(place.council, but=[place.long.pk])[0]
    checklist = [question.key for question in place.policy.typed_rules.stage(item.stage_key).checklist]
    actor = place.reviewer.as_actor()
    like = Event.objects.filter(verb=Verb.DECISION_APPROVED).latest("id").facts

    def write() -> None:
        record(
            verb=Verb.DECISION_APPROVED,
            subject=item.proposal.subject,
            actor=actor,
            on_behalf_of=like["on_behalf_of"],
            policy_version=like["policy_version"],
            before=like["before"],
            after=like["after"],
            sequence=item.proposal.version + 1,
        )

    def whole_act() -> None:
        item.refresh_from_db()
        review.approve(actor=place.reviewer, item=item, seen=item.proposal.version, confirmed=checklist)

    def write_and_wait() -> None:
        """An act that waits until its event is sealed and signed."""
        with transaction.atomic():
            record(verb=Verb.COMMENT_ADDED, subject=f"bench/{next(_names)}", actor=actor, after=like["after"])
        seal_and_sign(now=True)

    return Sides(ours=_taken_back(write), floor=_taken_back(whole_act), control=write_and_wait)


def _taken_back(deed: Deed) -> Deed:
    def do() -> None:
        with transaction.atomic():
            deed()
            transaction.set_rollback(True)

    return do


# ---- sealing


def _seal(bench: Bench) -> Sides:
    facts = [event.facts for event in Event.objects.order_by("-id")[:EVENTS_A_BATCH]]
    _let_wait((bench.rounds + 1) * (EVENTS_A_BATCH + EVENTS_ONE_BY_ONE))
    few = facts[:EVENTS_ONE_BY_ONE]

    def one_by_one() -> None:
        """Each event in a transaction of its own, as if the act sealed it."""
        for _ in few:
            seal(at_most=1)

    def for_each(found: Compared) -> list[Result]:
        return [counted("seal-time", found.ours * 1_000 / EVENTS_A_BATCH, TIME_TO_SEAL, "us an event")]

    return Sides(
        ours=partial(seal, at_most=EVENTS_A_BATCH),
        floor=partial(_made, facts),
        control=one_by_one,
        floor_of_control=partial(_made, few),
        times=1,
        also=for_each,
    )


def _made(facts: list[dict[str, Any]]) -> list[bytes]:
    """The least that a sealed event costs: its canonical bytes and their hash."""
    return [leaf_hash(canonical_bytes(one)) for one in facts]


def _let_wait(events: int) -> None:
    """Put events there that wait to be sealed; what they say does not matter to the sequencer."""
    body = b"{}" * 300
    fresh = (
        Event(
            subject=f"bench/{number}",
            sequence=1,
            verb=Verb.COMMENT_ADDED,
            at=clock.now(),
            actor="system",
            actor_name="Assent",
            body=body,
            leaf=leaf_hash(body),
        )
        for number in islice(_names, events)
    )
    with transaction.atomic():
        while some := list(islice(fresh, EVENTS_A_BATCH)):
            written = Event.objects.bulk_create(some)
            Pending.objects.bulk_create([Pending(event_id=event.pk) for event in written])


# ---- verifying


def _verify(bench: Bench) -> Sides:
    """The whole record each time, read from the database on either side."""
    source = DatabaseSource()
    latest_signed = source.checkpoint
    assert latest_signed is not None

    def check() -> None:
        report = Report()
        key = keys.load()
        LogCheck(source, report, keys=[key.public] if key else []).run()
        if report.first is not None:
            raise RuntimeError(f"the archive does not verify: {report.first.sentence}")

    def signed_one_by_one() -> None:
        """As if every event had a signature of its own, instead of one a checkpoint."""
        (key,), note = keys_of_log(), Note.parse(latest_signed.note)
        for _index, _body in islice(source.events(), EVENTS_A_BATCH):
            signatures_that_hold(note, [key])

    def for_each(found: Compared) -> list[Result]:
        hashed, checked = (ms * 1_000 / source.size for ms in (found.floor, found.ours))
        return [
            counted("verify-hashing", hashed, TIME_TO_HASH[connection.vendor], "us an event"),
            counted("verify-time", checked, TIME_TO_VERIFY, "us an event"),
            *_memory_of("verify-memory", check),
        ]

    return Sides(
        ours=check,
        floor=partial(_hash, source),
        control=signed_one_by_one,
        floor_of_control=partial(_hash, source, EVENTS_A_BATCH),
        times=1,
        also=for_each,
    )


def _hash(source: DatabaseSource, most: int | None = None) -> bytes:
    """Only the tree over the events, as they are read."""
    tree = Frontier()
    for _index, body in islice(source.events(), most):
        tree.add(leaf_hash(body))
    return tree.root()


def _memory_of(name: str, deed: Deed) -> list[Result]:
    """How much larger this process was at most, in MB; nothing where Linux does not tell."""
    reset, status = Path("/proc/self/clear_refs"), Path("/proc/self/status")
    if not reset.exists():
        return []
    reset.write_text("5")  # forgets the largest size so far (proc(5))
    before = _kilobytes(status, "VmRSS")
    deed()
    return [counted(name, (_kilobytes(status, "VmHWM") - before) / 1_000, MEMORY_TO_VERIFY, "MB")]


def _kilobytes(status: Path, field: str) -> int:
    found = re.search(rf"^{field}:\s+(\d+) kB$", status.read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1])


# ---- looking through it


def _explored(narrow: Callable[[Site], dict[str, str]], column: str) -> Callable[[Bench], Sides]:
    """The first page of a search, over the same page of a smaller record. The control looks through a column of every
    event in Python."""

    def prepare(bench: Bench) -> Sides:
        return _grown(bench, lambda site: f"{reverse('audit')}?{urlencode(narrow(site))}", column)

    return prepare


def _grown(bench: Bench, address: Callable[[Site], str], column: str, **more: Any) -> Sides:
    site, smaller = bench.site, bench.smaller
    assert smaller is not None

    def in_smaller(deed: Deed) -> object:
        with current(smaller.database):
            return deed()

    ours, floor = address(site), address(smaller)
    return Sides(
        ours=lambda: site.administrator.get(ours),
        floor=partial(in_smaller, lambda: smaller.administrator.get(floor)),
        control=partial(_looked_through, column),
        floor_of_control=partial(in_smaller, partial(_looked_through, column)),
        **more,
    )


def _looked_through(column: str) -> int:
    return sum(bool(value) for value in Event.objects.values_list(column, flat=True).iterator())


def _days(site: Site) -> dict[str, str]:
    """Days in the midst of the archive, so many that they fill a page of the smaller one too."""
    last = clock.today() - timedelta(days=200)
    return {"since": (last - timedelta(days=29)).isoformat(), "until": last.isoformat()}


def _as_of(bench: Bench) -> Sides:
    """The page of a proposal with sixty events as it was after the thirtieth."""
    reference = bench.site.place.long.reference

    def in_database(_: Compared) -> list[Result]:
        taken = median(_database_time(lambda: as_of(reference, event=30)) for _round in range(bench.rounds))
        return [counted("as-of-database", taken, TIME_AS_OF, "ms in the database")]

    def address(site: Site) -> str:
        return f"{reverse('audit-as-of', args=[site.place.long.reference])}?event=30"

    return _grown(bench, address, "subject", also=in_database)


def _database_time(deed: Deed) -> float:
    """Milliseconds that a deed's statements take, waiting for them included."""
    taken = 0.0

    def note(execute: Callable[..., Any], *given: Any) -> Any:
        nonlocal taken
        begun = time.perf_counter()
        try:
            return execute(*given)
        finally:
            taken += (time.perf_counter() - begun) * 1_000

    with connection.execute_wrapper(note):
        deed()
    return taken


MEASURES: Final[dict[str, Measure]] = {
    "audit-by-proposal": Measure(1.5, _explored(lambda site: {"about": site.place.long.reference}, "subject")),
    "audit-by-actor": Measure(1.5, _explored(lambda site: {"who": site.place.reviewer.record_key}, "actor")),
    "audit-by-day": Measure(1.5, _explored(_days, "at")),
    "as-of": Measure(1.5, _as_of),
    "verify": Measure(TIME_TO_VERIFY / TIME_TO_HASH[connection.vendor], _verify),
    "append": Measure(0.1, _append),
    "seal": Measure(2.0, _seal),
}
