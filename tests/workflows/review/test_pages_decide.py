"""Deciding, withdrawing, sending and commenting through the pages, and a "no" that keeps what was typed."""

import re
from typing import Any

import pytest
from django.test import Client

from governance.people.actions import give_mandate
from governance.people.duties import Duty
from tests.conftest import LONG_AGO, REGISTRAR, Institution
from tests.versions import adopted, stage_of
from workflows.proposals.models import Comment, DraftSection, Proposal
from workflows.proposals.states import State
from workflows.review import actions as review
from workflows.review.models import Decision, WorkItem

TYPED = "The need is shown, and the hours are honest."


def signed_in(institution: Institution, key: str) -> Client:
    client = Client()
    client.force_login(institution.person(key))
    return client


def form_of(institution: Institution, proposal: Proposal, **fields: Any) -> dict[str, Any]:
    """What the decision form would send with every box ticked."""
    item = institution.item(proposal)
    ticked = {f"confirmed-{key}": "on" for key in institution.checklist(item)}
    rows = {"condition-TOTAL_FORMS": "3", "condition-INITIAL_FORMS": "0"}
    proposal.refresh_from_db()
    return {"item": item.pk, "seen": proposal.version, "reasons": TYPED, **ticked, **rows, **fields}


def post(institution: Institution, key: str, proposal: Proposal, act: str, data: dict[str, Any], **given: Any) -> Any:
    return signed_in(institution, key).post(f"/proposals/{proposal.reference}/{act}/", data, **given)


def said(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


# ---- done


def test_approving_sends_it_on_and_goes_back_to_the_queue(institution: Institution) -> None:
    proposal = institution.submitted()
    response = post(institution, "ad-hsci", proposal, "approve", form_of(institution, proposal), follow=True)
    assert response.redirect_chain == [("/queue/", 302)]
    assert said(response) == [f"Approved. {proposal.reference} is with Centre for Teaching and Learning."]
    decision = Decision.objects.get()
    assert (decision.outcome, decision.reasons) == ("approve", TYPED)
    assert all(answer["confirmed"] for answer in decision.answers)


def test_last_approval_says_that_it_passed(institution: Institution) -> None:
    proposal = institution.at_stage("senate")
    response = post(institution, "senate", proposal, "approve", form_of(institution, proposal), follow=True)
    assert said(response) == [f"Approved. {proposal.reference} has passed its last stage."]


def test_conditions_are_kept_in_their_order_and_empty_rows_are_none(institution: Institution) -> None:
    proposal = institution.submitted()
    conditions = {
        "condition-0-text": "Finance confirms the fee.",
        "condition-0-due_on": "2027-03-01",
        "condition-0-owner": "Nadia Rahimi",
        "condition-2-text": "The library is asked.",
    }
    post(institution, "ad-hsci", proposal, "approve", form_of(institution, proposal, **conditions))
    decision = Decision.objects.get()
    found = [(one.number, one.text, str(one.due_on), one.owner) for one in decision.conditions.all()]
    assert found == [
        (1, "Finance confirms the fee.", "2027-03-01", "Nadia Rahimi"),
        (2, "The library is asked.", "None", ""),
    ]


def test_returning_to_the_author(institution: Institution) -> None:
    proposal = institution.submitted()
    response = post(institution, "ad-hsci", proposal, "return", form_of(institution, proposal), follow=True)
    assert said(response) == [f"Returned. {proposal.reference} is back with Nadia Rahimi."]
    proposal.refresh_from_db()
    assert proposal.state == State.RETURNED


def test_returning_to_an_earlier_stage(institution: Institution) -> None:
    proposal = institution.at_stage("senate")
    data = form_of(institution, proposal, to_stage="teaching-centre")
    response = post(institution, "senate", proposal, "return", data, follow=True)
    assert said(response) == [f"Returned. {proposal.reference} is with Centre for Teaching and Learning again."]
    assert institution.item(proposal).stage_key == "teaching-centre"


def test_declining(institution: Institution) -> None:
    proposal = institution.submitted()
    response = post(institution, "ad-hsci", proposal, "decline", form_of(institution, proposal), follow=True)
    assert said(response) == [f"Declined. {proposal.reference} has ended; its author gets your reasons."]
    proposal.refresh_from_db()
    assert proposal.state == State.DECLINED


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("/queue/?q=data&sort=newest", "/queue/?q=data&sort=newest"),
        ("https://elsewhere.example/", "/queue/"),
        ("//elsewhere.example/", "/queue/"),
        ("javascript:alert(1)", "/queue/"),
    ],
)
def test_after_a_decision_the_filter_is_kept_and_no_other_house_is_gone_to(
    institution: Institution, asked: str, given: str
) -> None:
    proposal = institution.submitted()
    response = post(institution, "ad-hsci", proposal, "approve", form_of(institution, proposal, next=asked))
    assert response["Location"] == given


