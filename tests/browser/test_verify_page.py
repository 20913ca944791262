"""A stranger at the public pages, without an account and without scripts: a memo's number, its file, the log."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.storage import default_storage
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PHONE, Axe, PageFor
from tests.conftest import Institution
from workflows.memos.actions import issue

pytestmark = pytest.mark.browser


def test_a_stranger_checks_a_memo_and_the_log(
    committed_institution: Institution, page_for: PageFor, axe: Axe, fits: Callable[[Page], bool], settings: Any
) -> None:
    # Unsealed: Playwright's loop runs in this thread, where pyHanko seals nothing.
    settings.DEMONSTRATION, settings.SEAL_FILE = False, ""
    memo = issue(decision_id=committed_institution.approve(committed_institution.submitted()).pk)
    with default_storage.open(memo.stored_name) as file:
        pdf = file.read()
    at = pdf.index(b"stream") + 40
    altered = pdf[:at] + bytes([pdf[at] ^ 1]) + pdf[at + 1 :]

    page = page_for(js=False)
    page.goto("/verify/")
    page.get_by_label("Number of the memo").fill(memo.number.lower())
    page.get_by_role("button", name="Look the number up").click()
    expect(page.get_by_role("heading", name=f"Memo {memo.number} was issued here")).to_be_visible()
    assert axe(page) == []

    def send(content: bytes) -> None:
        page.get_by_label("The memo’s PDF").set_input_files(
            {"name": "memo.pdf", "mimeType": "application/pdf", "buffer": content}
        )
        page.get_by_role("button", name="Check the file").click()

    send(pdf)
    expect(page.get_by_role("heading", name=f"This is memo {memo.number}, as it was issued")).to_be_visible()
    expect(page.get_by_role("img", name="Holds", exact=True)).to_have_count(3)
    expect(page.get_by_text("The file is not sealed: no certificate signed it.")).to_be_visible()
    send(altered)
    expect(page.get_by_role("heading", name="This is not the file that was issued")).to_be_visible()
    assert axe(page) == []
    page.get_by_role("contentinfo").get_by_role("link", name="Log of the record").click()
    expect(page.get_by_role("table", name="Last checkpoint of each day")).to_be_visible()
    page.get_by_role("link", name="Latest checkpoint as text").click()
    expect(page.locator("body")).to_contain_text("localhost/record")

    for width, scheme in ((PHONE, "light"), (DESK, "dark")):
        seen = page_for(width=width, scheme=scheme)
        for address in ("/verify/", f"/verify/{memo.number}/", "/verify/?number=a+b", "/audit/log/"):
            seen.goto(address)
            assert fits(seen), address
            assert axe(seen) == [], address
