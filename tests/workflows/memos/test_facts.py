"""What a memo says of a decision."""

from base64 import b64decode
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from governance import clock
from governance.audit.actions import checkpoint_over
from governance.audit.canonical import canonical_bytes
from governance.audit.models import Checkpoint, Event, Leaf
from governance.audit.queries import keys_of_log
from governance.audit.verifier import InclusionProof, signatures_that_hold
from governance.people.models import Body
from tests.conftest import Institution
from tests.samples import complete_content
from workflows.memos.actions import set_number_aside
from workflows.memos.facts import MemoFacts, SetCondition, Step
from workflows.memos.gathering import gather
from workflows.proposals.models import Proposal
from workflows.review import actions as review
from workflows.review.actions import NewCondition
from workflows.review.models import Decision

pytestmark = pytest.mark.django_db


def facts_of(decision: Decision) -> MemoFacts:
    set_number_aside(decision)
    checkpoint = checkpoint_over(Event.objects.get(pk=decision.event_number))
    return gather(decision, checkpoint=checkpoint, certificate=None)


def on(month: int, day: int) -> datetime:
    return datetime(2026, month, day, 15, 0, tzinfo=UTC)


def walked(institution: Institution) -> list[Decision]:
    """Approved by all, after the teaching centre returned it once, on days of the autumn of 2026."""
    with clock.at(on(9, 1)):
        proposal = institution.submitted()
    with clock.at(on(9, 9)):
        institution.approve(proposal)
    with clock.at(on(9, 28)):
        institution.return_for_changes(proposal)
    proposal = Proposal.objects.get(pk=proposal.pk)
    with clock.at(on(10, 2)):
        review.submit(actor=proposal.author, proposal=proposal, seen=proposal.version)
    for day in (15, 20, 29):
        with clock.at(on(10, day)):
            institution.approve(proposal)
    return list(Decision.objects.filter(proposal=proposal).order_by("pk"))


def test_memo_of_the_deciding_body(institution: Institution) -> None:
    decision = walked(institution)[-1]
    facts = facts_of(decision)
    assert (facts.heading, facts.verdict, facts.motion_heading) == ("Decision memorandum", "Approved", "Decision")
    assert facts.number == "SENATE-2026-001"
    assert facts.title == "Applied Data Stewardship for Community Health"
    assert facts.motion.before == "That Senate approve the micro-credential "
    assert facts.motion.after == (
        ", proposed by Faculty of Health Sciences, for first offering in January 2027, under clause 4.5 of the policy."
    )
    assert facts.answer == "So decided for Senate by Amara Nwosu, Chair of Senate."
    assert facts.to.who == "Nadia Rahimi, Associate Professor"
    assert facts.copies == (
        "Associate Dean, Health Sciences",
        "Centre for Teaching and Learning",
        "Undergraduate Council",
    )
    assert facts.decided_on == date(2026, 10, 29)
    assert facts.next_step == ("This is the last decision that the policy asks for. No other approval is needed.",)
    assert facts.content_heading == "What was approved"
    assert facts.event_number == decision.event_number
    assert facts.revision_digest == decision.revision.digest
    assert facts.policy_digest == decision.policy_version.digest
    assert facts.address_of_memo == "http://localhost:8000/memos/SENATE-2026-001.pdf"
    assert ("Class", "For academic credit, Undergraduate, 1.0 units") in facts.terms
    assert ("Length", "36 contact hours, 9 weeks, first offered 11 January 2027") in facts.terms
    assert [outcome.assessed_by for outcome in facts.outcomes] == [
        ("Data map, 40%",),
        ("Data map, 40%",),
        ("Oral defence, 60%",),
    ]
    assert all(question.confirmed for question in facts.checklist)


def test_route_so_far_ends_with_the_memos_own_decision(institution: Institution) -> None:
    decisions = walked(institution)
    steps = [facts_of(decision).route for decision in decisions]
    assert [len(each) for each in steps] == [1, 2, 3, 4, 5]
    centre = Step(
        stage="Centre for Teaching and Learning",
        body="Centre for Teaching and Learning",
        person="Priya Venkataraman",
        answer="Returned for changes",
        submission=1,
        on=date(2026, 9, 28),
        days_taken=13,
        days_allowed=10,
    )
    assert steps[-1][1] == centre
    # 12 October 2026 is Thanksgiving.
    assert steps[-1][2] == replace(centre, answer="Approved", submission=2, on=date(2026, 10, 15), days_taken=8)


def test_memo_made_late_says_the_same(institution: Institution) -> None:
    proposal = institution.submitted()
    decision = institution.approve(proposal)
    before = facts_of(decision)
    institution.approve(proposal)
    institution.return_for_changes(proposal, to_stage="associate-dean")
    assert facts_of(decision) == before
    assert canonical_bytes(facts_of(decision).as_json()) == canonical_bytes(before.as_json())


