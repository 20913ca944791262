"""Two administrators record at the same instant, in two processes on PostgreSQL, that two versions were adopted for one
day: one is law from then on, the other person reads which one it is."""

import json
import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection

from governance import clock
from governance.audit.queries import events_of
from governance.dates import in_full
from governance.people.actions import add_person
from governance.policies.actions import begin_draft, propose
from governance.policies.models import PolicyVersion
from governance.policies.states import VersionStatus
from tests.conftest import REGISTRAR, ROOT, Institution

ROUNDS = 6

# What each process does: wait for the starting line, act, and say what became of it.
ADOPTER = """
import json, sys, time
from pathlib import Path
import django
django.setup()
from governance.people.models import User
from governance.policies import actions
from governance.policies.models import PolicyVersion
from governance.refusals import Refusal

given = json.loads(sys.argv[1])
actor = User.objects.get(pk=given["actor"])
version = PolicyVersion.objects.select_related("policy").get(pk=given["version"])
Path(given["ready"]).touch()
while not Path(given["start"]).exists():
    time.sleep(0.0005)
try:
    actions.adopt(actor=actor, version=version, motion="Senate minute 7")
    print(json.dumps({"adopted": version.number}))
except Refusal as no:
    print(json.dumps({"refused": type(no).__name__, "why": str(no), "number": version.number}))
"""


@pytest.mark.postgres
@pytest.mark.parametrize("same", ["one day", "one version"])
def test_two_administrators_at_the_same_instant(committed_institution: Institution, tmp_path: Path, same: str) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time; races between processes are proved on PostgreSQL")
    place = committed_institution
    assert place.policy is not None
    drafter = place.person("drafter")
    people = [
        add_person(actor=REGISTRAR, email=f"{name}@race.example", name=f"The {name} administrator", is_staff=True)
        for name in ("first", "second")
    ]
    day = clock.today()
    for number in range(ROUNDS):
        day += timedelta(days=30)
        versions = [
            propose(actor=drafter, version=begin_draft(actor=drafter, like=place.policy, effective_from=day))
            for _ in range(2)
        ]
        if same == "one version":
            versions[1] = versions[0]
        start = tmp_path / f"start-{number}"
        running = [
            _adopter(person.pk, version.pk, tmp_path / f"ready-{number}-{who}", start)
            for who, (person, version) in enumerate(zip(people, versions, strict=True))
        ]
        _wait_for(tmp_path / f"ready-{number}-0", tmp_path / f"ready-{number}-1")
        start.touch()
        answers = [json.loads(process.communicate(timeout=60)[0]) for process in running]
        won = [answer for answer in answers if "adopted" in answer]
        lost = [answer for answer in answers if "refused" in answer]
        assert (len(won), len(lost)) == (1, 1), answers
        assert lost[0]["refused"] == "NotPossible"
        if same == "one day":
            sentence = f"Version {won[0]['adopted']} was adopted for {in_full(day)} already."
            assert lost[0]["why"].startswith(sentence)
        else:
            assert lost[0]["why"] == "This is not possible for a version that is adopted."
        law = PolicyVersion.objects.filter(effective_from=day, status=VersionStatus.ADOPTED)
        assert [version.number for version in law] == [won[0]["adopted"]]
        sequences = list(events_of(f"policy/{place.policy.policy.key}").values_list("sequence", flat=True))
        assert sequences == list(range(1, len(sequences) + 1))


def _adopter(actor: int, version: int, ready: Path, start: Path) -> "subprocess.Popen[str]":
    database = connection.settings_dict
    url = f"postgres://{database['USER']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    given = {"actor": actor, "version": version, "ready": str(ready), "start": str(start)}
    return subprocess.Popen(
        [sys.executable, "-c", ADOPTER, json.dumps(given)],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "governance.settings", "ASSENT_DEMO": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )


def _wait_for(*paths: Path) -> None:
    deadline = time.monotonic() + 60
    while not all(path.exists() for path in paths):
        assert time.monotonic() < deadline, "a process did not come to the starting line"
        time.sleep(0.01)
