"""Stages, required fields, questions and reopenings are added, moved and taken out, also when somebody else does so."""

from typing import Any

import pytest
from django.test import Client

from governance.policies.models import PolicyVersion
from tests.conftest import Institution
from tests.workflows.proposals.typed import typed_in

from .drafts import EDIT, REOPENING, SENATE, begun, changed, post, rules_of, saved_with, shown, with_everything

pytestmark = pytest.mark.django_db

NEW_STAGE = {
    "label": "Registrar",
    "clause": "4.5",
    "body__kind": "registrar",
    "effect": "advise",
    "due__working_days": "5",
    "due__clause": "6.4",
}


@pytest.fixture
def draft(institution: Institution) -> PolicyVersion:
    return begun(institution)


@pytest.fixture
def as_drafter(institution: Institution, client: Client) -> Client:
    client.force_login(institution.person("drafter"))
    return client


def keys(draft: PolicyVersion) -> list[str]:
    return [stage["key"] for stage in rules_of(draft)["route"]]


def press(client: Client, section: str, **button: str) -> Any:
    return post(client, f"{section}/", changed(shown(client, f"{section}/"), **button))


def test_the_list_says_what_each_item_does(as_drafter: Client, draft: PolicyVersion) -> None:
    page = as_drafter.get(f"{EDIT}/route/").content.decode()
    assert "“Senate” decides for every proposal." in page
    assert "“Senate” answers within 20 working days." in page
    assert "It confirms 4 things." in page
    page = as_drafter.get(f"{EDIT}/requires/").content.decode()
    assert "Say how many units of credit are asked for, where academic credit is asked for" in page


def test_a_stage_is_added_at_the_end_with_a_key_made_from_its_name(as_drafter: Client, draft: PolicyVersion) -> None:
    data = changed(shown(as_drafter, "route/new/"), **NEW_STAGE)
    more = post(as_drafter, "route/new/", changed(data, add="checklist"))
    assert 'name="checklist-0-text"' in more.content.decode()
    assert "Registrar" in more.content.decode()
    assert len(keys(draft)) == 5
    response = post(as_drafter, "route/new/", data)
    assert response.headers["Location"] == f"{EDIT}/route/"
    assert keys(draft)[-1] == "registrar"
    stage = rules_of(draft)["route"][-1]
    assert stage["outcomes"] == ["approve", "approve-with-conditions", "return", "decline"]
    assert stage["body"] == {"kind": "registrar", "of": None}
    # Once more makes another one, with a key of its own.
    post(as_drafter, "route/new/", data)
    assert keys(draft)[-2:] == ["registrar", "registrar-2"]


def test_a_question_a_required_field_and_a_reopening_are_added(as_drafter: Client, draft: PolicyVersion) -> None:
    question = {"text": "Does it need travel, and where to?", "kind": "line", "clause": "3.10", "required": "on"}
    post(as_drafter, "questions/new/", changed(shown(as_drafter, "questions/new/"), **question))
    field = {
        "field": "learners.enrolment",
        "check": "at-least",
        "number": "10",
        "says": "Say how many",
        "clause": "3.5",
    }
    post(as_drafter, "requires/new/", changed(shown(as_drafter, "requires/new/"), **field))
    reopening = {
        "fields__rows": "2",
        "fields__0__path": "resources.fee",
        "fields__1__path": "outcomes",
        "stages": "senate",
        "clause": "7.5",
    }
    post(as_drafter, "reopens/new/", changed(shown(as_drafter, "reopens/new/"), **reopening))
    saved = rules_of(draft)
    assert saved["questions"][0]["key"] == "does-it-need-travel-and-where-to"
    assert saved["questions"][0]["choices"] == []
    assert (saved["requires"][-1]["field"], saved["requires"][-1]["number"]) == ("learners.enrolment", 10)
    assert saved["reopens"] == [REOPENING]


def test_items_move_up_and_down_and_out(as_drafter: Client, draft: PolicyVersion) -> None:
    before = keys(draft)
    assert press(as_drafter, "route", up="2").status_code == 302
    assert keys(draft) == [before[1], before[0], *before[2:]]
    press(as_drafter, "route", down="1")
    assert keys(draft) == before
    asked = as_drafter.get(f"{EDIT}/route/?remove=4").content.decode()
    assert "It goes out of the draft with everything in it." in asked
    assert keys(draft) == before
    press(as_drafter, "route", remove="4")
    assert keys(draft) == [*before[:3], "senate"]
    assert press(as_drafter, "route", up="99").status_code == 404


