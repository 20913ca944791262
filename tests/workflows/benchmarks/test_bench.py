"""`manage.py bench`: a whole run at the smallest size, its refusals, and what it fills a database with."""

import hashlib
import json
from functools import partial
from io import StringIO
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.test import TestCase, override_settings
from django.test.utils import CaptureQueriesContext

from governance.audit.canonical import canonical_bytes
from governance.audit.models import Event, Pending
from governance.audit.queries import LOG, events_of
from governance.audit.verbs import Verb
from governance.audit.verifier import LogCheck, Report
from tests.conftest import Institution
from workflows.auditing.source import DatabaseSource
from workflows.benchmarks.archive import FEWEST
from workflows.benchmarks.clients import seconds_together, somebody_seals
from workflows.benchmarks.filling import fill
from workflows.benchmarks.floor import HOST
from workflows.benchmarks.measures import MEASURES, NAMES
from workflows.benchmarks.sides import Bench, Site
from workflows.proposals.models import Proposal
from workflows.review.models import Decision, WorkItem
from workflows.review.queries import route_of

pytestmark = pytest.mark.django_db
PARTS = {"name", "ratio", "target", "ours", "floor", "unit", "rounds", "spread"}


def bench(*arguments: str) -> dict[str, list[dict[str, Any]]]:
    out = StringIO()
    call_command("bench", f"--proposals={FEWEST}", "--json", *arguments, stdout=out, stderr=StringIO())
    said: dict[str, list[dict[str, Any]]] = json.loads(out.getvalue())
    return said


# ---- a run


@pytest.mark.once
def test_a_whole_run_measures_everything_and_leaves_nothing_behind() -> None:
    said = bench()
    assert list(said) == ["results"]
    names = [result["name"] for result in said["results"]]
    assert [name for name in names if name in MEASURES] == [name for name in NAMES if name in MEASURES]
    assert {"queue-queries", "decide-queries", "pages-queue-html", "pages-editor-assets", "replay"} < set(names)
    assert {"seal-time", "verify-time", "verify-hashing", "verify-memory", "as-of-database"} < set(names)
    for result in said["results"]:
        assert result.keys() == PARTS
        low, high = result["spread"]
        assert low <= result["ratio"] <= high
        assert result["rounds"] == (9 if result["unit"] == "ms" else 1)
    assert not Proposal.objects.exists()


@pytest.mark.once
def test_a_control_is_told_apart_and_fails() -> None:
    """This one is more than ten times over its limit, which no machine is busy enough to hide."""
    said = bench("--controls", "--only=decide")
    assert [result["name"] for result in said["results"]] == ["decide", "decide-queries"]
    (control,) = said["controls"]
    assert control.keys() == PARTS
    assert (control["name"], control["target"]) == ("decide", 4)
    assert control["ratio"] >= control["target"]


@pytest.mark.once
def test_several_lines_can_be_asked_for_and_come_in_their_order() -> None:
    said = bench("--only=append,queue")
    assert [result["name"] for result in said["results"]] == ["queue", "queue-queries", "append"]


def test_here_fills_the_configured_database_and_keeps_it() -> None:
    said = bench("--here", "--only=pages", "--controls")
    assert len(said["results"]) == 12
    assert [(one["name"], one["ratio"] >= one["target"]) for one in said["controls"]] == [("pages", True)]
    assert Proposal.objects.count() == FEWEST + 2


# ---- refusals


def test_here_refuses_a_database_that_is_not_empty(institution: Institution) -> None:
    proposal, events = institution.submitted(), Event.objects.count()
    with pytest.raises(
        CommandError, match=r"^The database is not empty \(proposals: 1, .*, so nothing is put into it\.$"
    ):
        bench("--here", "--only=pages")
    assert (list(Proposal.objects.all()), Event.objects.count()) == ([proposal], events)


