"""The proposal's page: who may open it, what it shows to whom, and a number of queries that nothing makes grow."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape

from governance.people.actions import give_mandate
from governance.people.duties import Duty
from tests.conftest import LONG_AGO, REGISTRAR, Institution
from tests.samples import complete_content
from workflows.proposals.actions import save_section
from workflows.proposals.models import DraftSection, Look, Proposal
from workflows.review import actions as review


def signed_in(institution: Institution, key: str) -> Client:
    client = Client()
    client.force_login(institution.person(key))
    return client


def page_of(institution: Institution, key: str, proposal: Proposal, query: str = "") -> str:
    response = signed_in(institution, key).get(f"/proposals/{proposal.reference}/{query}")
    assert response.status_code == 200, response.status_code
    return str(response.content.decode())


def sent_again(proposal: Proposal, **changes: dict[str, Any]) -> Proposal:
    """The author changes sections and sends the proposal again."""
    for key, fields in changes.items():
        section = DraftSection.objects.get(proposal=proposal, key=key)
        data = section.data | fields
        save_section(actor=proposal.author, proposal=proposal, section=key, data=data, seen=section.version)
    proposal = Proposal.objects.get(pk=proposal.pk)
    review.submit(actor=proposal.author, proposal=proposal, seen=proposal.version)
    return Proposal.objects.get(pk=proposal.pk)


# ---- who may open it


def test_unknown_reference_is_not_found(institution: Institution) -> None:
    assert signed_in(institution, "ad-hsci").get("/proposals/MC-1999-0001/").status_code == 404


@pytest.mark.parametrize("key", ["stranger", "ctl", "author-eng", "administrator"])
def test_somebody_it_has_not_come_to_is_told_why(institution: Institution, key: str) -> None:
    proposal = institution.submitted()
    response = signed_in(institution, key).get(f"/proposals/{proposal.reference}/")
    page = response.content.decode()
    assert (response.status_code, proposal.title in page) == (403, False)
    assert "You cannot open this proposal" in page
    assert "has not come to a body on which you sit. Ask Nadia Rahimi about it." in page


def test_draft_is_its_authors_alone_and_opens_in_the_editor(institution: Institution) -> None:
    proposal = institution.draft()
    response = signed_in(institution, "observer").get(f"/proposals/{proposal.reference}/")
    assert (response.status_code, "is a draft" in response.content.decode()) == (403, True)
    response = signed_in(institution, "author").get(f"/proposals/{proposal.reference}/")
    assert response["Location"] == f"/proposals/{proposal.reference}/edit/"


def test_visitor_is_asked_to_sign_in_first(institution: Institution) -> None:
    proposal = institution.submitted()
    assert Client().get(f"/proposals/{proposal.reference}/")["Location"].startswith("/sign-in/")


# ---- what it shows


def test_first_submission_shows_everything_that_was_written(institution: Institution) -> None:
    page = page_of(institution, "ad-hsci", institution.submitted())
    for words in (
        "Family health teams in the region report 41 unfilled roles.",
        "For academic credit",
        "Every outcome is assessed at least once",
        "Policy v1",
        "Submission 1",
        "First submission",
        "11 January 2027",
    ):
        assert words in page
    assert not re.search(r"<(ins|del)>", page)


def test_stepper_says_who_holds_it_since_when_and_what_is_next(institution: Institution) -> None:
    proposal = institution.at_stage("teaching-centre")
    response = signed_in(institution, "ctl").get(f"/proposals/{proposal.reference}/")
    steps = response.context["page"].steps
    assert [(step.label, step.status) for step in steps] == [
        ("Draft", "done"),
        ("Associate Dean", "done"),
        ("Centre for Teaching and Learning", "now"),
        ("Undergraduate Council", "next"),
        ("Graduate Council", "skipped"),
        ("Senate", "next"),
        ("Outcome", "next"),
    ]
    assert steps[1].lines[0] == "Approved by Marc Lavoie"
    assert steps[2].lines[0].startswith("With you since")
    assert steps[2].lines[1].startswith("Day 0 of 10, due")


@pytest.mark.parametrize(
    ("ending", "expected"),
    [("return", ("now", "returned", "next")), ("decline", ("done", "declined", "declined"))],
)
def test_stepper_shows_returns_and_refusals(institution: Institution, ending: str, expected: tuple[str, ...]) -> None:
    proposal = institution.submitted()
    if ending == "return":
        institution.return_for_changes(proposal)
    else:
        item = institution.item(proposal)
        who = institution.person("ad-hsci")
        review.decline(actor=who, item=item, seen=proposal.version, reasons="The need is not shown.")
    response = signed_in(institution, "author").get(f"/proposals/{proposal.reference}/")
    steps = response.context["page"].steps
    assert (steps[0].status, steps[1].status, steps[-1].status) == expected


def test_second_submission_is_shown_against_the_first(institution: Institution) -> None:
    proposal = institution.submitted()
    institution.return_for_changes(proposal, reasons="Say what a week looks like.")
    proposal = sent_again(
        proposal, delivery={"workload": "Five hours a week & <one> evening."}, quality={"review_months": 12}
    )
    page = page_of(institution, "ad-hsci", proposal)
    assert "2 of 11 sections changed" in page
    assert "<del>Four</del><ins>Five</ins> hours a week" in page
    assert "&lt;one&gt;" in page
    assert "“24” was replaced by “12”." in page
    assert len(re.findall(r'<details class="sect" id="s-', page)) == 8
    clean = page_of(institution, "ad-hsci", proposal, "?show=clean")
    assert not re.search(r"<(ins|del)>", clean)
    assert "Five hours a week &amp;" in clean


def test_any_earlier_submission_can_be_compared_with(institution: Institution) -> None:
    proposal = institution.submitted()
    for months in (12, 18):
        institution.return_for_changes(proposal)
        proposal = sent_again(proposal, quality={"review_months": months})
    assert "<del>12</del><ins>18</ins>" in page_of(institution, "ad-hsci", proposal)
    assert "<del>24</del><ins>18</ins>" in page_of(institution, "ad-hsci", proposal, "?with=1")
    assert "<del>12</del><ins>18</ins>" in page_of(institution, "ad-hsci", proposal, "?with=99")
    assert "<del>12</del><ins>18</ins>" in page_of(institution, "ad-hsci", proposal, "?with=x&history=all")


def test_everything_a_person_wrote_is_escaped(institution: Institution) -> None:
    content = complete_content(title="<script>alert(1)</script>", overview="<img src=x onerror=alert(1)>")
    content["outcomes"]["outcomes"][0]["text"] = "<b>Map</b> it"
    content["assessment"]["assessments"][0]["title"] = "<i>Data</i>"
    content["need"]["evidence"][0]["link"] = "javascript:alert(1)"
    proposal = institution.submitted(content=content)
    review.comment(actor=proposal.author, proposal=proposal, audience="everyone", text="<u>Hello</u>", section="need")
    page = page_of(institution, "ad-hsci", proposal)
    for raw in ("<script>alert", "<img src=x", "<b>Map</b>", "<i>Data</i>", "<u>Hello</u>", 'href="javascript'):
        assert raw not in page
    assert escape("<u>Hello</u>") in page


def test_visit_is_remembered_after_it_was_compared_with_the_last(institution: Institution) -> None:
    proposal = institution.submitted()
    client = signed_in(institution, "ad-hsci")
    client.get(f"/proposals/{proposal.reference}/")
    look = Look.objects.get(user=institution.people["ad-hsci"])
    assert (look.revision_number, look.version) == (1, proposal.version)
    institution.return_for_changes(proposal)
    proposal = sent_again(proposal, quality={"review_months": 12})
    assert "You last looked on" in client.get(f"/proposals/{proposal.reference}/").content.decode()
    assert "You last looked on" not in client.get(f"/proposals/{proposal.reference}/").content.decode()
    look.refresh_from_db()
    assert look.revision_number == 2


def test_history_is_newest_first_with_reasons_and_folds_the_older(institution: Institution) -> None:
    proposal = institution.submitted()
    for number in range(8):
        review.comment(actor=proposal.author, proposal=proposal, audience="everyone", text=f"Note {number}")
    institution.return_for_changes(proposal, reasons="Name the partners.")
    page = page_of(institution, "ad-hsci", proposal)
    history = page[page.index('id="history"') :]
    assert "<blockquote>Name the partners.</blockquote>" in history
    assert history.index("returned submission 1") < history.index("wrote a comment")
    assert "5 earlier events" in history


def test_conditions_stand_on_the_page(institution: Institution) -> None:
    proposal = institution.submitted()
    institution.approve(
        proposal, conditions=[review.NewCondition(text="Finance confirms the fee.", owner="Nadia Rahimi")]
    )
    page = page_of(institution, "ad-hsci", proposal)
    assert "Finance confirms the fee." in page
    assert "Approved with conditions by Marc Lavoie" in page


# ---- the decision panel, and what others see in its place


def test_panel_says_what_happens_next(institution: Institution) -> None:
    labels = []
    proposal = institution.submitted()
    for key in ("ad-hsci", "ctl", "ugc", "senate"):
        page = signed_in(institution, key).get(f"/proposals/{proposal.reference}/").context["page"]
        labels.append((page.panel.approve_label, page.panel.can_decline, page.panel.returns_to_stages))
        institution.approve(proposal)
    assert labels == [
        ("Approve, send to Centre for Teaching and Learning", True, False),
        ("Approve, send to Undergraduate Council", False, True),
        ("Approve, send to Senate", True, True),
        ("Approve", True, True),
    ]


def test_panel_shows_system_checks_and_checklist_with_clauses(institution: Institution) -> None:
    page = page_of(institution, "ad-hsci", institution.submitted())
    assert "35 of 35 system checks pass" in page
    assert "The need is shown by evidence from outside the unit." in page
    assert "Clause 3.3" in page
    assert "5 points" in page


@pytest.mark.parametrize("key", ["author", "member", "observer"])
def test_who_does_not_decide_has_no_panel(institution: Institution, key: str) -> None:
    proposal = institution.at_stage("senate")
    page = page_of(institution, key, proposal)
    assert "Your decision" not in page
    assert ("Withdraw it" in page) is (key == "author")


def test_author_who_could_decide_is_told_which_clause_keeps_them_from_it(institution: Institution) -> None:
    proposal = institution.submitted()
    body = institution.bodies["ad-hsci"]
    give_mandate(actor=REGISTRAR, person=institution.people["author"], body=body, duty=Duty.OFFICER, starts_on=LONG_AGO)
    page = page_of(institution, "author", proposal)
    assert "You wrote this proposal, so you cannot decide on it (clause 8.1)." in page
    assert "Your decision" not in page


def test_returned_proposal_tells_its_author_what_to_do(institution: Institution) -> None:
    proposal = institution.submitted()
    institution.return_for_changes(proposal, reasons="Name the partners.")
    page = page_of(institution, "author", proposal)
    assert "Edit and send again" in page
    assert "Marc Lavoie returned it for Associate Dean, Health Sciences" in page


def test_reviewer_reads_first_what_they_asked_for(institution: Institution) -> None:
    proposal = institution.submitted()
    institution.return_for_changes(proposal, reasons="Name the <partners>.")
    proposal = sent_again(Proposal.objects.get(pk=proposal.pk), need={"purpose": "A better purpose."})
    page = page_of(institution, "ad-hsci", proposal)
    asked = page.index("What you asked for on")
    assert asked < page.index(escape("Name the <partners>."), asked) < page.index('id="s-summary"')
    assert "asked for on" not in page_of(institution, "author", proposal)


def test_reviewer_reads_first_what_a_later_stage_asked_them_for(institution: Institution) -> None:
    proposal = institution.at_stage("senate")
    institution.return_for_changes(proposal, reasons="Look at the hours again.", to_stage="teaching-centre")
    page = page_of(institution, "ctl", proposal)
    asked = page.index("What Amara Nwosu asked for on")
    assert asked < page.index("Look at the hours again.", asked) < page.index('id="s-summary"')


def test_withdrawn_before_it_was_sent_still_opens_for_its_author(institution: Institution) -> None:
    proposal = institution.draft()
    review.withdraw(actor=proposal.author, proposal=proposal, seen=proposal.version, reason="Not this year.")
    assert "Not this year." in page_of(institution, "author", proposal)


# ---- comments


def test_comments_are_shown_to_their_audience_only(institution: Institution) -> None:
    proposal = institution.submitted()
    dean = institution.person("ad-hsci")
    for audience in ("body", "reviewers", "everyone"):
        review.comment(actor=dean, proposal=proposal, audience=audience, text=f"For {audience}.", section="need")
    institution.approve(proposal)
    seen = {
        key: [
            word for word in ("body", "reviewers", "everyone") if f"For {word}." in page_of(institution, key, proposal)
        ]
        for key in ("ad-hsci", "ctl", "author")
    }
    assert seen == {
        "ad-hsci": ["body", "reviewers", "everyone"],
        "ctl": ["reviewers", "everyone"],
        "author": ["everyone"],
    }


def test_comment_form_offers_allowed_audiences_only(institution: Institution) -> None:
    proposal = institution.submitted()
    dean, author = page_of(institution, "ad-hsci", proposal), page_of(institution, "author", proposal)
    assert "Associate Dean, Health Sciences only" in dean
    assert 'value="reviewers"' in dean
    assert 'value="reviewers"' not in author
    assert "Everyone on the proposal reads this." in author
    assert 'name="audience"' not in page_of(institution, "observer", proposal)


# ---- cost


def queries(client: Client, proposal: Proposal) -> int:
    client.get(f"/proposals/{proposal.reference}/")
    with CaptureQueriesContext(connection) as captured:
        assert client.get(f"/proposals/{proposal.reference}/").status_code == 200
    return len(captured)


def test_page_takes_as_many_queries_with_a_long_history_and_a_busy_author(institution: Institution) -> None:
    proposal = institution.submitted()
    client = signed_in(institution, "ad-hsci")
    before = queries(client, proposal)
    for _ in range(3):
        institution.return_for_changes(proposal)
        proposal = sent_again(proposal, quality={"renewal": f"Renewed {_} times."})
    for number in range(30):
        review.comment(
            actor=proposal.author, proposal=proposal, audience="everyone", text=f"Note {number}", section="need"
        )
    for _ in range(5):
        institution.submitted()
    after = queries(client, proposal)
    assert after <= before + 1  # the conditions of decisions, once there are any
    assert after <= 20


def test_first_visit_costs_one_query_more_or_two(institution: Institution) -> None:
    proposal = institution.submitted()
    client = signed_in(institution, "ad-hsci")
    client.get("/proposals/")
    with CaptureQueriesContext(connection) as captured:
        client.get(f"/proposals/{proposal.reference}/")
    assert len(captured) <= 25


def test_page_stays_within_its_budget_of_bytes(institution: Institution) -> None:
    proposal = institution.submitted()
    institution.return_for_changes(proposal)
    assert len(page_of(institution, "ad-hsci", sent_again(proposal, quality={"review_months": 12})).encode()) < 60_000
