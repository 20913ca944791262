"""The drawn route and the comparison of two versions in a real browser: readable at every width, in both schemes."""

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from governance.policies.actions import begin_draft, propose, save_draft
from tests.browser.conftest import DESK, PHONE, Axe, PageFor
from tests.conftest import Institution

pytestmark = pytest.mark.browser
VERSION = "/policies/micro-credential-approval/2/"

# Lines of text that stand out of the box they are drawn in, in the drawings that are shown.
OUTSIDE_ITS_BOX = """() => [...document.querySelectorAll(".route svg")].flatMap(svg => {
  const boxes = [...svg.querySelectorAll("rect")].map(rect => rect.getBoundingClientRect());
  const inside = (text, box) => text.left > box.left && text.right < box.right && text.top > box.top - 1
    && text.bottom < box.bottom + 1;
  return [...svg.querySelectorAll("text")].filter(text => {
    const place = text.getBoundingClientRect();
    return place.width && !boxes.some(box => inside(place, box));
  }).map(text => text.textContent);
})"""
SMALLEST_TEXT = """() => Math.min(...[...document.querySelectorAll(".route svg")].filter(svg => svg.clientWidth)
  .map(svg => 13 * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width))"""


def councils_side_by_side(rules: dict[str, Any]) -> None:
    for stage in rules["route"][1:4]:
        stage["wave"] = "councils"
    rules["route"][4] |= {
        "mandatory": True,
        "decides_by": "vote",
        "vote": {"quorum_percent": 40, "of": "members", "clause": "4.5"},
    }


@pytest.fixture
def second_version(committed_institution: Institution) -> Institution:
    """Version 2 is proposed beside version 1: three stages stand side by side, and Senate votes."""
    place = committed_institution
    assert place.policy is not None
    drafter = place.person("drafter")
    version = begin_draft(actor=drafter, like=place.policy, effective_from=date(2127, 7, 1))
    rules = json.loads(version.rules)
    councils_side_by_side(rules)
    text = version.text.replace("within twenty working days", "within fifteen working days")
    version = save_draft(actor=drafter, version=version, seen=version.saves, text=text, rules=rules)
    propose(actor=drafter, version=version)
    return place


def is_readable(page: Page) -> None:
    assert page.evaluate(OUTSIDE_ITS_BOX) == []
    assert page.evaluate(SMALLEST_TEXT) >= 12


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [DESK, PHONE])
def test_the_route_of_an_example_and_a_comparison(
    second_version: Institution,
    page_for: PageFor,
    axe: Axe,
    fits: Callable[[Page], bool],
    width: int,
    scheme: str,
) -> None:
    page = page_for(second_version.person("stranger"), width=width, scheme=scheme)
    page.goto(VERSION)
    expect(page.get_by_role("img", name="The route of version 2")).to_be_visible()
    is_readable(page)
    page.get_by_text("Draw it for an example").click()
    page.get_by_label("Level").select_option("graduate")
    page.get_by_role("button", name="Draw its route").click()
    expect(page.get_by_text("The example passes 4 of 5 stages.")).to_be_visible()
    page.get_by_text("The route in words").click()
    expect(page.get_by_text("Undergraduate Council: not for this proposal")).to_be_visible()
    is_readable(page)
    assert axe(page) == []
    assert fits(page)

    page.get_by_role("link", name="Compare with version 1").click()
    expect(page.locator("ins", has_text="fifteen").first).to_be_visible()
    expect(page.get_by_text("“Undergraduate Council” and “Graduate Council” now stand side by side.")).to_be_visible()
    is_readable(page)
    assert axe(page) == []
    assert fits(page)


def test_a_comparison_without_scripts(second_version: Institution, page_for: PageFor) -> None:
    page = page_for(second_version.person("stranger"), js=False)
    page.goto(VERSION)
    page.get_by_role("link", name="Compare with version 1").click()
    page.get_by_role("link", name="clauses with no change").click()
    expect(page.get_by_role("link", name="Show only what changed")).to_be_visible()
    page.get_by_label("From version").select_option("2")
    page.get_by_label("To version").select_option("1")
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("heading", name="What changed from v2 to v1")).to_be_visible()
