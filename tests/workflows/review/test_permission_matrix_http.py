"""The same table as `test_permission_matrix.py`, asked of the addresses: a forged request gets no further than a
button."""

from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from governance.people.models import User
from tests.conftest import Institution
from tests.workflows.review.test_permission_matrix import (
    ACTORS,
    COMBINATIONS,
    VIEW,
    bring_to,
    cast,
    expected,
    later_version,
)
from workflows.proposals.models import Proposal
from workflows.proposals.states import State
from workflows.review.models import WorkItem
from workflows.review.moving import plan, proposals_named
from workflows.review.permits import Act

pytestmark = pytest.mark.django_db

# A draft has no stage, so there is no button to forge; the address must refuse all the same.
ALL = [*COMBINATIONS, *((act, State.DRAFT) for act in (Act.APPROVE, Act.RETURN, Act.DECLINE))]


def request_for(act: Act, proposal: Proposal) -> tuple[str, dict[str, Any]]:
    """The address and the fields of an act, with everything else about it in order."""
    address = f"/proposals/{proposal.reference}/"
    item = WorkItem.objects.filter(proposal=proposal, body__code="AD-HSCI").order_by("-id").first()
    fields: dict[str, Any] = {"seen": proposal.version, "item": item.pk if item else 1}
    rows = {"condition-TOTAL_FORMS": "0", "condition-INITIAL_FORMS": "0"}
    if act is Act.EDIT:
        section = proposal.draft_sections.get(key="quality")
        words = section.data | {"renewal": "Renewed every second year."}
        return f"{address}edit/quality/", {"version": section.version, "seen": section.version} | words
    if act is Act.COMMENT:
        return f"{address}comment/", {"text": "The fee is confirmed.", "audience": "everyone", "section": ""}
    if act is Act.WITHDRAW:
        return f"{address}withdraw/", fields | {"reason": "A partner left."}
    if act is Act.MOVE:
        version, reference = later_version(), proposal.reference
        shown = {"p": reference, "plan": plan(proposals_named([reference]), version).digest, "seen": f"{reference}:1"}
        return f"{version.get_absolute_url()}move/done/", shown | {"reason": "One route for all."}
    if act is Act.APPROVE and proposal.policy_version and item:
        checklist = proposal.policy_version.typed_rules.stage(item.stage_key).checklist
        fields |= {f"confirmed-{question.key}": "on" for question in checklist}
    return f"{address}{act.value}/", fields | rows | {"reasons": "Say who asked for it.", "to_stage": ""}


def attempt(act: Act, actor: User, proposal: Proposal) -> int:
    """The status of the answer; what the act did is undone."""
    client = Client()
    client.force_login(actor)
    if act is Act.VIEW:
        return client.get(f"/proposals/{proposal.reference}/", follow=True).status_code
    with transaction.atomic():
        address, fields = request_for(act, proposal)
        status = client.post(address, fields).status_code
        transaction.set_rollback(True)
    return status


def allowed_statuses(act: Act, state: State, actor: str) -> set[int]:
    answer = (
        "not possible" if state is State.DRAFT and act not in {Act.EDIT, Act.SUBMIT, Act.WITHDRAW, Act.VIEW} else ""
    )
    answer = answer or expected(act, state, actor)
    if act is Act.MOVE:  # whoever is no administrator learns nothing, and to an administrator a draft does not exist
        if actor != "administrator":
            return {403}
        return {404} if state is State.DRAFT else {"yes": {302}, "not possible": {409}}[answer]
    if actor not in VIEW[state] or (act is Act.EDIT and actor != "author"):
        return {403}  # who may not see it, or its draft, learns nothing of its state
    return {"yes": {200, 302}, "not possible": {409}, "not permitted": {403}}[answer]


@pytest.mark.parametrize(("act", "state"), ALL, ids=lambda value: value.value)
def test_every_actor(institution: Institution, act: Act, state: State) -> None:
    people = cast(institution)
    proposal = bring_to(institution, state)
    found = {actor: attempt(act, people[actor], Proposal.objects.get(pk=proposal.pk)) for actor in ACTORS}
    wrong = {
        actor: (status, allowed_statuses(act, state, actor))
        for actor, status in found.items()
        if status not in allowed_statuses(act, state, actor)
    }
    assert wrong == {}


@pytest.mark.parametrize("act", [act for act in Act if act is not Act.VIEW])
def test_nobody_acts_by_reading(institution: Institution, act: Act) -> None:
    proposal = institution.submitted()
    client = Client()
    client.force_login(institution.person("ad-hsci"))
    address, _fields = request_for(act, proposal)
    before = Proposal.objects.get(pk=proposal.pk).version
    client.get(address)
    assert Proposal.objects.get(pk=proposal.pk).version == before


@pytest.mark.parametrize("act", list(Act))
def test_the_signed_out_are_asked_to_sign_in(institution: Institution, act: Act) -> None:
    proposal = institution.submitted()
    address, fields = request_for(act, proposal) if act is not Act.VIEW else (f"/proposals/{proposal.reference}/", {})
    response = Client().post(address, fields) if fields else Client().get(address)
    assert response.status_code in {200, 302}
    assert Proposal.objects.get(pk=proposal.pk).version == proposal.version
    if response.status_code == 302:
        assert response.headers["Location"].startswith("/sign-in/")
