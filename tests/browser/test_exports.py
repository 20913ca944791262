"""Asking for a package, watching it being made, fetching it, and opening its page, in a real browser."""

import hashlib
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from governance.audit.actions import seal_and_sign
from tests.browser.conftest import PHONE, Axe, PageFor
from tests.conftest import Institution
from workflows.auditing.actions import exports
from workflows.auditing.models import Export
from workflows.notices.actions import deliver_due
from workflows.proposals.actions import attach
from workflows.review.actions import submit

pytestmark = pytest.mark.browser
PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\n%%EOF\n"


@pytest.fixture(autouse=True)
def _workshop(settings: Any, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path / "var"


def submitted_with_a_file(place: Institution) -> str:
    draft = place.draft()
    attach(actor=draft.author, proposal=draft, name="letter.pdf", file=BytesIO(PDF))
    draft.refresh_from_db()
    submit(actor=draft.author, proposal=draft, seen=draft.version)
    return draft.reference


def test_package_is_asked_for_watched_fetched_and_opened(
    committed_institution: Institution, page_for: PageFor, axe: Axe, fits: Callable[[Page], bool], tmp_path: Path
) -> None:
    place = committed_institution
    reference = submitted_with_a_file(place)
    page = page_for(place.person("observer"))
    page.goto("/audit/exports/")
    assert axe(page) == [] and fits(page)
    page.get_by_role("button", name="Export the record").click()
    expect(page.locator(".error-summary")).to_contain_text("Say for whom or for what")
    assert axe(page) == []
    page.get_by_label("Some proposals, by reference").check()
    page.get_by_label("Proposals", exact=False).last.fill(reference)
    page.get_by_label("For whom or for what").fill("The internal auditor")
    page.get_by_role("button", name="Export the record").click()
    expect(page.get_by_role("heading", name="Waiting for its turn")).to_be_visible()
    assert axe(page) == [] and fits(page)
    deliver_due()
    # The page finds out by itself.
    expect(page.get_by_role("heading", name="The package is ready")).to_be_visible()
    assert axe(page) == [] and fits(page)
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Fetch the package").click()
    fetched = Path(waiting.value.path())
    assert hashlib.sha256(fetched.read_bytes()).hexdigest() == Export.objects.get().digest
    with zipfile.ZipFile(fetched) as archive:
        archive.extractall(tmp_path / "package")
    for width, scheme in ((1280, "light"), (PHONE, "dark")):
        opened = page_for(width=width, scheme=scheme)
        opened.goto((tmp_path / "package" / "index.html").as_uri())
        expect(opened.get_by_role("link", name="letter.pdf")).to_be_visible()
        assert axe(opened) == [] and fits(opened)


def test_without_scripts_it_is_looked_for_and_stopped(
    committed_institution: Institution, page_for: PageFor, fits: Callable[[Page], bool]
) -> None:
    place = committed_institution
    submitted_with_a_file(place)
    seal_and_sign(now=True)
    page = page_for(place.person("administrator"), js=False, width=PHONE)
    page.goto("/audit/exports/")
    assert fits(page)
    page.get_by_label("For whom or for what").fill("The internal auditor")
    page.get_by_role("button", name="Export the record").click()
    exports.run(export_id=Export.objects.get().pk, seconds=0)
    page.get_by_role("link", name="Check again").click()
    expect(page.get_by_role("heading", name="Making the package")).to_be_visible()
    assert fits(page)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("heading", name="The export was stopped")).to_be_visible()
    page.goto("/audit/exports/")
    expect(page.locator("aside")).to_contain_text("Stopped")
