"""What a draft would have changed for one past proposal, and for all of them: cases worked out by hand, no database."""

from collections import Counter
from typing import Any

import pytest
from django.utils.translation import override

from governance.policies.rules import BodyRef, Check, Question, Requirement, Rules
from governance.policies.vocabulary import Action, AnswerKind, Effect, Outcome, UnitPlace
from tests.samples import complete_content
from tests.workflows.insights.world import (
    FROM_THE_FIRST,
    REOPENING,
    SHIPPED,
    duties,
    rules_with,
    stage,
    with_changed_stage,
    with_stage,
    without,
)
from workflows.insights.replay import Because, Comparison, Difference, Result, Tally, Time, median_time
from workflows.insights.walk import Case, Submission
from workflows.insights.words import sentence, to_complete
from workflows.proposals.content import Content
from workflows.proposals.states import State
from workflows.review.progress import Answer

HSCI = UnitPlace(code="HSCI", kind="faculty", within=("KU",))
AUTHOR, DEAN, CENTRE, COUNCIL, SENATE = 1, 2, 3, 4, 5
PERSON = {"associate-dean": DEAN, "teaching-centre": CENTRE, "undergraduate-council": COUNCIL, "senate": SENATE}
FULL = ("associate-dean", "teaching-centre", "undergraduate-council", "senate")
RETURN, DECLINE = Outcome.RETURN, Outcome.DECLINE


def said(key: str, outcome: Outcome = Outcome.APPROVE, revision: int = 1, to: str = "", by: int = 0) -> Answer:
    return Answer(key, outcome, revision, to, by or PERSON.get(key, 9))


def case(*answers: Answer, ended: State = State.APPROVED, changed: tuple[str, ...] = (), **sections: Any) -> Case:
    """A past proposal; each submission after the first changed the same fields."""
    data = complete_content()
    for section, changes in sections.items():
        data[section] |= changes
    content = Content.model_validate(data)
    last = max((answer.revision for answer in answers), default=1)
    submissions = [Submission(number, content, changed if number > 1 else ()) for number in range(1, last + 1)]
    return Case(
        reference="MC-2026-0001",
        action=Action.NEW,
        unit=HSCI,
        author=AUTHOR,
        submissions=tuple(submissions),
        answers=answers,
        stays=(),
        ended=ended,
    )


APPROVED = case(*(said(key) for key in FULL))


def under(draft: Rules, past: Case = APPROVED, *, governing: Rules = SHIPPED.rules, **times: Time) -> Difference:
    return Comparison(governing, draft, times).of(past)


def why(found: Difference) -> list[tuple[str, str, str]]:
    return [(reason.because.value, reason.key, reason.clause) for reason in found.reasons]


def stages(found: Difference) -> list[str]:
    return [opening.key for opening in found.after.acting]


# ---- routes


def test_the_same_rules_change_nothing() -> None:
    found = under(rules_with(title="Another title"))
    assert (found.result, found.reasons, found.halves) == (Result.SAME, (), 0)


def test_a_stage_lost_is_named_with_the_clause_that_is_gone() -> None:
    found = under(rules_with(**without("undergraduate-council")))
    assert (found.result, why(found)) == (Result.ROUTE, [("loses", "undergraduate-council", "4.3")])
    assert not found.reasons[0].of_draft
    assert stages(found) == ["associate-dean", "teaching-centre", "senate"]


def test_a_stage_gained_is_taken_to_approve_and_the_rest_say_what_they_said() -> None:
    draft = rules_with(**with_stage(stage("library", "secretariat", clause="4.2"), before="senate"))
    found = under(draft)
    assert (found.result, why(found)) == (Result.ROUTE, [("gains", "library", "4.2")])
    assert stages(found) == [*FULL[:3], "library", "senate"]
    assert (found.after.supposed, found.after.answers, found.after.ended) == (1, APPROVED.answers, State.APPROVED)


def test_a_proposal_that_was_declined_on_its_way_does_not_come_to_a_later_new_stage() -> None:
    draft = rules_with(**with_stage(stage("library", "secretariat"), before="senate"))
    past = case(said("associate-dean", DECLINE), ended=State.DECLINED)
    assert under(draft, past).result is Result.SAME


