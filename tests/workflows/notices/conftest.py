"""What the outbox tests share: tasks of their own, and a row that was given up."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from celery import current_app
from django.db import transaction

from governance.people.models import User
from workflows.notices import actions
from workflows.notices.models import Outbox
from workflows.notices.outbox import queue

MakeTask = Callable[[str, Callable[..., Any]], None]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "broker: needs Redis or RabbitMQ; skipped where there is none, but not under CI")


@pytest.fixture(autouse=True)
def no_broker(settings: Any) -> None:
    settings.BROKER_URL = ""


@pytest.fixture
def make_task() -> Iterator[MakeTask]:
    """Make a Celery task for the length of the test: `make_task("tests.name", function)`."""
    made: list[str] = []

    def make(name: str, function: Callable[..., Any]) -> None:
        function.__name__ = "made"  # Celery writes a signature with it, and a lambda's name is none
        current_app.task(name=name, shared=False)(function)
        made.append(name)

    yield make
    for name in made:
        current_app.tasks.unregister(name)


@pytest.fixture
def queued(db: None) -> Callable[..., Outbox]:
    """Queue a row in a transaction of its own: `queued("tests.name", number=1)`."""

    def queue_row(task: str, **payload: Any) -> Outbox:
        with transaction.atomic():
            return queue(task=task, key=f"{task}/{Outbox.objects.count()}", payload=payload)

    return queue_row


@pytest.fixture
def administrator(db: None) -> User:
    return User.objects.create_superuser("admin@example.edu", name="Ada Administrator")


@pytest.fixture
def given_up(queued: Callable[..., Outbox]) -> Outbox:
    """A row that was given up at its first try, for want of its task."""
    row = queued("tests.missing")
    actions.deliver(row_id=row.pk)
    row.refresh_from_db()
    return row
