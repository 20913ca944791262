"""Delivering a row: run once, tried again later and later, given up, revived; and who holds it meanwhile."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from governance.audit.models import Event
from governance.audit.verbs import Verb
from governance.people.models import User
from governance.refusals import NotPermitted, NotPossible
from workflows.notices import actions, queries
from workflows.notices.actions import Outcome, Report
from workflows.notices.models import Outbox

Queued = Callable[..., Outbox]
MakeTask = Callable[[str, Callable[..., Any]], None]
NINE = datetime(2026, 5, 6, 9, 0, tzinfo=UTC)


def fresh(row: Outbox) -> Outbox:
    return Outbox.objects.get(pk=row.pk)


def fail(**_: Any) -> None:
    raise ConnectionRefusedError("the printer is\0 on fire")


def test_row_is_delivered_once_with_its_arguments(queued: Queued, make_task: MakeTask) -> None:
    calls: list[int] = []
    make_task("tests.note", lambda number: calls.append(number))
    queued("tests.note", number=1)
    row = queued("tests.note", number=2)

    assert actions.deliver_due() == Report(delivered=2)
    assert actions.deliver_due() == Report()
    assert actions.deliver(row_id=row.pk) is Outcome.NOT_TAKEN
    assert calls == [1, 2]
    assert (fresh(row).attempts, fresh(row).leased_until, fresh(row).failed_at) == (1, None, None)
    assert fresh(row).done_at is not None


def test_what_a_task_queues_is_delivered_in_the_same_drain(queued: Queued, make_task: MakeTask) -> None:
    make_task("tests.note", lambda: None)
    make_task("tests.more", lambda: queued("tests.note"))
    queued("tests.more")
    assert actions.deliver_due() == Report(delivered=2)


def test_drain_stops_at_its_limit(queued: Queued, make_task: MakeTask) -> None:
    make_task("tests.note", lambda: None)
    for _ in range(3):
        queued("tests.note")
    assert actions.deliver_due(limit=2) == Report(delivered=2)
    assert Outbox.objects.waiting().count() == 1


def test_row_that_fails_is_tried_later_and_later_then_given_up(
    queued: Queued, make_task: MakeTask, caplog: pytest.LogCaptureFixture
) -> None:
    make_task("tests.fail", fail)
    pauses = []
    with time_machine.travel(NINE, tick=False) as now:
        row = queued("tests.fail")
        for _ in range(5):
            assert actions.deliver_due() == Report(put_off=1)
            assert actions.deliver_due() == Report()
            pauses.append(fresh(row).due_at - timezone.now())
            now.move_to(fresh(row).due_at)
        assert queries.failed_count() == 0
        assert queries.struggling_count() == 1
        assert actions.deliver_due() == Report(given_up=1)
        now.shift(timedelta(days=365))
        assert actions.deliver_due() == Report()

    assert [pause // timedelta(minutes=1) for pause in pauses] == [1, 5, 25, 125, 625]
    assert fresh(row).last_error == "ConnectionRefusedError: the printer is on fire"
    assert (fresh(row).attempts, fresh(row).done_at, fresh(row).leased_until) == (6, None, None)
    assert (queries.failed_count(), queries.struggling_count()) == (1, 0)
    assert [record.levelname for record in caplog.records if record.name == "assent.notices"] == [
        *["WARNING"] * 5,
        "ERROR",
    ]


def test_row_that_fails_does_not_stop_the_next(queued: Queued, make_task: MakeTask) -> None:
    make_task("tests.fail", fail)
    make_task("tests.note", lambda: None)
    queued("tests.fail")
    queued("tests.note")
    assert actions.deliver_due() == Report(delivered=1, put_off=1)


def test_unknown_task_is_given_up_at_once_and_says_so(given_up: Outbox) -> None:
    assert given_up.failed_at is not None
    assert given_up.last_error.endswith("there is no task named tests.missing")


def test_arguments_the_task_does_not_take_are_an_error_in_the_row(queued: Queued, make_task: MakeTask) -> None:
    make_task("tests.note", lambda number: None)
    row = queued("tests.note", colour="red")
    assert actions.deliver(row_id=row.pk) is Outcome.PUT_OFF
    assert "colour" in fresh(row).last_error


def test_row_that_is_held_is_left_alone_until_the_lease_has_run_out(queued: Queued, make_task: MakeTask) -> None:
    during: list[object] = []
    make_task("tests.look", lambda: during.append((actions.deliver(row_id=row.pk), actions.deliver_due())))
    with time_machine.travel(NINE, tick=False) as now:
        row = queued("tests.look")
        Outbox.objects.update(attempts=1, leased_until=NINE + timedelta(seconds=1))
        assert actions.deliver_due() == Report()
        now.shift(1)
        assert actions.deliver_due() == Report(delivered=1)
    assert during == [(Outcome.NOT_TAKEN, Report())]


def test_one_whose_lease_ran_out_leaves_the_row_to_who_took_it_over(
    queued: Queued, make_task: MakeTask, caplog: pytest.LogCaptureFixture
) -> None:
    def overslept() -> None:
        Outbox.objects.update(attempts=2, leased_until=NINE + timedelta(days=1))
        raise TimeoutError

    make_task("tests.overslept", overslept)
    row = queued("tests.overslept")
    actions.deliver(row_id=row.pk)
    assert (fresh(row).attempts, fresh(row).leased_until) == (2, NINE + timedelta(days=1))
    assert "took longer than its lease" in caplog.text


def test_row_that_kills_its_process_each_time_is_given_up(queued: Queued, make_task: MakeTask) -> None:
    make_task("tests.kill", lambda: pytest.fail("run a seventh time"))
    row = queued("tests.kill")
    Outbox.objects.update(attempts=6, leased_until=timezone.now() - timedelta(seconds=1))
    assert actions.deliver_due() == Report(given_up=1)
    assert fresh(row).last_error == "The process that ran this ended 6 times before it was finished."


@pytest.mark.django_db(transaction=True)
def test_deliver_inside_a_transaction_raises(queued: Queued) -> None:
    row = queued("tests.note")
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        actions.deliver(row_id=row.pk)


def test_try_again_revives_what_was_given_up_and_is_recorded(
    given_up: Outbox, administrator: User, make_task: MakeTask
) -> None:
    make_task("tests.missing", lambda: None)
    assert actions.deliver_due() == Report()

    actions.try_again(actor=administrator, row=given_up)

    event = Event.objects.get(subject=f"delivery/{given_up.pk}")
    assert (event.verb, event.actor_name) == ("delivery.tried-again", "Ada Administrator")
    assert event.facts["after"]["key"] == given_up.key
    assert actions.deliver_due() == Report(delivered=1)
    assert fresh(given_up).attempts == 1


def test_try_again_of_what_still_waits_or_is_done_is_refused(
    queued: Queued, administrator: User, make_task: MakeTask
) -> None:
    make_task("tests.note", lambda: None)
    row = queued("tests.note")
    for _ in ("waiting", "done"):
        with pytest.raises(NotPossible):
            actions.try_again(actor=administrator, row=row)
        actions.deliver_due()
    assert not Event.objects.filter(verb=Verb.DELIVERY_TRIED_AGAIN).exists()


@pytest.mark.parametrize("person", [{"is_staff": False}, {"is_staff": True, "is_active": False}])
def test_try_again_by_another_than_an_administrator_is_refused(given_up: Outbox, person: dict[str, bool]) -> None:
    actor = User.objects.create_user("someone@example.edu", name="Someone", **person)
    with pytest.raises(NotPermitted):
        actions.try_again(actor=actor, row=given_up)
    assert fresh(given_up).failed_at is not None


def test_failed_count_is_one_query(given_up: Outbox, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        assert queries.failed_count() == 1