def test_address_of_an_act_leads_to_the_page_when_it_is_only_opened(institution: Institution) -> None:
    proposal = institution.submitted()
    client = signed_in(institution, "ad-hsci")
    for act in ("approve", "return", "decline", "withdraw", "comment"):
        assert client.get(f"/proposals/{proposal.reference}/{act}/")["Location"] == f"/proposals/{proposal.reference}/"
    assert Decision.objects.count() == 0


# ---- refused, with everything kept


def test_missing_confirmation_stands_beside_its_box_and_in_the_summary(institution: Institution) -> None:
    proposal = institution.submitted()
    data = form_of(institution, proposal, **{"condition-0-text": "Finance confirms the fee."})
    del data["confirmed-need-shown"]
    response = post(institution, "ad-hsci", proposal, "approve", data)
    page = response.content.decode()
    assert response.status_code == 422
    assert page.count("Confirm this, or return the proposal") == 2
    assert 'href="#d-confirmed-need-shown"' in page
    assert TYPED in page
    assert "Finance confirms the fee." in page
    assert (
        len(re.findall(r'name="confirmed-[\w-]+" id="[\w-]+" checked', page))
        == len(institution.checklist(institution.item(proposal))) - 1
    )
    assert "<title>Error: " in page
    assert not Decision.objects.exists()


@pytest.mark.parametrize(
    ("act", "sentence"), [("return", "Say what should change"), ("decline", "Say why it is declined")]
)
def test_missing_reasons_are_asked_for(institution: Institution, act: str, sentence: str) -> None:
    proposal = institution.submitted()
    response = post(institution, "ad-hsci", proposal, act, form_of(institution, proposal, reasons="  "))
    page = response.content.decode()
    assert (response.status_code, page.count(sentence)) == (422, 2)
    assert 'href="#d-reasons"' in page


@pytest.mark.parametrize(
    ("field", "value"),
    [("condition-0-due_on", "soon"), ("condition-0-owner", "Nadia"), ("condition-0-text", "x" * 2_001)],
)
def test_wrong_condition_is_refused_beside_its_field(institution: Institution, field: str, value: str) -> None:
    proposal = institution.submitted()
    response = post(institution, "ad-hsci", proposal, "approve", form_of(institution, proposal, **{field: value}))
    page = response.content.decode()
    assert response.status_code == 422
    assert value in page
    assert "field__error" in page
    assert not Decision.objects.exists()


def test_more_rows_for_conditions_keep_everything_without_script(institution: Institution) -> None:
    proposal = institution.submitted()
    data = form_of(institution, proposal, more="1", **{"condition-2-text": "Third condition."})
    del data["confirmed-need-shown"]
    response = post(institution, "ad-hsci", proposal, "approve", data)
    page = response.content.decode()
    assert response.status_code == 200
    assert 'name="condition-5-text"' in page
    assert "Third condition." in page
    assert TYPED in page
    assert "error-summary" not in page
    assert not Decision.objects.exists()


def test_stale_page_says_what_changed_and_keeps_what_was_typed(institution: Institution) -> None:
    """It was returned and sent again while the dean was writing: the same stage waits, for another submission."""
    proposal = institution.submitted()
    old = form_of(institution, proposal, **{"condition-0-text": "Finance confirms the fee."})
    institution.return_for_changes(proposal, reasons="Name the partners.")
    section = DraftSection.objects.get(proposal=proposal, key="quality")
    from workflows.proposals.actions import save_section

    data = section.data | {"review_months": 12}
    save_section(actor=proposal.author, proposal=proposal, section="quality", data=data, seen=section.version)
    proposal.refresh_from_db()
    review.submit(actor=proposal.author, proposal=proposal, seen=proposal.version)
    response = post(institution, "ad-hsci", proposal, "approve", old)
    page = response.content.decode()
    assert response.status_code == 409
    assert "This proposal changed while you were reading it" in page
    assert "Marc Lavoie returned submission 1 for changes" in page
    assert "Nadia Rahimi sent submission 2 back to Associate Dean, Health Sciences." in page
    assert TYPED in page
    assert "Finance confirms the fee." in page
    # Sent again from this page, with what it now knows, it is done.
    fresh = dict(re.findall(r'<input type="hidden" name="(item|seen)" value="(\d+)"', page))
    proposal.refresh_from_db()
    assert fresh == {"item": str(institution.item(proposal).pk), "seen": str(proposal.version)}
    assert post(institution, "ad-hsci", proposal, "approve", old | fresh).status_code == 302


