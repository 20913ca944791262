"""Anyone signed in reads which rules are in force, clause by clause, with what the system does because of each."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from governance.policies.actions import draft
from governance.policies.loading import PolicyFile, load_policy_file
from governance.policies.models import PolicyVersion
from tests.conftest import SHIPPED_POLICY, Institution

pytestmark = pytest.mark.django_db


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
