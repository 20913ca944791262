"""`manage.py deliver`, once."""

import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from workflows.notices.models import Outbox
from workflows.notices.tasks import sweep

Queued = Callable[..., Outbox]


def fail() -> None:
    raise TimeoutError


@pytest.fixture
def three_rows(queued: Queued, make_task: Any) -> None:
    make_task("tests.note", lambda: None)
    make_task("tests.fail", fail)
    for task in ("tests.note", "tests.fail", "tests.note"):
        queued(task)


def test_deliver_says_in_words_what_it_did(three_rows: None) -> None:
    out = StringIO()
    call_command("deliver", stdout=out)
    assert out.getvalue() == "2 delivered, 1 to be tried again, 0 given up; 1 waiting.\n"


def test_deliver_says_in_json_what_it_did(three_rows: None) -> None:
    out = StringIO()
    call_command("deliver", "--json", stdout=out)
    assert json.loads(out.getvalue()) == {"delivered": 2, "put_off": 1, "given_up": 0, "waiting": 1}


def test_deliver_that_gives_a_row_up_says_so_and_fails(queued: Queued) -> None:
    queued("tests.missing")
    out = StringIO()
    with pytest.raises(CommandError, match="1 given up"):
        call_command("deliver", "--json", stdout=out)
    assert json.loads(out.getvalue())["given_up"] == 1


def test_deliver_shows_a_count_where_somebody_watches(three_rows: None) -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    err = Terminal()
    call_command("deliver", stdout=StringIO(), stderr=err, no_color=True)
    assert err.getvalue() == "\r1 of 3\r2 of 3\r3 of 3\n"


def test_sweep_delivers_what_is_due(three_rows: None) -> None:
    sweep()
    assert Outbox.objects.waiting().count() == 1