def test_stage_that_somebody_else_decided_shows_the_words_that_were_typed(institution: Institution) -> None:
    proposal = institution.submitted()
    old = form_of(institution, proposal, **{"condition-1-text": "Finance confirms the fee."})
    institution.approve(proposal)
    response = post(institution, "ad-hsci", proposal, "return", old)
    page = response.content.decode()
    assert response.status_code == 409
    assert "What you typed" in page
    assert f"<dd>{TYPED}</dd>" in page
    assert "<dd>Finance confirms the fee.</dd>" in page
    assert "Your decision" not in page
    assert Decision.objects.count() == 1


def test_mandate_that_ended_is_refused_with_its_sentence_and_the_words_are_kept(institution: Institution) -> None:
    from datetime import timedelta

    from governance import clock
    from governance.people.actions import end_mandate
    from governance.people.models import Mandate
    from tests.conftest import REGISTRAR

    proposal = institution.submitted()
    data = form_of(institution, proposal)
    mandate = Mandate.objects.get(user=institution.people["ad-hsci"])
    end_mandate(actor=REGISTRAR, mandate=mandate, ends_on=clock.today() - timedelta(days=1), reason="Term over")
    response = post(
        institution, "ad-hsci", proposal, "approve", data | {"condition-0-text": "Finance confirms the fee."}
    )
    page = response.content.decode()
    assert response.status_code == 403
    assert "You cannot open this proposal" in page
    assert f"<dd>{TYPED}</dd>" in page
    assert "<dd>Finance confirms the fee.</dd>" in page
    comment = {"audience": "everyone", "text": "Watch the <hours>.", "section": ""}
    assert (
        "<dd>Watch the &lt;hours&gt;.</dd>"
        in post(institution, "ad-hsci", proposal, "comment", comment).content.decode()
    )
    assert not Decision.objects.exists()
    assert (
        "What you typed"
        not in signed_in(institution, "ad-hsci").get(f"/proposals/{proposal.reference}/").content.decode()
    )


def test_forged_item_of_another_proposal_decides_nothing(institution: Institution) -> None:
    mine, other = institution.submitted(), institution.submitted()
    data = form_of(institution, mine, item=institution.item(other).pk)
    assert post(institution, "ad-hsci", mine, "approve", data).status_code == 409
    for item in ("", "x", "9" * 30):
        assert post(institution, "ad-hsci", mine, "approve", data | {"item": item}).status_code in {409, 422}
    assert WorkItem.objects.filter(closed_at=None).count() == 2


# ---- the author's acts


def test_sending_a_complete_draft(institution: Institution) -> None:
    proposal = institution.draft()
    data = {"seen": proposal.version, "note": "Please look at the hours."}
    response = post(institution, "author", proposal, "submit", data, follow=True)
    assert said(response) == [f"Sent. {proposal.reference} is with Associate Dean, Health Sciences."]
    assert "Please look at the hours." in response.content.decode()


def test_sending_an_incomplete_draft_shows_what_is_missing_and_keeps_the_note(institution: Institution) -> None:
    proposal = institution.draft(content={"summary": {"title": "Half a title"}})
    data = {"seen": proposal.version, "note": "Please look at the hours."}
    response = post(institution, "author", proposal, "submit", data)
    page = response.content.decode()
    assert response.status_code == 422
    assert "Say what the credential is for" in page
    assert "Please look at the hours." in page
    proposal.refresh_from_db()
    assert proposal.state == State.DRAFT


def test_withdrawing_with_a_reason(institution: Institution) -> None:
    proposal = institution.submitted()
    data = {"seen": proposal.version, "reason": "A partner left."}
    response = post(institution, "author", proposal, "withdraw", data, follow=True)
    assert said(response) == [f"Withdrawn. {proposal.reference} has ended and stays in the record."]
    proposal.refresh_from_db()
    assert proposal.state == State.WITHDRAWN


def test_withdrawing_a_draft_without_a_reason_leads_back_to_the_draft(institution: Institution) -> None:
    proposal = institution.draft()
    response = post(institution, "author", proposal, "withdraw", {"seen": proposal.version, "reason": ""})
    page = response.content.decode()
    assert (response.status_code, page.count("Say why you withdraw it")) == (422, 2)
    assert "Finish and send it" in page
    assert "It is back with you" not in page
    assert "(optional)" not in page


