"""The author's editor in a real browser: what is typed is saved or kept, and every page can be used by everyone."""

import re
from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Page, Route, expect

from tests.conftest import Institution
from workflows.proposals.content import FURTHER, SECTIONS
from workflows.proposals.models import DraftSection, Proposal

from .conftest import DESK, PHONE, Axe, PageFor

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def address(proposal: Proposal, section: str = "need") -> str:
    return reverse("proposal-edit", args=[proposal.reference, section])


def words(proposal: Proposal, name: str, section: str = "need") -> object:
    return DraftSection.objects.get(proposal=proposal, key=section).data[name]


def kept(page: Page) -> int:
    """How many drafts are kept on the device."""
    return int(page.evaluate("Object.keys(localStorage).length"))


@pytest.fixture
def draft(committed_institution: Institution) -> Proposal:
    return committed_institution.draft()


def test_words_are_saved_as_they_are_typed(
    committed_institution: Institution, draft: Proposal, page_for: PageFor
) -> None:
    page = page_for(committed_institution.person("author"))
    page.goto(address(draft))
    box = page.get_by_label("Purpose")
    box.fill("Typed and never sent")
    box.press("End")
    box.type(" by a button")
    expect(page.locator("#save-state")).to_contain_text("Saved as you type")
    expect(page.locator("#save-state")).to_contain_text("Saved at")
    expect(page.locator("#version")).to_have_value("2")
    expect(box).to_be_focused()
    expect(box).to_have_value("Typed and never sent by a button")
    assert words(draft, "purpose") == "Typed and never sent by a button"
    assert kept(page) == 0


def test_something_wrong_is_said_beside_the_field_while_typing_goes_on(
    committed_institution: Institution, draft: Proposal, page_for: PageFor
) -> None:
    page = page_for(committed_institution.person("author"))
    page.goto(address(draft, "resources"))
    fee = page.get_by_label("Fee, dollars")
    fee.fill("lots")
    expect(page.locator("#id_fee_error")).to_contain_text("takes a whole number")
    expect(page.locator("#save-state")).to_contain_text("Not saved: one thing to fix")
    expect(fee).to_be_focused()
    expect(fee).to_have_attribute("aria-invalid", "true")
    assert "id_fee_error" in (fee.get_attribute("aria-describedby") or "")
    assert kept(page) == 1
    fee.fill("700")
    expect(page.locator("#save-state")).to_contain_text("Saved at")
    expect(page.locator("#id_fee_error")).to_have_count(0)
    assert words(draft, "fee", "resources") == 700
    assert kept(page) == 0


def test_rows_come_and_go_without_a_new_page(
    committed_institution: Institution, draft: Proposal, page_for: PageFor
) -> None:
    page = page_for(committed_institution.person("author"))
    page.goto(address(draft, "assessment"))
    page.evaluate("window.same = true")
    page.get_by_role("button", name="Add assessment").click()
    title = page.locator("#id_assessments-2-title")
    expect(title).to_be_focused()
    title.fill("Peer review")
    page.locator("#id_assessments-2-weight").fill("10")
    expect(page.locator("#weights")).to_contain_text("110 %")
    expect(page.locator("#matrix-head")).to_contain_text("Peer review")
    page.get_by_role("button", name="Remove assessment 3").click()
    expect(page.locator("#weights")).to_contain_text("The weights add up to 100 %")
    expect(title).to_have_count(0)
    assert page.evaluate("window.same") is True
    assert len(DraftSection.objects.get(proposal=draft, key="assessment").data["assessments"]) == 2


def test_ctrl_s_saves_and_the_button_goes_on(
    committed_institution: Institution, draft: Proposal, page_for: PageFor
) -> None:
    page = page_for(committed_institution.person("author"))
    page.goto(address(draft))
    page.get_by_label("Purpose").fill("Saved by a key")
    page.keyboard.press("Control+s")
    expect(page.locator("#version")).to_have_value("2")
    page.get_by_label("Purpose").fill("Saved by the button")
    page.get_by_role("button", name="Save and go to Learners and admission").click()
    page.wait_for_url("**/edit/learners/")
    assert words(draft, "purpose") == "Saved by the button"


def test_leaving_by_a_link_saves_first(committed_institution: Institution, draft: Proposal, page_for: PageFor) -> None:
    page = page_for(committed_institution.person("author"))
    page.goto(address(draft))
    page.get_by_label("Purpose").fill("On my way out")
    page.get_by_role("link", name="Check and send").click()
    page.wait_for_url("**/check/")
    assert words(draft, "purpose") == "On my way out"


