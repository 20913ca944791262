"""A version is written in the browser, section by section: what is typed is saved, kept or explained, and what nobody
touched stays as it was."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from governance.policies import actions
from governance.policies.editing.sections import SECTIONS
from governance.policies.models import PolicyVersion
from tests.conftest import Institution
from tests.workflows.proposals.typed import typed_in

from .drafts import (
    EDIT,
    SENATE,
    VERSION,
    VOTE,
    autosave,
    begun,
    changed,
    post,
    rules_of,
    saved_with,
    shown,
    text_of,
    with_everything,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(institution: Institution) -> PolicyVersion:
    return begun(institution)


@pytest.fixture
def as_drafter(institution: Institution, client: Client) -> Client:
    client.force_login(institution.person("drafter"))
    return client


def other_client(institution: Institution) -> Client:
    client = Client()
    client.force_login(institution.person("administrator"))
    return client


# ---- what stands in the pages


def test_every_page_saved_as_it_is_shown_changes_nothing(
    institution: Institution, as_drafter: Client, draft: PolicyVersion
) -> None:
    draft = with_everything(draft, institution)
    before = (draft.rules, draft.text, draft.saves)
    data = rules_of(draft)
    pages = ["text/", "basics/", "duties/", "retention/"]
    pages += [
        f"{name}/{place}/"
        for name in ("route", "requires", "questions", "reopens")
        for place in range(1, len(data[name]) + 1)
    ]
    assert len(pages) == 15
    for page in pages:
        response = post(as_drafter, page, shown(as_drafter, page))
        assert response.status_code == 302, page
        draft.refresh_from_db()
        assert (draft.rules, draft.text, draft.saves) == before, page


def test_the_editor_opens_where_something_is_to_be_fixed(
    institution: Institution, as_drafter: Client, draft: PolicyVersion
) -> None:
    assert as_drafter.get(f"{EDIT}/").headers["Location"] == f"{EDIT}/text/"
    saved_with(draft, institution, rules={"reopens": [{"fields": ["files"], "stages": ["none"], "clause": "7.5"}]})
    assert as_drafter.get(f"{EDIT}/").headers["Location"] == f"{EDIT}/reopens/"


def test_the_buttons_go_from_section_to_section_and_end_at_the_check(as_drafter: Client, draft: PolicyVersion) -> None:
    after = [*list(SECTIONS)[1:], "check"]
    for section, following in zip(SECTIONS, after, strict=True):
        if not SECTIONS[section].is_list:
            response = post(as_drafter, f"{section}/", shown(as_drafter, f"{section}/"))
            assert response.headers["Location"] == f"{EDIT}/{following}/"
        else:
            assert f'href="{EDIT}/{following}/"' in as_drafter.get(f"{EDIT}/{section}/").content.decode()


def test_a_page_costs_the_same_queries_with_many_rules(
    institution: Institution, as_drafter: Client, draft: PolicyVersion
) -> None:
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            as_drafter.get(f"{EDIT}/{SENATE}")
        counts.append(len(captured))
        saved_with(draft, institution, rules={"requires": rules_of(draft)["requires"] * 2})
    assert counts[0] == counts[1] < 15


def test_addresses_of_nothing_are_not_found(as_drafter: Client, draft: PolicyVersion) -> None:
    for page in ("nothing/", "route/6/", "route/0/", "basics/1/", "text/new/", "questions/1/"):
        assert as_drafter.get(f"{EDIT}/{page}").status_code == 404, page


# ---- saving


def test_a_change_is_saved_where_it_belongs_and_nothing_else_changes(as_drafter: Client, draft: PolicyVersion) -> None:
    before = rules_of(draft)
    response = post(as_drafter, SENATE, changed(shown(as_drafter, SENATE), due__working_days="30"))
    assert response.headers["Location"] == f"{EDIT}/route/"
    after = rules_of(draft)
    assert after["route"][4]["due"] == {"working_days": 30, "clause": "6.4"}
    before["route"][4]["due"]["working_days"] = 30
    assert after == before


def test_a_vote_is_described_and_taken_away(as_drafter: Client, draft: PolicyVersion) -> None:
    data = changed(
        shown(as_drafter, SENATE),
        decides_by="vote",
        vote__quorum="40",
        vote__counted="quorum_percent",
        vote__carries="two-thirds",
        vote__of="members",
        vote__clause="5.5",
    )
    assert post(as_drafter, SENATE, data).status_code == 302
    assert rules_of(draft)["route"][4]["vote"] == VOTE
    # What stands in the boxes of the vote says nothing once one person decides.
    data = changed(shown(as_drafter, SENATE), decides_by="one", vote__quorum="nobody knows")
    assert post(as_drafter, SENATE, data).status_code == 302
    assert rules_of(draft)["route"][4]["vote"] is None


def test_an_effect_that_depends_is_written_as_cases(as_drafter: Client, draft: PolicyVersion) -> None:
    data = changed(
        shown(as_drafter, SENATE),
        effect_is="cases",
        cases__rows="2",
        cases__0__effect="receive",
        cases__0__when__rows="2",
        cases__0__when__0__field="kind",
        cases__0__when__0__operator="is",
        cases__0__when__0__value="Without academic credit",
        cases__0__when__1__joint="and",
        cases__0__when__1__field="hours",
        cases__0__when__1__operator="less-than",
        cases__0__when__1__value="30",
        cases__1__effect="decide",
    )
    assert post(as_drafter, SENATE, data).status_code == 302
    assert rules_of(draft)["route"][4]["effect"] == [
        {
            "when": {"all": [{"field": "kind", "is": "non-academic"}, {"field": "hours", "less_than": 30}]},
            "effect": "receive",
        },
        {"when": None, "effect": "decide"},
    ]


def test_duties_and_retention_are_saved(as_drafter: Client, draft: PolicyVersion) -> None:
    data = changed(
        shown(as_drafter, "duties/"), duties__author_may_decide__allowed="yes", resubmission__resume="first-stage"
    )
    assert post(as_drafter, "duties/", data).status_code == 302
    data = changed(
        shown(as_drafter, "retention/"),
        declined__kept="years",
        declined__years="6",
        declined__clause="7.5",
        approved__kept="for-good",
        approved__clause="7.5",
        withdrawn__years="abc",
    )
    assert post(as_drafter, "retention/", data).status_code == 302
    saved = rules_of(draft)
    assert saved["duties"]["author_may_decide"]["allowed"] is True
    assert saved["resubmission"]["resume"] == "first-stage"
    assert saved["retention"] == [
        {"ending": "approved", "years": None, "clause": "7.5"},
        {"ending": "declined", "years": 6, "clause": "7.5"},
    ]


def test_the_text_is_saved_as_typed_and_shown_as_readers_see_it(as_drafter: Client, draft: PolicyVersion) -> None:
    text = "## 1. New\n\n**1.1** Only <script>alert(1)</script> *this*.  \n"
    response = autosave(as_drafter, "text/", changed(shown(as_drafter, "text/"), text=text.replace("\n", "\r\n")))
    assert response.status_code == 200
    assert text_of(draft) == text
    page = response.content.decode()
    assert "<em>this</em>" in page
    assert "<script>alert" not in page
    assert "1 clause" in page
    # Every rule rests on a clause that is gone now; that is said and counted, and was saved all the same.
    assert "The text has no clause 4.1" in page
    assert f"{EDIT}/route/1/#id_clause" in page


def test_autosave_answers_with_the_parts_of_the_page(as_drafter: Client, draft: PolicyVersion) -> None:
    data = shown(as_drafter, SENATE)
    response = autosave(as_drafter, SENATE, changed(data, label="Senate of the University"))
    page = response.content.decode()
    assert response.status_code == 200
    assert 'id="version"' in page
    assert data["version"] not in page
    assert "Saved at" in page
    assert "“Senate of the University” decides for every proposal." in page
    assert 'id="section"' not in page
    again = changed(data, version=response.context["seen"], label="Senate")
    assert autosave(as_drafter, SENATE, again).status_code == 200
    assert rules_of(draft)["route"][4]["label"] == "Senate"


def test_more_rows_than_a_page_can_have_stay_when_it_is_saved(
    institution: Institution, as_drafter: Client, draft: PolicyVersion
) -> None:
    route = rules_of(draft)["route"]
    first = route[4]["checklist"][0]
    route[4]["checklist"] = [first | {"key": f"item-{number}"} for number in range(25)]
    saved_with(draft, institution, rules={"route": route})
    data = shown(as_drafter, SENATE)
    assert post(as_drafter, SENATE, changed(data, label="Senate of the University")).status_code == 302
    stage = rules_of(draft)["route"][4]
    assert stage["label"] == "Senate of the University"
    assert [item["key"] for item in stage["checklist"]] == [f"item-{number}" for number in range(25)]


def test_rows_come_and_go_without_a_script_and_are_saved_with_it(as_drafter: Client, draft: PolicyVersion) -> None:
    data = changed(shown(as_drafter, SENATE), add="when")
    page = post(as_drafter, SENATE, data).content.decode()
    assert 'name="when-0-field"' in page
    data = changed(shown(as_drafter, SENATE), remove="checklist-1")
    response = post(as_drafter, SENATE, data)
    assert response.status_code == 200
    assert [item["key"] for item in rules_of(draft)["route"][4]["checklist"]] == [
        "bodies-done",
        "public-words-true",
        "motion-minuted",
    ]


def test_a_case_taken_out_leaves_the_conditions_of_the_others_as_they_were(
    institution: Institution, as_drafter: Client, draft: PolicyVersion
) -> None:
    draft = with_everything(draft, institution)
    stage = rules_of(draft)["route"][4]
    data = shown(as_drafter, SENATE)
    first = {"when": {"field": "partners", "at_least": 2}, "effect": "decide"}
    saved_with(
        draft,
        institution,
        rules={"route": [*rules_of(draft)["route"][:4], stage | {"effect": [first, *stage["effect"]]}]},
    )
    data = changed(shown(as_drafter, SENATE), remove="cases-0")
    assert post(as_drafter, SENATE, data).status_code == 200
    assert rules_of(draft)["route"][4]["effect"] == stage["effect"]


def test_a_file_that_was_read_in_is_kept_until_the_rules_change(
    institution: Institution, as_drafter: Client, draft: PolicyVersion
) -> None:
    source = json.dumps({**rules_of(draft)}) + "\n# said once\n"
    actions.save_draft(
        actor=institution.person("drafter"), version=draft, seen=draft.saves, rules=rules_of(draft), source=source
    )
    post(as_drafter, SENATE, shown(as_drafter, SENATE))
    post(as_drafter, "text/", changed(shown(as_drafter, "text/"), text=text_of(draft) + "\nMore.\n"))
    assert as_drafter.get(f"{VERSION}/rules.yaml").content.decode() == source
    post(as_drafter, SENATE, changed(shown(as_drafter, SENATE), label="Senate itself"))
    assert as_drafter.get(f"{VERSION}/rules.yaml").content.decode().startswith("policy: micro-credential-approval\n")


# ---- what cannot be kept


@pytest.mark.parametrize(
    ("page", "typed", "field", "says"),
    [
        (SENATE, {"due__working_days": "soon"}, "due-working_days", "whole number from 1 to 250"),
        (SENATE, {"due__working_days": "0"}, "due-working_days", "whole number from 1 to 250"),
        (SENATE, {"label": " "}, "label", "Name the stage"),
        (SENATE, {"key": "Senate!"}, "key", "small letters, digits and hyphens"),
        (SENATE, {"key": "graduate-council"}, "key", "stands for another one already"),
        (SENATE, {"clause": ""}, "clause", "Choose the clause"),
        (SENATE, {"body__kind": ""}, "body-kind", "which kind of body"),
        (SENATE, {"outcomes": "return"}, "outcomes", "must be able to approve"),
        (SENATE, {"effect_is": "cases"}, "effect_is", "Add a case"),
        (SENATE, {"decides_by": "vote", "vote__clause": "5.5"}, "vote-quorum", "how many members must be there"),
        (SENATE, {"checklist__1__key": "bodies-done"}, "checklist-1-key", "stands for another one already"),
        (SENATE, {"checklist__0__text": ""}, "checklist-0-text", "Say what the stage confirms"),
        ("basics/", {"effective_from": "next summer"}, "effective_from", "such as 2027-07-01"),
        ("basics/", {"title": ""}, "title", "Give the title"),
        ("basics/", {"governs": "everything"}, "governs", "among the answers offered"),
        ("requires/1/", {"check": "at-least"}, "number", "Say the number"),
        ("requires/1/", {"field": "Nothing!"}, "field", "Choose one of the answers"),
        ("retention/", {"approved__kept": "years"}, "approved-years", "for how many years"),
        ("questions/new/", {"text": "Why?", "kind": "choice", "clause": "3.1"}, "choices", "two answers or more"),
        ("reopens/new/", {"stages": "senate", "clause": "7.5"}, "fields-0-path", "Choose a field or a section"),
        ("text/", {"text": ""}, "text", "Write the text"),
    ],
)
def test_what_cannot_be_kept_is_said_beside_the_field_and_stays_typed(
    as_drafter: Client, draft: PolicyVersion, page: str, typed: dict[str, str], field: str, says: str
) -> None:
    before = (rules_of(draft), text_of(draft))
    data = changed(shown(as_drafter, page), **typed)
    for send in (post, autosave):
        response = send(as_drafter, page, data)
        assert response.status_code == 422
        wrong = {box.html_name: " ".join(box.errors) for box in response.context["form"].errors}
        assert says in wrong[field], wrong
        assert says in response.content.decode()
        section = page.partition("/")[0]
        assert [task.section.key for task in response.context["tasks"] if task.to_mend] == [section]
    again = post(as_drafter, page, data)
    kept = {name: value for name, value in typed.items() if value and name not in {"governs", "outcomes", "field"}}
    for name, value in kept.items():
        assert value in again.content.decode(), name
    assert (rules_of(draft), text_of(draft)) == before


def test_problems_of_the_whole_document_are_listed_counted_and_never_in_the_way(
    institution: Institution, as_drafter: Client, draft: PolicyVersion
) -> None:
    data = changed(shown(as_drafter, SENATE), effect="advise", clause="9.9")
    assert post(as_drafter, SENATE, data).status_code == 302
    page = as_drafter.get(f"{EDIT}/basics/")
    assert [sentence for _address, sentence in page.context["mending"]] == [
        "The route must end in a stage that decides"
    ]
    saved_with(
        draft,
        institution,
        rules={"route": [*rules_of(draft)["route"][:4], rules_of(draft)["route"][4] | {"effect": "decide"}]},
    )
    page = as_drafter.get(f"{EDIT}/basics/")
    assert page.context["mending"] == [(f"{EDIT}/route/5/#id_clause", "The text has no clause 9.9")]
    assert "1 to fix" in page.content.decode()
    stage = as_drafter.get(f"{EDIT}/{SENATE}").content.decode()
    assert "9.9 (not in the text)" in stage
    assert 'id="id_clause"' in stage


@pytest.mark.parametrize(
    ("rules", "section"),
    [
        ({"reopens": [{"fields": ["files"], "stages": ["gone"], "clause": "7.5"}]}, "reopens"),
        ({"route": []}, "route"),
    ],
)
def test_a_problem_of_the_whole_is_put_where_it_is_mended(
    institution: Institution, as_drafter: Client, draft: PolicyVersion, rules: dict[str, Any], section: str
) -> None:
    saved_with(draft, institution, rules=rules)
    page = as_drafter.get(f"{EDIT}/basics/")
    assert [task.section.key for task in page.context["tasks"] if task.to_mend] == [section]
    address, sentence = page.context["mending"][0]
    assert address.startswith(f"{EDIT}/{section}/")
    assert sentence.startswith("The route has no stage ")


def test_the_page_of_a_draft_that_is_no_rules_yet_shows_its_text(
    institution: Institution, as_drafter: Client, draft: PolicyVersion
) -> None:
    saved_with(draft, institution, rules={"route": []})
    page = as_drafter.get(f"{VERSION}/").content.decode()
    assert "cannot be used yet" in page
    assert "What a proposal says" in page
    assert "Edit the draft" in page


def test_the_route_is_drawn_beside_the_stages_for_all_and_for_an_example(
    institution: Institution, as_drafter: Client, draft: PolicyVersion
) -> None:
    page = as_drafter.get(f"{EDIT}/route/").content.decode()
    assert "<svg" in page
    assert "Draw it for an example" in page
    example = "?kind=academic&level=graduate&unit=ENG&hours=36&credit=0.5"
    for one in ("route/", SENATE):
        page = as_drafter.get(f"{EDIT}/{one}{example}").content.decode()
        assert "The example passes 4 of 5 stages." in page
    saved = autosave(as_drafter, f"{SENATE}{example}", changed(shown(as_drafter, SENATE), label="Senate, drawn"))
    assert "The example passes 4 of 5 stages." in saved.content.decode()
    assert "Senate, drawn" in saved.content.decode()
    saved_with(draft, institution, rules={"route": []})
    assert "It is drawn once the rules can be used." in as_drafter.get(f"{EDIT}/route/").content.decode()


# ---- two people


def test_two_people_on_different_sections_do_not_meet(
    institution: Institution, as_drafter: Client, draft: PolicyVersion
) -> None:
    mine, theirs = shown(as_drafter, SENATE), shown(other_client(institution), "route/1/")
    assert post(other_client(institution), "route/1/", changed(theirs, due__working_days="5")).status_code == 302
    assert post(as_drafter, SENATE, changed(mine, due__working_days="30")).status_code == 302
    assert [stage["due"]["working_days"] for stage in rules_of(draft)["route"]] == [5, 10, 15, 15, 30]
    assert set(draft.drafters.values_list("email", flat=True)) == {
        "drafter@kawartha.example",
        "administrator@kawartha.example",
    }


@pytest.mark.parametrize(
    ("page", "field", "mine", "theirs"),
    [
        (SENATE, "label", "Senate, mine", "Senate, theirs"),
        ("basics/", "title", "Policy, mine", "Policy, theirs"),
        ("requires/2/", "says", "Say it my way", "Say it their way"),
        ("text/", "text", "**1.1** My words.", "**1.1** Their words."),
    ],
)
def test_two_versions_of_one_part_lead_to_a_choice_and_nothing_is_lost(
    institution: Institution, as_drafter: Client, draft: PolicyVersion, page: str, field: str, mine: str, theirs: str
) -> None:
    opened = shown(as_drafter, page)
    other = other_client(institution)
    post(other, page, changed(shown(other, page), **{field: theirs}))
    state = autosave(as_drafter, page, changed(opened, **{field: mine}))
    assert state.status_code == 409
    assert "Compare and choose" in state.content.decode()
    conflict = post(as_drafter, page, changed(opened, **{field: mine}))
    assert conflict.status_code == 409
    assert [(one.typed, one.saved) for one in conflict.context["differences"]] == [(mine, theirs)]
    saved = json.dumps(rules_of(draft)) + text_of(draft)
    assert theirs in saved
    assert mine not in saved
    choice = typed_in(conflict.content.decode())
    response = post(as_drafter, page, changed(choice, choose="typed"))
    assert response.headers["Location"] == f"{EDIT}/{page}?settled"
    saved = json.dumps(rules_of(draft)) + text_of(draft)
    assert mine in saved
    assert theirs not in saved


def test_a_third_version_that_came_in_between_is_shown_beside_the_choice(
    institution: Institution, as_drafter: Client, draft: PolicyVersion
) -> None:
    opened, other = shown(as_drafter, SENATE), other_client(institution)
    post(other, SENATE, changed(shown(other, SENATE), label="Second"))
    choice = typed_in(post(as_drafter, SENATE, changed(opened, label="Mine")).content.decode())
    post(other, SENATE, changed(shown(other, SENATE), label="Third"))
    again = post(as_drafter, SENATE, changed(choice, choose="typed"))
    assert again.status_code == 409
    assert [(one.typed, one.saved) for one in again.context["differences"]] == [("Mine", "Third")]


@pytest.mark.parametrize(("place", "status"), [(0, 302), (4, 409)], ids=["another stage", "the same stage"])
def test_somebody_who_saves_in_the_same_instant_is_not_written_over(
    institution: Institution, as_drafter: Client, draft: PolicyVersion, place: int, status: int
) -> None:
    data = changed(shown(as_drafter, SENATE), due__working_days="30")
    came_between: list[int] = []

    def come_between(execute: Any, sql: str, *args: Any) -> Any:
        """Saves just before the act begins, after the page has read the draft."""
        if sql.startswith("SAVEPOINT") and not came_between:
            came_between.append(place)
            route = rules_of(draft)["route"]
            route[place]["label"] = "Renamed by somebody"
            saved_with(draft, institution, rules={"route": route})
        return execute(sql, *args)

    with connection.execute_wrapper(come_between):
        response = post(as_drafter, SENATE, data)
    assert came_between
    assert response.status_code == status
    after = rules_of(draft)["route"]
    assert after[place]["label"] == "Renamed by somebody"
    assert after[4]["due"]["working_days"] == (30 if status == 302 else 20)


def test_a_draft_that_was_proposed_meanwhile_keeps_its_words(
    institution: Institution, as_drafter: Client, draft: PolicyVersion
) -> None:
    data = shown(as_drafter, SENATE)
    actions.propose(actor=institution.person("administrator"), version=draft)
    for send in (post, autosave):
        response = send(as_drafter, SENATE, changed(data, label="Too late"))
        assert response.status_code == 409
        assert "not possible for a version that is proposed" in response.content.decode()
    assert "Too late" not in json.dumps(rules_of(draft))


# ---- words kept on a device


def test_words_kept_on_a_device_come_back_only_where_they_belong(
    institution: Institution, as_drafter: Client, draft: PolicyVersion
) -> None:
    data = changed(shown(as_drafter, "route/3/"), label="Typed long ago", restore="1")
    restored = autosave(as_drafter, "route/3/", data)
    assert restored.status_code == 200
    assert "Typed long ago" in restored.content.decode()
    route = rules_of(draft)["route"]
    saved_with(draft, institution, rules={"route": [*route[:2], route[3], route[2], route[4]]})
    assert autosave(as_drafter, "route/3/", data).status_code == 409
    assert "Typed long ago" not in json.dumps(rules_of(draft))
