"""The record's explorer in a browser: filters, keys, an event and its proof, a proposal event by event; on a phone."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from governance.audit.actions import seal_and_sign
from tests.browser.conftest import PHONE, Axe, PageFor
from tests.conftest import Institution
from workflows.auditing.models import SavedSearch

pytestmark = pytest.mark.browser


def test_an_auditor_finds_an_event_and_checks_it(
    committed_institution: Institution, page_for: PageFor, axe: Axe, fits: Callable[[Page], bool]
) -> None:
    proposal = committed_institution.at_stage("teaching-centre")
    committed_institution.return_for_changes(proposal)
    seal_and_sign(now=True)
    page = page_for(committed_institution.person("observer"))
    page.goto("/")
    page.get_by_role("link", name="Audit").click()
    expect(page.get_by_role("heading", name="Audit", exact=True)).to_be_visible()
    assert axe(page) == []

    page.get_by_label("Proposal or stream").fill(proposal.reference)
    page.get_by_label("What happened").select_option("decisions")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("#events caption")).to_contain_text("2 events")
    expect(page).to_have_url(re.compile("what=decisions"))
    page.get_by_label("Keep this search as").fill("Decisions on the first")
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.get_by_role("link", name="Decisions on the first")).to_be_visible()
    assert SavedSearch.objects.get().name == "Decisions on the first"

    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("returned submission 1 for changes")
    expect(page.get_by_text("Sealed at index")).to_be_visible()
    assert axe(page) == []
    with page.expect_download() as proof:
        page.get_by_role("link", name="record.tlog-proof").click()
    assert proof.value.path().read_text().startswith("c2sp.org/tlog-proof@v1")

    page.get_by_role("link", name="The proposal after this event").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("as it is now")
    page.get_by_role("link", name="Event before").click()
    expect(page.get_by_role("row", name="Who holds it")).to_contain_text("Centre for Teaching and Learning")
    assert axe(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_fit_a_phone_and_work_without_scripts(
    committed_institution: Institution,
    page_for: PageFor,
    axe: Axe,
    fits: Callable[[Page], bool],
    scheme: str,
) -> None:
    proposal = committed_institution.submitted()
    seal_and_sign(now=True)
    page = page_for(committed_institution.person("administrator"), js=False, width=PHONE, scheme=scheme)
    page.goto(f"/audit/?about={proposal.reference}")
    assert fits(page)
    page.locator("#events tbody th a").first.click()
    expect(page.get_by_text("The sealed record", exact=True)).to_be_visible()
    assert fits(page)
    assert axe(page) == []
    page.goto(f"/audit/proposals/{proposal.reference}/as-of/?event=1")
    assert fits(page)
