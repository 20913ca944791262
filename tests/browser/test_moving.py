"""Moving proposals and answering further questions in a real browser: without scripts, on a phone, checked with axe."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import Institution
from tests.versions import adopted
from workflows.proposals.models import Proposal

from .conftest import DESK, PHONE, Axe, PageFor

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def shorter_and_with_a_question(rules: dict[str, Any]) -> None:
    rules["route"] = [stage for stage in rules["route"] if not stage["key"].endswith("council")]
    rules["reopens"] = [{"fields": ["resources.fee"], "stages": ["associate-dean"], "clause": "7.6"}]
    rules["questions"] = [
        {"key": "owner", "text": "Who owns the materials?", "kind": "line", "clause": "9.9"},
        {"key": "elders", "text": "Were Elders asked?", "kind": "yes-no", "required": False, "clause": "9.9"},
    ]


@pytest.mark.parametrize(("width", "scheme"), [(DESK, "light"), (PHONE, "dark")])
def test_an_administrator_moves_proposals_without_scripts(
    committed_institution: Institution,
    page_for: PageFor,
    axe: Axe,
    fits: Callable[[Page], bool],
    width: int,
    scheme: str,
) -> None:
    place = committed_institution
    proposals = [place.at_stage("undergraduate-council"), place.submitted()]
    place.return_for_changes(proposals[1])
    version = adopted(place, shorter_and_with_a_question)
    page = page_for(place.person("administrator"), js=False, width=width, scheme=scheme)

    def looks_right() -> None:
        assert axe(page) == [], page.url
        assert fits(page), page.url
        assert page.locator("h1").count() == 1

    page.goto(f"{version.get_absolute_url()}move/")
    looks_right()
    for proposal in proposals:
        page.get_by_role("checkbox", name=proposal.reference).check()
    page.get_by_role("button", name="See what a move would do").click()
    looks_right()
    expect(page.get_by_text("Louis Beaudry")).to_have_count(2)
    page.get_by_role("button", name="Go on to confirm").click()
    expect(page.get_by_role("alert")).to_contain_text("Say why they are moved")
    looks_right()
    page.get_by_label("Why they are moved").fill("One route for all.")
    page.get_by_role("button", name="Go on to confirm").click()
    looks_right()
    page.get_by_role("button", name="Move 2 proposals to version 2").click()
    expect(page.get_by_role("status").first).to_contain_text("2 proposals were moved")
    assert {one.policy_version for one in Proposal.objects.all()} == {version}


@pytest.mark.parametrize(("width", "scheme"), [(DESK, "light"), (PHONE, "dark")])
def test_an_author_answers_further_questions_and_reads_what_is_asked_again(
    committed_institution: Institution,
    page_for: PageFor,
    axe: Axe,
    fits: Callable[[Page], bool],
    width: int,
    scheme: str,
) -> None:
    place = committed_institution
    adopted(place, shorter_and_with_a_question)
    proposal = place.draft()
    page = page_for(place.person("author"), width=width, scheme=scheme)
    page.goto(f"/proposals/{proposal.reference}/edit/further/")
    page.get_by_label("Who owns the materials?").fill("The unit")
    page.get_by_role("radio", name="Yes").check()
    assert axe(page) == []
    assert fits(page)
    page.get_by_role("button", name="Save and go to Files").click()
    page.wait_for_url("**/edit/files/")
    page.goto(f"/proposals/{proposal.reference}/check/")
    page.get_by_role("button", name="Send to Associate Dean").click()
    expect(page.get_by_role("heading", name="Further questions")).to_be_visible()
    assert axe(page) == []
    place.approve(proposal)
    place.return_for_changes(proposal)
    page.goto(f"/proposals/{proposal.reference}/edit/resources/")
    page.get_by_label("Fee, dollars").fill("990")
    page.get_by_role("button", name="Save and go to").click()
    page.wait_for_url("**/edit/quality/")
    page.goto(f"/proposals/{proposal.reference}/check/")
    expect(page.locator("#reopened")).to_contain_text("“Fee, dollars” changed, so “Associate Dean” is asked again")
    assert axe(page) == []
    assert fits(page)
