"""Queueing: in the act's transaction, once for each key, and a worker told only when the act is committed."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from celery import current_app
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from governance import clock
from workflows.notices import outbox
from workflows.notices.models import Outbox
from workflows.notices.outbox import Parcel, queue, queue_all


@pytest.mark.django_db(transaction=True)
def test_queue_outside_a_transaction_raises() -> None:
    with pytest.raises(RuntimeError, match="in the transaction of the act"):
        queue(task="tests.note", key="a", payload={})
    assert Outbox.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_queue_in_an_act_that_fails_leaves_nothing() -> None:
    @transaction.atomic
    def act() -> None:
        queue(task="tests.note", key="a", payload={})
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        act()
    assert Outbox.objects.count() == 0


def test_queue_with_a_key_that_is_there_returns_that_row(db: None) -> None:
    first = queue(task="tests.note", key="a", payload={"number": 1})
    second = queue(task="tests.note", key="a", payload={"number": 2})
    assert second == first
    assert Outbox.objects.get().payload == {"number": 1}


def test_queue_keeps_the_keys_of_each_task_apart(db: None) -> None:
    first = queue(task="tests.note", key="a", payload={})
    assert queue(task="tests.other", key="a", payload={}) != first
    assert Outbox.objects.count() == 2


def test_queue_all_takes_one_statement_and_finds_what_is_there_already(db: None) -> None:
    there = queue(task="tests.note", key="b", payload={"number": 1})
    with CaptureQueriesContext(connection) as captured:
        rows = queue_all(Parcel("tests.note", key, {"number": 2}) for key in "abc")
    assert len(captured) == 1
    assert rows[1] == there
    payloads = Outbox.objects.order_by("key").values_list("pk", "key", "payload__number")
    assert list(payloads) == [(rows[0].pk, "a", 2), (there.pk, "b", 1), (rows[2].pk, "c", 2)]


def test_queue_all_of_nothing_asks_nothing(db: None) -> None:
    with CaptureQueriesContext(connection) as captured:
        assert queue_all([]) == []
    assert len(captured) == 0


@pytest.mark.parametrize("key", ["", "k" * 201])
def test_queue_with_a_key_of_the_wrong_length_raises(db: None, key: str) -> None:
    with pytest.raises(ValueError, match="1 to 200 characters"):
        queue(task="tests.note", key=key, payload={})


def test_row_queued_under_a_set_clock_is_due_at_once(db: None) -> None:
    moment = datetime(2031, 3, 4, 9, 30, tzinfo=UTC)
    with clock.at(moment):
        row = queue(task="tests.note", key="a", payload={})
    assert row.queued_at == moment
    assert list(Outbox.objects.due(timezone.now())) == [row]


def test_worker_is_told_on_commit_where_there_is_a_broker(
    db: None, settings: Any, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    sent: list[tuple[Any, ...]] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, **options: sent.append((name, options["kwargs"])))

    with django_capture_on_commit_callbacks(execute=True) as without_broker:
        queue(task="tests.note", key="a", payload={})
    assert (without_broker, sent) == ([], [])

    settings.BROKER_URL = "redis://127.0.0.1:1/0"
    with django_capture_on_commit_callbacks(execute=True):
        row = queue(task="tests.note", key="b", payload={})
        queue(task="tests.note", key="b", payload={})
        assert sent == []
    # Told twice it is delivered once: the second finds the row done or held.
    assert sent == [("notices.deliver", {"row_id": row.pk})] * 2


def test_what_the_worker_asks_every_second_is_answered_by_the_index_of_waiting_rows(db: None) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")  # it reads an empty table whole
    due = Outbox.objects.due(timezone.now()).order_by("due_at", "id").values_list("pk")[:1]
    assert "outbox_waiting" in due.explain()


def test_broker_that_is_away_is_asked_once_and_then_left_alone(
    db: None,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    asked: list[int] = []

    def away(name: str, **options: Any) -> None:
        asked.append(options["kwargs"]["row_id"])
        raise ConnectionRefusedError

    monkeypatch.setattr(current_app, "send_task", away)
    settings.BROKER_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(outbox, "_broker_away_until", 0.0)
    with django_capture_on_commit_callbacks(execute=True):
        first, *_others = (queue(task="tests.note", key=key, payload={}) for key in "abc")
    assert asked == [first.pk]

    monkeypatch.setattr(outbox, "_broker_away_until", time.monotonic() - 1)
    with django_capture_on_commit_callbacks(execute=True):
        later = queue(task="tests.note", key="d", payload={})
    assert asked == [first.pk, later.pk]
    assert Outbox.objects.waiting().count() == 4
