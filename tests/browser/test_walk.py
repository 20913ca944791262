"""The main job in a real browser: five people take a proposal from an empty form to senate's memo.

With scripts and without, because every page works without them.
"""

import io
import re
from typing import Any

import pypdf
import pytest
from django.core.management import call_command
from playwright.sync_api import Locator, Page, expect

from governance.audit.models import Event
from tests.browser.conftest import Axe, PageFor
from tests.conftest import Institution
from tests.samples import complete_content
from workflows.memos.models import Memo
from workflows.proposals.models import Proposal

pytestmark = pytest.mark.browser
REVIEWERS = [
    ("ad-hsci", "Associate Dean, Health Sciences"),
    ("ctl", "Centre for Teaching and Learning"),
    ("ugc", "Undergraduate Council"),
    ("senate", "Senate"),
]


@pytest.mark.parametrize("js", [True, False], ids=["with scripts", "without scripts"])
def test_from_draft_to_senate_memo(committed_institution: Institution, page_for: PageFor, axe: Axe, js: bool) -> None:
    place = committed_institution

    def looks_right(page: Page) -> None:
        if js:
            assert axe(page) == [], page.url

    author = page_for(place.person("author"), js=js)
    author.goto("/proposals/")
    looks_right(author)
    author.get_by_role("link", name=re.compile("New proposal")).first.click()
    looks_right(author)
    content = complete_content()
    author.locator("main [name=title]").fill(content["summary"]["title"])
    author.locator("main form button.btn--primary").click()
    for section, data in content.items():
        expect(author).to_have_url(re.compile(f"/edit/{section}/"))
        fill_section(author, section, data)
        looks_right(author)
        author.locator(".savebar button.btn--primary").click()
    reference = Proposal.objects.get().reference
    expect(author).to_have_url(re.compile("/edit/files/"))
    author.get_by_role("link", name="Check and send").first.click()
    looks_right(author)
    author.locator("form[action$='/submit/'] textarea").fill("Ready for review.")
    author.locator("form[action$='/submit/'] button.btn--primary").click()
    expect(author.locator("body")).to_contain_text("Associate Dean")
    looks_right(author)

    for key, body in REVIEWERS:
        reviewer = page_for(place.person(key), js=js)
        reviewer.goto("/")
        expect(reviewer.locator("h1")).to_have_text("Your queue")
        looks_right(reviewer)
        reviewer.locator(".row__title a").first.click()
        if js and "queue" in reviewer.url:
            reviewer.get_by_role("link", name=re.compile("Open review")).click()
        expect(reviewer.locator("h1")).to_contain_text(content["summary"]["title"])
        looks_right(reviewer)
        panel = reviewer.locator("#decide")
        for box in panel.locator("input[type=checkbox]").all():
            box.check()
        panel.locator("[name=reasons]").fill(f"{body} finds the need shown and every outcome assessed.")
        panel.locator("button.btn--approve").click()
        expect(reviewer.locator("body")).to_contain_text("Approved")
        looks_right(reviewer)

    call_command("deliver", verbosity=0)
    author.goto(f"/proposals/{reference}/")
    expect(author.locator("h1 ~ .lede, .lede").first).to_contain_text("Approved")
    looks_right(author)
    memo = Memo.objects.select_related("decision").get(decision__stage_key="senate")
    response = author.request.get(memo_address(author, memo.number))
    assert response.headers["content-type"] == "application/pdf"
    text = " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(response.body())).pages)
    text = " ".join(text.split())
    for words in (memo.number, reference, content["summary"]["title"], "Amara Nwosu", "Senate finds the need shown"):
        assert words in text
    event = Event.objects.get(pk=memo.decision.event_number)
    assert event.facts["after"]["state"] == "approved"
    assert Event.objects.filter(verb="memo.issued").count() == len(REVIEWERS)


def memo_address(page: Page, number: str) -> str:
    address = page.locator(f"a[href*='{number}']").first.get_attribute("href")
    assert address is not None
    return address


def fill_section(page: Page, section: str, data: dict[str, Any]) -> None:
    """Fill one section of the editor as a person would: rows are added first, then every field."""
    for name, value in data.items():
        if name == "alignment":
            for cell in value:
                put(page.locator(f"[name='cell-{cell['outcome']}-{cell['assessment']}']"), cell["coverage"])
        elif isinstance(value, list):
            begun = page.locator(f"#list-{name} [name^='{name}-'][name$='-{first_field(value)}']")
            while (rows := begun.count()) < len(value):
                page.locator(f"button[name=add][value='{name}']").click()
                expect(begun).to_have_count(rows + 1)
            for number, row in enumerate(value):
                for field, words in row.items():
                    if field != "key":
                        put(page.locator(f"[name='{name}-{number}-{field}']"), words)
        else:
            put(page.locator(f"main [name='{name}']"), value)


def first_field(rows: list[dict[str, Any]]) -> str:
    return next(field for field in rows[0] if field != "key")


def put(control: Locator, value: Any) -> None:
    first = control.first
    kind = first.get_attribute("type")
    tag = "select" if first.locator("option").count() else kind
    if tag == "select":
        first.select_option(str(value))
    elif tag == "radio":
        control.and_(first.page.locator(f"[value='{value}']")).check()
    elif tag == "checkbox":
        first.set_checked(bool(value))
    elif tag != "hidden":
        first.fill("" if value is None else str(value))
