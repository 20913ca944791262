"""What the erasure tests do in a process of its own, because it needs a database in a file: erase somebody there, and
say in which of the database's files their name and address stand, before, right after, and once the worker was there.

ASSENT_VAR=/some/folder python -m tests.workflows.auditing.erased_file
"""

import json
import sys
from datetime import timedelta
from pathlib import Path

import django
from django.core.management import call_command
from django.db import connection

NAME, ADDRESS = "Zoë Quillfeather", "quillfeather@kawartha.example"


def main() -> None:
    """Prints one line of JSON."""
    django.setup()
    from django.conf import settings

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    call_command("migrate", verbosity=0)

    from governance import clock
    from governance.people.actions import change_person
    from tests.conftest import make_institution
    from workflows.auditing.actions.erasure import erase
    from workflows.auditing.erasing.plans import erasure_plan
    from workflows.memos.actions import issue
    from workflows.notices.actions import deliver
    from workflows.notices.models import Outbox
    from workflows.review import actions as review

    place = make_institution()
    person, admin = place.people["ad-hsci"], place.person("administrator")
    person.name, person.email = NAME, ADDRESS
    change_person(actor=admin.as_actor(), person=person, fields=["name", "email"])
    proposal = place.submitted()
    review.comment(actor=place.person("ad-hsci"), proposal=proposal, audience="everyone", text="Which labs?")
    issue(decision_id=place.return_for_changes(proposal).pk)
    for task in ("review.letters", "notices.send_mail"):
        for row in Outbox.objects.filter(task=task):
            deliver(row_id=row.pk)
    from tests.workflows.auditing.test_erasure import leave

    leave(place, "ad-hsci")
    folder = Path(settings.VAR_DIR)
    with connection.cursor() as cursor:
        # As it is in an installation that has run for a while: in the file itself, not only in its log of writes.
        cursor.execute("PRAGMA wal_checkpoint(FULL)")
    found = {"before": where(folder)}
    with clock.at(clock.now() + timedelta(days=400)):
        person = place.person("ad-hsci")
        plan = erasure_plan(person).digest
        erase(actor=admin, person=person, authority="FIPPA", reason="Asked for.", plan_digest=plan)
    found["right after"] = where(folder)
    for row in Outbox.objects.filter(task="auditing.leave_no_copies"):
        found["outcome"] = [deliver(row_id=row.pk).value]
    found["cleared"] = where(folder)
    sys.stdout.write(json.dumps(found))


def where(folder: Path) -> list[str]:
    """The database's files that hold the name or the address, in any of the ways in which they are written."""
    words = [NAME.encode(), json.dumps(NAME)[1:-1].encode(), ADDRESS.encode(), b"Quillfeather"]
    files = sorted(folder.glob("assent.sqlite3*"))
    return [file.name for file in files if any(word in file.read_bytes() for word in words)]


if __name__ == "__main__":
    main()
