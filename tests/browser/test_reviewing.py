"""The reviewer's pages in a real browser: keys in the lists, and controls that stay in sight at every width."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from governance.people.actions import give_mandate
from governance.people.duties import Duty
from tests.conftest import LONG_AGO, REGISTRAR, Institution
from tests.samples import complete_content

from .conftest import DESK, PHONE, PageFor

ON_TOP = """box => {
    const at = box.getBoundingClientRect();
    return document.elementFromPoint(at.x + at.width / 2, at.y + at.height / 2) === box;
}"""

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("path", ["/queue/", "/proposals/all/"])
def test_keys_lead_from_row_to_row_and_open_one(
    committed_institution: Institution, page_for: PageFor, path: str
) -> None:
    for title in ("One", "Two", "Three"):
        committed_institution.submitted(content=complete_content(title=title))
    page = page_for(committed_institution.person("ad-hsci"))
    page.goto(path)
    titles = page.locator(".row__title a, .table th a").all_inner_texts()
    focused = page.locator(":focus")
    start = 1 if path == "/queue/" else 0
    page.keyboard.press("j")
    expect(focused).to_have_text(titles[start])
    page.keyboard.press("j")
    expect(focused).to_have_text(titles[start + 1])
    page.keyboard.press("k")
    expect(focused).to_have_text(titles[start])
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(titles[start])


@pytest.mark.parametrize("width", [PHONE, 1024, DESK])
def test_filters_of_somebody_on_two_bodies_fit(
    committed_institution: Institution, page_for: PageFor, fits: Callable[[Page], bool], width: int
) -> None:
    body, person = committed_institution.bodies["ugc"], committed_institution.people["senate"]
    give_mandate(actor=REGISTRAR, person=person, body=body, duty=Duty.CHAIR, starts_on=LONG_AGO)
    committed_institution.at_stage("senate")
    page = page_for(committed_institution.person("senate"), width=width)
    page.goto("/queue/")
    assert fits(page)


def test_answers_stay_in_sight_beside_a_long_checklist(committed_institution: Institution, page_for: PageFor) -> None:
    proposal = committed_institution.submitted()
    page = page_for(committed_institution.person("ad-hsci"))
    page.set_viewport_size({"width": DESK, "height": 600})
    page.goto(f"/proposals/{proposal.reference}/#s-delivery")
    panel = page.locator("aside.sticky--scroll")
    assert panel.evaluate("panel => panel.scrollHeight > panel.clientHeight")
    for name in ("Approve", "Return", "Decline"):
        expect(panel.get_by_role("button", name=name)).to_be_in_viewport(ratio=1)
    # What has the focus is not behind them (WCAG 2.4.11).
    for box in panel.get_by_role("checkbox").all():
        box.focus()
        assert box.evaluate(ON_TOP)
