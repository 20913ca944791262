"""The log's checkpoints, keys and proofs in the open, and lodged outside every day."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from governance import clock
from governance.audit.actions import ASSENT, new_key, record, seal_and_sign
from governance.audit.models import Checkpoint
from governance.audit.queries import keys_of_log, noted
from governance.audit.verbs import Verb
from governance.audit.verifier import Checkpoint as SignedCheckpoint
from governance.audit.verifier import Note, from_base64, signatures_that_hold, verify_consistency
from governance.celery import app
from workflows.auditing.actions.heads import lodge
from workflows.notices.actions import deliver_due
from workflows.notices.models import Outbox

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


@contextmanager
def on(days: int, hours: int = 0) -> Iterator[None]:
    """So many days after that Monday, 10:00 in the morning where the institution is."""
    with clock.at(MONDAY + timedelta(days=days, hours=hours)):
        yield


def signed(count: int = 1) -> Checkpoint:
    """A checkpoint over so many more events."""
    for _ in range(count):
        with transaction.atomic():
            record(verb=Verb.COMMENT_ADDED, subject="proposal/MC-2026-0001", actor=ASSENT, reason="A secret reason.")
    checkpoint = seal_and_sign(now=True)
    assert checkpoint is not None
    return checkpoint


@pytest.fixture
def week() -> list[Checkpoint]:
    """Two checkpoints on Monday, one on Tuesday, none on Wednesday, one on Thursday late in the evening."""
    made = []
    for days, hours, count in ((0, 0, 3), (0, 5, 2), (1, 0, 4), (3, 13, 1)):
        with on(days, hours):
            made.append(signed(count))
    return made


# ---- addresses for programs


def test_the_latest_checkpoint_is_open_to_everybody(client: Client, week: list[Checkpoint]) -> None:
    answer = client.get("/audit/log/checkpoint")
    assert answer.content.decode() == noted(week[-1])
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Cache-Control"] == "public, max-age=30"
    assert signatures_that_hold(Note.parse(answer.content.decode()), keys_of_log())
    assert client.cookies == {}


def test_nothing_signed_yet_is_said(client: Client) -> None:
    answer = client.get("/audit/log/checkpoint")
    assert (answer.status_code, answer.content) == (404, b"Nothing was signed yet.\n")
    assert client.get("/audit/log/keys").content == b""
    assert "Nothing is sealed yet" in client.get("/audit/log/").content.decode()


def test_a_checkpoint_is_found_by_its_size_and_no_other_size_is_served(client: Client, week: list[Checkpoint]) -> None:
    for checkpoint in week:
        assert client.get(f"/audit/log/checkpoint/{checkpoint.size}").content.decode() == noted(checkpoint)
    for size in (0, week[0].size + 1, 10**6, 10**40):
        answer = client.get(f"/audit/log/checkpoint/{size}")
        assert answer.status_code == 404 and b"signed over" in answer.content


def test_the_last_checkpoint_of_a_day_is_that_of_the_institutions_day(client: Client, week: list[Checkpoint]) -> None:
    # 15:00 UTC and 13 hours is Friday in UTC and Thursday in Toronto.
    expected = {"2026-03-02": week[1], "2026-03-03": week[2], "2026-03-05": week[3]}
    for day, checkpoint in expected.items():
        assert client.get(f"/audit/log/checkpoints/{day}").content.decode() == noted(checkpoint)
    for day in ("2026-03-01", "2026-03-04", "2026-03-06"):
        assert client.get(f"/audit/log/checkpoints/{day}").status_code == 404
    for day in ("2026-3-2", "2026-02-30", "yesterday", "20260302", "0001-01-01", "9999-12-31"):
        answer = client.get(f"/audit/log/checkpoints/{day}")
        assert (answer.status_code, answer.content) == (400, b"Write a day as 2026-10-16.\n")


def test_every_key_that_ever_signed_is_listed(client: Client, week: list[Checkpoint]) -> None:
    new_key(actor=ASSENT, reason="once a year")
    assert client.get("/audit/log/keys").content.decode().splitlines() == [str(key) for key in keys_of_log()]
    assert len(keys_of_log()) == 2


def test_consistency_is_proved_between_any_two_checkpoints(client: Client, week: list[Checkpoint]) -> None:
    heads = [SignedCheckpoint.parse(each.note) for each in week]
    for early in heads:
        for late in heads:
            answer = client.get(f"/audit/log/consistency?from={early.size}&to={late.size}")
            if early.size > late.size:
                assert answer.status_code == 400
                continue
            proof = [from_base64(line) for line in answer.content.decode().splitlines()]
            assert verify_consistency(
                size=early.size, root=early.root, later_size=late.size, later_root=late.root, proof=proof
            )


@pytest.mark.parametrize(
    "query",
    [
        *("", "from=1", "from=a&to=3", "from=-1&to=3", "from=0&to=3", "from=03&to=5", "from=1e3&to=5", "from=²&to=3"),
        *("from=2&to=3", "from=3&to=4", f"from=3&to={10**17}", f"from={10**30}&to=3"),
    ],
)
def test_a_bad_question_gets_one_sentence(client: Client, week: list[Checkpoint], query: str) -> None:
    answer = client.get(f"/audit/log/consistency?{query}")
    assert answer.status_code == 400
    assert answer.content.decode().split(" ")[0] in {"Name", "Proofs"} and answer.content.count(b"\n") == 1


@pytest.mark.parametrize("path", ["", "checkpoint", "checkpoint/3", "checkpoints/2026-03-02", "keys", "consistency"])
def test_nothing_can_be_sent_there(client: Client, path: str) -> None:
    assert client.post(f"/audit/log/{path}").status_code == 405


# ---- the page for people


def test_the_page_says_what_it_is_and_shows_no_word_of_the_record(client: Client, week: list[Checkpoint]) -> None:
    page = client.get("/audit/log/").content.decode()
    assert "11 events are sealed" in page
    assert str(keys_of_log()[0]) in page
    assert [f"/audit/log/checkpoint/{week[at].size}" in page for at in range(4)] == [False, True, True, True]
    assert "MC-2026" not in page and "secret" not in page
    assert 'href="/audit/log/"' in page and 'href="/verify/"' in page


def test_the_page_asks_one_query_a_day(client: Client) -> None:
    with on(0):
        signed()
    with CaptureQueriesContext(connection) as one:
        client.get("/audit/log/")
    for days in range(1, 30):
        with on(days):
            signed()
    with CaptureQueriesContext(connection) as many:
        page = client.get("/audit/log/").content.decode()
    assert page.count("/audit/log/checkpoint/") == 14
    # A head and its witnesses for each of 14 days, and no look for a fifteenth.
    assert len(many) - len(one) == 2 * 13 - 1


# ---- lodged outside


@pytest.fixture
def outside(settings: Any) -> list[str]:
    settings.LODGE_WITH = ["archive@library.example", "auditor@province.example"]
    return list(settings.LODGE_WITH)


def keys_queued() -> list[str]:
    return sorted(Outbox.objects.filter(key__startswith="lodged:").values_list("key", flat=True))


def test_a_day_is_lodged_once_with_everybody(week: list[Checkpoint], outside: list[str]) -> None:
    with on(4):
        assert len(lodge()) == 2
        assert lodge() == []
    assert keys_queued() == [f"lodged:2026-03-05:{address}" for address in outside]


def test_today_is_not_over_and_not_lodged(week: list[Checkpoint], outside: list[str]) -> None:
    with on(3, hours=13):
        lodge()
    assert keys_queued() == [f"lodged:2026-03-03:{address}" for address in outside]


def test_days_that_were_missed_are_made_up_for(week: list[Checkpoint], outside: list[str], settings: Any) -> None:
    with on(1):
        lodge()
    with on(40):
        queued = lodge()
    of_archive = [row.key for row in queued if row.key.endswith(outside[0])]
    assert of_archive == [f"lodged:2026-03-0{day}:{outside[0]}" for day in (3, 5)]
    # Who comes new begins with the latest day.
    settings.LODGE_WITH = [*outside, "court@province.example"]
    with on(40):
        assert [row.key for row in lodge()] == ["lodged:2026-03-05:court@province.example"]


def test_the_mail_holds_the_note_to_the_letter_and_says_how_to_use_it(
    week: list[Checkpoint], outside: list[str]
) -> None:
    with on(4):
        lodge()
    deliver_due(limit=10)
    letter = next(each for each in mail.outbox if each.to == [outside[0]])
    assert letter.subject == "Checkpoint of the record of Kawartha University, 5 March 2026"
    said, _line, note = str(letter.body).partition("-" * 64 + "\n")
    assert note == noted(week[3])
    assert signatures_that_hold(Note.parse(note), keys_of_log())
    assert "python3 verify.py PACKAGE --since checkpoint-2026-03-05.txt" in said
    assert "secret" not in said and "MC-2026" not in said
    # As the other side reads it, after the mail's own encoding.
    parsed = letter.message().get_payload(decode=True)
    assert isinstance(parsed, bytes) and parsed.decode().endswith(noted(week[3]))


def test_it_runs_by_itself_every_day() -> None:
    entry = app.conf.beat_schedule["checkpoints to lodge outside"]
    assert entry["task"] == "auditing.lodge" and entry["schedule"] <= 24 * 3600
    assert "auditing.lodge" in app.tasks


def test_on_the_command_line(week: list[Checkpoint], settings: Any) -> None:
    out = StringIO()
    with pytest.raises(CommandError, match="ASSENT_LODGE_WITH names nobody"):
        call_command("audit", "lodge")
    settings.LODGE_WITH = ["archive@library.example"]
    with on(4):
        call_command("audit", "lodge", stdout=out)
        call_command("audit", "lodge", stdout=out)
    assert out.getvalue().splitlines() == [
        "Checkpoint of the record of Kawartha University, 5 March 2026: queued for archive@library.example.",
        "Nothing is due: every day that is over has been lodged.",
    ]
