"""What was decided under a version: everybody sees the rows they may see, and is told how many there are in all."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from governance import clock
from tests.conftest import Institution
from tests.samples import complete_content
from tests.workflows.insights.world import adopted, approved, declined, drafted, withdrawn, without
from tests.workflows.review.test_lists import many_waiting
from workflows.memos.actions import issue
from workflows.memos.models import Memo
from workflows.proposals.models import Proposal
from workflows.proposals.states import State
from workflows.review.actions import NewCondition
from workflows.review.models import Decision

LIST = "/policies/micro-credential-approval/1/decided/"
FILE = "/policies/micro-credential-approval/1/decided.csv"
MONDAY = datetime(2026, 10, 12, 16, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _monday() -> Any:
    with clock.at(MONDAY):
        yield


@pytest.fixture
def past(institution: Institution) -> Institution:
    """Approved in Health Sciences; declined in Engineering a week later, as is one withdrawn; one still open."""
    approved(institution, content=complete_content(title="Data Stewardship"))
    with clock.at(MONDAY + timedelta(days=7)):
        declined(institution, author="author-eng", unit="ENG", content=complete_content(title="Battery Recycling"))
        withdrawn(
            institution, author="author-eng", unit="ENG", content=complete_content(kind="non-academic", title="Lake")
        )
        institution.submitted(content=complete_content(title="Still Open"))
    return institution


def signed_in(institution: Institution, key: str) -> Client:
    client = Client()
    client.force_login(institution.person(key))
    return client


def titles(response: HttpResponse) -> list[str]:
    rows = response.context["list"].rows  # type: ignore[attr-defined]
    return [row.get("title") or row["proposal__title"] for row in rows]


def lines_of(response: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig"))))


# ---- who sees what


@pytest.mark.parametrize(
    ("key", "shown", "in_all"),
    [
        ("observer", ["Still Open", "Lake", "Battery Recycling", "Data Stewardship"], ""),
        ("author", ["Still Open", "Data Stewardship"], "2 of 4 shown"),
        ("ad-eng", ["Lake", "Battery Recycling"], "2 of 4 shown"),
        ("senate", ["Data Stewardship"], "1 of 4 shown"),
        ("administrator", [], "4 are counted here, and you may see none of them"),
        ("stranger", [], "4 are counted here, and you may see none of them"),
    ],
)
def test_rows_are_those_a_person_may_see_and_the_total_is_honest(
    past: Institution, key: str, shown: list[str], in_all: str
) -> None:
    response = signed_in(past, key).get(LIST)
    assert titles(response) == shown
    page = response.content.decode()
    assert in_all in page
    assert ("counted here" in page or "shown<" in page) == bool(in_all)


def test_a_search_does_not_tell_how_many_there_are_that_one_may_not_see(past: Institution) -> None:
    """Or words could be tried one after the other against titles that the person may not read."""
    client = signed_in(past, "senate")
    page = client.get(f"{LIST}?q=battery").content.decode()
    assert "Nothing here matches these filters" in page
    assert "Only proposals that you may see are searched." in page
    response = client.get(f"{LIST}?q=MC-2026")  # all four
    assert titles(response) == ["Data Stewardship"]
    assert "shown<" not in response.content.decode()


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("outcome=approved", ["Data Stewardship"]),
        ("outcome=declined", ["Battery Recycling"]),
        ("outcome=withdrawn", ["Lake"]),
        ("outcome=open", ["Still Open"]),
        ("outcome=decided", ["Battery Recycling", "Data Stewardship"]),
        ("unit=ENG", ["Lake", "Battery Recycling"]),
        ("unit=KU&kind=academic&outcome=decided", ["Battery Recycling", "Data Stewardship"]),
        ("kind=non-academic", ["Lake"]),
        ("q=steward", ["Data Stewardship"]),
        ("first=2026-10-13", ["Lake", "Battery Recycling"]),
        ("last=2026-10-12", ["Data Stewardship"]),
        ("first=2026-10-12&last=2026-10-19", ["Lake", "Battery Recycling", "Data Stewardship"]),
        (
            "first=0001-01-01&last=9999-12-31",
            ["Lake", "Battery Recycling", "Data Stewardship"],
        ),
        (
            "first=nonsense&outcome=nonsense&page=nonsense",
            ["Still Open", "Lake", "Battery Recycling", "Data Stewardship"],
        ),
    ],
)
def test_the_list_is_narrowed_by_its_address(past: Institution, query: str, shown: list[str]) -> None:
    response = signed_in(past, "observer").get(f"{LIST}?{query}")
    assert titles(response) == shown


def test_a_day_ends_at_midnight_where_the_institution_is(institution: Institution) -> None:
    with clock.at(datetime(2026, 10, 13, 3, 30, tzinfo=UTC)):  # half past eleven in the evening of the 12th
        declined(institution)
    client = signed_in(institution, "observer")
    assert len(titles(client.get(f"{LIST}?last=2026-10-12"))) == 1
    assert titles(client.get(f"{LIST}?first=2026-10-13")) == []


def test_how_long_and_with_conditions_is_said(institution: Institution) -> None:
    proposal = institution.at_stage("senate")
    with clock.at(MONDAY + timedelta(days=4)):
        institution.approve(proposal, conditions=[NewCondition(text="Name the instructor.")])
    page = signed_in(institution, "observer").get(LIST).content.decode()
    assert "Approved with conditions" in page
    assert '<td class="num" data-label="Days">4</td>' in page


# ---- decisions


def test_decisions_are_those_made_under_the_version(past: Institution) -> None:
    response = signed_in(past, "observer").get(f"{LIST}?tab=decisions")
    rows = response.context["list"].rows
    assert [(row["proposal__title"], row["stage_label"], row["said"]) for row in rows] == [
        ("Battery Recycling", "Associate Dean", "Declined"),
        ("Data Stewardship", "Senate", "Approved"),
        ("Data Stewardship", "Undergraduate Council", "Approved"),
        ("Data Stewardship", "Centre for Teaching and Learning", "Approved"),
        ("Data Stewardship", "Associate Dean", "Approved"),
    ]
    assert "5 decisions" in response.content.decode()
    assert len(titles(signed_in(past, "ad-eng").get(f"{LIST}?tab=decisions"))) == 1


@pytest.mark.parametrize(
    ("query", "count"),
    [("outcome=decline", 1), ("outcome=approve", 4), ("unit=ENG", 1), ("first=2026-10-13", 1), ("q=council", 0)],
)
def test_decisions_are_narrowed_by_their_address(past: Institution, query: str, count: int) -> None:
    assert len(titles(signed_in(past, "observer").get(f"{LIST}?tab=decisions&{query}"))) == count


def test_a_new_version_begins_an_empty_list(past: Institution) -> None:
    adopted(past, **without("undergraduate-council"))
    page = signed_in(past, "observer").get("/policies/micro-credential-approval/2/decided/").content.decode()
    assert "Nothing was sent under this version yet" in page


def test_what_lies_under_a_draft_is_for_administrators(past: Institution) -> None:
    drafted(past)
    for path in ("decided/", "decided.csv"):
        url = f"/policies/micro-credential-approval/2/{path}"
        assert signed_in(past, "observer").get(url).status_code == 403
        assert signed_in(past, "administrator").get(url).status_code == 200


# ---- many


def test_the_list_takes_as_many_queries_with_many_rows_and_is_cut_by_a_key(institution: Institution) -> None:
    institution.submitted()
    client = signed_in(institution, "observer")

    def queries() -> int:
        client.get(LIST)
        with CaptureQueriesContext(connection) as captured:
            client.get(LIST)
        return len(captured)

    few = queries()
    many_waiting(institution, 59)
    assert queries() == few <= 9
    first = client.get(LIST)
    assert (len(titles(first)), first.context["newer"]) == (50, "")
    second = client.get(LIST + first.context["older"])
    assert (len(titles(second)), second.context["older"]) == (10, "")
    assert titles(client.get(LIST + second.context["newer"])) == titles(first)


def test_beyond_what_is_counted_a_part_is_still_called_a_part(institution: Institution) -> None:
    institution.submitted()
    many_waiting(institution, 1_010)
    assert "1,000+ of 1,000+ shown" in signed_in(institution, "ad-hsci").get(LIST).content.decode()
    assert "shown<" not in signed_in(institution, "observer").get(LIST).content.decode()


# ---- as a file


def test_proposals_as_a_file_are_the_whole_list_of_what_one_may_see(past: Institution) -> None:
    head, *rows = lines_of(signed_in(past, "observer").get(FILE))
    assert head[:3] == ["Reference", "Title", "Asks to"]
    assert [(row[1], row[5], row[7], row[12], row[13]) for row in rows] == [
        ("Data Stewardship", "Health Sciences", "Approved", "0", "1"),
        ("Battery Recycling", "Engineering", "Declined", "0", "1"),
        ("Lake", "Engineering", "Withdrawn", "0", "1"),
        ("Still Open", "Health Sciences", "In review", "", "1"),
    ]
    assert rows[0][10] == "2026-10-12T12:00-04:00"
    assert [row[1] for row in lines_of(signed_in(past, "senate").get(FILE))[1:]] == ["Data Stewardship"]
    assert lines_of(signed_in(past, "administrator").get(FILE)) == [head]


def test_the_file_follows_the_filters(past: Institution) -> None:
    client = signed_in(past, "observer")
    page = client.get(f"{LIST}?unit=ENG&outcome=declined")
    assert f'href="{FILE}?unit=ENG&amp;outcome=declined"' in page.content.decode()
    assert [row[1] for row in lines_of(client.get(f"{FILE}?unit=ENG&outcome=declined"))[1:]] == ["Battery Recycling"]


def test_a_title_that_is_a_formula_stays_words(institution: Institution) -> None:
    title = '=HYPERLINK("http://evil.example","Open")'
    declined(institution, content=complete_content(title=title))
    for url in (FILE, f"{FILE}?tab=decisions"):
        response = signed_in(institution, "observer").get(url)
        assert response["Content-Type"] == "text/csv; charset=utf-8"
        assert response["X-Content-Type-Options"] == "nosniff"
        assert lines_of(response)[1][1] == f"'{title}"


def test_decisions_as_a_file_name_their_memos(past: Institution) -> None:
    senate = Decision.objects.get(stage_key="senate")
    issue(decision_id=senate.pk)
    head, *rows = lines_of(signed_in(past, "observer").get(f"{FILE}?tab=decisions"))
    assert head[3:6] == ["Stage", "Body", "Outcome"]
    assert [row[9] for row in rows] == ["", "", "", Memo.objects.get().number, ""]
    assert rows[3][10] == str(senate.event_number)


def test_the_file_is_in_the_readers_language(past: Institution) -> None:
    client = signed_in(past, "observer")
    client.post("/language/", {"language": "fr-ca", "next": "/"})
    with override("fr-ca"):
        words = {str(State(row["state"]).label) for row in Proposal.objects.values("state")}
    assert {row[7] for row in lines_of(client.get(FILE))[1:]} == words
    assert "Approved" not in words