def test_withdrawing_asks_for_a_reason_and_notices_what_changed(institution: Institution) -> None:
    proposal = institution.submitted()
    response = post(institution, "author", proposal, "withdraw", {"seen": proposal.version, "reason": ""})
    assert (response.status_code, response.content.decode().count("Say why you withdraw it")) == (422, 2)
    institution.approve(proposal)
    response = post(
        institution, "author", proposal, "withdraw", {"seen": proposal.version, "reason": "A partner left."}
    )
    page = response.content.decode()
    assert response.status_code == 409
    assert page.count("A partner left.") == 1
    proposal.refresh_from_db()
    assert f'name="seen" value="{proposal.version}"' in page


# ---- comments


def test_comment_without_script_comes_back_to_its_section(institution: Institution) -> None:
    proposal = institution.submitted()
    data = {"section": "need", "audience": "reviewers", "text": "Who are the 41?"}
    response = post(institution, "ad-hsci", proposal, "comment", data)
    assert response["Location"] == f"/proposals/{proposal.reference}/#thread-need"
    comment = Comment.objects.get()
    assert (comment.section, comment.audience, comment.text) == ("need", "reviewers", "Who are the 41?")


def test_comment_with_script_brings_back_its_thread_alone(institution: Institution) -> None:
    proposal = institution.submitted()
    data = {"section": "", "audience": "everyone", "text": "Well done."}
    response = post(institution, "ad-hsci", proposal, "comment", data, headers={"HX-Request": "true"})
    page = response.content.decode()
    assert page.startswith('<div class="stack-s" id="thread-whole">')
    assert "Well done." in page
    assert "Your comment on the whole proposal is there." in page


@pytest.mark.parametrize("script", [True, False])
def test_empty_comment_is_refused_beside_its_field(institution: Institution, script: bool) -> None:
    proposal = institution.submitted()
    headers = {"HX-Request": "true"} if script else {}
    data = {"section": "need", "audience": "everyone", "text": " "}
    response = post(institution, "ad-hsci", proposal, "comment", data, headers=headers)
    assert response.status_code == 422
    assert 'id="c-need-error"' in response.content.decode()


def test_author_cannot_write_to_reviewers_only(institution: Institution) -> None:
    proposal = institution.submitted()
    data = {"section": "need", "audience": "reviewers", "text": "A secret note"}
    response = post(institution, "author", proposal, "comment", data)
    assert response.status_code == 422
    assert "A secret note" in response.content.decode()
    assert not Comment.objects.exists()


def test_observer_cannot_comment_and_keeps_the_words(institution: Institution) -> None:
    proposal = institution.submitted()
    data = {"section": "", "audience": "everyone", "text": "I only look."}
    response = post(institution, "observer", proposal, "comment", data)
    assert response.status_code == 403
    assert "<dd>I only look.</dd>" in response.content.decode()
    assert not Comment.objects.exists()


# ---- the vote that the policy asks for


@pytest.mark.parametrize(
    ("vote", "sentences"),
    [
        (
            {"quorum": 2, "carries": "majority", "of": "present"},
            "The policy asks for a vote with at least 2 members present (clause 4.5)."
            " More than half of those present must vote for it.",
        ),
        (
            {"quorum_percent": 40, "carries": "two-thirds", "of": "members"},
            "The policy asks for a vote with at least 40% of the members present (clause 4.5)."
            " Two thirds of all members must vote for it.",
        ),
    ],
)
def test_the_panel_says_what_vote_the_policy_asks_for(
    institution: Institution, vote: dict[str, Any], sentences: str
) -> None:
    def change(rules: dict[str, Any]) -> None:
        stage_of(rules, "senate").update(decides_by="vote", vote=vote | {"clause": "4.5"})

    for key in ("stranger", "observer"):  # enough members for the quorum, or the version could not be adopted
        give_mandate(
            actor=REGISTRAR,
            person=institution.people[key],
            body=institution.bodies["senate"],
            duty=Duty.MEMBER,
            starts_on=LONG_AGO,
        )
    adopted(institution, change)
    proposal = institution.at_stage("senate")
    page = signed_in(institution, "senate").get(f"/proposals/{proposal.reference}/").content.decode()
    panel = page[page.index('id="decide"') :]
    assert panel.index(sentences) < panel.index('class="choices"')
    assert "asks for a vote" not in panel.replace(sentences, "")


def test_where_one_person_decides_nothing_is_said_of_a_vote(institution: Institution) -> None:
    proposal = institution.at_stage("senate")
    page = signed_in(institution, "senate").get(f"/proposals/{proposal.reference}/").content.decode()
    assert "d-vote" not in page
