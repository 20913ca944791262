"""Two versions side by side: what changed is marked, what did not is folded, and drafts are for administrators."""

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from governance.policies.actions import begin_draft, propose, save_draft
from governance.policies.models import PolicyVersion
from tests.conftest import Institution

pytestmark = pytest.mark.django_db
COMPARE = "/policies/micro-credential-approval/compare/"
VERSION_2 = "/policies/micro-credential-approval/2/"


def fewer_days(rules: dict[str, Any]) -> None:
    rules["route"][-1]["due"]["working_days"] = 15


def new_version(
    institution: Institution, change: Callable[[dict[str, Any]], None] = fewer_days, *, proposed: bool = True
) -> PolicyVersion:
    """Version 2, in which Senate has fifteen days, in its rules and in its text."""
    assert institution.policy is not None
    drafter = institution.person("drafter")
    version = begin_draft(actor=drafter, like=institution.policy, effective_from=date(2027, 7, 1))
    rules = json.loads(version.rules)
    change(rules)
    text = version.text.replace("Senate answers within twenty", "Senate answers within fifteen")
    version = save_draft(actor=drafter, version=version, seen=version.saves, text=text, rules=rules)
    return propose(actor=drafter, version=version) if proposed else version


def page(client: Client, query: str = "?from=1&to=2", path: str = COMPARE) -> str:
    response = client.get(path + query)
    assert response.status_code == 200
    return response.content.decode()


@pytest.fixture
def stranger(institution: Institution, client: Client) -> Client:
    client.force_login(institution.person("stranger"))
    return client


@pytest.fixture
def administrator(institution: Institution, client: Client) -> Client:
    client.force_login(institution.person("administrator"))
    return client


def test_anyone_signed_in_compares_law_with_what_is_proposed(institution: Institution, stranger: Client) -> None:
    new_version(institution)
    html = page(stranger)
    assert "What changed from v1 to v2" in html
    assert "Senate answers within <del>twenty</del><ins>fifteen</ins> working days." in html
    assert "“Senate” has 15 working days instead of 20." in html
    assert "Changes a target" in html
    assert "Its first day is 1 July 2027 instead of 1 July 2025." in html
    assert "1 of 51 clauses changed." in html
    assert "+1</b> <i>−1</i> words" in html
    assert html.count('<svg class="route__wide"') == 2


def test_clauses_without_a_change_are_folded_until_asked_for(institution: Institution, stranger: Client) -> None:
    new_version(institution)
    folded, unfolded = page(stranger), page(stranger, "?from=1&to=2&all=1")
    assert '<a href="?from=1&amp;to=2&amp;all=1">Show 50 clauses with no change</a>' in folded
    assert folded.count('<p class="clause__text">') == 1
    assert unfolded.count('<p class="clause__text">') == 51
    assert '<a href="?from=1&amp;to=2">Show only what changed</a>' in unfolded


def test_a_rule_that_changed_without_its_words_is_told(institution: Institution, stranger: Client) -> None:
    def author_too(rules: dict[str, Any]) -> None:
        rules["duties"]["author_may_decide"]["allowed"] = True

    new_version(institution, author_too)
    html = page(stranger)
    assert "An author may decide on their own proposal. Before: Nobody decides on a proposal that they wrote." in html
    assert "The words of this clause stay the same." in html


def test_the_other_way_round(institution: Institution, stranger: Client) -> None:
    new_version(institution)
    html = page(stranger, "?from=2&to=1")
    assert "Senate answers within <del>fifteen</del><ins>twenty</ins> working days." in html
    assert "“Senate” has 20 working days instead of 15." in html


def test_a_version_beside_itself(stranger: Client) -> None:
    html = page(stranger, "?from=1&to=1")
    assert "These are one and the same version. Choose two." in html
    assert "0 of 51 clauses changed." in html


def test_without_numbers_the_last_two_are_compared(institution: Institution, stranger: Client) -> None:
    assert "What changed from v1 to v1" in page(stranger, "")
    new_version(institution)
    assert "What changed from v1 to v2" in page(stranger, "")


def test_a_draft_is_compared_by_administrators_only(institution: Institution, stranger: Client) -> None:
    new_version(institution, proposed=False)
    assert stranger.get(f"{COMPARE}?from=1&to=2").status_code == 403
    assert stranger.get(f"{COMPARE}?from=2&to=1").status_code == 403
    html = page(stranger, "")
    assert "v2" not in html.partition("<main")[2]
    stranger.force_login(institution.person("administrator"))
    assert "v2, draft" in page(stranger)


def test_a_draft_that_cannot_be_used_is_compared_word_by_word(institution: Institution, administrator: Client) -> None:
    def nonsense(rules: dict[str, Any]) -> None:
        del rules["duties"]

    new_version(institution, nonsense, proposed=False)
    html = page(administrator)
    assert "so only the words are compared" in html
    assert "Senate answers within <del>twenty</del><ins>fifteen</ins> working days." in html
    assert "there is no route to draw" in html
    assert "there is no route to draw" in page(administrator, "", VERSION_2)


@pytest.mark.parametrize("query", ["?from=1&to=9", "?from=x&to=1", "?from=1&to=-1", "?from=1&to=99999999999999999999"])
def test_a_version_that_is_not_there(stranger: Client, query: str) -> None:
    assert stranger.get(COMPARE + query).status_code == 404


def test_an_unknown_policy(stranger: Client) -> None:
    assert stranger.get("/policies/no-such/compare/").status_code == 404


def test_comparing_costs_the_same_whatever_changed(institution: Institution, administrator: Client) -> None:
    def queries(query: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            page(administrator, query)
        return len(captured)

    same = queries("?from=1&to=1")
    new_version(institution)
    assert queries("?from=1&to=2&all=1") == same


# ---- on the page of a version


def test_a_version_leads_to_its_comparison_with_each_other(institution: Institution, stranger: Client) -> None:
    new_version(institution)
    link = '<a href="/policies/micro-credential-approval/compare/?from=1&amp;to=2">Compare with version {}</a>'
    assert link.format(1) in page(stranger, "", VERSION_2)
    assert link.format(2) in page(stranger, "", "/policies/micro-credential-approval/1/")


EXAMPLE = "?kind=academic&level=graduate&unit=HSCI&hours=36&credit=1"


def test_the_route_of_an_example_is_drawn(stranger: Client) -> None:
    html = page(stranger, EXAMPLE, "/policies/micro-credential-approval/1/")
    assert "The example passes 4 of 5 stages." in html
    assert "<strong>Undergraduate Council:</strong> not for this proposal;" in html
    plain = page(stranger, "", "/policies/micro-credential-approval/1/")
    assert "not for this proposal" not in plain


def test_an_example_that_cannot_be_says_why(stranger: Client) -> None:
    html = page(stranger, EXAMPLE.replace("hours=36", "hours=-2"), "/policies/micro-credential-approval/1/")
    assert "Ensure this value is greater than or equal to 0." in html
    assert "The example passes" not in html


def test_an_example_asks_only_for_what_conditions_read(institution: Institution, administrator: Client) -> None:
    def by_partners(rules: dict[str, Any]) -> None:
        rules["route"][1]["when"] = {"field": "partners", "at_least": 2}

    new_version(institution, by_partners)
    assert 'name="partners"' not in page(administrator, "", "/policies/micro-credential-approval/1/")
    html = page(administrator, EXAMPLE + "&partners=3", VERSION_2)
    assert 'name="partners"' in html
    assert 'name="weeks"' not in html
    assert "The example passes 4 of 5 stages." in html
