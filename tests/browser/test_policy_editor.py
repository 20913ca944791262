"""A policy version in a real browser, from the first word of the draft to its adoption by somebody else, with and
without scripts; and every page of it can be used by everyone."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from governance.policies import actions
from governance.policies.models import PolicyVersion
from governance.policies.states import VersionStatus
from tests.conftest import Institution

from .conftest import DESK, PHONE, Axe, PageFor

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FIRST = "/policies/micro-credential-approval/1/"
SECOND = "/policies/micro-credential-approval/2/"
FIRST_DAY = date.today() + timedelta(days=200)  # noqa: DTZ011  (the browser's own day)


@pytest.fixture
def draft(committed_institution: Institution) -> PolicyVersion:
    assert committed_institution.policy is not None
    return actions.begin_draft(
        actor=committed_institution.person("drafter"), like=committed_institution.policy, effective_from=FIRST_DAY
    )


def version() -> PolicyVersion:
    return PolicyVersion.objects.get(number=2)


def rules() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(version().rules)
    return data


def senate() -> dict[str, Any]:
    stage: dict[str, Any] = rules()["route"][4]
    return stage


def kept(page: Page) -> int:
    """How many drafts are kept on the device."""
    return int(page.evaluate("Object.keys(localStorage).length"))


@pytest.mark.parametrize("js", [True, False], ids=["script", "no script"])
def test_a_version_is_drafted_proposed_and_adopted_by_somebody_else(
    committed_institution: Institution, page_for: PageFor, axe: Axe, js: bool
) -> None:
    page = page_for(committed_institution.person("drafter"), js=js)
    page.goto(FIRST)
    page.get_by_role("link", name="Draft the next version…").click()
    page.get_by_label("First day").fill(FIRST_DAY.isoformat())
    page.get_by_role("button", name="Begin the draft").click()
    page.wait_for_url("**/2/edit/text/")

    page.get_by_role("navigation", name="Nothing to fix").get_by_role("link", name="Route").click()
    page.get_by_role("link", name="Senate", exact=True).click()
    days = page.get_by_label("Working days to answer")
    days.fill("soon")
    days.press("Tab")
    save = page.get_by_role("button", name="Save", exact=True).last
    if js:
        expect(page.locator("#id_due-working_days_error")).to_contain_text("whole number from 1 to 250")
        expect(page.locator("#save-state")).to_contain_text("Not saved: one thing to fix")
    else:
        save.click()
        expect(page.get_by_role("alert")).to_contain_text("One thing to fix")
        expect(days).to_have_value("soon")
    assert axe(page) == []
    assert senate()["due"]["working_days"] == 20

    days.fill("25")
    page.get_by_label("A vote", exact=True).check()
    page.get_by_label("Quorum").fill("1")
    page.locator("#id_vote-clause").select_option("5.5")
    page.get_by_role("group", name="It has a part when").or_(page.locator("#list-when")).get_by_role(
        "button", name="Add condition"
    ).click()
    page.locator("#id_when-0-field").select_option("hours")
    page.locator("#id_when-0-operator").select_option("at-least")
    page.locator("#id_when-0-value").fill("1")
    save.click()
    if js:
        expect(page.locator("#guide")).to_contain_text("votes with a quorum of 1")
        expect(page.locator("#drawing")).to_contain_text("25 working days")
        expect(page.locator("#drawing")).to_contain_text("contact hours is at least 1")
        expect(page.locator("#save-state")).to_contain_text("Saved at")
        assert kept(page) == 0
    else:
        page.wait_for_load_state()
    assert senate()["vote"]["quorum"] == 1
    assert senate()["due"]["working_days"] == 25
    assert senate()["when"] == {"field": "hours", "at_least": 1}
    # Without Senate some proposal would reach no decision, which the check of the whole says.
    page.get_by_role("link", name="Check and propose").click()
    expect(page.locator("#soundness")).to_contain_text("is the last to answer, and it does not decide")
    page.get_by_role("button", name="Propose version 2").click()
    expect(page.get_by_role("alert")).to_contain_text("Not proposed")
    assert axe(page) == []
    page.goto(f"{SECOND}edit/route/5/")
    page.get_by_role("button", name="Remove condition 1").click()
    if js:
        expect(page.locator("#id_when-0-field")).to_have_count(0)
        expect(page.locator("#save-state")).to_contain_text("Saved at")
    assert senate()["when"] is None
    page.get_by_role("link", name="Check and propose").click()
    page.get_by_role("button", name="Propose version 2").click()
    page.wait_for_url(f"**{SECOND}")
    expect(page.get_by_text("Version 2 is proposed.")).to_be_visible()

    page.get_by_role("link", name="Record its adoption…").click()
    expect(page.get_by_text("A version is adopted by somebody other than the person who drafted it.")).to_be_visible()

    other = page_for(committed_institution.person("administrator"), js=js)
    other.goto(SECOND)
    other.get_by_role("link", name="Record its adoption…").click()
    assert axe(other) == []
    other.get_by_role("button", name="Record its adoption").click()
    expect(other.get_by_role("alert")).to_contain_text("Name the motion or minute that adopted it")
    other.get_by_label("Motion or minute").fill("Senate minute 2026-11-26, item 4")
    other.get_by_role("button", name="Record its adoption").click()
    other.wait_for_url(f"**{SECOND}")
    assert version().status == VersionStatus.ADOPTED
    assert version().adopted_by == committed_institution.people["administrator"]


def test_words_are_saved_as_they_are_typed_and_shown_as_readers_see_them(
    committed_institution: Institution, draft: PolicyVersion, page_for: PageFor
) -> None:
    page = page_for(committed_institution.person("drafter"))
    page.goto(f"{SECOND}edit/text/")
    box = page.get_by_label("Text of the policy, in Markdown")
    box.press("Control+End")
    box.type("\n**9.9** A *new* clause.\n")
    expect(page.locator("#preview")).to_contain_text("9.9 A new clause.")
    expect(page.locator("#guide")).to_contain_text("52 clauses")
    expect(box).to_be_focused()
    assert version().text.endswith("\n**9.9** A *new* clause.\n")
    assert kept(page) == 0


def test_a_choice_shows_what_it_asks_for_and_hides_what_it_does_not(
    committed_institution: Institution, draft: PolicyVersion, page_for: PageFor
) -> None:
    page = page_for(committed_institution.person("drafter"), js=False)
    page.goto(f"{SECOND}edit/route/5/")
    expect(page.get_by_label("Quorum")).to_be_hidden()
    page.get_by_label("A vote", exact=True).check()
    expect(page.get_by_label("Quorum")).to_be_visible()
    expect(page.locator("#list-cases")).to_be_hidden()
    page.get_by_label("It depends on the proposal").check()
    expect(page.locator("#list-cases")).to_be_visible()
    expect(page.locator("#id_effect")).to_be_hidden()
    page.goto(f"{SECOND}edit/questions/new/")
    expect(page.get_by_label("Answers to choose from")).to_be_hidden()
    page.get_by_label("What the answer looks like").select_option("choice")
    expect(page.get_by_label("Answers to choose from")).to_be_visible()


@pytest.mark.parametrize("js", [True, False], ids=["script", "no script"])
def test_two_administrators_on_one_stage_are_shown_both_versions(
    committed_institution: Institution, draft: PolicyVersion, page_for: PageFor, axe: Axe, js: bool
) -> None:
    page = page_for(committed_institution.person("drafter"), js=js)
    other = page_for(committed_institution.person("administrator"), js=js)
    for one in (page, other):
        one.goto(f"{SECOND}edit/route/5/")
    page.get_by_label("Working days to answer").fill("30")
    page.get_by_role("button", name="Save", exact=True).last.click()
    page.wait_for_load_state()
    if js:
        expect(page.locator("#save-state")).to_contain_text("Saved at")
    other.get_by_label("Working days to answer").fill("40")
    if js:
        expect(other.locator("#save-state")).to_contain_text("This was saved elsewhere")
        assert kept(other) == 1
        other.get_by_role("button", name="Compare and choose").click()
    else:
        other.get_by_role("button", name="Save", exact=True).last.click()
    row = other.get_by_role("row", name="Working days to answer")
    expect(row).to_contain_text("40")
    expect(row).to_contain_text("30")
    assert axe(other) == []
    assert senate()["due"]["working_days"] == 30
    other.get_by_role("button", name="Keep what you typed").click()
    other.wait_for_url("**/edit/route/5/**")
    expect(other.get_by_label("Working days to answer")).to_have_value("40")
    assert senate()["due"]["working_days"] == 40
    if js:
        assert kept(other) == 0


def test_stages_are_moved_and_taken_out_without_a_script(
    committed_institution: Institution, draft: PolicyVersion, page_for: PageFor, axe: Axe
) -> None:
    page = page_for(committed_institution.person("drafter"), js=False)
    page.goto(f"{SECOND}edit/route/")
    page.get_by_role("button", name="Move “Graduate Council” up").click()
    assert [stage["key"] for stage in rules()["route"]][2:4] == ["graduate-council", "undergraduate-council"]
    page.get_by_role("link", name="Remove “Graduate Council”…").click()
    expect(page.get_by_role("alert")).to_contain_text("It goes out of the draft")
    assert axe(page) == []
    page.get_by_role("button", name="Remove it").click()
    assert [stage["key"] for stage in rules()["route"]] == [
        "associate-dean",
        "teaching-centre",
        "undergraduate-council",
        "senate",
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [DESK, PHONE])
def test_every_page_can_be_used_by_everyone(
    committed_institution: Institution,
    draft: PolicyVersion,
    page_for: PageFor,
    axe: Axe,
    fits: Callable[[Page], bool],
    scheme: str,
    width: int,
) -> None:
    data = rules()
    stage = data["route"][4] | {
        "decides_by": "vote",
        "vote": {"quorum": 2, "carries": "majority", "of": "present", "clause": "5.5"},
        "effect": [{"when": {"field": "hours", "at_least": 10}, "effect": "decide"}, {"effect": "decide"}],
        "clause": "9.9",
    }
    changed = data | {
        "route": [*data["route"][:4], stage],
        "questions": [{"key": "q", "text": "Why here?", "kind": "choice", "choices": ["A", "B"], "clause": "3.1"}],
        "reopens": [{"fields": ["resources.fee", "outcomes"], "stages": ["senate"], "clause": "7.5"}],
    }
    actions.save_draft(actor=committed_institution.person("drafter"), version=draft, seen=0, rules=changed)
    page = page_for(committed_institution.person("drafter"), width=width, scheme=scheme)
    # Tall, so that the bar at the bottom lies over nothing: what it covers would count as too small to be touched.
    page.set_viewport_size({"width": width, "height": 4_000})
    addresses = [f"{FIRST}next/", SECOND, f"{SECOND}withdraw/"]
    addresses += [
        f"{SECOND}edit/{one}/"
        for one in (
            *("text", "basics", "route", "route/5", "route/new", "duties", "requires", "requires/26", "questions"),
            *("questions/1", "questions/new", "reopens", "reopens/1", "retention", "check", "files"),
        )
    ]
    for one in addresses:
        page.goto(one)
        assert axe(page) == [], one
        assert fits(page), one
        assert page.locator("h1").count() == 1
