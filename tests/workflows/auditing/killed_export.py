"""What the test of killed exports does in processes of its own: make a record, be killed all the way, race.

python -m tests.workflows.auditing.killed_export all-the-way
python -m tests.workflows.auditing.killed_export race
"""

import json
import os
import sys
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import django

from tests.workflows.notices.world.steps import die_at, step

# Files are noted, named and packed in turn, so that an odd number comes to each kind of step.
STRIDE = 5
PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\n%%EOF\n"


def with_step_before(work: Callable[..., Any]) -> Callable[..., Any]:
    def stepping(*arguments: Any, **given: Any) -> Any:
        step()
        return work(*arguments, **given)

    return stepping


def around_each_write(execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
    """A step before every statement that changes something; a kill between two readings shows nothing more."""
    if not sql.startswith("SELECT"):
        step()
    return execute(sql, *arguments)


def prepare() -> Any:
    """A record with a decision and a file, in files of events that hold thirty each."""
    from django.conf import settings

    folder = settings.WORLD_DIR
    files = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(folder / "files")}}
    settings.STORAGES = {**settings.STORAGES, "default": files}
    settings.VAR_DIR, settings.KEY_FOLDER = folder / "var", str(folder / "keys")
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    from tests.conftest import make_institution
    from workflows.auditing.exporting import package, packing
    from workflows.proposals.actions import attach
    from workflows.review.actions import submit

    institution = make_institution()
    draft = institution.draft()
    attach(actor=draft.author, proposal=draft, name="letter.pdf", file=BytesIO(PDF))
    draft.refresh_from_db()
    submit(actor=draft.author, proposal=draft, seen=draft.version)
    institution.approve(draft)
    package.EVENTS_A_FILE = 30  # type: ignore[misc]
    # Before a file gets its name, while the journal is behind it, and in the middle of packing.
    Path.replace = with_step_before(Path.replace)  # type: ignore[method-assign]
    Path.unlink = with_step_before(Path.unlink)  # type: ignore[method-assign]
    package.Package._note = with_step_before(package.Package._note)  # type: ignore[method-assign]
    packing.shutil.copyfileobj = with_step_before(packing.shutil.copyfileobj)  # type: ignore[assignment]
    return institution


def asked(institution: Any) -> Any:
    from workflows.auditing.actions.exports import ask_for
    from workflows.auditing.exporting.selection import Selection

    return ask_for(actor=institution.person("observer"), selection=Selection(), reason="A test")


def killed_all_the_way() -> None:
    """For many steps in turn, fork a worker that is killed there; then let another go on, and print what came of it."""
    from django.conf import settings
    from django.db import connection, connections

    from workflows.notices.actions import deliver
    from workflows.notices.models import Outbox

    institution = prepare()
    connection.execute_wrappers.append(around_each_write)
    number, killed = 0, True
    while killed:
        export = asked(institution)
        row = Outbox.objects.get(key=f"export:{export.pk}:")
        connections.close_all()
        child = os.fork()
        if child == 0:
            die_at(number)
            deliver(row_id=row.pk)
            os._exit(0)
        killed = os.WIFSIGNALED(os.waitpid(child, 0)[1])
        time.sleep(settings.OUTBOX_LEASE_SECONDS + 0.05)
        deliver(row_id=row.pk)
        answer(export.pk, killed=killed)
        number += STRIDE
    connections.close_all()


def race() -> None:
    """Four workers that all want to write the same export."""
    from django.db import connections

    from workflows.auditing.actions.exports import Busy, run

    institution = prepare()
    export = asked(institution)
    connections.close_all()
    start = time.monotonic() + 0.3
    children = []
    for _ in range(4):
        child = os.fork()
        if child == 0:
            time.sleep(max(0.0, start - time.monotonic()))
            try:
                run(export_id=export.pk)
            except Busy:
                os._exit(7)
            os._exit(0)
        children.append(child)
    ends = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert set(ends) <= {0, 7} and 0 in ends, ends
    answer(export.pk, killed=False)
    connections.close_all()


def answer(export_id: int, *, killed: bool) -> None:
    """Print what there is of an export, after the verifier has looked at it."""
    from django.conf import settings

    from governance.audit.verifier import Report, Rows, VerifierKey, check_package
    from workflows.auditing.actions.exports import tidy
    from workflows.auditing.models import Export
    from workflows.auditing.source import DatabaseSource
    from workflows.notices.models import Outbox

    # Killed when all was done but sweeping up.
    tidy()
    export = Export.objects.get(pk=export_id)
    packed = settings.WORLD_DIR / "files" / export.stored_name
    report = Report()
    keys_of_source = DatabaseSource().keys()
    keys = [VerifierKey.parse(key) for key in keys_of_source]
    check = check_package(packed, report, keys=keys, observers=[Rows()])
    print(  # noqa: T201  # this is how it answers the test
        json.dumps(
            {
                "killed": killed,
                "state": export.state,
                "failures": [each.sentence for each in report.failures],
                "events": check.events == export.total,
                "size": packed.stat().st_size == export.size,
                "left": [path.name for path in (settings.WORLD_DIR / "var" / "exports").iterdir()],
                "mails": Outbox.objects.filter(key=f"export-done:{export.pk}").count(),
            }
        )
    )


if __name__ == "__main__":
    django.setup()
    match sys.argv[1:]:
        case ["all-the-way"]:
            killed_all_the_way()
        case ["race"]:
            race()
        case _:
            sys.exit(__doc__)
