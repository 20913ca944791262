"""Anyone signed in reads which rules are in force, clause by clause, with what the system does because of each."""

import json
import re
from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from governance import clock
from governance.policies.actions import draft, propose, save_draft, withdraw
from governance.policies.loading import PolicyFile, load_policy_file
from governance.policies.models import PolicyVersion
from governance.policies.queries import approval_matrix
from governance.site.templatetags.assent import day
from tests.conftest import SHIPPED_POLICY, Institution
from tests.governance.policies.law import ARTS, rules, stage

pytestmark = pytest.mark.django_db

POLICY = "/policies/micro-credential-approval"


def draft_of_version_2(institution: Institution) -> PolicyVersion:
    source = load_policy_file(SHIPPED_POLICY)
    second = source.rules.model_copy(update={"version": 2})
    return draft(actor=institution.people["drafter"], source=PolicyFile(rules=second, text=source.text))


def test_policies_leads_to_the_version_in_force(institution: Institution, client: Client) -> None:
    client.force_login(institution.person("stranger"))
    response = client.get("/policies/", follow=True)
    assert response.redirect_chain == [("/policies/micro-credential-approval/1/", 302)]
    page = response.content.decode()
    assert "v1 in force" in page
    assert "Senate minute 2025-06-11, item 4" in page


def test_every_clause_shows_the_rules_that_rest_on_it(institution: Institution, client: Client) -> None:
    client.force_login(institution.person("stranger"))
    page = client.get("/policies/micro-credential-approval/1/")
    assert institution.policy is not None
    rules = institution.policy.typed_rules
    shown = {row.clause.number: row.statements for row in page.context["clauses"]}
    assert set(rules.clauses()) == {number for number, rules_of_clause in shown.items() if rules_of_clause}
    duty = rules.duties.author_may_decide.clause
    assert "Nobody decides on a proposal that they wrote." in [rule.sentence for rule in shown[duty]]
    assert f'id="c{duty}"' in page.content.decode()


def test_the_matrix_says_who_recommends_and_who_decides(institution: Institution, client: Client) -> None:
    client.force_login(institution.person("stranger"))
    matrix = client.get("/policies/micro-credential-approval/1/").context["matrix"]
    rows = {
        (row.kind.value, row.level.value): {stage.key: effect.value for effect, stage in row.cells if effect}
        for row in matrix
    }
    assert rows["academic", "graduate"] == {
        "associate-dean": "recommend",
        "teaching-centre": "recommend",
        "graduate-council": "recommend",
        "senate": "decide",
    }
    assert "undergraduate-council" not in rows["non-academic", "professional"]


def test_a_class_has_a_row_in_the_matrix_for_each_range_of_hours_that_changes_who_decides() -> None:
    short = {"all": [{"field": "kind", "is": "non-academic"}, {"field": "hours", "less_than": 30}]}
    sample = rules(
        stage("centre", effect=[{"when": short, "effect": "decide"}, {"effect": "recommend"}]),
        stage("senate", effect=[{"when": short, "effect": "receive"}, {"effect": "decide"}]),
    )
    rows = [
        (row.kind.value, row.level.value, row.limits, [effect and effect.value for effect, _stage in row.cells])
        for row in approval_matrix(sample, ARTS)
    ]
    assert rows == [
        ("academic", "undergraduate", "", ["recommend", "decide"]),
        ("academic", "graduate", "", ["recommend", "decide"]),
        ("academic", "professional", "", ["recommend", "decide"]),
        ("non-academic", "professional", "fewer than 30 hours", ["decide", "receive"]),
        ("non-academic", "professional", "30 hours or more", ["recommend", "decide"]),
    ]


def test_the_head_says_that_a_version_is_only_proposed(institution: Institution, client: Client) -> None:
    propose(actor=institution.person("drafter"), version=draft_of_version_2(institution))
    client.force_login(institution.person("stranger"))
    head = client.get("/policies/micro-credential-approval/2/").content.decode().partition('class="duo"')[0]
    assert "Proposed" in head


def test_a_draft_is_for_administrators(institution: Institution, client: Client) -> None:
    draft_of_version_2(institution)
    client.force_login(institution.person("stranger"))
    assert client.get("/policies/micro-credential-approval/2/").status_code == 403
    client.force_login(institution.person("administrator"))
    assert "Draft" in client.get("/policies/micro-credential-approval/2/").content.decode()


def test_reading_a_version_costs_the_same_with_many(institution: Institution, client: Client) -> None:
    client.force_login(institution.person("administrator"))
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            client.get("/policies/micro-credential-approval/1/")
        counts.append(len(captured))
        if PolicyVersion.objects.count() == 1:
            draft_of_version_2(institution)
    assert counts[0] == counts[1]


def test_a_withdrawn_version_begins_on_no_day_and_strangers_are_told_what_it_is(
    institution: Institution, client: Client
) -> None:
    version = draft_of_version_2(institution)
    first_day = day(version.effective_from)
    client.force_login(institution.person("administrator"))
    assert "This is not possible for a draft." in client.get(f"{POLICY}/2/adopt/").content.decode()
    assert first_day in client.get(f"{POLICY}/2/").content.decode()
    withdraw(actor=institution.person("drafter"), version=version, reason="Another way was found.")
    page = client.get(f"{POLICY}/2/").content.decode()
    assert "Withdrawn" in page.partition('class="duo"')[0]
    assert page.count(first_day) == 1  # the version in force begins on the same one
    client.force_login(institution.person("stranger"))
    refused = client.get(f"{POLICY}/2/")
    assert refused.status_code == 403
    assert "This version was withdrawn; administrators can read it." in refused.content.decode()


def test_what_does_not_hold_leads_to_the_page_of_its_stage(institution: Institution, client: Client) -> None:
    version = draft_of_version_2(institution)
    found = json.loads(version.rules)
    found["route"][1]["body"]["kind"] = "nobody-here"
    save_draft(actor=institution.person("drafter"), version=version, seen=version.saves, rules=found)
    client.force_login(institution.person("drafter"))
    page = client.get(f"{POLICY}/2/edit/check/").content.decode()
    link = re.search(rf'<a href="{POLICY}/2/edit/route/2/">(.*?)</a>', page)
    assert link
    assert "There is no body of the kind “nobody-here”" in link[1]


def test_a_first_day_that_no_adoption_can_keep_is_said_before_it_is_proposed(
    institution: Institution, client: Client
) -> None:
    version = draft_of_version_2(institution)
    client.force_login(institution.person("drafter"))
    page = client.get(f"{POLICY}/2/edit/check/").content.decode()
    assert f'<a href="{POLICY}/2/edit/basics/">Version 1 was adopted for 1 July 2025 already.' in page
    for first_day, words in ((date(2025, 8, 1), "Its first day, 1 August 2025, is past."), (clock.today(), "")):
        rules_now = json.loads(version.rules) | {"effective_from": first_day.isoformat()}
        version = save_draft(actor=institution.person("drafter"), version=version, seen=version.saves, rules=rules_now)
        page = client.get(f"{POLICY}/2/edit/check/").content.decode()
        assert words in page
        assert ('id="first-day"' in page) == bool(words)
