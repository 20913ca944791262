"""The institution's own questions: asked where the policy says so, answered in the editor, read by reviewers, and kept
when a later version asks something else."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from governance import clock
from governance.policies.rules import Question
from governance.policies.vocabulary import AnswerKind
from governance.refusals import Incomplete
from tests.conftest import Institution
from tests.samples import complete_content
from tests.versions import Change, adopted
from workflows.proposals.actions import save_section
from workflows.proposals.content import FURTHER, Content
from workflows.proposals.display import section, sections
from workflows.proposals.forms import SectionForm
from workflows.proposals.models import DraftSection, Proposal
from workflows.review import actions

from .typed import typed_in

OWNER: dict[str, Any] = {
    "key": "owner",
    "text": "Who owns the teaching materials?",
    "hint": "The unit, the instructor, or both.",
    "kind": "line",
    "clause": "9.9",
}
INDIGENOUS: dict[str, Any] = {
    "key": "elders-asked",
    "text": "Were Elders asked?",
    "kind": "yes-no",
    "when": {"field": "level", "is": "undergraduate"},
    "clause": "9.9",
}
SEATS: dict[str, Any] = {
    "key": "seats",
    "text": "How many seats are kept for partners?",
    "kind": "number",
    "clause": "9.9",
}
CAMPUS: dict[str, Any] = {
    "key": "campus",
    "text": "On which campus?",
    "kind": "choice",
    "choices": ["Peterborough", "Durham", "Online", "Elsewhere"],
    "required": False,
    "clause": "9.9",
}
STORY: dict[str, Any] = {
    "key": "version",
    "text": "What came before it?",
    "kind": "text",
    "required": False,
    "clause": "9.9",
}


def asks(*questions: dict[str, Any]) -> Change:
    def change(rules: dict[str, Any]) -> None:
        rules["questions"] = list(questions)

    return change


def client_of(place: Institution, key: str = "author") -> Client:
    client = Client()
    client.force_login(place.person(key))
    return client


def editor(proposal: Proposal, part: str = FURTHER) -> str:
    return reverse("proposal-edit", args=[proposal.reference, part])


def stored(proposal: Proposal) -> dict[str, str]:
    return {one.key: one.answer for one in Proposal.objects.get(pk=proposal.pk).draft_content().further.answers}


def answer(place: Institution, proposal: Proposal, **answers: str) -> None:
    """The author answers in the editor."""
    client = client_of(place)
    html = client.get(editor(proposal)).content.decode()
    data = typed_in(html, **{f"q-{key.replace('_', '-')}": words for key, words in answers.items()})
    assert client.post(editor(proposal), data).status_code == 302


# ---- where they are asked


def test_without_questions_there_is_no_such_section(institution: Institution) -> None:
    proposal = institution.draft()
    client = client_of(institution)
    assert client.get(editor(proposal)).status_code == 404
    html = client.get(editor(proposal, "credential")).content.decode()
    assert ("Further questions" in html, "10 of 10 sections done" in html) == (False, True)
    assert "Save and go to Files" in html


def test_a_question_is_one_more_section_with_its_hint_and_its_clause(institution: Institution) -> None:
    proposal = institution.draft()
    adopted(institution, asks(OWNER, CAMPUS))
    client = client_of(institution)
    html = client.get(editor(proposal)).content.decode()
    for words in (
        "10 of 11 sections done",
        "Who owns the teaching materials?",
        "The unit, the instructor, or both.",
        "The University may ask further questions.",
        "Answer “Who owns the teaching materials?”",
        'href="#id_q-owner"',
        'id="id_q-owner"',
    ):
        assert words in html
    assert html.index("On which campus?") < html.index("(optional)")
    assert "Save and go to Further questions" in client.get(editor(proposal, "credential")).content.decode()


def test_a_condition_decides_whether_it_is_asked(institution: Institution) -> None:
    adopted(institution, asks(INDIGENOUS))
    graduate = institution.draft(content=complete_content(level="graduate"))
    undergraduate = institution.draft()
    client = client_of(institution)
    assert client.get(editor(graduate)).status_code == 404
    assert client.get(editor(undergraduate)).status_code == 200


# ---- answering


def test_each_kind_of_answer_is_kept_in_its_form(institution: Institution) -> None:
    adopted(institution, asks(OWNER, INDIGENOUS, SEATS, CAMPUS, STORY))
    proposal = institution.draft()
    answer(
        institution, proposal, owner=" The unit ", elders_asked="yes", seats="007", campus="Durham", version="A\r\nB"
    )
    assert stored(proposal) == {
        "owner": "The unit",
        "elders-asked": "yes",
        "seats": "7",
        "campus": "Durham",
        "version": "A\nB",
    }
    kept = DraftSection.objects.get(proposal=proposal, key=FURTHER).data["answers"][0]
    assert kept == {"key": "owner", "kind": "line", "question": OWNER["text"], "answer": "The unit"}
    html = client_of(institution).get(editor(proposal)).content.decode()
    assert typed_in(html)["q-elders-asked"] == "yes"
    assert 'value="The unit"' in html


@pytest.mark.parametrize(
    ("name", "typed", "sentence"),
    [
        ("q-seats", "seven", "takes a whole number, such as 36"),
        ("q-campus", "Toronto", "takes one of the answers offered"),
        ("q-owner", "x" * 301, "is too long: it has 301 characters, and 300 fit"),
    ],
)
def test_an_answer_of_the_wrong_form_is_shown_with_what_is_wrong(
    institution: Institution, name: str, typed: str, sentence: str
) -> None:
    adopted(institution, asks(OWNER, SEATS, CAMPUS))
    proposal = institution.draft()
    client = client_of(institution)
    data = typed_in(client.get(editor(proposal)).content.decode(), **{name: typed})
    response = client.post(editor(proposal), data)
    assert (response.status_code, sentence in response.content.decode()) == (422, True)
    assert stored(proposal) == {}


def test_an_answer_taken_out_is_no_answer(institution: Institution) -> None:
    adopted(institution, asks(OWNER))
    proposal = institution.draft()
    answer(institution, proposal, owner="The unit")
    answer(institution, proposal, owner=" ")
    assert stored(proposal) == {}


WORDS = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=40).map(str.strip)
BY_KIND: dict[str, st.SearchStrategy[str]] = {
    "line": WORDS,
    "text": WORDS,
    "number": st.integers(-(10**9), 10**9).map(str),
    "yes-no": st.sampled_from(["yes", "no"]),
    "choice": st.sampled_from(["Durham", "Online", ""]),
}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(sorted(BY_KIND)).flatmap(lambda kind: st.tuples(st.just(kind), BY_KIND[kind], st.booleans())),
        max_size=5,
    )
)
def test_answers_go_through_the_form_unchanged(found: Sequence[tuple[str, str, bool]]) -> None:
    questions, answers = [], []
    for number, (kind, words, is_asked) in enumerate(found):
        choices = ("Durham", "Online") if kind == "choice" else ()
        question = Question(
            key=f"q{number}", text=f"Question {number}?", kind=AnswerKind(kind), choices=choices, clause="9.9"
        )
        if is_asked:
            questions.append(question)
        if words:
            answers.append({"key": question.key, "kind": kind, "question": question.text, "answer": words})
    content = Content.model_validate({FURTHER: {"answers": answers}})

    def shown(form: SectionForm) -> str:
        return render_to_string("proposals/body.html", {"form": form})

    form = SectionForm(FURTHER, content, questions=questions)
    again = SectionForm(FURTHER, content, questions=questions, data=typed_in(shown(form)))
    assert again.is_valid(), [field.errors for field in again.errors]
    kept = {one.key: one for one in again.part().answers}  # type: ignore[attr-defined]
    assert kept == {one.key: one for one in content.further.answers}


# ---- what is missing


def test_a_required_question_keeps_the_proposal_from_being_sent(institution: Institution) -> None:
    adopted(institution, asks(OWNER, CAMPUS))
    proposal = institution.draft()
    with pytest.raises(Incomplete) as no:
        actions.submit(actor=proposal.author, proposal=proposal, seen=proposal.version)
    assert no.value.gaps == {"further.owner": "Answer “Who owns the teaching materials?” (clause 9.9)"}
    html = client_of(institution).get(reverse("proposal-check", args=[proposal.reference])).content.decode()
    assert f'href="{editor(proposal)}#id_q-owner">Answer “Who owns the teaching materials?”</a>' in html
    assert "#c9.9" in html
    answer(institution, proposal, owner="The unit")
    revision = actions.submit(actor=proposal.author, proposal=proposal, seen=proposal.version)
    assert [one.answer for one in revision.content.further.answers] == ["The unit"]


def test_reviewers_see_a_required_question_among_the_checks(institution: Institution) -> None:
    adopted(institution, asks(OWNER))
    proposal = institution.draft()
    answer(institution, proposal, owner="The unit")
    actions.submit(actor=proposal.author, proposal=proposal, seen=proposal.version)
    html = client_of(institution, "ad-hsci").get(reverse("proposal", args=[proposal.reference])).content.decode()
    checks = html[html.index("system checks pass") :]
    assert "Answer “Who owns the teaching materials?”" in checks


# ---- how they are read


def sent_again(proposal: Proposal, place: Institution, **answers: str) -> Proposal:
    place.return_for_changes(proposal)
    answer(place, proposal, **answers)
    proposal = Proposal.objects.get(pk=proposal.pk)
    actions.submit(actor=proposal.author, proposal=proposal, seen=proposal.version)
    return Proposal.objects.get(pk=proposal.pk)


def test_answers_are_a_section_of_the_proposal_with_what_changed(institution: Institution) -> None:
    adopted(institution, asks(OWNER, INDIGENOUS, STORY))
    proposal = institution.draft()
    answer(institution, proposal, owner="The unit", elders_asked="no")
    actions.submit(actor=proposal.author, proposal=proposal, seen=proposal.version)
    address = reverse("proposal", args=[proposal.reference])
    html = client_of(institution, "ad-hsci").get(address).content.decode()
    assert "11. Further questions" in html
    assert "<dt>Were Elders asked?</dt><dd>No</dd>" in html
    proposal = sent_again(
        proposal, institution, owner="The unit and the instructor", elders_asked="yes", version="A trial"
    )
    revision = proposal.current_revision
    assert revision is not None
    assert (revision.changed_sections, revision.changed_fields) == ([FURTHER], ["further.answers"])
    html = client_of(institution, "ad-hsci").get(address).content.decode()
    assert "The unit<ins> and the instructor</ins>" in html
    assert "<del>No</del><ins>Yes</ins>" in html
    assert "1 of 12 sections changed" in html
    for sentence in (
        "Were Elders asked?: “No” was replaced by “Yes”.",
        "What came before it?: “A trial” was added.",
    ):
        assert sentence in html


def test_a_document_without_answers_has_no_such_section() -> None:
    content = Content.model_validate(complete_content())
    assert FURTHER not in [view.key for view in sections(content)]


def test_an_answer_that_was_taken_out_is_struck_out() -> None:
    given = {"key": "owner", "kind": "line", "question": "Who owns it?", "answer": "The unit"}
    view = section(FURTHER, Content(), Content.model_validate({FURTHER: {"answers": [given]}}))
    assert view.changes == ("Who owns it?: “The unit” was removed.",)


def test_the_same_answer_to_a_question_put_in_other_words_has_the_new_words() -> None:
    old = {"key": "owner", "kind": "line", "question": "Who owns it?", "answer": "The unit"}
    new = old | {"question": "Who owns the materials?"}
    before, after = (Content.model_validate({FURTHER: {"answers": [one]}}) for one in (old, new))
    view = section(FURTHER, after, before)
    assert "Who owns the materials?" in repr(view.blocks)
    assert view.changes == ()


# ---- later versions


def test_what_a_later_version_does_not_ask_stays_stored_and_shown(institution: Institution) -> None:
    adopted(institution, asks(OWNER, SEATS))
    proposal = institution.draft()
    answer(institution, proposal, owner="The unit", seats="4")
    with clock.at(clock.now() + timedelta(days=1)):
        adopted(institution, asks(SEATS, CAMPUS))
        html = client_of(institution).get(editor(proposal)).content.decode()
        assert "q-owner" not in html
        kept = html[html.index("Answered before and not asked now") :]
        assert "Who owns the teaching materials?" in kept and "The unit" in kept
        answer(institution, proposal, seats="5")
        assert stored(proposal) == {"owner": "The unit", "seats": "5"}
        actions.submit(actor=proposal.author, proposal=proposal, seen=proposal.version)
        html = client_of(institution, "ad-hsci").get(reverse("proposal", args=[proposal.reference])).content.decode()
        assert "<dt>Who owns the teaching materials?</dt><dd>The unit</dd>" in html


def test_a_choice_that_is_not_offered_any_more_is_asked_for_again(institution: Institution) -> None:
    adopted(institution, asks(CAMPUS))
    proposal = institution.draft()
    answer(institution, proposal, campus="Elsewhere")
    with clock.at(clock.now() + timedelta(days=1)):
        adopted(institution, asks(CAMPUS | {"choices": ["Peterborough", "Durham"]}))
        with pytest.raises(Incomplete) as no:
            actions.submit(actor=proposal.author, proposal=proposal, seen=proposal.version)
        assert list(no.value.gaps) == ["further.campus"]
        assert "1 to fix" in client_of(institution).get(editor(proposal)).content.decode()


def test_a_changed_answer_can_reopen_an_approval(institution: Institution) -> None:
    def change(rules: dict[str, Any]) -> None:
        asks(OWNER)(rules)
        rules["reopens"] = [{"fields": ["further"], "stages": ["associate-dean"], "clause": "9.9"}]

    adopted(institution, change)
    proposal = institution.draft()
    answer(institution, proposal, owner="The unit")
    actions.submit(actor=proposal.author, proposal=proposal, seen=proposal.version)
    institution.approve(proposal)
    proposal = sent_again(proposal, institution, owner="The instructor")
    assert institution.item(proposal).stage_key == "associate-dean"
    html = client_of(institution, "ad-hsci").get(reverse("proposal", args=[proposal.reference])).content.decode()
    assert "“Further questions” changed, so “Associate Dean” is asked again (clause 9.9)." in html


# ---- two tabs


def test_answers_saved_elsewhere_stand_beside_those_typed(institution: Institution) -> None:
    adopted(institution, asks(OWNER))
    proposal = institution.draft()
    client = client_of(institution)
    opened = client.get(editor(proposal)).content.decode()
    answer(institution, proposal, owner="The unit")
    response = client.post(editor(proposal), typed_in(opened, **{"q-owner": "The instructor"}))
    html = response.content.decode()
    assert response.status_code == 409
    assert "The unit" in html and "The instructor" in html
    assert client.post(editor(proposal), typed_in(html, choose="typed")).status_code == 302
    assert stored(proposal) == {"owner": "The instructor"}


def test_a_new_draft_has_room_for_answers(institution: Institution) -> None:
    proposal = institution.draft()
    part = DraftSection.objects.get(proposal=proposal, key=FURTHER)
    assert part.data == {"answers": []}
    given = {"key": "owner", "kind": "line", "question": "Who?", "answer": "The unit"}
    save_section(actor=proposal.author, proposal=proposal, section=FURTHER, data={"answers": [given]}, seen=0)
    assert stored(proposal) == {"owner": "The unit"}
