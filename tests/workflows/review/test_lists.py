"""The queue and the lists: what a row says, filters, paging by key, and a number of queries that rows do not change."""

import itertools
import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape

from governance import clock
from governance.people.actions import give_mandate
from governance.people.duties import Duty
from tests.conftest import LONG_AGO, REGISTRAR, Institution
from tests.samples import complete_content
from workflows.proposals.actions import look, save_section
from workflows.proposals.models import DraftSection, Proposal, Revision
from workflows.proposals.states import State
from workflows.review import actions as review
from workflows.review.lists import Narrow, capped_counts, scope_of, waiting
from workflows.review.models import WorkItem
from workflows.review.paging import Key, aware_moment, count_in_words, page_of
from workflows.review.queue import queue

NOON = datetime(2026, 10, 14, 16, 0, tzinfo=UTC)  # a Wednesday


@pytest.fixture(autouse=True)
def _wednesday() -> Any:
    with clock.at(NOON):
        yield


def signed_in(institution: Institution, key: str) -> Client:
    client = Client()
    client.force_login(institution.person(key))
    return client


def many_waiting(institution: Institution, count: int) -> None:
    """More proposals like the first one, waiting for the same body; in bulk, because only their number matters."""
    first = Proposal.objects.order_by("id").first()
    assert first is not None
    revision, item = first.revisions.get(), first.work_items.get()
    proposals = Proposal.objects.bulk_create(
        Proposal(
            reference=f"MC-2025-{number:04d}",
            title=f"Copy {number}",
            kind=first.kind,
            level=first.level,
            unit=first.unit,
            author=first.author,
            state=first.state,
            policy_version=first.policy_version,
            revision_number=1,
            version=first.version,
            since=first.since,
            created_at=first.created_at,
            submitted_at=first.submitted_at,
        )
        for number in range(1, count + 1)
    )
    revisions = Revision.objects.bulk_create(
        Revision(
            proposal=proposal,
            number=1,
            content_text=revision.content_text,
            digest=revision.digest,
            submitted_by=first.author,
            submitted_by_name=first.author.name,
            submitted_at=revision.submitted_at,
        )
        for proposal in proposals
    )
    WorkItem.objects.bulk_create(
        WorkItem(
            proposal=made.proposal,
            revision=made,
            stage_key=item.stage_key,
            stage_label=item.stage_label,
            effect=item.effect,
            body=item.body,
            opened_at=item.opened_at + timedelta(minutes=number),
            due_on=item.due_on + timedelta(days=number % 7),
        )
        for number, made in enumerate(revisions)
    )


def queries_of(client: Client, path: str) -> int:
    client.get(path)  # fills what is remembered for good, such as content types
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    return len(captured)


# ---- the queue


def test_queue_takes_eight_queries_at_most_whatever_its_length(institution: Institution) -> None:
    institution.submitted()
    client = signed_in(institution, "ad-hsci")
    with_one = queries_of(client, "/queue/")
    many_waiting(institution, 59)
    assert (with_one, queries_of(client, "/queue/")) == (with_one, with_one)
    assert with_one <= 8


@pytest.mark.parametrize("tab", ["returned", "decided"])
def test_the_other_tabs_take_as_many_queries_with_many_rows(institution: Institution, tab: str) -> None:
    def one_more() -> None:
        institution.return_for_changes(institution.submitted())

    one_more()
    client = signed_in(institution, "ad-hsci")
    before = queries_of(client, f"/queue/?tab={tab}")
    for _ in range(4):
        one_more()
    assert queries_of(client, f"/queue/?tab={tab}") == before <= 8


def test_queue_is_served_by_its_partial_index(institution: Institution) -> None:
    institution.submitted()
    many_waiting(institution, 300)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
    rows = (
        waiting(scope_of(institution.person("ad-hsci"))).order_by("due_on", "id").values("id", "proposal__title")[:51]
    )
    assert "queue_of_a_body" in rows.explain()


