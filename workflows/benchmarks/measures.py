"""What is measured, against what, and with which control that must fail: the list behind `manage.py bench`.

Example: `queue` is the reviewer's queue over the floor page of the same run; its control is the same fifty rows in a
naive loop that asks the database for every row.
"""

import re
from collections.abc import Callable
from functools import partial
from tempfile import TemporaryDirectory
from typing import Any, Final

from django.db import connection, transaction
from django.template.loader import render_to_string
from django.test.utils import override_settings
from django.urls import reverse

from governance import clock
from governance.audit.actions import checkpoint_over
from governance.audit.canonical import digest
from governance.audit.models import Event
from governance.audit.verbs import Verb
from governance.people.duties import Right
from governance.people.models import User
from workflows.benchmarks import recording
from workflows.benchmarks.archive import WORD_TO_FIND
from workflows.benchmarks.clients import decided_at_once
from workflows.benchmarks.filling import open_items_of
from workflows.benchmarks.institution import Place
from workflows.benchmarks.replaying import replayed
from workflows.benchmarks.scratch import current
from workflows.benchmarks.sides import BY, Bench, Measure, Sides, Site
from workflows.benchmarks.sizes import sizes_of
from workflows.benchmarks.timing import Deed, Result, compare, counted
from workflows.memos.actions import set_number_aside
from workflows.memos.gathering import gather
from workflows.memos.render import as_html, render
from workflows.notices.models import Outbox
from workflows.notices.outbox import wall_clock
from workflows.proposals.models import Proposal
from workflows.review import actions as review
from workflows.review.models import Decision, WorkItem
from workflows.review.paging import PAGE

DECISIONS_A_ROUND: Final = 15


def take(name: str, bench: Bench, *, controls: bool) -> tuple[list[Result], list[Result]]:
    """The results of a name, and where asked for those of its control."""
    if name == "pages":
        return _pages(bench), _pages_control(bench) if controls else []
    if name == "replay":
        return [replayed(bench.site.place, bench.clock)], []
    if name == "decide-concurrent":
        return decided_at_once(bench, _locked_change), []
    measure = MEASURES[name]
    sides = measure.prepare(bench)
    found = compare(sides.ours, sides.floor, clock=bench.clock, rounds=bench.rounds, times=sides.times)
    results = [found.as_result(name, measure.target)]
    if sides.queries is not None:
        results.append(counted(f"{name}-queries", _queries_of(sides.ours), sides.queries, "queries"))
    if sides.also is not None:
        results += sides.also(found)
    if not controls:
        return results, []
    floor = sides.floor_of_control or sides.floor
    failing = compare(sides.control, floor, clock=bench.clock, rounds=bench.rounds, times=sides.times and 1)
    return results, [failing.as_result(name, BY * measure.target)]


