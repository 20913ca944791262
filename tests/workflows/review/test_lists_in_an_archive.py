"""What the queue counts is found by what is open now, and not by walking through everything that was ever decided."""

import re
from typing import Any

import pytest
from django.db.models import QuerySet

from tests.conftest import Institution
from workflows.proposals.models import Proposal
from workflows.review import actions as review
from workflows.review.lists import back_with_authors, returned_by_us, scope_of, waiting


def sent_again(institution: Institution) -> Proposal:
    proposal = institution.submitted()
    institution.return_for_changes(proposal)
    proposal.refresh_from_db()
    review.submit(actor=proposal.author, proposal=proposal, seen=proposal.version)
    return Proposal.objects.get(pk=proposal.pk)


def test_what_is_back_with_authors_is_what_we_returned_last(institution: Institution) -> None:
    once, twice = institution.submitted(), sent_again(institution)
    institution.return_for_changes(once)
    institution.return_for_changes(twice)
    sent_again(institution)
    institution.submitted()
    institution.return_for_changes(institution.at_stage("senate"), to_stage="associate-dean")
    elsewhere = institution.at_stage("teaching-centre")
    institution.return_for_changes(elsewhere)

    def returned_by(key: str) -> list[Proposal]:
        scope = scope_of(institution.person(key))
        found = list(back_with_authors(scope).order_by("pk"))
        assert found == [decision.proposal for decision in returned_by_us(scope).order_by("proposal_id")]
        return found

    assert returned_by("ad-hsci") == [once, twice]
    assert returned_by("ctl") == [elsewhere]
    assert returned_by("senate") == []


@pytest.mark.once
def test_sqlite_finds_what_is_open_without_statistics(institution: Institution) -> None:
    """Nothing gathers statistics on a small installation, and without them SQLite takes the first index that fits."""

    def plan(rows: QuerySet[Any, Any]) -> str:
        return str(rows.order_by().values("pk")[:1001].explain())

    scope = scope_of(institution.person("ad-hsci"))
    assert "queue_of_a_body" in plan(waiting(scope))
    assert re.search(r"proposals_proposal USING (COVERING )?INDEX proposals_p_state", plan(back_with_authors(scope)))