@pytest.mark.once
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--only=speed"], "There is nothing called speed; there are queue, queue-growth, "),
        (["--only=seal,speed,luck"], "There is nothing called luck, speed; there are queue, queue-growth, "),
        (["--rounds=3"], "A median of fewer than 9 rounds says nothing."),
        (["--proposals=59"], "A page of the queue needs 80 proposals or more."),
        (["--rounds=27"], "27 rounds take more decisions than the 55 that wait among 80 proposals."),
        (["--proposals=many"], "Error: argument --proposals: invalid int value: 'many'"),
    ],
)
def test_bad_arguments_are_refused_with_one_sentence(arguments: list[str], sentence: str) -> None:
    with pytest.raises(CommandError) as refusal:
        bench(*arguments)
    assert str(refusal.value).startswith(sentence)
    assert "\n" not in str(refusal.value)
    assert refusal.value.returncode == 1


# ---- what is filled, and the controls


class TestFilled(TestCase):
    """Filled once for all of these."""

    @classmethod
    def setUpTestData(cls) -> None:
        storages = {
            "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
            "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
        }
        keys = cls.enterClassContext(TemporaryDirectory())
        cls.enterClassContext(override_settings(KEY_FOLDER=keys))
        with override_settings(STORAGES=storages):
            cls.place = fill(FEWEST)
        cls.keys = keys

    @pytest.fixture(autouse=True)
    def _key_of_the_log(self, settings: Any) -> None:
        settings.KEY_FOLDER = self.keys

    def test_the_archive_is_as_the_acts_would_have_left_it(self) -> None:
        for proposal in Proposal.objects.select_related("policy_version__policy", "unit"):
            stream = list(Event.objects.filter(subject=proposal.subject).order_by("sequence"))
            assert [event.sequence for event in stream] == list(range(1, proposal.version + 1))
            for event in stream:
                assert bytes(event.body) == canonical_bytes(event.facts)
                assert bytes(event.leaf) == hashlib.sha256(b"\x00" + bytes(event.body)).digest()
            if proposal.revision_number:
                route = route_of(proposal)
                for item in WorkItem.objects.filter(proposal=proposal):
                    assert item.effect == route[item.stage_key].effect
                for decision in Decision.objects.filter(proposal=proposal):
                    assert decision.effect == route[decision.stage_key].effect

    def test_the_record_is_sealed_signed_and_verifies(self) -> None:
        assert not Pending.objects.exclude(event__subject=LOG).exists()
        source, report = DatabaseSource(), Report()
        assert source.size == Event.objects.count() - Pending.objects.count()
        LogCheck(source, report).run()
        assert report.failures == []

    def test_the_queue_fills_more_than_a_page_and_the_long_one_has_sixty_events(self) -> None:
        waiting = WorkItem.objects.filter(body=self.place.council, closed_at=None)
        assert waiting.count() == 56
        assert Event.objects.filter(subject=self.place.long.subject).count() == 60
        assert self.place.long.revision_number == 4

    @pytest.mark.once
    def test_every_control_can_be_done_and_the_naive_ones_ask_row_by_row(self) -> None:
        site = Site(connections[DEFAULT_DB_ALIAS], self.place)
        run = Bench(site=site, rounds=9, smaller=site)
        asked: dict[str, tuple[int, int]] = {}
        with override_settings(ALLOWED_HOSTS=[HOST]):
            for name in NAMES:
                if name in MEASURES:
                    sides = MEASURES[name].prepare(run)
                    with CaptureQueriesContext(connection) as ours:
                        sides.ours()
                    with CaptureQueriesContext(connection) as control:
                        sides.control()
                    asked[name] = (len(ours), len(control))
        assert list(asked) == [name for name in NAMES if name in MEASURES]
        for name in ("queue", "queue-filtered", "queue-text", "proposal", "decide"):
            few, many = asked[name]
            assert many > few + 50, name


@pytest.mark.postgres
def test_clients_of_their_own_begin_together_and_a_failing_one_is_told(committed_institution: Institution) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    proposals = [committed_institution.submitted() for _ in range(3)]
    deeds = [partial(committed_institution.approve, proposal) for proposal in proposals[:2]]
    with somebody_seals():
        assert seconds_together(deeds) > 0
    assert Decision.objects.count() == 2
    for proposal in proposals[:2]:
        assert events_of(proposal.subject).last().verb == Verb.DECISION_APPROVED
    with pytest.raises(RuntimeError, match="did not finish"):
        seconds_together([partial(committed_institution.approve, proposals[0], confirmed=["nothing"])])
    # The connection that the clients were forked from is as it was.
    assert Proposal.objects.count() == 3