def test_queue_says_when_what_since_and_how_long(institution: Institution) -> None:
    with clock.at(NOON - timedelta(days=20)):
        late = institution.submitted(content=complete_content(title="Late one"))
    with clock.at(NOON - timedelta(days=14)):
        soon = institution.submitted(content=complete_content(title="Soon one"))
        look(user=institution.person("ad-hsci"), proposal=soon)
    later = institution.submitted(content=complete_content(title="Later one"))
    scope = scope_of(institution.person("ad-hsci"))
    shown = queue(scope, Narrow())
    assert [(group.label, group.count, [row["title"] for row in group.rows]) for group in shown.groups] == [
        ("Late", 1, ["Late one"]),
        ("Due this week", 1, ["Soon one"]),
        ("Later", 1, ["Later one"]),
    ]
    rows = {row["reference"]: row for row in shown.rows}
    assert rows[late.reference]["due_words"].endswith("late")
    assert (rows[late.reference]["new"], rows[soon.reference]["delta"]) == (True, "Nothing new")
    assert rows[later.reference]["held"] == "0 of 10 days"
    page = signed_in(institution, "ad-hsci").get("/queue/").content.decode()
    assert "New to you" in page
    assert "One is late." in page


def test_queue_says_what_changed_since_i_looked(institution: Institution) -> None:
    proposal = institution.submitted()
    reviewer = institution.person("ad-hsci")
    look(user=reviewer, proposal=proposal)
    with clock.at(NOON + timedelta(hours=1)):
        review.comment(actor=proposal.author, proposal=proposal, audience="everyone", text="The fee is confirmed.")
    (row,) = queue(scope_of(reviewer), Narrow()).rows
    assert (row["new"], row["delta"]) == (False, "1 comment")
    institution.return_for_changes(proposal)
    section = DraftSection.objects.get(proposal=proposal, key="delivery")
    data = section.data | {"weeks": 12}
    save_section(actor=proposal.author, proposal=proposal, section="delivery", data=data, seen=section.version)
    proposal.refresh_from_db()
    review.submit(actor=proposal.author, proposal=proposal, seen=proposal.version)
    (row,) = queue(scope_of(reviewer), Narrow()).rows
    assert (row["delta"], row["second"]) == ("1 of 11 sections changed", "1 comment")
    changed = queue(scope_of(reviewer), Narrow(since="changed")).rows
    assert [row["reference"] for row in changed] == [proposal.reference]
    assert not queue(scope_of(reviewer), Narrow(since="new")).rows


def test_confidential_comments_of_another_body_are_not_counted(institution: Institution) -> None:
    proposal = institution.submitted()
    review.comment(actor=institution.person("ad-hsci"), proposal=proposal, audience="body", text="Between us.")
    institution.approve(proposal)
    (row,) = queue(scope_of(institution.person("ctl")), Narrow()).rows
    assert row["second"] == ""


def test_queue_is_for_every_body_i_sit_on_and_no_other(institution: Institution) -> None:
    institution.submitted()
    institution.at_stage("teaching-centre")
    give_mandate(
        actor=REGISTRAR,
        person=institution.people["ad-hsci"],
        body=institution.bodies["ctl"],
        duty=Duty.MEMBER,
        starts_on=LONG_AGO,
    )
    both = queue(scope_of(institution.person("ad-hsci")), Narrow())
    assert sorted(row["body"] for row in both.rows) == [
        "Associate Dean, Health Sciences",
        "Centre for Teaching and Learning",
    ]
    assert len(queue(scope_of(institution.person("ad-hsci")), Narrow(body="CTL")).rows) == 1
    assert not queue(scope_of(institution.person("ad-eng")), Narrow()).rows


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=hydrology", 1),
        ("q=nadia+data", 1),
        ("q=MC-2026-0001", 1),
        ("q=%25", 0),
        ("unit=ENG", 0),
        ("unit=KU", 2),
        ("kind=academic", 2),
        ("kind=non-academic", 0),
        ("overdue=yes", 0),
        ("since=new", 2),
        ("since=changed", 0),
        ("sort=newest", 2),
        ("sort=nonsense&kind=nonsense&page=nonsense&tab=nonsense", 2),
    ],
)
def test_queue_is_narrowed_by_its_address(institution: Institution, query: str, found: int) -> None:
    institution.submitted()
    institution.submitted(content=complete_content(title="Hydrology for Northern Roads"))
    response = signed_in(institution, "ad-hsci").get(f"/queue/?{query}")
    assert response.status_code == 200
    assert len(response.context["rows"]) == found


def test_row_links_bring_back_to_the_narrowed_queue(institution: Institution) -> None:
    proposal = institution.submitted()
    page = signed_in(institution, "ad-hsci").get("/queue/?q=data&row=MC-2026-0001").content.decode()
    assert f"/proposals/{proposal.reference}/?next=%2Fqueue%2F%3Fq%3Ddata" in page


