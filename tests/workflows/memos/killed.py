"""What the memo tests do in processes of their own: make an institution, be killed at every step, race.

python -m tests.workflows.memos.killed at-every-step
python -m tests.workflows.memos.killed race
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django
from django.core.files.base import File
from django.core.files.storage import FileSystemStorage

from tests.workflows.notices.world.steps import die_at, step


class HalfwayStorage(FileSystemStorage):
    """A store in which a process can be killed before, in the middle of and after a file."""

    def _save(self, name: str, content: File) -> str:
        step()
        path = Path(self.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            whole = content.read()
            file.write(whole[: len(whole) // 2])
            file.flush()
            step()
            file.write(whole[len(whole) // 2 :])
        step()
        return name


def around_each_write(execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
    """A step before every statement that changes something; a kill between two readings shows nothing more."""
    if not sql.startswith("SELECT"):
        step()
    return execute(sql, *arguments)


def prepare(storage: str) -> Any:
    """Files in the world's folder, a seal, fonts unpacked before anything forks, and an institution."""
    from django.conf import settings

    place = {"BACKEND": storage, "OPTIONS": {"location": str(settings.WORLD_DIR / "files")}}
    settings.STORAGES = {**settings.STORAGES, "default": place}
    settings.DEMONSTRATION = True
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    from tests.conftest import make_institution
    from tests.workflows.memos.samples import FACTS
    from workflows.memos import sealing
    from workflows.memos.render import render

    render(FACTS)
    sealing.load()
    return make_institution()


def killed_at_every_step() -> None:
    """For each step in turn, fork a worker that is killed there; then let another go on, and print what came of it."""
    from django.conf import settings
    from django.db import connection, connections

    from workflows.notices.actions import deliver
    from workflows.notices.models import Outbox

    institution = prepare("tests.workflows.memos.killed.HalfwayStorage")
    connection.execute_wrappers.append(around_each_write)
    number, killed = 0, True
    while killed:
        decision = institution.approve(institution.submitted())
        row = Outbox.objects.get(key=f"memo:{decision.pk}")
        connections.close_all()
        child = os.fork()
        if child == 0:
            die_at(number)
            deliver(row_id=row.pk)
            os._exit(0)
        killed = os.WIFSIGNALED(os.waitpid(child, 0)[1])
        time.sleep(settings.OUTBOX_LEASE_SECONDS + 0.05)
        deliver(row_id=row.pk)
        answer(decision.pk, killed=killed)
        number += 1
    connections.close_all()


def race() -> None:
    """Four workers that all issue the same decision's memo, and then four that issue one of four others each."""
    from django.db import connections

    from workflows.memos.actions import issue

    institution = prepare("django.core.files.storage.FileSystemStorage")
    same = institution.approve(institution.submitted())
    others = [institution.approve(institution.submitted()) for _ in range(4)]
    for decisions in ([same] * 4, others):
        connections.close_all()
        start = time.monotonic() + 0.3
        children = []
        for decision in decisions:
            child = os.fork()
            if child == 0:
                time.sleep(max(0.0, start - time.monotonic()))
                issue(decision_id=decision.pk)
                os._exit(0)
            children.append(child)
        assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
    for decision in [same, *others]:
        answer(decision.pk, killed=False)
    connections.close_all()


def answer(decision_id: int, *, killed: bool) -> None:
    """Print what there is of a decision's memo."""
    from governance.audit.models import Event
    from workflows.memos.actions import is_intact
    from workflows.memos.models import Memo, MemoNumber
    from workflows.notices.models import Outbox
    from workflows.review.models import Decision

    proposal = Decision.objects.get(pk=decision_id).proposal
    memos = list(Memo.objects.filter(decision=decision_id))
    events = Event.objects.filter(subject=proposal.subject, verb="memo.issued")
    print(  # noqa: T201  # this is how it answers the test
        json.dumps(
            {
                "killed": killed,
                "memos": [memo.number for memo in memos],
                "numbers": list(MemoNumber.objects.filter(decision=decision_id).values_list("number", flat=True)),
                "intact": [is_intact(memo.stored_name, memo.digest) for memo in memos],
                "digests": [memo.digest for memo in memos],
                "signed": [bool(memo.signed_by) for memo in memos],
                "recorded": [event.facts["after"]["digest"] for event in events],
                "mails": Outbox.objects.filter(key__in=[f"memo-issued:{memo.pk}" for memo in memos]).count(),
                "stream": list(Event.objects.filter(subject=proposal.subject).values_list("sequence", flat=True)),
                "version": proposal.version,
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