def test_where_the_body_that_declined_is_not_asked_it_ends_otherwise() -> None:
    past = case(
        said("associate-dean"), said("teaching-centre"), said("undergraduate-council", DECLINE), ended=State.DECLINED
    )
    found = under(rules_with(**without("undergraduate-council")), past)
    assert why(found) == [("gains", "senate", "4.5"), ("loses", "undergraduate-council", "4.3"), ("ending", "", "")]
    assert (found.reasons[2].was, found.reasons[2].says) == ("declined", "approved")
    assert stages(found) == ["associate-dean", "teaching-centre", "senate"]


def test_a_withdrawn_proposal_stops_where_no_answer_is_left() -> None:
    draft = rules_with(**with_stage(stage("library", "secretariat"), before="teaching-centre"))
    past = case(said("associate-dean"), ended=State.WITHDRAWN)
    found = under(draft, past)
    assert stages(found) == ["associate-dean", "library"]
    assert why(found) == [("gains", "library", "4.1"), ("loses", "teaching-centre", "4.2")]
    assert found.after.ended is State.WITHDRAWN


def test_an_approval_that_the_draft_reopens_is_asked_for_again() -> None:
    past = case(
        said("associate-dean"),
        said("teaching-centre", RETURN),
        said("teaching-centre", revision=2),
        said("undergraduate-council", revision=2),
        said("senate", revision=2),
        changed=("resources.fee",),
    )
    found = under(rules_with(reopens=REOPENING), past)
    assert why(found) == [("once-more", "associate-dean", "4.1")]
    assert stages(found) == ["associate-dean", "teaching-centre", "associate-dean", *FULL[1:]]
    # Asked the other way round, the answers that were given stand for one fewer.
    back = under(SHIPPED.rules, past, governing=rules_with(reopens=REOPENING))
    assert why(back) == [("once-less", "associate-dean", "4.1")]


def test_beginning_again_at_the_first_stage_asks_everybody_again() -> None:
    past = case(
        *(said(key) for key in FULL[:2]),
        said("undergraduate-council", RETURN),
        *(said(key, revision=2) for key in FULL[2:]),
    )
    found = under(rules_with(resubmission=FROM_THE_FIRST), past)
    assert Counter(stages(found)) == Counter([*FULL, *FULL[:3]])
    assert {reason.because for reason in found.reasons} == {Because.ONCE_MORE}


def test_the_same_stages_in_another_order_are_another_route() -> None:
    first, second, *rest = SHIPPED.rules.route
    found = under(rules_with(route=(second, first, *rest)))
    assert (found.result, why(found)) == (Result.ROUTE, [("order", "", "")])
    assert stages(found)[:2] == ["teaching-centre", "associate-dean"]


def test_a_return_to_a_stage_that_the_draft_does_not_have_is_left_out() -> None:
    past = case(
        said("associate-dean"),
        said("teaching-centre", RETURN, to="associate-dean"),
        said("associate-dean"),
        *(said(key) for key in FULL[1:]),
    )
    found = under(rules_with(**without("associate-dean")), past)
    assert stages(found) == list(FULL[1:])
    assert found.after.ended is State.APPROVED


def test_a_body_that_is_only_informed_has_no_work_and_no_last_word() -> None:
    council = with_changed_stage("undergraduate-council", effect=Effect.DECIDE)["route"]
    route = tuple(one.model_copy(update={"effect": Effect.RECEIVE}) if one.key == "senate" else one for one in council)
    found = under(rules_with(route=route))
    assert why(found) == [("informed", "senate", "4.5"), ("decider", "undergraduate-council", "4.3")]
    assert stages(found) == list(FULL[:3])
    assert (found.reasons[1].was, found.reasons[1].says) == ("senate", "undergraduate-council")
    assert found.elsewhere == 1


