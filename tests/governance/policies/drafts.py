"""A draft as an administrator has it before them: its pages, and what a browser sends back from them."""

import json
from datetime import date
from typing import Any

from django.http import QueryDict
from django.test import Client

from governance.policies import actions
from governance.policies.models import PolicyVersion
from tests.conftest import Institution
from tests.workflows.proposals.typed import typed_in

FIRST_DAY = date(2027, 7, 1)
VERSION = "/policies/micro-credential-approval/2"
EDIT = f"{VERSION}/edit"
# Under a stage's place in the route, how it is called in the shipped policy.
SENATE = "route/5/"


def begun(institution: Institution, *, by: str = "drafter") -> PolicyVersion:
    """Version 2 as a draft, begun from the version in force."""
    assert institution.policy is not None
    return actions.begin_draft(actor=institution.person(by), like=institution.policy, effective_from=FIRST_DAY)


def rules_of(draft: PolicyVersion) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(PolicyVersion.objects.get(pk=draft.pk).rules)
    return data


def text_of(draft: PolicyVersion) -> str:
    return PolicyVersion.objects.get(pk=draft.pk).text


def saved_with(draft: PolicyVersion, institution: Institution, **given: Any) -> PolicyVersion:
    """The draft after somebody saved other rules or another text, past every form."""
    now = PolicyVersion.objects.get(pk=draft.pk)
    rules = {**rules_of(draft), **given.pop("rules", {})}
    return actions.save_draft(
        actor=institution.person("drafter"), version=now, seen=now.saves, rules=rules, text=given.get("text")
    )


def shown(client: Client, page: str) -> QueryDict:
    """The page's form with what stands in it."""
    response = client.get(f"{EDIT}/{page}")
    assert response.status_code == 200, (page, response.status_code)
    return typed_in(response.content.decode())


def post(client: Client, page: str, data: QueryDict, **given: Any) -> Any:
    """Send the form as a browser without scripts does."""
    return client.post(f"{EDIT}/{page}", data.urlencode(), content_type="application/x-www-form-urlencoded", **given)


def autosave(client: Client, page: str, data: QueryDict) -> Any:
    """Send the form as the script does while somebody types."""
    return post(client, page, data, headers={"HX-Request": "true"})


def changed(data: QueryDict, **typed: str) -> QueryDict:
    """What stands in the form after somebody typed; `due__clause` is the field `due-clause`."""
    again = data.copy()
    for name, value in typed.items():
        again[name.replace("__", "-")] = value
    return again


# Every kind of rule that there is, conditions nested and not in it.
NESTED = {
    "not": {
        "any": [
            {"all": [{"field": "kind", "is": "academic"}, {"field": "hours", "less_than": 40}]},
            {"field": "unit", "in": ["ENG", "KU"]},
        ]
    }
}
QUESTION = {
    "key": "travel",
    "text": "Does it need travel?",
    "hint": "Also within the province.",
    "kind": "choice",
    "choices": ["No", "Within the province", "Further"],
    "required": False,
    "when": {"field": "credit_hundredths", "at_least": 50},
    "clause": "3.10",
}
REOPENING = {"fields": ["resources.fee", "outcomes"], "stages": ["senate"], "clause": "7.5"}
VOTE = {"quorum": None, "quorum_percent": 40, "carries": "two-thirds", "of": "members", "clause": "5.5"}


def with_everything(draft: PolicyVersion, institution: Institution) -> PolicyVersion:
    data = rules_of(draft)
    senate = data["route"][-1] | {
        "decides_by": "vote",
        "vote": VOTE,
        "effect": [{"when": NESTED, "effect": "decide"}, {"when": None, "effect": "decide"}],
        "mandatory": True,
        "outcomes": ["return", "approve"],
    }
    side_by_side = [stage | {"wave": "first"} for stage in data["route"][:2]]
    rules = {
        "route": [*side_by_side, *data["route"][2:-1], senate],
        "requires": [data["requires"][3] | {"when": NESTED}, *data["requires"][9:12]],
        "questions": [QUESTION],
        "reopens": [REOPENING],
        "retention": [
            {"ending": "declined", "years": 6, "clause": "8.1"},
            {"ending": "approved", "years": None, "clause": "8.2"},
        ],
    }
    saved_with(draft, institution, rules=rules)
    return PolicyVersion.objects.get(pk=draft.pk)