def test_preview_shows_the_row_chosen_and_what_was_asked(institution: Institution) -> None:
    institution.submitted()
    chosen = institution.submitted(content=complete_content(title="Chosen <one>"))
    client = signed_in(institution, "ad-hsci")
    response = client.get(f"/queue/?row={chosen.reference}")
    assert response.context["peek"].item.proposal.reference == chosen.reference
    assert escape("Chosen <one>") in response.content.decode()
    fragment = client.get(f"/queue/peek/{chosen.reference}/", headers={"HX-Request": "true"}).content.decode()
    assert fragment.startswith("<aside")
    assert "35 of 35 system checks pass" in fragment
    assert client.get(f"/queue/peek/{chosen.reference}/")["Location"] == f"/queue/?row={chosen.reference}"


def test_preview_shows_what_a_later_stage_asked_for(institution: Institution) -> None:
    proposal = institution.at_stage("senate")
    institution.return_for_changes(proposal, reasons="Look at the hours again.", to_stage="teaching-centre")
    page = signed_in(institution, "ctl").get("/queue/").content.decode()
    assert "What Amara Nwosu asked for on" in page
    assert "Look at the hours again." in page


@pytest.mark.parametrize(("key", "decides"), [("senate", True), ("member", False)])
def test_queue_names_the_keys_that_do_something_here(institution: Institution, key: str, decides: bool) -> None:
    institution.at_stage("senate")
    page = signed_in(institution, key).get("/queue/").content.decode()
    assert ("<kbd>A</kbd> approve" in page) is decides


@pytest.mark.parametrize(
    ("tab", "labels"), [("decided", ["You decided", "Now"]), ("returned", ["Returned", "What was asked"])]
)
def test_rows_under_each_other_say_what_each_line_is(institution: Institution, tab: str, labels: list[str]) -> None:
    institution.return_for_changes(institution.submitted())
    page = signed_in(institution, "ad-hsci").get(f"/queue/?tab={tab}").content.decode()
    assert [label for label in labels if f'data-label="{label}"' in page] == labels


def test_preview_of_a_proposal_that_is_not_mine_says_it_left(institution: Institution) -> None:
    proposal = institution.submitted()
    response = signed_in(institution, "ctl").get(f"/queue/peek/{proposal.reference}/", headers={"HX-Request": "true"})
    assert "It has left your queue" in response.content.decode()
    assert proposal.title not in response.content.decode()


def test_empty_and_unmatched_queues_say_so(institution: Institution) -> None:
    client = signed_in(institution, "ad-hsci")
    assert "Nothing waits for you" in client.get("/queue/").content.decode()
    assert "No proposal matches “hydrolgy”" in client.get("/queue/?q=hydrolgy").content.decode()
    assert "Nothing comes to you here" in signed_in(institution, "stranger").get("/queue/").content.decode()


# ---- paging by key


def walk(fetch: Callable[[str], Any]) -> list[list[int]]:
    pages, cursor = [], ""
    while True:
        page = fetch(cursor)
        pages.append([row["id"] for row in page.rows])
        if not page.older:
            return pages
        cursor = page.older


@pytest.mark.parametrize("largest", list(itertools.product([False, True], repeat=2)))
def test_pages_hold_every_row_once_and_lead_back(institution: Institution, largest: tuple[bool, bool]) -> None:
    institution.submitted()
    many_waiting(institution, 22)
    order = (
        Key("due_on", lambda value: datetime.fromisoformat(value).date(), largest[0]),
        Key("id", largest_first=largest[1]),
    )
    rows = WorkItem.objects.values("id", "due_on")

    def fetch(cursor: str) -> Any:
        return page_of(rows, order, cursor, size=5)

    pages = walk(fetch)
    ordered = rows.order_by(*(f"-{key.field}" if key.largest_first else key.field for key in order))
    assert list(itertools.chain(*pages)) == [row["id"] for row in ordered]
    third = fetch(fetch(fetch("").older).older)
    assert [row["id"] for row in fetch(third.newer).rows] == pages[1]
    assert fetch(fetch(third.newer).newer).newer == ""


@pytest.mark.parametrize(
    "cursor", ["x", "e30", "WyJhIl0", "WyJhIiwxLDJd", "W251bGxd", "WyJhIiwiMjAyNi0wMS0wMSIsMWU5OV0", "W1tb" * 1_000]
)
def test_cursor_that_cannot_be_read_gives_the_first_page(institution: Institution, cursor: str) -> None:
    institution.submitted()
    response = signed_in(institution, "ad-hsci").get(f"/queue/?page={cursor}")
    assert (response.status_code, len(response.context["rows"])) == (200, 1)


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00"])
def test_cursor_at_a_moment_outside_the_calendar_gives_the_first_page(institution: Institution, moment: str) -> None:
    proposal = institution.submitted()
    cursor = urlsafe_b64encode(json.dumps(["a", moment, 1]).encode()).decode()
    rows = Proposal.objects.values("id", "created_at")
    found = page_of(rows, (Key("created_at", aware_moment), Key("id")), cursor).rows
    assert [row["id"] for row in found] == [proposal.pk]


