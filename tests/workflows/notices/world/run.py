"""What the outbox tests do in processes of their own, beside `manage.py`: queue rows, and be killed at every step.

python -m tests.workflows.notices.world.run queue '[{"task": "world.note", "key": "a", "payload": {"name": "a"}}]'
python -m tests.workflows.notices.world.run mail key
python -m tests.workflows.notices.world.run killed-at-every-step
"""

import json
import os
import sys
import time
from typing import Any

import django


def queue_rows(rows: list[dict[str, Any]]) -> None:
    from django.db import transaction

    from workflows.notices.outbox import queue

    with transaction.atomic():
        for row in rows:
            queue(**row)


def queue_a_mail(key: str) -> None:
    from django.db import transaction

    from workflows.notices.mail import queue_mail

    with transaction.atomic():
        queue_mail(key=key, to="dean@example.edu", subject="Décision: approved", text="Approved.\n\nL’université\n")


def killed_at_every_step() -> None:
    """For each step in turn, fork a drain that is killed there; then drain again and print what came of it."""
    from django.conf import settings
    from django.db import connection, connections

    from tests.workflows.notices.world.steps import around_each_statement, die_at
    from workflows.notices.actions import deliver_due
    from workflows.notices.models import Delivery, Outbox

    connection.execute_wrappers.append(around_each_statement)
    step, killed = 0, True
    while killed:
        key = f"mail-{step}"
        queue_a_mail(key)
        connections.close_all()
        child = os.fork()
        if child == 0:
            die_at(step)
            deliver_due()
            os._exit(0)
        killed = os.WIFSIGNALED(os.waitpid(child, 0)[1])
        time.sleep(settings.OUTBOX_LEASE_SECONDS + 0.05)
        deliver_due()
        row = Outbox.objects.get(key=key)
        mails = sorted((settings.WORLD_DIR / "mail").glob("*.eml"))
        print(  # noqa: T201  # this is how it answers the test
            json.dumps(
                {
                    "killed": killed,
                    "done": row.done_at is not None and row.failed_at is None and row.leased_until is None,
                    "attempts": row.attempts,
                    "mails": [mail.read_text() for mail in mails],
                    "noted": list(Delivery.objects.filter(outbox=row).values_list("message_id", flat=True)),
                }
            )
        )
        for mail in mails:
            mail.unlink()
        step += 1
    connections.close_all()


if __name__ == "__main__":
    django.setup()
    match sys.argv[1:]:
        case ["queue", rows]:
            queue_rows(json.loads(rows))
        case ["mail", key]:
            queue_a_mail(key)
        case ["killed-at-every-step"]:
            killed_at_every_step()
        case _:
            sys.exit(__doc__)