def test_words_typed_offline_are_kept_and_sent_when_the_connection_is_back(
    committed_institution: Institution, draft: Proposal, page_for: PageFor
) -> None:
    page = page_for(committed_institution.person("author"))
    page.goto(address(draft))
    page.context.set_offline(True)
    page.get_by_label("Purpose").fill("Written on the train")
    expect(page.locator("#save-state")).to_contain_text(
        "Not saved: you are offline. Your words are kept on this device"
    )
    assert kept(page) == 1
    page.context.set_offline(False)
    expect(page.locator("#save-state")).to_contain_text("Saved at")
    assert words(draft, "purpose") == "Written on the train"
    assert kept(page) == 0


def test_words_kept_on_the_device_come_back_and_can_be_saved_or_discarded(
    committed_institution: Institution, draft: Proposal, page_for: PageFor
) -> None:
    before = words(draft, "purpose")
    page = page_for(committed_institution.person("author"))

    def lose_the_page() -> None:
        page.goto(address(draft))
        page.route(
            "**/edit/need/", lambda route: route.abort() if route.request.method == "POST" else route.continue_()
        )
        page.get_by_label("Purpose").fill("Typed before the lights went out")
        page.wait_for_timeout(200)
        page.goto("/help/")
        page.unroute("**/edit/need/")
        page.goto(address(draft))

    lose_the_page()
    restored = page.locator("#restored")
    expect(restored).to_be_visible()
    # The 24-hour clock, as everywhere.
    expect(restored.locator("time")).to_have_text(re.compile(r" \d\d:\d\d$"))
    expect(restored).to_be_focused()
    expect(page.get_by_label("Purpose")).to_have_value("Typed before the lights went out")
    assert words(draft, "purpose") == before
    restored.get_by_role("button", name="Discard them").click()
    expect(page.get_by_label("Purpose")).to_have_value(str(before))
    assert kept(page) == 0

    lose_the_page()
    restored.get_by_role("button", name="Save them").click()
    expect(restored).to_be_hidden()
    expect(page.locator("#save-state")).to_contain_text("Saved at")
    assert words(draft, "purpose") == "Typed before the lights went out"
    assert kept(page) == 0


