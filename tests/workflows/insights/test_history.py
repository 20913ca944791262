"""The history of a policy: who wrote and adopted which version, when it governed, and what was decided under each."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from governance import clock
from governance.policies.actions import turn_the_day, withdraw
from governance.policies.models import PolicyVersion
from tests.conftest import Institution, drop_triggers, install_triggers
from tests.samples import complete_content
from tests.workflows.insights.world import SHIPPED, adopted, approved, declined, drafted, withdrawn, without
from workflows.insights.history import Era, changes_between, halves_in_words, history
from workflows.review import actions as review

PAGE = "/policies/micro-credential-approval/"
MONDAY = datetime(2026, 10, 12, 16, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _monday() -> Any:
    with clock.at(MONDAY):
        yield


def signed_in(institution: Institution, key: str) -> Client:
    client = Client()
    client.force_login(institution.person(key))
    return client


def eras(institution: Institution, key: str = "stranger") -> list[Era]:
    return history(institution.person(key), "micro-credential-approval")


def rows_of(page: str, caption: str) -> list[list[str]]:
    """The cells of a table, found by its caption, as words."""
    table = page[page.index(f"<caption>{caption}") :]
    body = table[table.index("<tbody>") : table.index("</tbody>")]
    return [
        [
            " ".join(re.sub(r"<[^>]+>", " ", cell).split())
            for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S)
        ]
        for row in re.findall(r"<tr>(.*?)</tr>", body, re.S)
    ]


def test_each_proposal_counts_once_under_the_version_it_is_bound_to(institution: Institution) -> None:
    approved(institution)
    declined(institution)
    still_open = institution.submitted()
    returned = institution.submitted()
    institution.return_for_changes(returned)
    institution.draft()
    adopted(institution, **without("undergraduate-council"))
    withdrawn(institution)
    # Sent again after the new version came into force, it stays under its own.
    returned.refresh_from_db()
    review.submit(actor=institution.person("author"), proposal=returned, seen=returned.version)
    assert [(era.version.number, era.approved, era.declined, era.withdrawn, era.open) for era in eras(institution)] == [
        (2, 0, 0, 1, 0),
        (1, 1, 1, 0, 2),
    ]
    page = signed_in(institution, "stranger").get(PAGE).content.decode()
    cells = rows_of(page, "Decided under each version")
    assert [row[:5] for row in cells] == [["v2", "0", "0", "1", "0"], ["v1", "1", "1", "0", "2"]]
    assert still_open.reference not in page


def test_each_number_opens_the_list_behind_it(institution: Institution) -> None:
    approved(institution)
    institution.submitted()
    declined(institution, author="author-eng", unit="ENG")
    client = signed_in(institution, "observer")
    page = client.get(PAGE).content.decode()
    links = re.findall(r'<td[^>]*><a href="([^"]*decided/\?outcome=[^"]*)">(\d+)</a>', page)
    assert [count for _link, count in links] == ["1", "1", "1", "0"]  # approved, declined, open, median
    for link, count in links[:3]:
        assert len(client.get(link).context["list"].rows) == int(count)


def test_the_median_is_of_working_days_from_the_first_submission_to_the_decision(institution: Institution) -> None:
    for days in (1, 2, 7):  # one working day, two, and five: Monday to Monday
        with clock.at(MONDAY):
            proposal = institution.submitted()
        with clock.at(MONDAY + timedelta(days=days)):
            item = institution.item(proposal)
            review.decline(
                actor=institution.reviewer_of(item), item=item, seen=proposal.version, reasons="It is taught already."
            )
    for _ in range(4):  # what was withdrawn at once was not decided fast
        withdrawn(institution)
    (era,) = eras(institution)
    assert (era.median, era.decided) == ("2", 3)


@pytest.mark.parametrize(("halves", "words"), [(0, "0"), (1, "0.5"), (62, "31"), (63, "31.5")])
def test_half_days_are_read_as_days(halves: int, words: str) -> None:
    assert halves_in_words(halves) == words
    with override("fr-ca"):
        assert halves_in_words(halves) == words.replace(".", ",")


def test_a_version_ends_the_day_before_the_next_begins(institution: Institution) -> None:
    later = adopted(institution, first_day=(MONDAY + timedelta(days=20)).date())
    second, first = eras(institution)
    assert (first.is_current, second.is_current) == (True, False)
    assert (first.last, second.first, second.last) == (
        later.effective_from - timedelta(days=1),
        later.effective_from,
        None,
    )
    with clock.at(MONDAY + timedelta(days=20)):
        second, first = eras(institution)
        assert (first.is_current, second.is_current) == (False, True)


def test_only_one_version_is_called_in_force_before_anything_ran_that_night(institution: Institution) -> None:
    turn_the_day()
    adopted(institution, first_day=(MONDAY + timedelta(days=20)).date())
    with clock.at(MONDAY + timedelta(days=20)):
        page = signed_in(institution, "stranger").get(PAGE).content.decode()
    assert re.findall(r">v(\d)</a> <span class=.tag [^>]*>.*?In force</span>", page) == ["2"]


def test_a_withdrawn_version_ends_nothing_and_is_for_administrators(institution: Institution) -> None:
    later = adopted(institution, first_day=(MONDAY + timedelta(days=20)).date())
    withdraw(actor=institution.person("administrator"), version=later, reason="Senate rescinded the motion.")
    assert [era.version.number for era in eras(institution)] == [1]
    withdrawn_era, first = eras(institution, "administrator")
    assert (withdrawn_era.version.number, withdrawn_era.last, first.last) == (2, None, None)


def test_the_page_names_drafter_adopter_motion_and_days(institution: Institution) -> None:
    page = signed_in(institution, "stranger").get(PAGE).content.decode()
    for words in (
        "Drafted by Claire Dubois",
        "Adoption recorded by Daniel Fortin, Mon 12 Oct",
        "Senate minute 2025-06-11, item 4",
        "From Tue 1 Jul 2025",
        "v1 in force",
        "No proposal is open under it.",
    ):
        assert words in page


def test_drafts_are_in_the_history_of_administrators_only(institution: Institution) -> None:
    drafted(institution, **without("undergraduate-council"))
    assert [era.version.number for era in eras(institution)] == [1]
    assert "v2" not in signed_in(institution, "observer").get(PAGE).content.decode()
    page = signed_in(institution, "administrator").get(PAGE).content.decode()
    assert "Would begin on Wed 11 Nov" in page
    assert "Not replayed yet" in page


def test_what_changed_is_counted_from_the_version_adopted_before(institution: Institution) -> None:
    text = SHIPPED.text.replace("**4.5** ", "**4.5** Finally, ", 1)
    assert text != SHIPPED.text
    drafted(institution, text=text, **without("undergraduate-council"))
    second, first = eras(institution, "administrator")
    assert first.changes is None
    assert second.changes is not None
    assert (second.before, second.changes.clauses) == (first.version, 1)
    assert second.changes.rules is not None
    assert second.changes.rules >= 1
    page = signed_in(institution, "administrator").get(PAGE).content.decode()
    (row,) = rows_of(page, "What changed with each version")
    assert row[1] == f"1 of {second.changes.of_clauses}"


def test_changes_of_a_draft_that_is_no_rules_yet_are_those_of_its_text() -> None:
    rules = SHIPPED.rules.model_dump_json(by_alias=True)
    assert changes_between((rules, SHIPPED.text), ("{}", SHIPPED.text)).rules is None
    assert changes_between((rules, SHIPPED.text), (rules, SHIPPED.text))[::2] == (0, 0)


def test_the_seal_is_looked_at_and_not_only_drawn(institution: Institution) -> None:
    client = signed_in(institution, "stranger")
    assert "The digest fits text and rules" in client.get(PAGE).content.decode()
    drop_triggers()
    PolicyVersion.objects.update(text=SHIPPED.text.replace("must", "should"))
    install_triggers()
    assert "The digest does not fit text and rules" in client.get(PAGE).content.decode()


@pytest.mark.parametrize("key", ["stranger", "administrator"])
def test_the_page_takes_as_many_queries_with_many_versions_and_proposals(institution: Institution, key: str) -> None:
    def queries() -> int:
        client = signed_in(institution, key)
        client.get(PAGE)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(PAGE).status_code == 200
        return len(captured)

    approved(institution)
    few = queries()
    adopted(institution, **without("undergraduate-council"))
    for title in ("Second", "Third"):
        approved(institution, content=complete_content(title=title))
    institution.submitted()
    assert queries() == few <= 10


def test_a_policy_that_is_not_there_is_not_found(institution: Institution) -> None:
    client = signed_in(institution, "administrator")
    assert client.get("/policies/academic-integrity/").status_code == 404
    assert client.get("/policies/micro-credential-approval/9/decided/").status_code == 404
    assert Client().get(PAGE)["Location"].startswith("/sign-in/")