def test_the_button_that_moved_an_item_has_the_focus_again(as_drafter: Client, draft: PolicyVersion) -> None:
    address = press(as_drafter, "route", up="3").headers["Location"]
    assert address == f"{EDIT}/route/?up=2#item-2"
    page = as_drafter.get(address).content.decode()
    assert page.count("autofocus") == 1
    assert 'name="up" value="2" autofocus' in page
    page = as_drafter.get(f"{EDIT}/route/?up=1").content.decode()
    assert 'name="down" value="1" autofocus' in page


def test_the_ends_of_a_list_stay_where_they_are(as_drafter: Client, draft: PolicyVersion) -> None:
    before = keys(draft)
    press(as_drafter, "route", up="1")
    press(as_drafter, "route", down="5")
    assert keys(draft) == before


def test_nothing_moves_in_a_list_that_somebody_changed_meanwhile(
    institution: Institution, as_drafter: Client, draft: PolicyVersion
) -> None:
    opened = shown(as_drafter, "route/")
    saved_with(
        draft, institution, rules={"route": list(reversed(rules_of(draft)["route"][:4])) + rules_of(draft)["route"][4:]}
    )
    before = keys(draft)
    response = post(as_drafter, "route/", changed(opened, remove="1"))
    assert response.status_code == 409
    assert "Nothing was moved or removed" in response.content.decode()
    assert keys(draft) == before


def test_an_item_that_moved_meanwhile_is_saved_where_it_stands_now(
    institution: Institution, as_drafter: Client, draft: PolicyVersion
) -> None:
    opened = shown(as_drafter, SENATE)
    route = rules_of(draft)["route"]
    saved_with(draft, institution, rules={"route": [route[4], *route[:4]]})
    assert post(as_drafter, SENATE, changed(opened, due__working_days="30")).status_code == 302
    after = rules_of(draft)["route"]
    assert [stage["key"] for stage in after] == ["senate", *(stage["key"] for stage in route[:4])]
    assert after[0]["due"]["working_days"] == 30
    assert after[1:] == route[:4]


def test_an_item_that_was_taken_out_meanwhile_can_be_put_back_as_typed(
    institution: Institution, as_drafter: Client, draft: PolicyVersion
) -> None:
    opened = shown(as_drafter, "route/4/")
    route = rules_of(draft)["route"]
    saved_with(draft, institution, rules={"route": [*route[:3], route[4]]})
    conflict = post(as_drafter, "route/4/", changed(opened, label="Graduate Council, renamed"))
    assert conflict.status_code == 409
    page = conflict.content.decode()
    assert "taken out of the draft" in page
    assert "Graduate Council, renamed" in page
    assert keys(draft) == ["associate-dean", "teaching-centre", "undergraduate-council", "senate"]
    response = post(as_drafter, "route/4/", changed(typed_in(page), choose="typed"))
    assert response.headers["Location"] == f"{EDIT}/route/"
    assert keys(draft)[-1] == "graduate-council"
    assert rules_of(draft)["route"][-1]["label"] == "Graduate Council, renamed"
    assert rules_of(draft)["route"][3] == route[4]


def test_a_stage_whose_key_changes_goes_on_being_reopened(
    institution: Institution, as_drafter: Client, draft: PolicyVersion
) -> None:
    draft = with_everything(draft, institution)
    post(as_drafter, SENATE, changed(shown(as_drafter, SENATE), key="university-senate"))
    assert keys(draft)[-1] == "university-senate"
    assert rules_of(draft)["reopens"] == [REOPENING | {"stages": ["university-senate"]}]
    assert as_drafter.get(f"{EDIT}/{SENATE}").context["mending"] == []


def test_a_stage_taken_out_leaves_word_where_it_is_still_meant(
    institution: Institution, as_drafter: Client, draft: PolicyVersion
) -> None:
    draft = with_everything(draft, institution)
    saved_with(draft, institution, rules={"reopens": [REOPENING | {"stages": ["graduate-council"]}]})
    press(as_drafter, "route", remove="4")
    page = as_drafter.get(f"{EDIT}/reopens/1/")
    assert page.context["mending"] == [(f"{EDIT}/reopens/", "The route has no stage “graduate-council” to be reopened")]
    assert 'value="graduate-council"' in page.content.decode()