@pytest.mark.parametrize("failures", [1, 99], ids=["once", "until the next visit"])
def test_kept_words_outlast_a_server_that_fails_to_bring_them_back(
    committed_institution: Institution, draft: Proposal, page_for: PageFor, failures: int
) -> None:
    page = page_for(committed_institution.person("author"))
    page.goto(address(draft))
    page.route("**/edit/need/", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    page.get_by_label("Purpose").fill("Typed before the lights went out")
    page.goto("/help/")
    page.unroute("**/edit/need/")
    failed: list[str] = []

    def fails(route: Route) -> None:
        if "restore" in (route.request.post_data or "") and len(failed) < failures:
            failed.append(route.request.url)
            route.fulfill(status=500, body="")
        else:
            route.continue_()

    page.route("**/edit/need/", fails)
    page.goto(address(draft))
    if failures > 1:
        page.get_by_label("Need", exact=True).fill("Typed while the words were away")
        expect(page.locator("#save-state")).to_contain_text("Saved at")
        page.unroute("**/edit/need/")
        page.goto(address(draft))
    expect(page.locator("#restored")).to_be_visible()
    expect(page.get_by_label("Purpose")).to_have_value("Typed before the lights went out")
    assert failed


def test_an_ended_session_keeps_the_words_and_leads_back_to_them(
    committed_institution: Institution, draft: Proposal, page_for: PageFor
) -> None:
    page = page_for(committed_institution.person("author"))
    page.goto(address(draft))
    page.context.clear_cookies(name="sessionid")
    page.get_by_label("Purpose").fill("Typed after the session ended")
    state = page.locator("#save-state")
    expect(state).to_contain_text("You were signed out; your words are kept on this device")
    expect(page.get_by_label("Purpose")).to_have_value("Typed after the session ended")
    state.get_by_role("link", name="Sign in and come back").click()
    page.get_by_label("E-mail").fill("author@kawartha.example")
    page.get_by_label("Password").fill("a-long-password")
    page.locator("main").get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/edit/need/")
    expect(page.get_by_label("Purpose")).to_have_value("Typed after the session ended")
    expect(page.locator("#save-state")).to_contain_text("Not saved yet")
    page.get_by_role("button", name="Save them").click()
    expect(page.locator("#save-state")).to_contain_text("Saved at")
    assert words(draft, "purpose") == "Typed after the session ended"


@pytest.mark.parametrize("js", [True, False], ids=["script", "no script"])
def test_two_tabs_with_different_words_lead_to_a_choice(
    committed_institution: Institution, draft: Proposal, page_for: PageFor, axe: Axe, js: bool
) -> None:
    page = page_for(committed_institution.person("author"), js=js)
    other = page.context.new_page()
    for tab in (page, other):
        tab.goto(address(draft))
    page.get_by_label("Purpose").fill("From the first tab")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#version")).to_have_value("2")
    other.get_by_label("Purpose").fill("From the second tab")
    if js:
        expect(other.locator("#save-state")).to_contain_text("This section was saved elsewhere")
        assert kept(other) == 1
        other.get_by_role("button", name="Compare and choose").click()
    else:
        other.get_by_role("button", name="Save", exact=True).click()
    expect(other.get_by_role("heading", level=1)).to_contain_text("Two versions of")
    expect(other.get_by_text("From the first tab", exact=True)).to_be_visible()
    expect(other.get_by_text("From the second tab", exact=True)).to_be_visible()
    assert axe(other) == []
    other.get_by_role("button", name="Save what is chosen").click()
    other.wait_for_url("**/edit/need/**")
    expect(other.get_by_label("Purpose")).to_have_value("From the second tab")
    assert words(draft, "purpose") == "From the second tab"
    if js:
        expect(other.locator("#restored")).to_be_hidden()
        assert kept(other) == 0


def test_a_proposal_is_written_without_a_script(committed_institution: Institution, page_for: PageFor) -> None:
    page = page_for(committed_institution.person("author"), js=False)
    page.goto("/proposals/new/")
    page.get_by_label("Working title").fill("Wound Care for Rural Nurses")
    page.get_by_role("button", name="Start the draft").click()
    page.wait_for_url("**/edit/summary/")
    page.get_by_label("For academic credit").check()
    page.get_by_role("button", name="Save and go to Need and rationale").click()
    page.get_by_role("button", name="Add evidence").click()
    expect(page.locator("#id_evidence-1-kind")).to_be_visible()
    page.locator("#id_evidence-1-title").fill("A survey")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Files").click()
    page.get_by_label("Add a file").set_input_files(
        {"name": "letter.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7\n%%EOF"}
    )
    page.get_by_role("button", name="Attach").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="letter.pdf").click()
    assert download.value.suggested_filename == "letter.pdf"
    proposal = Proposal.objects.get()
    assert [item["title"] for item in DraftSection.objects.get(proposal=proposal, key="need").data["evidence"]] == [
        "A survey"
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [DESK, PHONE])
def test_every_page_can_be_used_by_everyone(
    committed_institution: Institution,
    page_for: PageFor,
    axe: Axe,
    fits: Callable[[Page], bool],
    scheme: str,
    width: int,
) -> None:
    complete = committed_institution.draft()
    returned = committed_institution.submitted()
    committed_institution.return_for_changes(returned)
    author = committed_institution.person("author")
    page = page_for(author, width=width, scheme=scheme)
    addresses = [
        "/proposals/new/",
        *(address(returned, section) for section in [*SECTIONS, "files"] if section != FURTHER),
    ]
    addresses += [reverse("proposal-check", args=[one.reference]) for one in (complete, returned)]
    for one in addresses:
        page.goto(one)
        assert axe(page) == [], one
        assert fits(page), one
        assert page.locator("h1").count() == 1
    stranger = page_for(committed_institution.person("stranger"), width=width, scheme=scheme)
    stranger.goto("/proposals/new/")
    assert axe(stranger) == []
    without_script = page_for(author, js=False, width=width, scheme=scheme)
    without_script.goto(address(complete, "resources"))
    without_script.get_by_label("Fee, dollars").fill("lots")
    without_script.get_by_role("button", name="Save", exact=True).click()
    expect(without_script.get_by_role("alert")).to_contain_text("One thing to fix")
    assert axe(without_script) == []
    assert fits(without_script)
    page.goto(address(returned, "files"))
    name = f"Letter-of-{'very-' * 12}strong-support.pdf"
    page.get_by_label("Add a file").set_input_files(
        {"name": name, "mimeType": "application/pdf", "buffer": b"%PDF-1.7\n%%EOF"}
    )
    page.get_by_role("button", name="Attach").click()
    expect(page.get_by_role("link", name=name)).to_be_visible()
    assert axe(page) == []
    assert fits(page)