def test_queue_pages_lead_on_and_back(institution: Institution) -> None:
    institution.submitted()
    many_waiting(institution, 59)
    client = signed_in(institution, "ad-hsci")
    first = client.get("/queue/")
    assert (len(first.context["rows"]), first.context["newer"]) == (50, "")
    second = client.get("/queue/" + first.context["older"])
    assert (len(second.context["rows"]), second.context["older"]) == (10, "")
    back = client.get("/queue/" + second.context["newer"])
    assert [row["id"] for row in back.context["rows"]] == [row["id"] for row in first.context["rows"]]


def test_counts_stop_at_a_thousand(institution: Institution) -> None:
    assert [count_in_words(count) for count in (0, 12, 1_000, 1_001)] == ["0", "12", "1,000", "1,000+"]
    institution.submitted()
    many_waiting(institution, 1_010)
    assert capped_counts(WorkItem.objects.all(), WorkItem.objects.none(), WorkItem.objects.filter(pk=0)) == [
        1_001,
        0,
        0,
    ]
    assert "1,000+" in signed_in(institution, "ad-hsci").get("/queue/").content.decode()


# ---- my proposals, and everything I may see


def test_home_leads_reviewers_to_the_queue_and_others_to_their_proposals(institution: Institution) -> None:
    destinations = {
        key: signed_in(institution, key).get("/")["Location"] for key in ("ad-hsci", "member", "author", "stranger")
    }
    assert destinations == {
        "ad-hsci": "/queue/",
        "member": "/queue/",
        "author": "/proposals/",
        "stranger": "/proposals/",
    }


def test_my_proposals_put_first_what_waits_for_me(institution: Institution) -> None:
    institution.submitted(content=complete_content(title="Sent"))
    institution.draft(content=complete_content(title="Draft"))
    institution.return_for_changes(institution.submitted(content=complete_content(title="Returned")))
    response = signed_in(institution, "author").get("/proposals/")
    assert [row["title"] for row in response.context["list"].rows] == ["Returned", "Draft", "Sent"]
    page = response.content.decode()
    for words in ("New proposal", "Change and send again", "Finish and send it", "Returned by Associate Dean", "since"):
        assert words in page


@pytest.mark.parametrize(("path", "key"), [("/proposals/", "author"), ("/proposals/all/", "ad-hsci")])
def test_lists_of_proposals_take_as_many_queries_with_many_rows(institution: Institution, path: str, key: str) -> None:
    institution.submitted()
    institution.return_for_changes(institution.submitted())
    client = signed_in(institution, key)
    before = queries_of(client, path)
    many_waiting(institution, 60)
    assert queries_of(client, path) <= before <= 10


def test_everything_i_may_see_is_mine_or_reached_my_bodies(institution: Institution) -> None:
    reached = institution.at_stage("teaching-centre")
    waits_elsewhere = institution.submitted()
    draft = institution.draft()

    def seen(key: str) -> set[str]:
        response = signed_in(institution, key).get("/proposals/all/")
        return {row["reference"] for row in response.context["list"].rows}

    assert seen("ctl") == {reached.reference}
    assert seen("ad-hsci") == seen("observer") == {reached.reference, waits_elsewhere.reference}
    assert seen("author") == {reached.reference, waits_elsewhere.reference, draft.reference}
    assert seen("stranger") == set()


def test_list_of_everything_says_state_and_holder(institution: Institution) -> None:
    institution.submitted()
    page = signed_in(institution, "observer").get("/proposals/all/?state=in_review&unit=HSCI&kind=academic&q=data")
    assert [row["holder"] for row in page.context["list"].rows] == ["Associate Dean, Health Sciences"]
    assert not signed_in(institution, "observer").get("/proposals/all/?state=approved").context["list"].rows


def test_topbar_counts_what_waits(institution: Institution) -> None:
    institution.submitted()
    page = signed_in(institution, "ad-hsci").get("/proposals/").content.decode()
    assert re.search(r'class="count">1<span class="vh"> waiting', page)
    assert "waiting</span>" not in signed_in(institution, "ctl").get("/proposals/").content.decode()
    assert State.IN_REVIEW.label == "In review"
