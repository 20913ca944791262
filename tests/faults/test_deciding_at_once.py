"""Two people decide the same stage at the same instant, in two processes on PostgreSQL: one decision, the other is
told why."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.db import connection

from governance.audit.queries import events_of
from governance.people.actions import add_person, give_mandate
from governance.people.duties import Duty
from tests.conftest import LONG_AGO, REGISTRAR, ROOT, Institution
from workflows.proposals.models import Proposal
from workflows.review.models import Decision, WorkItem

ROUNDS = 8

# What each process does: wait for the starting line, act, and say what became of it.
DECIDER = """
import json, sys, time
from pathlib import Path
import django
django.setup()
from governance.people.models import User
from governance.refusals import Refusal
from workflows.review import actions
from workflows.review.models import WorkItem

given = json.loads(sys.argv[1])
actor = User.objects.get(pk=given["actor"])
item = WorkItem.objects.select_related("proposal__policy_version").get(pk=given["item"])
checklist = [q.key for q in item.proposal.policy_version.typed_rules.stage(item.stage_key).checklist]
Path(given["ready"]).touch()
while not Path(given["start"]).exists():
    time.sleep(0.0005)
try:
    if given["act"] == "approve":
        actions.approve(actor=actor, item=item, seen=given["seen"], confirmed=checklist)
    else:
        actions.return_for_changes(actor=actor, item=item, seen=given["seen"], reasons="Say who asked for it.")
    print(json.dumps({"done": given["act"]}))
except Refusal as no:
    changed = [event.sentence for event in getattr(no, "changed", ())]
    print(json.dumps({"refused": type(no).__name__, "why": str(no), "changed": changed}))
"""


@pytest.mark.postgres
@pytest.mark.parametrize("acts", [("approve", "approve"), ("approve", "return")])
def test_two_people_at_the_same_instant(
    committed_institution: Institution, tmp_path: Path, acts: tuple[str, str]
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time; races between processes are proved on PostgreSQL")
    place = committed_institution
    people = []
    for name in ("first", "second"):
        person = add_person(actor=REGISTRAR, email=f"{name}@race.example", name=f"The {name} reviewer")
        give_mandate(
            actor=REGISTRAR, person=person, body=place.bodies["ad-hsci"], duty=Duty.REVIEWER, starts_on=LONG_AGO
        )
        people.append(person)
    for number in range(ROUNDS):
        proposal = place.submitted()
        item = WorkItem.objects.get(proposal=proposal)
        start = tmp_path / f"start-{number}"
        running = [
            _decider(person.pk, act, item.pk, proposal.version, tmp_path / f"ready-{number}-{who}", start)
            for who, (person, act) in enumerate(zip(people, acts, strict=True))
        ]
        _wait_for(tmp_path / f"ready-{number}-0", tmp_path / f"ready-{number}-1")
        start.touch()
        answers = [json.loads(process.communicate(timeout=240)[0]) for process in running]
        done = [answer for answer in answers if "done" in answer]
        refused = [answer for answer in answers if "refused" in answer]
        assert (len(done), len(refused)) == (1, 1), answers
        assert refused[0]["refused"] == "Stale"
        assert len(refused[0]["changed"]) == 1
        assert "reviewer" in refused[0]["changed"][0]
        assert Decision.objects.filter(proposal=proposal).count() == 1
        sequences = list(events_of(proposal.subject).values_list("sequence", flat=True))
        assert sequences == list(range(1, len(sequences) + 1))
        assert Proposal.objects.get(pk=proposal.pk).version == len(sequences)


def _decider(actor: int, act: str, item: int, seen: int, ready: Path, start: Path) -> "subprocess.Popen[str]":
    database = connection.settings_dict
    url = f"postgres://{database['USER']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    given = {"actor": actor, "act": act, "item": item, "seen": seen, "ready": str(ready), "start": str(start)}
    return subprocess.Popen(
        [sys.executable, "-c", DECIDER, json.dumps(given)],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "governance.settings", "ASSENT_DEMO": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )


def _wait_for(*paths: Path) -> None:
    deadline = time.monotonic() + 240
    while not all(path.exists() for path in paths):
        assert time.monotonic() < deadline, "a process did not come to the starting line"
        time.sleep(0.01)
