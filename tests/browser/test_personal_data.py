"""Erasing a person, holding and disposing of a proposal in a real browser: without scripts, on a phone, checked with
axe."""

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.conf import LazySettings
from playwright.sync_api import Page, expect

from governance import clock
from governance.people.models import User
from tests.conftest import Institution
from tests.versions import adopted
from tests.workflows.auditing.test_erasure import leave
from tests.workflows.auditing.world import PDF
from workflows.memos.actions import issue
from workflows.notices.models import Outbox
from workflows.proposals.actions import attach
from workflows.proposals.models import Proposal
from workflows.review import actions as review

from .conftest import DESK, PHONE, Axe, PageFor

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def kept_for_a_year(rules: dict[str, Any]) -> None:
    rules["retention"] = [{"ending": "declined", "years": 1, "clause": "9.9"}]


def declined_long_ago(place: Institution) -> Proposal:
    """Declined 400 days ago, with a confidential file, under rules that keep it for a year."""
    with clock.at(clock.now() - timedelta(days=400)):
        adopted(place, kept_for_a_year)
        draft = place.draft()
        attach(actor=draft.author, proposal=draft, name="letter.pdf", file=BytesIO(PDF), confidential=True)
        draft.refresh_from_db()
        review.submit(actor=draft.author, proposal=draft, seen=draft.version)
        item = place.item(draft)
        made = review.decline(
            actor=place.reviewer_of(item), item=item, seen=draft.version + 1, reasons="The faculty offers it already."
        )
    issue(decision_id=made.pk)
    return draft


@pytest.mark.parametrize(("width", "scheme"), [(DESK, "light"), (PHONE, "dark")])
def test_an_administrator_holds_disposes_and_erases_without_scripts(
    committed_institution: Institution,
    settings: LazySettings,
    page_for: PageFor,
    axe: Axe,
    fits: Callable[[Page], bool],
    width: int,
    scheme: str,
) -> None:
    settings.MINIMUM_RETENTION_DAYS = 0
    place = committed_institution
    proposal = declined_long_ago(place)
    leave(place, "stranger")
    Outbox.objects.waiting().update(done_at=clock.now())
    page = page_for(place.person("administrator"), js=False, width=width, scheme=scheme)

    def looks_right(heading: str) -> None:
        expect(page.get_by_role("heading", level=1)).to_contain_text(heading)
        assert axe(page) == [], page.url
        assert fits(page), page.url

    page.goto("/audit/personal-data/")
    looks_right("Personal data")
    page.get_by_role("link", name="Retention").click()
    looks_right("Retention")
    page.get_by_role("link", name=proposal.reference).click()
    looks_right(f"Retention of {proposal.reference}")
    page.get_by_role("link", name="Place a legal hold").click()
    looks_right("Place a legal hold")
    page.get_by_role("button", name="Place the hold").click()
    expect(page.get_by_role("alert")).to_contain_text("Say why it is held")
    looks_right("Place a legal hold")
    page.get_by_label("Why it is held").fill("A request for access.")
    page.get_by_role("button", name="Place the hold").click()
    looks_right("Legal holds")
    page.goto(f"/audit/personal-data/retention/{proposal.reference}/")
    expect(page.get_by_text("A legal hold stands on it since")).to_be_visible()
    looks_right("Retention of")
    page.get_by_role("link", name="Lift the legal hold").click()
    page.get_by_label("Why it is lifted").fill("Answered.")
    looks_right("Lift the legal hold on")
    page.get_by_role("button", name="Lift the hold").click()
    page.goto(f"/audit/personal-data/retention/{proposal.reference}/")
    page.get_by_label("Under which rule").fill("Clause 9.9")
    page.get_by_label("Why it is disposed of").fill("Its year is over.")
    page.get_by_role("button", name="Go on to confirm").click()
    looks_right(f"Dispose of what {proposal.reference} says?")
    page.get_by_role("button", name="Dispose of it for good").click()
    looks_right("Retention of")
    expect(page.get_by_text("Its contents were disposed of on")).to_be_visible()

    page.goto("/audit/personal-data/")
    page.get_by_label("Name or e-mail address").fill("macneil")
    page.get_by_role("button", name="Find", exact=True).click()
    looks_right("Personal data")
    page.get_by_role("link", name="Owen MacNeil").click()
    looks_right("Owen MacNeil")
    page.get_by_label("Under which law").fill("FIPPA, section 40")
    page.get_by_role("button", name="Go on to confirm").click()
    expect(page.get_by_role("alert")).to_contain_text("Say why it is erased")
    page.get_by_label("Why it is erased").fill("Asked for in writing.")
    page.get_by_role("button", name="Go on to confirm").click()
    looks_right("Erase the data of Owen MacNeil?")
    page.get_by_role("button", name="Erase their data for good").click()
    looks_right("A person whose data was erased")
    assert not User.objects.filter(name="Owen MacNeil").exists()

    author = page_for(place.person("author"), width=width, scheme=scheme)
    author.goto(f"/proposals/{proposal.reference}/")
    expect(author.get_by_text("What it said was disposed of on")).to_be_visible()
    assert axe(author) == []
    assert fits(author)


def test_an_author_marks_a_file_as_confidential_and_sees_who_read_it(
    committed_institution: Institution, page_for: PageFor, axe: Axe, fits: Callable[[Page], bool]
) -> None:
    place = committed_institution
    draft = place.draft()
    page = page_for(place.person("author"), js=False)
    page.goto(f"/proposals/{draft.reference}/edit/files/")
    page.get_by_label("Add a file").set_input_files({"name": "letter.pdf", "mimeType": "a/b", "buffer": PDF})
    page.get_by_label("Confidential").check()
    page.get_by_role("button", name="Attach").click()
    expect(page.get_by_text("Nobody has read it yet.")).to_be_visible()
    assert axe(page) == []
    draft.refresh_from_db()
    review.submit(actor=draft.author, proposal=draft, seen=draft.version)
    reader = page_for(place.person("ad-hsci"))
    reader.goto(f"/proposals/{draft.reference}/")
    with reader.expect_download() as download:
        reader.get_by_role("link", name="letter.pdf").click()
    assert download.value.path().read_bytes() == PDF
    page.goto(f"/proposals/{draft.reference}/")
    page.get_by_role("link", name="Who read the confidential ones").click()
    expect(page.get_by_text("Marc Lavoie")).to_be_visible()
    assert axe(page) == []
    assert fits(page)
