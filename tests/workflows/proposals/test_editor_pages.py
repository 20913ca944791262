"""The author's pages: what is shown, saved, refused, and what happens when two versions meet."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from governance.people.actions import end_mandate
from governance.people.models import Mandate
from tests.conftest import Institution
from tests.samples import complete_content
from workflows.proposals.actions import save_section
from workflows.proposals.content import FURTHER, SECTIONS
from workflows.proposals.models import DraftSection, Proposal

from .typed import buttons_in, typed_in

SignIn = Callable[[str], Client]
FRAGMENT = {"HX-Request": "true"}


@pytest.fixture
def signed_in(institution: Institution) -> SignIn:
    def sign_in(key: str = "author") -> Client:
        client = Client()
        client.force_login(institution.person(key))
        return client

    return sign_in


def page_of(proposal: Proposal, section: str) -> str:
    return reverse("proposal-edit", args=[proposal.reference, section])


def stored(proposal: Proposal, section: str) -> DraftSection:
    return DraftSection.objects.get(proposal=proposal, key=section)


def save(institution: Institution, proposal: Proposal, section: str, **fields: Any) -> None:
    """Save from somewhere else, as a second tab would."""
    part = stored(proposal, section)
    save_section(
        actor=institution.person("author"),
        proposal=proposal,
        section=section,
        data=part.data | fields,
        seen=part.version,
    )


# ---- starting


def test_a_proposal_starts_with_a_title_for_the_only_unit(institution: Institution, signed_in: SignIn) -> None:
    client = signed_in("author")
    html = client.get(reverse("proposal-new")).content.decode()
    assert "Faculty of Health Sciences" in html
    assert "Faculty of Engineering" not in html
    response = client.post(reverse("proposal-new"), typed_in(html, title="Wound Care"))
    proposal = Proposal.objects.get()
    assert response.headers["Location"] == page_of(proposal, "summary")
    assert (proposal.title, proposal.unit.code, proposal.action) == ("Wound Care", "HSCI", "new")


def test_a_proposal_without_a_title_is_asked_for_one(institution: Institution, signed_in: SignIn) -> None:
    client = signed_in("author")
    response = client.post(reverse("proposal-new"), {"unit": institution.units["HSCI"].pk, "action": "new"})
    assert response.status_code == 422
    assert "Give a working title" in response.content.decode()
    assert not Proposal.objects.exists()


def test_a_proposal_for_another_unit_is_refused_beside_the_field(institution: Institution, signed_in: SignIn) -> None:
    response = signed_in("author").post(
        reverse("proposal-new"), {"title": "Bridges", "unit": institution.units["ENG"].pk, "action": "new"}
    )
    assert response.status_code == 422
    assert not Proposal.objects.exists()


def test_without_the_duty_the_page_names_who_can_give_it(institution: Institution, signed_in: SignIn) -> None:
    for response in (
        signed_in("stranger").get(reverse("proposal-new")),
        signed_in("stranger").post(reverse("proposal-new"), {"title": "Mine"}),
    ):
        assert response.status_code == 403
        assert "Daniel Fortin" in response.content.decode()
        assert "administrator@kawartha.example" in response.content.decode()


def test_a_duty_that_has_ended_starts_nothing(institution: Institution, signed_in: SignIn) -> None:
    client = signed_in("author")
    mandate = Mandate.objects.get(user=institution.people["author"])
    end_mandate(
        actor=institution.people["administrator"].as_actor(),
        mandate=mandate,
        ends_on=mandate.starts_on,
        reason="Left the unit.",
    )
    assert client.get(reverse("proposal-new")).status_code == 403


# ---- writing


@pytest.mark.parametrize("section", [key for key in SECTIONS if key != FURTHER])
def test_every_section_is_shown_and_saved_unchanged(institution: Institution, signed_in: SignIn, section: str) -> None:
    proposal = institution.draft()
    client = signed_in("author")
    html = client.get(page_of(proposal, section)).content.decode()
    response = client.post(page_of(proposal, section), typed_in(html))
    assert response.status_code == 302
    part = stored(proposal, section)
    assert part.data == SECTIONS[section][1].model_validate(complete_content()[section]).model_dump(mode="json")
    assert part.version == 1


def test_what_is_typed_is_saved_and_the_next_section_opens(institution: Institution, signed_in: SignIn) -> None:
    proposal = institution.draft()
    client = signed_in("author")
    html = client.get(page_of(proposal, "summary")).content.decode()
    response = client.post(page_of(proposal, "summary"), typed_in(html, title="Another title"))
    assert response.headers["Location"] == page_of(proposal, "need")
    proposal.refresh_from_db()
    assert proposal.title == "Another title"
    assert stored(proposal, "summary").version == 2


def test_the_last_section_leads_to_the_files(institution: Institution, signed_in: SignIn) -> None:
    proposal = institution.draft()
    client = signed_in("author")
    html = client.get(page_of(proposal, "credential")).content.decode()
    assert client.post(page_of(proposal, "credential"), typed_in(html)).headers["Location"] == page_of(
        proposal, "files"
    )


def test_an_empty_section_can_be_saved(institution: Institution, signed_in: SignIn) -> None:
    proposal = institution.draft()
    response = signed_in("author").post(page_of(proposal, "quality"), {"version": 1, "save": "here"})
    assert response.status_code == 200
    assert stored(proposal, "quality").data == {"evaluation": "", "review_months": None, "renewal": ""}


@pytest.mark.parametrize("fragment", [False, True])
def test_something_wrong_saves_nothing_and_keeps_every_word(
    institution: Institution, signed_in: SignIn, fragment: bool
) -> None:
    proposal = institution.draft()
    client = signed_in("author")
    html = client.get(page_of(proposal, "resources")).content.decode()
    data = typed_in(html, fee="about 600", resources="One instructor and a half.")
    response = client.post(page_of(proposal, "resources"), data, headers=FRAGMENT if fragment else {})
    assert response.status_code == 422
    html = response.content.decode()
    assert "“Fee, dollars” takes a whole number" in html
    assert stored(proposal, "resources").data["fee"] == 650
    assert stored(proposal, "resources").version == 1
    assert typed_in(html)["version"] == "1"
    if fragment:
        assert "<html" not in html
        assert 'id="id_fee_error"' in html
        assert 'name="resources"' not in html
    else:
        assert typed_in(html)["fee"] == "about 600"
        assert typed_in(html)["resources"] == "One instructor and a half."
        assert 'href="#id_fee"' in html
        assert "<title>Error:" in html


def test_rows_are_added_and_removed_without_a_script(institution: Institution, signed_in: SignIn) -> None:
    proposal = institution.draft()
    client = signed_in("author")
    page = page_of(proposal, "need")
    html = client.get(page).content.decode()
    assert ("add", "evidence") in buttons_in(html)
    html = client.post(page, typed_in(html, purpose="Typed before adding", add="evidence")).content.decode()
    data = typed_in(html)
    assert (data["evidence-rows"], data["purpose"]) == ("2", "Typed before adding")
    assert stored(proposal, "need").data["purpose"] == "Typed before adding"
    assert len(stored(proposal, "need").data["evidence"]) == 1
    data["evidence-1-title"] = "A second survey"
    data["remove"] = "evidence-0"
    html = client.post(page, data).content.decode()
    data = typed_in(html)
    assert (data["evidence-rows"], data["evidence-0-title"]) == ("1", "A second survey")
    assert [item["title"] for item in stored(proposal, "need").data["evidence"]] == ["A second survey"]


def test_a_row_is_added_beside_something_wrong_and_no_word_is_lost(institution: Institution, signed_in: SignIn) -> None:
    proposal = institution.draft()
    client = signed_in("author")
    page = page_of(proposal, "assessment")
    data = typed_in(client.get(page).content.decode(), assessments__0__weight="many", add="assessments")
    response = client.post(page, data)
    assert response.status_code == 422
    again = typed_in(response.content.decode())
    assert again["assessments-0-weight"] == "many"
    assert again["assessments-rows"] == "3"
    assert again["assessments-2-key"] == "a3"
    assert again["cell-o1-a1"] == "A"


@pytest.mark.parametrize("value", ["nothing", "evidence-99999999999999", "evidence-", "-", "evidence-x", "title-0"])
def test_a_button_that_we_never_made_only_saves(institution: Institution, signed_in: SignIn, value: str) -> None:
    proposal = institution.draft()
    client = signed_in("author")
    html = client.get(page_of(proposal, "need")).content.decode()
    for name in ("add", "remove"):
        data = typed_in(html)
        data[name] = value
        assert client.post(page_of(proposal, "need"), data).status_code == 200
    assert stored(proposal, "need").version == 1


def test_the_first_button_of_the_form_saves_so_that_enter_does_no_harm(
    institution: Institution, signed_in: SignIn
) -> None:
    proposal = institution.draft()
    html = signed_in("author").get(page_of(proposal, "need")).content.decode()
    form = html[html.index('id="section"') :]
    assert buttons_in(form)[0] == ("save", "here")


# ---- autosave


def test_autosave_answers_with_the_parts_that_change_and_never_with_the_fields(
    institution: Institution, signed_in: SignIn
) -> None:
    proposal = institution.draft()
    client = signed_in("author")
    html = client.get(page_of(proposal, "outcomes")).content.decode()
    data = typed_in(html, outcomes__2__text="Understands retention.")
    response = client.post(page_of(proposal, "outcomes"), data, headers=FRAGMENT)
    assert response.status_code == 200
    html = response.content.decode()
    assert "<html" not in html
    assert typed_in(html)["version"] == "2"
    assert "Saved at" in html
    assert "10 of 10 sections done" in html
    assert "Begins with “Understand”" in html
    assert "<textarea" not in html


def test_autosave_shows_a_section_going_from_done_to_something_to_fix(
    institution: Institution, signed_in: SignIn
) -> None:
    proposal = institution.draft()
    client = signed_in("author")
    page = page_of(proposal, "assessment")
    data = typed_in(client.get(page).content.decode(), assessments__0__weight="30")
    html = client.post(page, data, headers=FRAGMENT).content.decode()
    assert "9 of 10 sections done" in html
    assert "1 to fix" in html
    assert "The weights add up to 90 %" in html


def test_restoring_shows_what_was_kept_on_the_device_and_saves_nothing(
    institution: Institution, signed_in: SignIn
) -> None:
    proposal = institution.draft()
    client = signed_in("author")
    data = typed_in(client.get(page_of(proposal, "need")).content.decode(), purpose="Kept on the device", restore="1")
    data["evidence-rows"] = "4"
    data["evidence-3-title"] = "Never saved"
    html = client.post(page_of(proposal, "need"), data, headers=FRAGMENT).content.decode()
    assert typed_in(html)["purpose"] == "Kept on the device"
    assert typed_in(html)["evidence-3-title"] == "Never saved"
    assert stored(proposal, "need").version == 1


def test_autosave_without_a_session_says_so(institution: Institution, signed_in: SignIn) -> None:
    proposal = institution.draft()
    assert Client().post(page_of(proposal, "need"), {"purpose": "x"}, headers=FRAGMENT).status_code == 401


# ---- two versions


def test_the_same_words_from_a_second_tab_are_no_conflict(institution: Institution, signed_in: SignIn) -> None:
    proposal = institution.draft()
    client = signed_in("author")
    data = typed_in(client.get(page_of(proposal, "quality")).content.decode(), renewal="After three years.")
    assert client.post(page_of(proposal, "quality"), data).status_code == 302
    assert client.post(page_of(proposal, "quality"), data).status_code == 302
    assert stored(proposal, "quality").version == 2


def conflict(institution: Institution, client: Client, proposal: Proposal) -> str:
    """The page that a second tab gets, which typed two things while another saved one of them and a third."""
    page = page_of(proposal, "quality")
    data = typed_in(client.get(page).content.decode(), renewal="Typed here", evaluation="Also typed here")
    save(institution, proposal, "quality", renewal="Saved elsewhere", review_months=12)
    response = client.post(page, data)
    assert response.status_code == 409
    return response.content.decode()


def test_a_conflict_shows_both_versions_field_by_field(institution: Institution, signed_in: SignIn) -> None:
    proposal = institution.draft()
    html = conflict(institution, signed_in("author"), proposal)
    for words in (
        "Typed here",
        "Saved elsewhere",
        "Also typed here",
        "Learners and partners are asked",
        "You saved this",
    ):
        assert words in html
    assert stored(proposal, "quality").data["renewal"] == "Saved elsewhere"


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"choose": "typed"}, ("Typed here", "Also typed here", 24)),
        ({"choose": "saved"}, ("Saved elsewhere", "Learners and partners are asked after each offering.", 12)),
        (
            {"choose": "each", "choice-renewal": "saved", "choice-review_months": "saved"},
            ("Saved elsewhere", "Also typed here", 12),
        ),
        (
            {
                "choose": "each",
                "choice-renewal": "typed",
                "choice-evaluation": "saved",
                "choice-review_months": "saved",
            },
            ("Typed here", "Learners and partners are asked after each offering.", 12),
        ),
    ],
)
def test_a_choice_between_two_versions_is_saved(
    institution: Institution, signed_in: SignIn, choice: dict[str, str], expected: tuple[str, str, int]
) -> None:
    proposal = institution.draft()
    client = signed_in("author")
    data = typed_in(conflict(institution, client, proposal))
    for name, value in choice.items():
        data[name] = value
    response = client.post(page_of(proposal, "quality"), data)
    assert response.headers["Location"] == page_of(proposal, "quality") + "?settled"
    part = stored(proposal, "quality").data
    assert (part["renewal"], part["evaluation"], part["review_months"]) == expected


def test_a_third_version_while_choosing_is_shown_and_not_overwritten(
    institution: Institution, signed_in: SignIn
) -> None:
    proposal = institution.draft()
    client = signed_in("author")
    data = typed_in(conflict(institution, client, proposal), choose="typed")
    save(institution, proposal, "quality", renewal="A third")
    response = client.post(page_of(proposal, "quality"), data)
    assert response.status_code == 409
    html = response.content.decode()
    assert "A third" in html
    assert "Typed here" in html
    assert stored(proposal, "quality").data["renewal"] == "A third"


def test_a_conflict_of_every_kind_of_field_is_readable(institution: Institution, signed_in: SignIn) -> None:
    proposal = institution.draft()
    client = signed_in("author")
    for section, fields in {
        "assessment": {"grading": "pass-fail", "assessments": [], "alignment": []},
        "resources": {"fee": 0, "new_resources": True},
        "partners": {"partners": [], "consultations": []},
        "summary": {"first_offered_on": None, "kind": "non-academic"},
    }.items():
        page = page_of(proposal, section)
        data = typed_in(client.get(page).content.decode())
        first = next(name for name, value in data.items() if name not in {"version", "csrfmiddlewaretoken"} and value)
        assert first
        save(institution, proposal, section, **fields)
        html = client.post(page, data).content.decode()
        assert "Two versions of" in html
        assert "Empty" in html or section == "resources"
    assert "Outcome 1, Data map" not in html


def test_what_was_typed_must_arrive_whole(institution: Institution, signed_in: SignIn) -> None:
    proposal = institution.draft()
    response = signed_in("author").post(
        page_of(proposal, "quality"), {"choose": "typed", "typed": '{"evaluation": 3}', "version": 1}
    )
    assert response.status_code == 409
    assert stored(proposal, "quality").version == 1


def test_autosave_of_a_conflict_keeps_the_text_and_offers_to_compare(
    institution: Institution, signed_in: SignIn
) -> None:
    proposal = institution.draft()
    client = signed_in("author")
    data = typed_in(client.get(page_of(proposal, "quality")).content.decode(), renewal="Typed here")
    save(institution, proposal, "quality", renewal="Saved elsewhere")
    response = client.post(page_of(proposal, "quality"), data, headers=FRAGMENT)
    assert response.status_code == 409
    assert ("compare", "1") in buttons_in(response.content.decode())
    assert "<html" not in response.content.decode()


# ---- guidance


def test_the_rail_ticks_what_is_met_and_links_the_clause(institution: Institution, signed_in: SignIn) -> None:
    proposal = institution.draft()
    html = signed_in("author").get(page_of(proposal, "outcomes")).content.decode()
    assert reverse("policy", args=["micro-credential-approval", 1]) + "#c3.7" in html
    assert "A proposal states at least two and at most eight learning outcomes" in html
    assert "will confirm: Each learning outcome says something" in html


def test_the_first_unfinished_section_opens(institution: Institution, signed_in: SignIn) -> None:
    content = complete_content()
    content["delivery"] = {}
    proposal = institution.draft(content=content)
    response = signed_in("author").get(reverse("proposal-edit", args=[proposal.reference]))
    assert response.headers["Location"] == page_of(proposal, "delivery")


def test_a_returned_proposal_says_who_returned_it_and_why(institution: Institution, signed_in: SignIn) -> None:
    proposal = institution.submitted()
    institution.return_for_changes(proposal, "Say how outcome 2 is assessed.")
    html = signed_in("author").get(page_of(proposal, "assessment")).content.decode()
    assert "Returned by Marc Lavoie" in html
    assert "Say how outcome 2 is assessed." in html


def test_without_a_policy_in_force_the_pages_say_so(
    institution: Institution, signed_in: SignIn, settings: LazySettings
) -> None:
    proposal = institution.draft()
    settings.APPROVAL_POLICY = "a-policy-that-nobody-adopted"
    client = signed_in("author")
    assert "No approval policy is in force today" in client.get(page_of(proposal, "need")).content.decode()
    check = client.get(reverse("proposal-check", args=[proposal.reference])).content.decode()
    assert "nothing can be sent for review" in check
    assert "No approval policy is in force" in client.get(reverse("proposal-new")).content.decode()


# ---- checking


def check_of(proposal: Proposal) -> str:
    return reverse("proposal-check", args=[proposal.reference])


def test_the_check_of_a_complete_draft_leads_to_the_first_body(institution: Institution, signed_in: SignIn) -> None:
    proposal = institution.draft()
    html = signed_in("author").get(check_of(proposal)).content.decode()
    assert "Nothing is missing" in html
    assert "Send to Associate Dean, Health Sciences" in html
    assert f'action="{reverse("proposal-submit", args=[proposal.reference])}"' in html
    assert typed_in(html)["seen"] == str(proposal.version)
    assert "Undergraduate Council" in html
    assert "Graduate Council" not in html.replace("Undergraduate", "")


def test_the_check_of_an_incomplete_draft_names_each_gap_with_field_and_clause(
    institution: Institution, signed_in: SignIn
) -> None:
    content = complete_content()
    content["assessment"]["alignment"] = []
    content["need"]["evidence"] = []
    proposal = institution.draft(content=content)
    client = signed_in("author")
    html = client.get(check_of(proposal)).content.decode()
    assert page_of(proposal, "assessment") + "#matrix" in html
    assert page_of(proposal, "need") + "#list-evidence" in html
    assert "#c3.8" in html
    assert "disabled" not in html
    response = client.post(check_of(proposal), {"note": "Almost there", "seen": proposal.version})
    assert response.status_code == 422
    html = response.content.decode()
    assert "Not sent: it is not complete yet" in html
    assert typed_in(html)["note"] == "Almost there"


def test_a_complete_draft_is_sent_with_its_note_from_the_check(institution: Institution, signed_in: SignIn) -> None:
    proposal = institution.draft()
    client = signed_in("author")
    html = client.get(check_of(proposal)).content.decode()
    send = html[: html.index("Withdraw this proposal")]
    data = typed_in(send, note="Please look at outcome 3.")
    assert client.post(reverse("proposal-submit", args=[proposal.reference]), data).status_code == 302
    proposal.refresh_from_db()
    assert proposal.state == "in_review"
    assert proposal.revisions.get().note == "Please look at outcome 3."


def test_a_draft_is_withdrawn_with_a_reason_from_the_check(institution: Institution, signed_in: SignIn) -> None:
    proposal = institution.draft()
    client = signed_in("author")
    html = client.get(check_of(proposal)).content.decode()
    data = typed_in(html[html.index("Withdraw this proposal") :])
    withdraw = reverse("proposal-withdraw", args=[proposal.reference])
    response = client.post(withdraw, data)
    assert response.status_code == 422
    assert "Say why you withdraw it" in response.content.decode()
    data["reason"] = "The partner left."
    assert client.post(withdraw, data).status_code == 302
    proposal.refresh_from_db()
    assert proposal.state == "withdrawn"


def test_the_check_of_a_returned_proposal_goes_back_to_who_returned_it(
    institution: Institution, signed_in: SignIn
) -> None:
    proposal = institution.at_stage("teaching-centre")
    institution.return_for_changes(proposal)
    html = signed_in("author").get(check_of(proposal)).content.decode()
    assert "Send to Centre for Teaching and Learning" in html
    assert "Its approval stands" in html
    assert "What did you change?" in html


# ---- who may


@pytest.mark.parametrize("person", ["stranger", "author-eng", "ad-hsci", "observer", "administrator"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_only_the_author_opens_these_pages(
    institution: Institution, signed_in: SignIn, person: str, method: str
) -> None:
    proposal = institution.submitted()
    institution.return_for_changes(proposal)
    client = signed_in(person)
    pages = [page_of(proposal, "need"), page_of(proposal, "files"), check_of(proposal)]
    if method == "get":
        pages.append(reverse("proposal-edit", args=[proposal.reference]))
    for page in pages:
        assert getattr(client, method)(page).status_code == 403, page


def test_a_proposal_in_review_cannot_be_written_in(institution: Institution, signed_in: SignIn) -> None:
    proposal = institution.submitted()
    client = signed_in("author")
    for page in (page_of(proposal, "need"), page_of(proposal, "files"), check_of(proposal)):
        assert client.get(page).status_code == 409
    response = client.post(page_of(proposal, "need"), {"version": 1, "purpose": "Changed"}, headers=FRAGMENT)
    assert response.status_code == 409
    assert response.headers["HX-Retarget"] == "#refusal"


def test_what_does_not_exist_is_not_found(institution: Institution, signed_in: SignIn) -> None:
    proposal = institution.draft()
    client = signed_in("author")
    assert client.get(page_of(proposal, "horoscope")).status_code == 404
    assert client.get(reverse("proposal-edit", args=["MC-1999-0001", "need"])).status_code == 404


# ---- queries


def queries(client: Client, page: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(page).status_code == 200
    return len(captured)


def test_the_pages_ask_the_database_the_same_whatever_the_number_of_rows(
    institution: Institution, signed_in: SignIn
) -> None:
    few, many = complete_content(), complete_content()
    for item in ("evidence", "supporters"):
        many["need"][item] = few["need"][item] * 12
    one, other = institution.draft(content=few), institution.draft(content=many)
    client = signed_in("author")
    for place in ("need", "assessment", "files"):
        assert queries(client, page_of(one, place)) == queries(client, page_of(other, place)) <= 12
    assert queries(client, check_of(one)) == queries(client, check_of(other)) <= 16