def test_place_in_the_log_is_that_of_the_record_and_the_proof(institution: Institution) -> None:
    decision = institution.approve(institution.submitted())
    with clock.at(on(9, 9)):
        facts = facts_of(decision)
    event, checkpoint = Event.objects.get(pk=decision.event_number), Checkpoint.objects.get()
    proof = InclusionProof.parse(facts.proof)
    assert facts.record.encode() == bytes(event.body)
    assert proof.holds_for(facts.record.encode())
    assert not proof.holds_for(facts.record.encode() + b" ")
    assert len(signatures_that_hold(proof.checkpoint.note, keys_of_log())) == 1
    assert (facts.place.index, proof.index) == (Leaf.objects.get(event=event).index, facts.place.index)
    assert (facts.place.log, facts.place.size, facts.place.signed_at) == ("localhost/record", checkpoint.size, on(9, 9))
    assert b64decode(facts.place.root) == bytes(checkpoint.root)
    assert facts.address_to_check == f"http://localhost:8000/verify/{facts.number}/"


def test_record_names_nobody_in_the_open(institution: Institution) -> None:
    facts = facts_of(institution.approve(institution.submitted()))
    assert facts.sender.name == "Marc Lavoie"
    assert "Lavoie" not in facts.record
    assert "commitment" in facts.record


def test_recommendation_names_who_decides_and_who_is_next(institution: Institution) -> None:
    facts = facts_of(institution.approve(institution.submitted()))
    assert (facts.heading, facts.verdict) == ("Memorandum of recommendation", "Recommended for approval")
    assert facts.motion.before == (
        "That Associate Dean, Health Sciences recommend that Senate approve the micro-credential "
    )
    assert facts.answer == (
        "So recommended for Associate Dean, Health Sciences by Marc Lavoie, Associate Dean (Academic)."
    )
    assert facts.next_step == (
        "The proposal is now with Centre for Teaching and Learning, which has 10 working days to answer.",
    )
    assert facts.copies == ("Centre for Teaching and Learning",)
    assert facts.content_heading == "What was recommended"


def test_conditions_in_their_order(institution: Institution) -> None:
    decision = institution.approve(
        institution.at_stage("senate"),
        conditions=[
            NewCondition(text="Confirm the fee.", due_on=date(2026, 11, 30), owner="Finance"),
            NewCondition(text="Name an assessor."),
        ],
    )
    facts = facts_of(decision)
    assert facts.verdict == "Approved, with 2 conditions"
    assert facts.motion.after.endswith(", subject to the conditions below.")
    assert facts.conditions == (
        SetCondition(number=1, text="Confirm the fee.", due_on=date(2026, 11, 30), owner="Finance"),
        SetCondition(number=2, text="Name an assessor.", due_on=None, owner=""),
    )
    assert facts.next_step[-1] == "The conditions above are to be met."


def test_return_to_the_author(institution: Institution) -> None:
    decision = institution.return_for_changes(
        institution.at_stage("teaching-centre"), reasons="Say how.\r\n\r\nAnd when,\nif known."
    )
    facts = facts_of(decision)
    assert (facts.heading, facts.verdict) == ("Decision memorandum", "Returned for changes")
    assert facts.motion_heading == "What was asked"
    assert facts.reasons == ("Say how.", "And when,\nif known.")
    assert facts.answer.endswith("did not put this forward and returned the proposal for the reasons below.")
    assert facts.next_step == (
        "The author may change the proposal and send it again. It then comes back to this stage.",
    )
    assert facts.content_heading == "What was proposed"
    assert not any(question.confirmed for question in facts.checklist)


def test_return_to_an_earlier_stage(institution: Institution) -> None:
    facts = facts_of(institution.return_for_changes(institution.at_stage("senate"), to_stage="teaching-centre"))
    assert facts.route[-1].answer == "Returned to “Centre for Teaching and Learning”"
    assert facts.next_step[0].startswith("The proposal is with the stage “Centre for Teaching and Learning” again")


def test_decline(institution: Institution) -> None:
    proposal = institution.submitted()
    item = institution.item(proposal)
    decision = review.decline(
        actor=institution.person("ad-hsci"), item=item, seen=proposal.version, reasons="It repeats a course."
    )
    facts = facts_of(decision)
    assert (facts.verdict, facts.outcome) == ("Declined", "decline")
    assert facts.next_step[0].startswith("The proposal ends here.")
    assert facts.copies == ()


def test_letterhead_has_the_bodys_lines(institution: Institution) -> None:
    Body.objects.filter(code="AD-HSCI").update(address="Room 204\r\n\r\n1600 West Bank Drive", email="ad@example.edu")
    facts = facts_of(institution.approve(institution.submitted()))
    assert facts.address == ("Room 204", "1600 West Bank Drive", "ad@example.edu")


def test_french_proposal_is_marked_and_the_memo_keeps_its_language(institution: Institution) -> None:
    content = complete_content(language="fr", title="Gérance des données de santé")
    facts = facts_of(institution.approve(institution.submitted(content=content)))
    assert (facts.lang, facts.content_lang) == ("en-CA", "fr")
    assert facts.title == "Gérance des données de santé"


def test_what_cannot_be_printed_is_left_out_of_the_words(institution: Institution) -> None:
    content = complete_content(title="Data\u202edetsurT\x07 care")
    reasons = "Good.\x07\u2066 Yes.\u2029\u2028And\x85soon."
    facts = facts_of(institution.approve(institution.submitted(content=content), reasons=reasons))
    assert facts.title == "Data detsurT care"
    assert facts.reasons == ("Good.   Yes.", "And\nsoon.")
