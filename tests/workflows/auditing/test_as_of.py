"""A proposal as of a moment is what it was then, told from its events and stays alone."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import invariant, run_state_machine_as_test

from governance import clock
from governance.audit.queries import events_of
from tests.conftest import Institution, make_institution
from tests.properties.test_lifecycle import Life
from tests.versions import adopted, stage_of
from workflows.auditing.explorer.as_of import place_at, state_as_of
from workflows.auditing.explorer.comparing import stays_of
from workflows.proposals.models import Proposal
from workflows.proposals.states import State
from workflows.review import actions as review
from workflows.review.moving import plan

MORNING = datetime(2026, 10, 14, 12, 0, tzinfo=UTC)
Facts = dict[str, Any]


def row_of(proposal: Proposal) -> Facts:
    """What the proposal's own row says of it, and who holds it."""
    row = Proposal.objects.select_related("policy_version__policy").get(pk=proposal.pk)
    held = row.work_items.filter(closed_at=None).order_by("id")
    return {
        "sequence": row.version,
        "state": row.state,
        "since": row.since,
        "revision": row.revision_number,
        "policy": row.policy_version.label if row.policy_version and row.submitted_at else "",
        "submitted_at": row.submitted_at,
        "ended_at": row.ended_at,
        "holders": list(held.values_list("body__name", "stage_label", "opened_at")),
        "decisions": row.decisions.count(),
    }


def told_of(proposal: Proposal, sequence: int) -> Facts:
    """The same, told from events and stays."""
    told = state_as_of(list(events_of(proposal.subject)), stays_of(proposal), sequence)
    return {
        "sequence": told.sequence,
        "state": told.state,
        "since": told.since,
        "revision": told.revision,
        "policy": told.policy_version,
        "submitted_at": told.submitted_at,
        "ended_at": told.ended_at,
        "holders": [(holder.body, holder.stage, holder.since) for holder in told.holders],
        "decisions": len(told.decisions),
    }


@dataclass
class Watch:
    """Remembers what a proposal's row said after each act, with a minute between acts."""

    proposal: Proposal
    minutes: Iterator[int]
    seen: dict[int, Facts]

    @contextmanager
    def act(self) -> Iterator[None]:
        with clock.at(MORNING + timedelta(minutes=next(self.minutes))):
            yield
        row = row_of(self.proposal)
        self.seen[row["sequence"]] = row

    def compare(self) -> None:
        assert {place: told_of(self.proposal, place) for place in self.seen} == self.seen


class Remembered(Life):
    """The life of a proposal, after which each moment of it is told again."""

    def __init__(self) -> None:
        super().__init__()
        self.watch: Watch | None = None

    def attempt(self, act: Any, **given: Any) -> None:
        assert self.watch is not None
        with self.watch.act():
            super().attempt(act, **given)

    @invariant()
    def remember(self) -> None:
        if self.watch is None:
            self.watch = Watch(self.proposal, itertools.count(), {})
            row = row_of(self.proposal)
            self.watch.seen[row["sequence"]] = row

    def teardown(self) -> None:
        try:
            if self.watch is not None:
                self.watch.compare()
        finally:
            super().teardown()


@pytest.mark.django_db
def test_as_of_each_event_is_what_the_row_was_then() -> None:
    with clock.at(MORNING - timedelta(days=1)):
        Remembered.place = make_institution()
        run_state_machine_as_test(  # type: ignore[no-untyped-call]
            Remembered,
            settings=settings(
                max_examples=12,
                stateful_step_count=30,
                deadline=None,
                phases=(Phase.explicit, Phase.reuse, Phase.generate),
                suppress_health_check=list(HealthCheck),
            ),
        )


def side_by_side(rules: dict[str, Any]) -> None:
    """Version 2: Associate Dean and centre at once, the council only receives, and the fee asks the dean again."""
    for key in ("associate-dean", "teaching-centre"):
        stage_of(rules, key)["wave"] = "first"
    stage_of(rules, "undergraduate-council")["effect"] = "receive"


def without_centre(rules: dict[str, Any]) -> None:
    """Version 3: no teaching centre."""
    rules["route"] = [stage for stage in rules["route"] if stage["key"] != "teaching-centre"]


def at_once(institution: Institution, stage: str, proposal: Proposal, act: Callable[..., Any], **given: Any) -> None:
    item = proposal.work_items.select_related("body", "proposal").get(closed_at=None, stage_key=stage)
    seen = Proposal.objects.get(pk=proposal.pk).version
    if act is review.approve:
        given["confirmed"] = institution.checklist(item)
    act(actor=institution.reviewer_of(item), item=item, seen=seen, **given)


