"""What the test of killed replays does in processes of its own: make a past, be killed at every step, race.

python -m tests.workflows.insights.killed at-every-step
python -m tests.workflows.insights.killed race
"""

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import django

from tests.workflows.notices.world.steps import die_at, step

PAST = 5


def around_each_write(execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
    """A step before every statement that changes something; a kill between two readings shows nothing more."""
    if not sql.startswith("SELECT"):
        step()
    return execute(sql, *arguments)


def prepare() -> tuple[Any, Any]:
    """An institution with a past, replayed in batches of two, and a draft that changes every proposal of it."""
    from django.conf import settings

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    from tests.conftest import make_institution
    from tests.workflows.insights.world import declined, drafted, without
    from workflows.insights import actions

    actions.BATCH = 2  # type: ignore[misc]
    institution = make_institution()
    for _ in range(PAST):
        declined(institution)
    return institution, drafted(institution, **without("associate-dean"))


def started(institution: Any, version: Any) -> Any:
    from workflows.insights import actions

    return actions.start(actor=institution.person("administrator"), version=version)


def killed_at_every_step() -> None:
    """For each step in turn, fork a worker that is killed there; then let another go on, and print what came of it."""
    from django.conf import settings
    from django.db import connection, connections

    from workflows.notices.actions import deliver
    from workflows.notices.models import Outbox

    institution, version = prepare()
    connection.execute_wrappers.append(around_each_write)
    number, killed = 0, True
    while killed:
        replay = started(institution, version)
        row = Outbox.objects.get(key=f"replay:{replay.pk}:0:0")
        connections.close_all()
        child = os.fork()
        if child == 0:
            die_at(number)
            deliver(row_id=row.pk)
            os._exit(0)
        killed = os.WIFSIGNALED(os.waitpid(child, 0)[1])
        time.sleep(settings.OUTBOX_LEASE_SECONDS + 0.05)
        deliver(row_id=row.pk)
        answer(replay.pk, killed=killed)
        number += 1
    connections.close_all()


def race() -> None:
    """Four workers that all run the same replay."""
    from django.db import connections

    from workflows.insights.actions import run

    institution, version = prepare()
    replay = started(institution, version)
    connections.close_all()
    start = time.monotonic() + 0.3
    children = []
    for _ in range(4):
        child = os.fork()
        if child == 0:
            time.sleep(max(0.0, start - time.monotonic()))
            run(replay_id=replay.pk)
            os._exit(0)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
    answer(replay.pk, killed=False)
    connections.close_all()


def answer(replay_id: int, *, killed: bool) -> None:
    """Print what there is of a replay."""
    from workflows.insights.models import Replay
    from workflows.notices.models import Outbox

    replay = Replay.objects.get(pk=replay_id)
    print(  # noqa: T201  # this is how it answers the test
        json.dumps(
            {
                "killed": killed,
                "standing": replay.get_standing().value,
                "done": replay.done,
                "cases": replay.tally.cases,
                "compared": sum(one["proposals"] for one in replay.compared),
                "findings": replay.findings.count(),
                "mails": Outbox.objects.filter(key=f"replay-done:{replay.pk}").count(),
            }
        )
    )


if __name__ == "__main__":
    django.setup()
    match sys.argv[1:]:
        case ["at-every-step"]:
            killed_at_every_step()
        case ["race"]:
            race()
        case _:
            sys.exit(__doc__)