def _queries_of(deed: Deed) -> int:
    """How many statements a deed asks of the database, without those that only open and close a transaction."""
    asked: list[str] = []

    def note(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        asked.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        deed()
    return sum(not sql.startswith(("BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK")) for sql in asked)


# ---- the queue


def _queue(bench: Bench) -> Sides:
    site = bench.site
    return Sides(ours=site.queue, floor=site.floor_page, control=partial(_row_by_row, site.place), queries=6)


def _row_by_row(place: Place) -> str:
    """Fifty rows, each asking for its proposal, its people and guardian's permission by itself."""
    user = User.objects.get(pk=place.reviewer.pk)
    rows = []
    for item in WorkItem.objects.filter(closed_at=None, body=place.council).order_by("due_on", "id")[:PAGE]:
        user = User.objects.get(pk=user.pk)  # guardian remembers on the object
        if user.has_perm(f"people.{Right.VIEW.value}", item.body):
            item.proposal.comments.count()
            item.proposal.looks.filter(user=user).first()
            rows.append(item)
    return render_to_string("benchmarks/floor.html", {"rows": rows, "body": place.council, "today": clock.today()})


def _filtered(bench: Bench) -> Sides:
    site = bench.site
    control = partial(_filtered_in_python, lambda item: item.proposal.unit.parent.code == "U")
    return Sides(ours=lambda: site.queue(unit="U", kind="academic"), floor=site.queue, control=control)


def _text(bench: Bench) -> Sides:
    site = bench.site
    control = partial(_filtered_in_python, lambda item: WORD_TO_FIND in item.revision.content.summary.title)
    return Sides(ours=lambda: site.queue(q=WORD_TO_FIND), floor=site.queue, control=control)


def _filtered_in_python(wanted: Callable[[Any], bool]) -> int:
    """Everything that is open anywhere, read and looked through here; what a row refers to is asked for when needed."""
    items = WorkItem.objects.filter(closed_at=None).select_related("proposal")
    return sum(wanted(item) for item in items)


def _last_page(bench: Bench) -> Sides:
    site = bench.site
    cursor = _last_cursor(site)
    narrow = {"page": cursor} if cursor else {}
    # The control is the last page of the longest list there is, by page number: the database walks all rows before it.
    numbers = Event.objects.order_by("-id").values_list("pk")
    last = (numbers.count() - 1) // PAGE * PAGE
    return Sides(
        ours=lambda: site.queue(**narrow),
        floor=site.queue,
        control=lambda: list(numbers[last - PAGE : last]),
        floor_of_control=lambda: list(numbers[:PAGE]),
    )


def _last_cursor(site: Site) -> str:
    """Follows the links to the pages further on, as a person would, to the last page that is full."""
    cursor = further = ""
    for _ in range(1_000):
        page = site.queue(page=further) if further else site.queue()
        found = re.search(r'href="\?page=([\w-]+)"[^>]*rel="next"|rel="next"[^>]*href="\?page=([\w-]+)"', page.decode())
        if found is None:
            break
        cursor, further = further, found[1] or found[2]
    return cursor


def _growth(bench: Bench) -> Sides:
    site, smaller = bench.site, bench.smaller
    assert smaller is not None

    def in_smaller(deed: Deed) -> object:
        with current(smaller.database):
            return deed()

    return Sides(
        ours=site.queue,
        floor=partial(in_smaller, smaller.queue),
        control=partial(_all_it_ever_held, site.place),
        floor_of_control=partial(in_smaller, partial(_all_it_ever_held, smaller.place)),
    )


def _all_it_ever_held(place: Place) -> int:
    """A body's queue without the index on what is open: every item it ever held, looked through here."""
    ever = WorkItem.objects.filter(body=place.council).values_list("closed_at", "due_on", "id")
    return sum(closed is None for closed, _due, _id in ever.iterator())


# ---- one proposal


def _proposal(bench: Bench) -> Sides:
    site = bench.site
    address = reverse("proposal", args=[site.place.long.reference])

    def event_by_event() -> None:
        """The page, and each event of its history fetched by itself with the person who acted."""
        site.reviewer.get(address)
        for sequence in range(1, site.place.long.version + 1):
            event = Event.objects.get(subject=site.place.long.subject, sequence=sequence)
            User.objects.filter(pk=event.actor.removeprefix("person/")).first()
            WorkItem.objects.filter(proposal=site.place.long).first()

    return Sides(ours=lambda: site.reviewer.get(address), floor=site.floor_page, control=event_by_event)


def decisions_a_round(waiting: int, rounds: int) -> int:
    """How many decisions each round may take of those that wait: one more warms up, the queries of one are counted, and
    the control takes one a round after one to warm up."""
    return (waiting - 3 - rounds) // rounds


def _decide(bench: Bench) -> Sides:
    place = bench.site.place
    items = open_items_of(place.council, but=[place.long.pk])
    times = min(DECISIONS_A_ROUND, decisions_a_round(len(items), bench.rounds))
    checklist = [question.key for question in place.policy.typed_rules.stage(items[0].stage_key).checklist]
    waiting = iter(items)

    def decide_one() -> Decision:
        item = next(waiting)
        seen = item.proposal.version
        return review.approve(actor=place.reviewer, item=item, seen=seen, confirmed=checklist)

    def asking_everybody() -> None:
        """The decision, and then guardian asked person by person who else should hear of it."""
        made = decide_one()
        for person in User.objects.all():
            person.has_perm(f"people.{Right.DECIDE.value}", made.body)

    return Sides(
        ours=decide_one,
        floor=partial(_locked_change, place.draft.pk),
        control=asking_everybody,
        queries=15,
        times=times,
    )


@transaction.atomic
def _locked_change(pk: int) -> None:
    """The least that a decision must cost through the ORM: lock a row, update it, insert two, commit."""
    proposal = Proposal.objects.select_for_update().get(pk=pk)
    proposal.version, proposal.since = proposal.version + 1, clock.now()
    proposal.save(update_fields=["version", "since"])
    event = Event.objects.create(
        subject=proposal.subject,
        sequence=proposal.version,
        verb=Verb.COMMENT_ADDED,
        at=proposal.since,
        actor="system",
        actor_name="Assent",
        body=b"{}" * 300,
        leaf=b"0" * 32,
    )
    Outbox.objects.create(task="nothing", key=f"floor:{event.pk}", payload={"about": event.pk}, due_at=wall_clock())


# ---- a memo


def _memo(bench: Bench, *, signed: bool = False) -> Sides:
    # pyHanko takes half a second to import.
    from workflows.memos import sealing

    decision = Decision.objects.filter(proposal=bench.site.place.long).select_related("body", "proposal").latest("id")
    set_number_aside(decision)
    checkpoint = checkpoint_over(Event.objects.get(pk=decision.event_number))
    seal = _demonstration_seal() if signed else None
    certificate = seal.certificate if seal else None
    html = as_html(gather(decision, checkpoint=checkpoint, certificate=certificate))

    def made() -> str:
        """Facts from the database, the page, the tagged PDF with its record, the signature if any, the digest."""
        pdf = render(gather(decision, checkpoint=checkpoint, certificate=certificate))
        return digest(sealing.sign(pdf, seal) if seal else pdf)

    def with_a_cold_font() -> None:
        """A memo that unpacks one of its eight fonts for itself, and is laid out once more to learn how long it is."""
        _unpack_a_font()
        _layout(html)
        made()

    return Sides(ours=made, floor=partial(_layout, html), control=with_a_cold_font)


def _demonstration_seal() -> Any:
    from workflows.memos import sealing

    with TemporaryDirectory() as folder, override_settings(DEMONSTRATION=True, SEAL_FILE="", KEY_FOLDER=folder):
        return sealing.load()


def _layout(html: str) -> Any:
    """WeasyPrint's layout of the memo's page with stylesheet and fonts already at hand, and no PDF."""
    # WeasyPrint takes half a second to import.
    from weasyprint import HTML

    from workflows.memos.typesetting import BASE, OwnFilesOnly, style

    stylesheet, fonts = style()
    page = HTML(string=html, base_url=BASE, url_fetcher=OwnFilesOnly())
    return page.render(font_config=fonts, stylesheets=[stylesheet])


def _unpack_a_font() -> None:
    from weasyprint import CSS
    from weasyprint.text.fonts import FontConfiguration

    from workflows.memos.typesetting import BASE, OwnFilesOnly

    one = '@font-face { font-family: "Memo Serif"; src: url("fonts/CharisSIL-Regular.woff2"); }'
    CSS(string=one, base_url=BASE, url_fetcher=OwnFilesOnly(), font_config=FontConfiguration())


# ---- sizes of pages


def _pages(bench: Bench) -> list[Result]:
    place = bench.site.place
    pages = {
        "queue": (bench.site.reviewer, reverse("queue")),
        "proposal": (bench.site.reviewer, reverse("proposal", args=[place.long.reference])),
        "editor": (bench.site.author, reverse("proposal-edit", args=[place.draft.reference, "outcomes"])),
        "policy": (bench.site.reviewer, place.policy.get_absolute_url()),
    }
    return [
        result
        for name, (visitor, address) in pages.items()
        for result in sizes_of(f"pages-{name}", visitor.get(address))
    ]


def _pages_control(bench: Bench) -> list[Result]:
    """Django's own list page, with its scripts and styles, which is what peers put in front of people."""
    administrator = bench.site.administrator
    page = administrator.get(reverse("admin:audit_event_changelist"))
    (assets,) = (result for result in sizes_of("pages", page) if result.unit == "kB")
    return [Result("pages", assets.ratio, BY, assets.ours, assets.floor, assets.unit, 1, assets.spread)]


MEASURES: Final[dict[str, Measure]] = {
    "queue": Measure(1.25, _queue),
    "queue-growth": Measure(1.3, _growth),
    "queue-filtered": Measure(1.5, _filtered),
    "queue-text": Measure(3.0, _text),
    "queue-last-page": Measure(1.2, _last_page),
    "proposal": Measure(2.5, _proposal),
    "memo": Measure(1.3, _memo),
    "memo-signed": Measure(1.6, partial(_memo, signed=True)),
    **recording.MEASURES,
    "decide": Measure(2.0, _decide),
}
# Decisions empty the queue that the others look at, so they come last.
NAMES: Final = (
    *(name for name in MEASURES if name not in {"append", "seal", "decide"}),
    "pages",
    "replay",
    # What these write is in nobody's way from here on.
    "append",
    "seal",
    "decide-concurrent",
    "decide",
)
# These are held against a smaller archive.
GROWING: Final = frozenset({"queue-growth", "audit-by-proposal", "audit-by-actor", "audit-by-day", "as-of"})