def test_decisions_that_would_have_been_for_another_body_are_counted() -> None:
    draft = rules_with(**with_changed_stage("teaching-centre", body=BodyRef(kind="secretariat")))
    found = under(draft)
    assert (found.result, why(found), found.elsewhere) == (Result.ROUTE, [("body", "teaching-centre", "4.2")], 1)
    assert (found.reasons[0].was, found.reasons[0].says) == ("teaching-centre", "secretariat")


def test_an_answer_that_the_stage_may_no_longer_give_is_named() -> None:
    draft = rules_with(**with_changed_stage("associate-dean", outcomes=(Outcome.APPROVE, Outcome.RETURN)))
    assert why(under(draft, case(said("associate-dean", DECLINE), ended=State.DECLINED))) == [
        ("answer", "associate-dean", "4.1")
    ]
    assert under(draft).result is Result.SAME


# ---- before the first stage

TWO_LETTERS = Requirement(
    field="need.evidence", check=Check.AT_LEAST, number=2, says="Add two pieces of evidence", clause="3.3"
)


def test_what_was_not_asked_for_then_is_what_it_would_be_returned_for() -> None:
    draft = rules_with(requires=(*SHIPPED.rules.requires, TWO_LETTERS))
    found = under(draft)
    assert (found.result, why(found)) == (Result.RETURNED, [("gap", "need.evidence", "3.3")])
    assert found.reasons[0].says == "Add two pieces of evidence"


def test_what_was_asked_for_then_is_not_asked_again() -> None:
    """Whatever the words: without this, what an older check let through would count against the draft."""
    reworded = tuple(one.model_copy(update={"says": "Say it", "clause": "9.9"}) for one in SHIPPED.rules.requires)
    assert under(rules_with(requires=reworded), case(*APPROVED.answers, need={"purpose": ""})).result is Result.SAME


def test_a_new_requirement_that_was_met_changes_nothing() -> None:
    more = Requirement(field="need.supporters", check=Check.AT_LEAST, number=1, says="Name one", clause="3.4")
    assert under(rules_with(requires=(*SHIPPED.rules.requires, more))).result is Result.SAME


def test_a_question_that_nobody_asked_then_has_no_answer() -> None:
    question = Question(key="captions", text="Who captions it?", kind=AnswerKind.LINE, clause="3.6")
    comparison = Comparison(SHIPPED.rules, rules_with(questions=(question,)), {})
    assert [one.key for one in comparison.asked_anew.questions] == ["captions"]
    assert comparison.asked_anew.requires == ()
    (reason,) = comparison.of(APPROVED).reasons
    assert sentence(reason, {}) == "To be completed first: Answer “Who captions it?”"
    with override("fr-ca"):  # whichever language the replay ran in
        assert to_complete(reason) == "Répondez à «\u00a0Who captions it?\u00a0»"


# ---- duties kept apart


def test_one_person_at_two_stages_is_barred_at_the_second() -> None:
    past = case(said("associate-dean"), said("teaching-centre"), said("undergraduate-council", by=DEAN), said("senate"))
    lenient = rules_with(**duties(one_person_many_stages=True))
    found = under(SHIPPED.rules, past, governing=lenient)
    assert (found.result, why(found)) == (Result.BARRED, [("barred", "undergraduate-council", "8.2")])
    assert under(lenient, past, governing=lenient).result is Result.SAME


def test_what_the_rules_of_the_time_barred_already_is_no_difference() -> None:
    """A proposal that was moved to stricter rules after decisions were made."""
    past = case(said("associate-dean"), said("teaching-centre"), said("undergraduate-council", by=DEAN), said("senate"))
    assert under(SHIPPED.rules, past).result is Result.SAME


def test_who_is_barred_at_one_stage_has_not_decided_it() -> None:
    past = case(said("associate-dean"), *(said(key, by=DEAN) for key in FULL[1:]))
    found = under(SHIPPED.rules, past, governing=rules_with(**duties(one_person_many_stages=True)))
    assert [key for _because, key, _clause in why(found)] == list(FULL[1:])
    tally = Tally()
    tally.add(found)
    assert tally.decisions_barred == 3


