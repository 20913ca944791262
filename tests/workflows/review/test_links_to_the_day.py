"""Every proposal and every decision leads to the rules and mandates of its day."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.test import Client

from tests.conftest import Institution
from workflows.memos.actions import issue

pytestmark = pytest.mark.django_db
SENT, DECIDED = (datetime(2026, 3, day, 10, tzinfo=ZoneInfo("America/Toronto")) for day in (2, 9))
LINK = '<a href="/policies/on/{}/">The rules and mandates of that day</a>'


def test_a_proposal_its_memos_and_the_list_of_decisions_lead_to_their_day(
    institution: Institution, client: Client
) -> None:
    with time_machine.travel(SENT, tick=False):
        proposal = institution.submitted()
    with time_machine.travel(DECIDED, tick=False):
        decision = institution.approve(proposal)
        issue(decision_id=decision.pk)
    client.force_login(institution.person("ad-hsci"))
    page = client.get(f"/proposals/{proposal.reference}/").content.decode()
    assert LINK.format("2026-03-02") in page
    assert LINK.format("2026-03-09") in page
    decided = client.get("/queue/?tab=decided").content.decode()
    assert 'href="/policies/on/2026-03-09/">The rules and mandates of that day</a>' in decided


def test_a_draft_has_no_day_to_lead_to(institution: Institution, client: Client) -> None:
    proposal = institution.draft()
    client.force_login(institution.person("author"))
    assert "/policies/on/" not in client.get(f"/proposals/{proposal.reference}/", follow=True).content.decode()
