"""Proposals are moved to another version in the same instant in which somebody decides on one of them or another
administrator moves them, in two processes on PostgreSQL: one of the two is done, and the other is told why."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from governance.audit.queries import events_of
from tests.conftest import ROOT, Institution
from tests.versions import adopted
from workflows.proposals.models import Proposal
from workflows.review.models import Decision, WorkItem
from workflows.review.moving import plan, proposals_named

ROUNDS = 6

# What each process does: wait for the starting line, act, and say what became of it.
ACTOR = """
import json, sys, time
from pathlib import Path
import django
django.setup()
from governance.people.models import User
from governance.policies.models import PolicyVersion
from governance.refusals import Refusal
from workflows.review import actions
from workflows.review.models import WorkItem
from workflows.review.moving import proposals_named

given = json.loads(sys.argv[1])
actor = User.objects.get(pk=given["actor"])
item = WorkItem.objects.select_related("proposal__policy_version").get(pk=given["item"])
checklist = [q.key for q in item.proposal.policy_version.typed_rules.stage(item.stage_key).checklist]
version, chosen = PolicyVersion.objects.get(pk=given["version"]), proposals_named(given["proposals"])
Path(given["ready"]).touch()
while not Path(given["start"]).exists():
    time.sleep(0.0005)
try:
    if given["act"] == "approve":
        actions.approve(actor=actor, item=item, seen=given["seen"][item.proposal.reference], confirmed=checklist)
    else:
        actions.move(
            actor=actor, proposals=chosen, version=version, plan_digest=given["plan"], seen=given["seen"],
            reason="One route for all.",
        )
    print(json.dumps({"done": given["act"]}))
except Refusal as no:
    changed = [event.verb for event in getattr(no, "changed", ())]
    print(json.dumps({"refused": given["act"], "as": type(no).__name__, "changed": changed}))
"""


def without_councils(rules: dict[str, Any]) -> None:
    rules["route"] = [stage for stage in rules["route"] if not stage["key"].endswith("council")]


@pytest.mark.postgres
@pytest.mark.parametrize("rival", ["approve", "move"])
def test_a_move_and_another_act_at_the_same_instant(
    committed_institution: Institution, tmp_path: Path, rival: str
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time; races between processes are proved on PostgreSQL")
    place = committed_institution
    histories = [[place.at_stage("undergraduate-council"), place.submitted()] for _round in range(ROUNDS)]
    version = adopted(place, without_councils)
    actors = [place.people["administrator"].pk, place.people["ugc" if rival == "approve" else "drafter"].pk]
    for number, (decided, other) in enumerate(histories):
        item = WorkItem.objects.get(proposal=decided, closed_at=None)
        references = [decided.reference, other.reference]
        dry = plan(proposals_named(references), version)
        given = {"item": item.pk, "version": version.pk, "plan": dry.digest, "seen": dry.seen}
        start = tmp_path / f"start-{number}"
        ready = [tmp_path / f"ready-{number}-{who}" for who in range(2)]
        running = [
            _process(given | {"actor": actor, "act": act, "proposals": chosen}, own, start)
            for actor, act, chosen, own in zip(
                actors, ["move", rival], [references, references[::-1]], ready, strict=True
            )
        ]
        _wait_for(*ready)
        start.touch()
        answers = [json.loads(process.communicate(timeout=240)[0]) for process in running]
        done = [answer["done"] for answer in answers if "done" in answer]
        refused = [answer for answer in answers if "refused" in answer]
        assert (len(done), len(refused)) == (1, 1), answers
        what = {"move": "proposal.moved", "approve": "decision.approved"}[done[0]]
        assert (refused[0]["as"], set(refused[0]["changed"])) == ("Stale", {what}), answers
        moved = done == ["move"]
        assert {Proposal.objects.get(reference=one).policy_version == version for one in references} == {moved}
        assert Decision.objects.filter(item=item).exists() is not moved
        for reference in references:
            proposal = Proposal.objects.get(reference=reference)
            sequences = list(events_of(proposal.subject).values_list("sequence", flat=True))
            assert sequences == list(range(1, proposal.version + 1))
            assert proposal.work_items.filter(closed_at=None).count() == 1


def _process(given: dict[str, Any], ready: Path, start: Path) -> "subprocess.Popen[str]":
    database = connection.settings_dict
    url = f"postgres://{database['USER']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    return subprocess.Popen(
        [sys.executable, "-c", ACTOR, json.dumps(given | {"ready": str(ready), "start": str(start)})],
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