def test_stages_at_once_a_receiving_stage_and_moves_are_told_too(institution: Institution) -> None:
    with clock.at(MORNING - timedelta(days=2)):
        adopted(institution, side_by_side)
        proposal = institution.draft()
    watch = Watch(proposal, itertools.count(), {})

    def move(version: Any) -> None:
        chosen = list(Proposal.objects.filter(pk=proposal.pk))
        review.move(
            actor=institution.person("administrator"),
            proposals=chosen,
            version=version,
            plan_digest=plan(chosen, version).digest,
            reason="Senate asked for it.",
        )

    with watch.act():
        review.submit(actor=proposal.author, proposal=proposal, seen=proposal.version)
    assert len(watch.seen[2]["holders"]) == 2
    with watch.act():
        at_once(institution, "teaching-centre", proposal, review.approve)
    with watch.act():
        at_once(institution, "associate-dean", proposal, review.return_for_changes, reasons="Say who asked for it.")
    with watch.act():
        proposal.refresh_from_db()
        review.submit(actor=institution.person("author"), proposal=proposal, seen=proposal.version)
    with clock.at(MORNING + timedelta(minutes=next(watch.minutes))):
        version = adopted(institution, without_centre)
    with watch.act():
        move(version)
    with watch.act():
        review.comment(actor=proposal.author, proposal=proposal, audience="everyone", text="Thank you.")
    with watch.act():
        at_once(institution, "associate-dean", proposal, review.approve)
    with watch.act():
        at_once(institution, "senate", proposal, review.approve)
    assert watch.seen[max(watch.seen)]["state"] == State.APPROVED
    watch.compare()


def test_with_a_clock_that_runs_it_is_told_the_same_but_for_microseconds(institution: Institution) -> None:
    """An act asks the clock more than once: what it opened just before or after its event still belongs to it."""
    proposal = institution.at_stage("teaching-centre")
    institution.return_for_changes(proposal, to_stage="associate-dean")
    events, stays = list(events_of(proposal.subject)), stays_of(proposal)
    told = [state_as_of(events, stays, place) for place in range(1, len(events) + 1)]
    held = [[holder.stage for holder in each.holders] for each in told]
    assert held == [[], ["Associate Dean"], ["Centre for Teaching and Learning"], ["Associate Dean"]]
    row = Proposal.objects.get(pk=proposal.pk)
    assert abs(told[-1].since - row.since) < timedelta(seconds=1)


def test_a_moment_stands_after_the_last_event_written_by_then(institution: Institution) -> None:
    with clock.at(MORNING):
        proposal = institution.draft()
    with clock.at(MORNING + timedelta(hours=1)):
        review.submit(actor=proposal.author, proposal=proposal, seen=proposal.version)
    events = list(events_of(proposal.subject))
    places = [place_at(events, MORNING + timedelta(minutes=minutes)) for minutes in (-1, 0, 59, 60, 600)]
    assert places == [0, 1, 1, 2, 2]
    with pytest.raises(ValueError, match="no event 3"):
        state_as_of(events, (), 3)


# ---- the page


def signed_in(institution: Institution, key: str) -> Client:
    client = Client()
    client.force_login(institution.person(key))
    return client


@pytest.fixture
def returned(institution: Institution) -> Proposal:
    """Created at 8:00 in Toronto, sent at 9:00, approved at 10:00, returned at 11:00."""
    with clock.at(MORNING):
        proposal = institution.draft()
    with clock.at(MORNING + timedelta(hours=1)):
        review.submit(actor=proposal.author, proposal=proposal, seen=proposal.version)
    with clock.at(MORNING + timedelta(hours=2)):
        institution.approve(proposal)
    with clock.at(MORNING + timedelta(hours=3)):
        institution.return_for_changes(proposal)
    return proposal


@pytest.mark.parametrize(
    ("asked", "shown", "not_shown"),
    [
        ("at=2026-10-14T09:30", ["Associate Dean, Health Sciences", "After event 2 of 4", "event=1", "event=3"], []),
        ("at=2026-10-14T10:30", ["Centre for Teaching and Learning", "After event 3 of 4", "Decided by then"], []),
        ("at=2026-10-14T07:00", ["was not there yet"], ["After event"]),
        ("event=4", ["as it is now", "Returned for changes", "Nadia Rahimi, its author"], ["event=5"]),
        ("", ["as it is now"], []),
    ],
)
def test_the_page_shows_the_moment_and_the_steps_beside_it(
    institution: Institution, returned: Proposal, asked: str, shown: list[str], not_shown: list[str]
) -> None:
    response = signed_in(institution, "administrator").get(f"/audit/proposals/{returned.reference}/as-of/?{asked}")
    page = response.content.decode()
    assert response.status_code == 200
    assert [words for words in shown if words not in page] == []
    assert [words for words in not_shown if words in page] == []


def test_a_moment_that_is_none_is_said_and_an_event_that_is_none_is_not_found(
    institution: Institution, returned: Proposal
) -> None:
    client = signed_in(institution, "observer")
    path = f"/audit/proposals/{returned.reference}/as-of/"
    wrong = client.get(f"{path}?at=yesterday")
    assert (wrong.status_code, "Write a moment such as" in wrong.content.decode()) == (422, True)
    assert client.get(f"{path}?event=9").status_code == 404
    assert client.get("/audit/proposals/MC-2001-0001/as-of/").status_code == 404
    assert signed_in(institution, "author").get(path).status_code == 403


def test_the_page_takes_the_same_queries_however_long_the_history(institution: Institution, returned: Proposal) -> None:
    client = signed_in(institution, "administrator")
    path = f"/audit/proposals/{returned.reference}/as-of/?event=2"

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert client.get(path).status_code == 200
        return len(captured)

    before = queries()
    with transaction.atomic():
        for _ in range(5):
            review.comment(
                actor=institution.person("author"), proposal=returned, audience="everyone", text="Thank you."
            )
    assert queries() == before <= 10