def test_an_author_who_decided_is_barred() -> None:
    past = case(said("associate-dean", by=AUTHOR), *(said(key) for key in FULL[1:]))
    found = under(SHIPPED.rules, past, governing=rules_with(**duties(author_may_decide=True)))
    assert why(found) == [("barred", "associate-dean", "8.1")]


def test_deciding_at_one_stage_twice_is_no_second_stage() -> None:
    past = case(
        said("associate-dean"),
        said("teaching-centre", RETURN),
        *(said(key, revision=2) for key in FULL[1:]),
    )
    found = under(SHIPPED.rules, past, governing=rules_with(**duties(one_person_many_stages=True)))
    assert found.result is Result.SAME


def test_a_decision_at_a_stage_that_is_gone_bars_nobody_later() -> None:
    past = case(said("associate-dean", by=SENATE), *(said(key) for key in FULL[1:]))
    draft = rules_with(**without("associate-dean"))
    found = under(draft, past, governing=rules_with(**duties(one_person_many_stages=True)))
    assert Because.BARRED not in {reason.because for reason in found.reasons}


# ---- time


@pytest.mark.parametrize(
    ("days", "halves", "stays"),
    [({5: 1}, 10, 1), ({3: 1, 4: 1}, 7, 2), ({1: 2, 9: 1}, 2, 3), ({0: 1, 2: 1, 8: 2}, 10, 4)],
)
def test_the_median_time_of_a_stage_with_how_many_stays_it_rests_on(
    days: dict[int, int], halves: int, stays: int
) -> None:
    assert median_time(days) == Time(halves=halves, stays=stays)


TIMES = {
    "associate-dean": Time(halves=10, stays=4),
    "teaching-centre": Time(halves=13, stays=4),
    "undergraduate-council": Time(halves=20, stays=4),
    "senate": Time(halves=30, stays=4),
}


def test_elapsed_time_changes_by_the_median_of_what_is_lost() -> None:
    found = Comparison(SHIPPED.rules, rules_with(**without("undergraduate-council")), TIMES).of(APPROVED)
    assert (found.halves_before, found.halves_after, found.halves) == (73, 53, -20)


def test_a_stage_that_nobody_ever_came_to_takes_its_due_days() -> None:
    draft = rules_with(**with_stage(stage("library", "secretariat", days=7), before="senate"))
    assert Comparison(SHIPPED.rules, draft, TIMES).of(APPROVED).halves == 14


def test_stages_side_by_side_take_as_long_as_the_longest() -> None:
    together = {"associate-dean", "teaching-centre"}
    route = tuple(
        one.model_copy(update={"wave": "first" if one.key in together else None}) for one in SHIPPED.rules.route
    )
    found = Comparison(SHIPPED.rules, rules_with(route=route), TIMES).of(APPROVED)
    assert found.halves == -10
    assert why(found) == [("order", "", "")]


# ---- in sum


def test_a_tally_counts_each_proposal_once_and_reads_back_as_it_was_kept() -> None:
    draft = rules_with(**without("undergraduate-council"), requires=(*SHIPPED.rules.requires, TWO_LETTERS))
    graduate = case(
        said("associate-dean"),
        said("teaching-centre"),
        said("graduate-council"),
        said("senate"),
        summary={"level": "graduate"},
    )
    enough = complete_content()["need"]["evidence"] * 2
    same = case(*graduate.answers, summary={"level": "graduate"}, need={"evidence": enough})
    tally = Tally()
    for past in (APPROVED, graduate, same):
        tally.add(Comparison(SHIPPED.rules, draft, TIMES).of(past))
    assert (tally.cases, tally.results) == (3, {"route": 1, "returned": 1, "same": 1})
    assert tally.different == 2
    assert tally.marks == {"loses:undergraduate-council": 1, "gap:need.evidence": 2}
    assert tally.bodies["undergraduate-council"].model_dump() == {"before": 1, "after": 0, "more": 0, "fewer": 1}
    assert tally.bodies["senate"].model_dump() == {"before": 3, "after": 3, "more": 0, "fewer": 0}
    assert (tally.faster, tally.slower, tally.incomplete) == (1, 0, 2)
    assert Tally.model_validate_json(tally.model_dump_json()) == tally
