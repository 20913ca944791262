"""Moving proposals to another policy version: the plan says what will happen, and that is what happens, or nothing."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.translation import override
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from governance import clock
from governance.audit.models import Event
from governance.audit.queries import events_of
from governance.people.actions import add_person, create_body, end_mandate, give_mandate
from governance.people.duties import Duty
from governance.people.models import Mandate, User
from governance.policies.actions import begin_draft, turn_the_day
from governance.policies.models import PolicyVersion
from governance.refusals import Incomplete, NotPermitted, NotPossible, Stale
from tests.conftest import LONG_AGO, REGISTRAR, Institution, make_institution
from tests.samples import complete_content
from tests.versions import Change, adopted, stage_of
from tests.workflows.review.test_permission_matrix import bring_to
from workflows.notices.models import Outbox
from workflows.proposals.actions import create_proposal, save_section
from workflows.proposals.models import DraftSection, Proposal
from workflows.proposals.states import State
from workflows.review import actions
from workflows.review.models import Decision, WorkItem
from workflows.review.moves import Move, Trouble
from workflows.review.moving import plan, proposals_named
from workflows.review.permits import Act, refusal
from workflows.review.progress import standing_approvals
from workflows.review.queries import answers_of, changes_of, open_items, route_of, standing
from workflows.review.tasks import write_letter

REASON = "Senate asked for the new route to apply at once."


def without_councils(rules: dict[str, Any]) -> None:
    """Version 2 of most tests: the councils go, and the centre answers in five days."""
    rules["route"] = [stage for stage in rules["route"] if not stage["key"].endswith("council")]
    stage_of(rules, "teaching-centre")["due"]["working_days"] = 5


def council_decides(rules: dict[str, Any]) -> None:
    """The centre comes before the Associate Dean, the council decides, and nobody comes after it."""
    rules["route"] = rules["route"][:3]
    rules["route"][2].update(effect="decide", when=None)
    rules["route"][0], rules["route"][1] = rules["route"][1], rules["route"][0]


def planned(version: PolicyVersion, *proposals: Proposal) -> tuple[Move, ...]:
    return plan(proposals_named([proposal.reference for proposal in proposals]), version).moves


def move(institution: Institution, version: PolicyVersion, *proposals: Proposal, **given: Any) -> list[Proposal]:
    """The administrator looks at the plan and confirms it."""
    chosen = proposals_named([proposal.reference for proposal in proposals])
    given = {"actor": institution.person("administrator"), "reason": REASON} | given
    given.setdefault("plan_digest", plan(chosen, version).digest)
    return actions.move(proposals=chosen, version=version, **given)


def held_by(proposal: Proposal) -> list[str]:
    return [item.stage_key for item in open_items(proposal)]


def again(proposal: Proposal) -> Proposal:
    return Proposal.objects.get(pk=proposal.pk)


def edit(proposal: Proposal, section: str, **fields: Any) -> None:
    draft = DraftSection.objects.get(proposal=proposal, key=section)
    data = draft.data | fields
    save_section(actor=proposal.author, proposal=proposal, section=section, data=data, seen=draft.version)


# ---- what a plan says


def test_a_stage_that_is_gone_passes_its_proposal_on(institution: Institution) -> None:
    proposal = institution.at_stage("undergraduate-council")
    version = adopted(institution, without_councils)
    (step,) = planned(version, proposal)
    assert [(held.stage, held.body) for held in step.leaves] == [("undergraduate-council", "Undergraduate Council")]
    assert [(one.stage, one.body, one.stays) for one in step.landing] == [("senate", "Senate", False)]
    assert [(one.stage, one.by, one.submission) for one in step.kept] == [
        ("associate-dean", "Marc Lavoie", 1),
        ("teaching-centre", "Priya Venkataraman", 1),
    ]
    assert (step.lost, step.restored, step.problems) == ((), (), ())
    assert ([person.name for person in step.gaining], [person.name for person in step.losing]) == (
        [],
        ["Louis Beaudry"],
    )


def test_an_approval_whose_stage_is_gone_is_lost(institution: Institution) -> None:
    proposal = institution.at_stage("senate")
    version = adopted(institution, without_councils)
    (step,) = planned(version, proposal)
    assert [one.stage for one in step.lost] == ["undergraduate-council"]
    assert step.gone == {"undergraduate-council"}
    assert [one.stays for one in step.landing] == [True]


def test_an_approval_that_the_new_rules_would_have_reopened_is_lost(institution: Institution) -> None:
    proposal = institution.at_stage("teaching-centre")
    institution.return_for_changes(proposal)
    edit(proposal, "resources", fee=990)
    proposal = again(proposal)
    actions.submit(actor=proposal.author, proposal=proposal, seen=proposal.version)

    def fee_reopens(rules: dict[str, Any]) -> None:
        rules["reopens"] = [{"fields": ["resources.fee"], "stages": ["associate-dean"], "clause": "7.6"}]

    version = adopted(institution, fee_reopens)
    (step,) = planned(version, proposal)
    assert ([one.stage for one in step.lost], step.gone) == (["associate-dean"], frozenset())
    assert [one.stage for one in step.landing] == ["associate-dean"]
    assert [person.name for person in step.gaining] == ["Marc Lavoie"]
    move(institution, version, proposal)
    assert held_by(proposal) == ["associate-dean"]


def test_a_stage_given_to_another_body_is_left_for_it(institution: Institution) -> None:
    office = create_body(
        actor=REGISTRAR, code="QO", kind="quality-office", name="Quality Office", short_name="Quality",
        unit=institution.units["KU"],
    )  # fmt: skip
    person = add_person(actor=REGISTRAR, email="quality@kawartha.example", name="Ines Duarte")
    give_mandate(actor=REGISTRAR, person=person, body=office, duty=Duty.OFFICER, starts_on=LONG_AGO)
    proposal = institution.at_stage("teaching-centre")

    def to_the_office(rules: dict[str, Any]) -> None:
        stage_of(rules, "teaching-centre")["body"]["kind"] = "quality-office"

    version = adopted(institution, to_the_office)
    (step,) = planned(version, proposal)
    assert [(one.stage, one.body, one.stays) for one in step.landing] == [("teaching-centre", "Quality Office", False)]
    assert [person.name for person in step.gaining] == ["Ines Duarte"]
    assert [person.name for person in step.losing] == ["Priya Venkataraman"]
    move(institution, version, proposal)
    assert [(item.stage_key, item.body.name) for item in open_items(proposal)] == [
        ("teaching-centre", "Quality Office")
    ]


def test_duties_kept_apart_decide_who_has_a_say(institution: Institution) -> None:
    """Somebody who decided one stage gains no say at another, though they hold its office."""
    give_mandate(
        actor=REGISTRAR,
        person=institution.people["ad-hsci"],
        body=institution.bodies["gc"],
        duty=Duty.CHAIR,
        starts_on=LONG_AGO,
    )
    proposal = institution.at_stage("teaching-centre")

    def graduate_council_too(rules: dict[str, Any]) -> None:
        stage_of(rules, "graduate-council")["when"] = None

    (step,) = planned(adopted(institution, graduate_council_too), proposal)
    assert [person.name for person in step.gaining] == ["Grace Kim"]


def test_what_the_new_version_misses_is_named_and_not_asked_for(institution: Institution) -> None:
    proposal = institution.at_stage("teaching-centre")

    def more(rules: dict[str, Any]) -> None:
        rules["requires"].append(
            {"field": "learners.enrolment", "check": "at-least", "number": 100, "says": "Expect more", "clause": "3.5"}
        )

    version = adopted(institution, more)
    (step,) = planned(version, proposal)
    assert [(gap.field, gap.says, gap.clause) for gap in step.missing] == [("learners.enrolment", "Expect more", "3.5")]
    assert step.hindrance is None
    move(institution, version, proposal)
    assert again(proposal).policy_version == version


def test_a_stage_at_which_nobody_may_decide_is_named(institution: Institution) -> None:
    proposal = institution.at_stage("teaching-centre")
    version = adopted(institution, without_councils)
    mandate = Mandate.objects.get(user=institution.people["senate"], body=institution.bodies["senate"])
    yesterday = clock.today() - timedelta(days=1)
    end_mandate(actor=REGISTRAR, mandate=mandate, ends_on=yesterday, reason="A new chair is sought")
    (step,) = planned(version, proposal)
    assert [problem.sentence for problem in step.problems] == ["Nobody may decide at the stage “Senate” today."]
    assert step.hindrance is None


@pytest.mark.parametrize(
    ("state", "trouble"),
    [
        (State.APPROVED, Trouble.ENDED),
        (State.DECLINED, Trouble.ENDED),
        (State.WITHDRAWN, Trouble.ENDED),
        (State.DRAFT, Trouble.NOT_SENT),
    ],
)
def test_what_has_ended_or_was_never_sent_cannot_be_moved(
    institution: Institution, state: State, trouble: Trouble
) -> None:
    proposal = bring_to(institution, state)
    (step,) = planned(adopted(institution, without_councils), proposal)
    assert step.hindrance is not None and step.hindrance.trouble is trouble


def test_what_is_under_the_version_already_cannot_be_moved_to_it(institution: Institution) -> None:
    version = adopted(institution, without_councils)
    (step,) = planned(version, institution.submitted())
    assert step.hindrance is not None and step.hindrance.trouble is Trouble.SAME_VERSION


def test_what_a_council_only_recommended_it_is_asked_to_decide(institution: Institution) -> None:
    proposal = institution.at_stage("senate")
    version = adopted(institution, council_decides)
    (step,) = planned(version, proposal)
    assert [one.stage for one in step.lost] == ["undergraduate-council"]
    assert [(one.stage, one.stays) for one in step.landing] == [("undergraduate-council", False)]
    move(institution, version, proposal)
    institution.approve(proposal)
    assert again(proposal).state == State.APPROVED


def test_a_move_never_decides(institution: Institution) -> None:
    """Where all that the new version asks for was given already, the move is refused instead of approving by itself."""

    def both_decide(rules: dict[str, Any]) -> None:
        stage_of(rules, "undergraduate-council").update(effect="decide", when=None)

    adopted(institution, both_decide)
    proposal = institution.at_stage("graduate-council", content=complete_content(level="graduate"))

    def without_graduate_council(rules: dict[str, Any]) -> None:
        both_decide(rules)
        rules["route"] = rules["route"][:3]

    with clock.at(clock.now() + timedelta(days=1)):
        version = adopted(institution, without_graduate_council)
        refuses(institution, version, proposal)


def refuses(institution: Institution, version: PolicyVersion, proposal: Proposal) -> None:
    (step,) = planned(version, proposal)
    assert step.hindrance is not None and step.hindrance.trouble is Trouble.NO_DECISION_LEFT
    with pytest.raises(NotPossible, match=f"{proposal.reference} cannot be moved. No stage that decides would be left"):
        move(institution, version, proposal)
    assert (again(proposal).state, held_by(proposal)) == (State.IN_REVIEW, ["graduate-council"])


def test_an_action_that_the_version_does_not_govern(institution: Institution) -> None:
    adopted(institution, lambda rules: rules.update(governs=["new", "modify"]))
    author = institution.person("author")
    source = institution.draft()
    proposal = create_proposal(actor=author, unit=institution.units["HSCI"], action="modify", title="A change")
    for part in source.draft_sections.all():
        save_section(actor=author, proposal=proposal, section=part.key, data=part.data, seen=0)
    proposal = again(proposal)
    actions.submit(actor=author, proposal=proposal, seen=proposal.version)
    assert institution.policy is not None
    (step,) = planned(institution.policy, proposal)
    assert step.hindrance is not None and step.hindrance.trouble is Trouble.NOT_GOVERNED


# ---- doing it


def test_the_record_of_a_move_is_complete(institution: Institution) -> None:
    proposal = institution.at_stage("senate")
    version = adopted(institution, without_councils)
    digest = plan(proposals_named([proposal.reference]), version).digest
    move(institution, version, proposal)
    event = events_of(proposal.subject, verbs=["proposal.moved"]).get()
    facts = event.facts
    assert event.actor_name == "Daniel Fortin"
    assert facts["reason"] == REASON
    assert facts["policy_version"] == version.label
    assert facts["revision"]["number"] == 1
    assert facts["before"] == {"state": "in_review", "stages": ["senate"], "holder": "Senate"}
    after = facts["after"]
    assert (after["from_policy"], after["policy"]) == (institution.policy.label, version.label)  # type: ignore[union-attr]
    assert (after["state"], after["stages"], after["holder"], after["plan"]) == (
        "in_review",
        ["senate"],
        "Senate",
        digest,
    )
    assert [one["stage"] for one in after["kept"]] == ["associate-dean", "teaching-centre"]
    assert after["lost"] == [
        {
            "stage": "undergraduate-council",
            "label": "Undergraduate Council",
            "body": "Undergraduate Council",
            "by": institution.people["ugc"].record_key,
            "revision": 1,
        }
    ]
    assert str(event.sentence) == f"Daniel Fortin moved the proposal from {after['from_policy']} to {version.label}."
    assert again(proposal).version == event.sequence


def test_what_stays_keeps_its_clock_and_what_comes_gets_a_new_one(institution: Institution) -> None:
    stays, comes = institution.at_stage("teaching-centre"), institution.at_stage("undergraduate-council")
    item = institution.item(stays)
    version = adopted(institution, without_councils)
    with clock.at(clock.now() + timedelta(days=3)):
        move(institution, version, stays, comes)
        kept, new = institution.item(stays), institution.item(comes)
        assert (kept.pk, kept.opened_at, kept.due_on) == (item.pk, item.opened_at, item.due_on)
        assert (new.stage_key, new.opened_at) == ("senate", clock.now())
        assert again(comes).since == clock.now()
        assert again(stays).since != clock.now()
    left = WorkItem.objects.get(proposal=comes, stage_key="undergraduate-council")
    assert (left.closing, left.get_closing_display()) == ("moved", "Ended by a move to another policy version")


def test_a_returned_proposal_stays_with_its_author_under_the_new_version(institution: Institution) -> None:
    proposal = institution.at_stage("undergraduate-council")
    institution.return_for_changes(proposal)
    version = adopted(institution, without_councils)
    (step,) = planned(version, proposal)
    assert (step.is_returned, [one.stage for one in step.landing]) == (True, ["senate"])
    move(institution, version, proposal)
    proposal = again(proposal)
    assert (proposal.state, held_by(proposal), proposal.policy_version) == (State.RETURNED, [], version)
    assert events_of(proposal.subject).last().facts["after"]["stages"] == []  # type: ignore[union-attr]
    actions.submit(actor=proposal.author, proposal=proposal, seen=proposal.version)
    assert held_by(proposal) == ["senate"]


def test_those_who_are_concerned_get_letters(institution: Institution) -> None:
    stays, comes = institution.at_stage("teaching-centre"), institution.at_stage("undergraduate-council")
    version = adopted(institution, without_councils)
    before = Outbox.objects.order_by("id").last()
    assert before is not None
    move(institution, version, stays, comes)
    for row in Outbox.objects.filter(task="review.letters", id__gt=before.pk).order_by("id"):
        write_letter(**row.payload)
    mails = [row.payload for row in Outbox.objects.filter(task="notices.send_mail").order_by("id")]
    assert sorted((mail["to"].partition("@")[0], mail["subject"].partition(" ")[2]) for mail in mails) == [
        ("author", "was moved to another policy version"),
        ("author", "was moved to another policy version"),
        ("senate", f"waits for you: {comes.title}"),
        ("ugc", "does not wait for you any more"),
    ]
    said = f"Daniel Fortin moved {stays.title} to {version.label}."
    to_author = [mail["text"] for mail in mails if mail["to"].startswith("author")]
    assert all(said in text and REASON in text for text in to_author)


def test_a_stage_that_only_receives_is_told_on_the_way(institution: Institution) -> None:
    proposal = institution.at_stage("undergraduate-council")

    def registry_receives(rules: dict[str, Any]) -> None:
        without_councils(rules)
        told = {"key": "graduate-council", "label": "Graduate Council", "clause": "4.4", "effect": "receive"}
        told |= {"body": {"kind": "graduate-council"}, "due": {"working_days": 5, "clause": "6.3"}}
        rules["route"].insert(2, told)

    version = adopted(institution, registry_receives)
    (step,) = planned(version, proposal)
    assert [(one.stage, one.informed) for one in step.landing] == [("graduate-council", True), ("senate", False)]
    move(institution, version, proposal)
    assert held_by(proposal) == ["senate"]
    assert [event.verb for event in events_of(proposal.subject)][-2:] == ["proposal.moved", "stage.received"]


def test_it_can_be_moved_back(institution: Institution) -> None:
    proposal = institution.at_stage("senate")
    version = adopted(institution, without_councils)
    move(institution, version, proposal)
    assert institution.policy is not None
    (step,) = planned(institution.policy, proposal)
    assert [one.stage for one in step.restored] == ["undergraduate-council"]
    move(institution, institution.policy, proposal)
    assert held_by(proposal) == ["senate"]
    while proposal.state == State.IN_REVIEW:
        institution.approve(proposal)
        proposal = again(proposal)
    assert proposal.state == State.APPROVED


def test_all_are_moved_or_none(institution: Institution) -> None:
    movable, blocked = institution.at_stage("teaching-centre"), institution.submitted()
    actions.withdraw(actor=blocked.author, proposal=blocked, seen=blocked.version, reason="A partner left.")
    version = adopted(institution, without_councils)
    with pytest.raises(NotPossible):
        move(institution, version, movable, blocked)
    assert again(movable).policy_version == institution.policy
    assert not Event.objects.filter(verb="proposal.moved").exists()


# ---- refusals


def test_anything_that_happened_since_makes_the_plan_stale(institution: Institution) -> None:
    first, second = institution.at_stage("teaching-centre"), institution.submitted()
    version = adopted(institution, without_councils)
    chosen = proposals_named([first.reference, second.reference])
    seen = plan(chosen, version)
    institution.approve(second)
    with pytest.raises(Stale) as no:
        move(institution, version, first, second, plan_digest=seen.digest, seen=seen.seen)
    assert [event.verb for event in no.value.changed] == ["decision.approved"]
    assert again(first).policy_version == institution.policy


def test_a_new_mandate_makes_the_plan_stale_and_says_so(institution: Institution) -> None:
    proposal = institution.at_stage("teaching-centre")
    version = adopted(institution, without_councils)
    seen = plan(proposals_named([proposal.reference]), version)
    give_mandate(
        actor=REGISTRAR,
        person=institution.people["stranger"],
        body=institution.bodies["ctl"],
        duty=Duty.REVIEWER,
        starts_on=clock.today(),
    )
    with pytest.raises(Stale, match="People, bodies or rules changed"):
        move(institution, version, proposal, plan_digest=seen.digest, seen=seen.seen)


def test_the_same_plan_in_another_order_is_the_same_plan(institution: Institution) -> None:
    first, second = institution.at_stage("teaching-centre"), institution.submitted()
    version = adopted(institution, without_councils)
    chosen = proposals_named([first.reference, second.reference])
    assert plan(chosen, version).digest == plan(reversed(chosen), version).digest


def test_a_plan_says_the_same_in_every_language(institution: Institution) -> None:
    proposal = institution.at_stage("teaching-centre")
    version = adopted(institution, without_councils)
    with override("fr-ca"):
        french = plan(proposals_named([proposal.reference]), version).digest
    assert french == plan(proposals_named([proposal.reference]), version).digest


def test_only_with_a_reason(institution: Institution) -> None:
    proposal = institution.at_stage("teaching-centre")
    version = adopted(institution, without_councils)
    with pytest.raises(Incomplete) as no:
        move(institution, version, proposal, reason="  ")
    assert list(no.value.gaps) == ["reason"]


@pytest.mark.parametrize("who", ["author", "ad-hsci", "ctl", "senate", "secretary", "observer", "stranger"])
def test_only_an_administrator(institution: Institution, who: str) -> None:
    proposal = institution.at_stage("teaching-centre")
    version = adopted(institution, without_councils)
    with pytest.raises(NotPermitted, match="Only an administrator"):
        move(institution, version, proposal, actor=institution.person(who))
    inactive = institution.person("administrator")
    inactive.is_active = False
    with pytest.raises(NotPermitted):
        move(institution, version, proposal, actor=inactive)


def test_only_to_a_version_that_governs(institution: Institution) -> None:
    proposal = institution.at_stage("teaching-centre")
    assert institution.policy is not None
    draft = begin_draft(
        actor=institution.person("drafter"), like=institution.policy, effective_from=clock.today() + timedelta(days=9)
    )
    with pytest.raises(NotPossible, match="in force or was"):
        move(institution, draft, proposal, plan_digest="")


def test_a_page_opened_before_the_move_is_stale_for_who_decides(institution: Institution) -> None:
    proposal = institution.at_stage("teaching-centre")
    item, seen = institution.item(proposal), proposal.version
    move(institution, adopted(institution, without_councils), proposal)
    with pytest.raises(Stale) as no:
        actions.approve(actor=institution.person("ctl"), item=item, seen=seen, confirmed=institution.checklist(item))
    assert [event.verb for event in no.value.changed] == ["proposal.moved"]


def test_a_plan_costs_the_same_for_one_as_for_many(institution: Institution) -> None:
    proposals = [institution.at_stage("teaching-centre") for _n in range(4)]
    version = adopted(institution, without_councils)
    costs = []
    for chosen in (proposals[:1], proposals):
        with CaptureQueriesContext(connection) as captured:
            assert len(planned(version, *chosen)) == len(chosen)
        costs.append(len(captured))
    assert costs[0] == costs[1] <= 10, costs


# ---- what the plan says is what happens, whatever happened before


def first_rules(rules: dict[str, Any]) -> None:
    rules["reopens"] = [{"fields": ["resources.fee"], "stages": ["associate-dean"], "clause": "7.6"}]


def shorter(rules: dict[str, Any]) -> None:
    without_councils(rules)
    rules["resubmission"]["resume"] = "first-stage"


def side_by_side(rules: dict[str, Any]) -> None:
    for key in ("teaching-centre", "undergraduate-council"):
        stage_of(rules, key)["wave"] = "design"
    stage_of(rules, "graduate-council").update(when=None, effect="receive", checklist=[])
    rules["reopens"] = [{"fields": ["quality"], "stages": ["teaching-centre", "associate-dean"], "clause": "7.6"}]


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["approve", "approve", "return", "send back"]),
        st.integers(0, 3),
        st.sets(st.sampled_from(["fee", "renewal"])),
    ),
    max_size=9,
)


@pytest.mark.django_db
@pytest.mark.parametrize("target", [shorter, side_by_side, council_decides])
def test_what_the_plan_says_is_what_happens(target: Change) -> None:
    place = make_institution()
    adopted(place, first_rules)
    tomorrow = clock.now() + timedelta(days=1)
    with clock.at(tomorrow):
        version = adopted(place, target)

    @settings(
        max_examples=15,
        deadline=None,
        phases=(Phase.explicit, Phase.reuse, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(histories=st.lists(ACTS, min_size=1, max_size=2))
    def holds(histories: list[list[tuple[str, int, set[str]]]]) -> None:
        with transaction.atomic():
            proposals = [walked(place, acts) for acts in histories]
            with clock.at(tomorrow):
                moved_as_planned(place, version, proposals)
            transaction.set_rollback(True)

    holds()


def walked(place: Institution, acts: list[tuple[str, int, set[str]]]) -> Proposal:
    """A proposal with a history, in review or with its author."""
    proposal = place.submitted()
    for number, (act, which, changed) in enumerate(acts):
        if proposal.state == State.RETURNED:
            if "fee" in changed:
                edit(proposal, "resources", fee=500 + number)
            if "renewal" in changed:
                edit(proposal, "quality", renewal=f"Renewal {number}")
            proposal = again(proposal)
            actions.submit(actor=proposal.author, proposal=proposal, seen=proposal.version)
        elif act == "approve" and place.item(proposal).stage_key != "senate":
            place.approve(proposal)
        else:
            earlier = route_of(proposal).before(place.item(proposal).stage_key) if act == "send back" else ()
            to_stage = earlier[which % len(earlier)].key if earlier else ""
            place.return_for_changes(proposal, to_stage=to_stage)
        proposal = again(proposal)
    return proposal


def moved_as_planned(place: Institution, version: PolicyVersion, proposals: list[Proposal]) -> None:
    chosen = proposals_named([proposal.reference for proposal in proposals])
    dry = plan(chosen, version)
    before = {proposal.pk: (proposal.version, held_by(proposal)) for proposal in proposals}
    if dry.blocked:
        with pytest.raises(NotPossible), transaction.atomic():
            move(place, version, *proposals)
        assert before == {one.pk: (again(one).version, held_by(one)) for one in proposals}
        return
    move(place, version, *proposals, plan_digest=dry.digest)
    for step in dry.moves:
        proposal = Proposal.objects.get(reference=step.case.reference)
        items = list(open_items(proposal))
        assert proposal.policy_version == version
        assert proposal.state == step.case.state
        expected = [] if step.is_returned else [one for one in step.landing if not one.informed]
        assert {(item.stage_key, item.body.name) for item in items} == {(one.stage, one.body) for one in expected}
        staying = {one.stage for one in step.landing if one.stays}
        was_open = {held.stage: held.item for held in step.case.held}
        assert {item.stage_key for item in items if item.pk in was_open.values()} == staying
        closed = WorkItem.objects.filter(pk__in=[held.item for held in step.leaves])
        assert {item.closing for item in closed} <= {"moved"}
        standing_now = {one.stage for one in (*step.kept, *step.restored)}
        found = standing_approvals(answers_of(proposal), route_of(proposal), version.typed_rules, changes_of(proposal))
        assert {key for key in found if key in route_of(proposal)} == standing_now
        for item in items:
            seated = next(one for one in step.ahead if one.key == item.stage_key)
            may = {
                user.pk for user in User.objects.all() if refusal(Act.APPROVE, standing(user, proposal, item)) is None
            }
            assert {person.key for person in seated.people} == may
        goes_on_to_the_end(place, proposal)


def goes_on_to_the_end(place: Institution, proposal: Proposal) -> None:
    """After a move every stage can answer, and the last approval approves."""
    for _n in range(12):
        proposal = again(proposal)
        if proposal.state == State.RETURNED:
            actions.submit(actor=proposal.author, proposal=proposal, seen=proposal.version)
        elif proposal.state == State.IN_REVIEW:
            item = open_items(proposal).select_related("proposal")[0]
            actions.approve(
                actor=place.reviewer_of(item), item=item, seen=proposal.version, confirmed=place.checklist(item)
            )
    assert again(proposal).state == State.APPROVED
    assert Decision.objects.filter(proposal=proposal).order_by("id").last().effect == "decide"  # type: ignore[union-attr]


# ---- the pages


def client_of(institution: Institution, key: str = "administrator") -> Client:
    client = Client()
    client.force_login(institution.person(key))
    return client


def hidden_in(html: str) -> dict[str, list[str]]:
    """What the page's form says of the plan that it shows."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="(p|seen|plan)" value="([^"]*)"', html):
        found.setdefault(name, []).append(value)
    return found


def address_of(version: PolicyVersion, step: str = "") -> str:
    return f"{version.get_absolute_url()}move/{step}"


def test_an_administrator_chooses_looks_gives_a_reason_and_confirms(institution: Institution) -> None:
    first, second = institution.at_stage("undergraduate-council"), institution.submitted()
    version = adopted(institution, without_councils)
    client = client_of(institution)
    html = client.get(address_of(version)).content.decode()
    for words in (first.reference, first.title, "Undergraduate Council", "Associate Dean", "Version 1", "In review"):
        assert words in html
    chosen = {"p": [first.reference, second.reference]}
    html = client.get(address_of(version, "plan/"), chosen).content.decode()
    assert "At “Undergraduate Council” with Undergraduate Council, under version 1" in html
    assert "It comes to “Senate” with Senate, which has 20 working days" in html
    assert "“Associate Dean”: Marc Lavoie approved submission 1 for Associate Dean, Health Sciences." in html
    assert "Louis Beaudry" in html
    shown = hidden_in(html)
    html = client.post(address_of(version, "confirm/"), shown | {"reason": REASON}).content.decode()
    assert "Move 2 proposals to version 2?" in html
    assert REASON in html
    assert again(first).policy_version == institution.policy  # nothing yet
    response = client.post(address_of(version, "done/"), hidden_in(html) | {"reason": REASON}, follow=True)
    assert [str(message) for message in response.context["messages"]] == [f"2 proposals were moved to {version.label}."]
    assert {again(first).policy_version, again(second).policy_version} == {version}
    assert "No proposal is in flight under another version" in response.content.decode()


def test_the_page_of_a_version_that_governs_leads_administrators_there(institution: Institution) -> None:
    version = adopted(institution, without_councils)
    turn_the_day()
    link = f'href="{address_of(version)}"'
    found = {key: link in client_of(institution, key).get(version.get_absolute_url()).content.decode()
             for key in ("administrator", "senate")}  # fmt: skip
    assert found == {"administrator": True, "senate": False}


def test_the_list_can_be_narrowed_to_one_version(institution: Institution) -> None:
    old = institution.submitted()
    adopted(institution, lambda rules: None)
    with clock.at(clock.now() + timedelta(days=1)):
        new = institution.submitted()
        version = adopted(institution, without_councils)
        client = client_of(institution)
        html = client.get(address_of(version), {"under": "2"}).content.decode()
    assert (new.reference in html, old.reference in html) == (True, False)
    assert "Version 1, 1 proposal" in html


def test_without_a_reason_the_plan_is_shown_again(institution: Institution) -> None:
    proposal = institution.submitted()
    version = adopted(institution, without_councils)
    client = client_of(institution)
    shown = hidden_in(client.get(address_of(version, "plan/"), {"p": proposal.reference}).content.decode())
    for step in ("confirm/", "done/"):
        response = client.post(address_of(version, step), shown | {"reason": " "})
        assert response.status_code == 422
        assert 'href="#m-reason"' in response.content.decode()
    assert again(proposal).policy_version == institution.policy


@pytest.mark.parametrize("step", ["confirm/", "done/"])
def test_a_stale_plan_is_shown_anew_with_what_happened_and_the_reason(institution: Institution, step: str) -> None:
    proposal = institution.submitted()
    version = adopted(institution, without_councils)
    client = client_of(institution)
    shown = hidden_in(client.get(address_of(version, "plan/"), {"p": proposal.reference}).content.decode())
    institution.approve(proposal)
    response = client.post(address_of(version, step), shown | {"reason": REASON})
    html = response.content.decode()
    assert response.status_code == 409
    assert "These proposals changed since you looked at the plan, so none was moved." in html
    assert "Marc Lavoie approved submission 1 for Associate Dean, Health Sciences." in html
    assert f">\n{REASON}</textarea>" in html
    assert "At “Centre for Teaching and Learning”" in html
    # What is shown now can be confirmed.
    response = client.post(address_of(version, "done/"), hidden_in(html) | {"reason": REASON})
    assert (response.status_code, again(proposal).policy_version) == (302, version)


def test_what_cannot_be_moved_is_left_out_by_a_button_that_keeps_the_reason(institution: Institution) -> None:
    movable, ended = institution.submitted(), institution.submitted()
    actions.withdraw(actor=ended.author, proposal=ended, seen=ended.version, reason="A partner left.")
    version = adopted(institution, without_councils)
    client = client_of(institution)
    html = client.get(address_of(version, "plan/"), {"p": [movable.reference, ended.reference]}).content.decode()
    assert "It has ended. What was decided stays under the version that governed it." in html
    assert f'action="{address_of(version, "plan/")}"' in html
    html = client.post(address_of(version, "plan/"), hidden_in(html) | {"reason": REASON}).content.decode()
    assert (ended.reference in html, REASON in html) == (False, True)
    assert f'action="{address_of(version, "confirm/")}"' in html


def test_the_pages_say_nothing_of_what_a_proposal_says(institution: Institution) -> None:
    proposal = institution.submitted()
    version = adopted(institution, without_councils)
    client = client_of(institution)
    pages = [
        client.get(address_of(version)).content.decode(),
        client.get(address_of(version, "plan/"), {"p": proposal.reference}).content.decode(),
    ]
    shown = hidden_in(pages[1]) | {"reason": REASON}
    pages.append(client.post(address_of(version, "confirm/"), shown).content.decode())
    for html in pages:
        assert "Health workers" not in html
        assert f"/proposals/{proposal.reference}/" not in html
    draft = institution.draft()
    assert client.get(address_of(version, "plan/"), {"p": draft.reference}).status_code == 404
    assert draft.reference not in client.get(address_of(version)).content.decode()


@pytest.mark.parametrize("who", ["author", "ad-hsci", "secretary", "observer", "stranger"])
def test_the_pages_are_for_administrators(institution: Institution, who: str) -> None:
    proposal = institution.submitted()
    version = adopted(institution, without_councils)
    client = client_of(institution, who)
    assert client.get(address_of(version)).status_code == 403
    assert client.get(address_of(version, "plan/"), {"p": proposal.reference}).status_code == 403
    for step in ("confirm/", "done/"):
        assert client.post(address_of(version, step), {"p": proposal.reference, "reason": REASON}).status_code == 403


def test_there_is_no_page_for_a_version_that_does_not_govern_yet(institution: Institution) -> None:
    assert institution.policy is not None
    later = clock.today() + timedelta(days=9)
    draft = begin_draft(actor=institution.person("drafter"), like=institution.policy, effective_from=later)
    assert client_of(institution).get(address_of(draft)).status_code == 409


def test_the_list_and_the_plan_cost_the_same_for_one_as_for_many(institution: Institution) -> None:
    proposals = [institution.submitted()]
    version = adopted(institution, without_councils)
    client = client_of(institution)
    costs: list[tuple[int, int]] = []
    for _round in range(2):
        found = []
        for address, chosen in (("", {}), ("plan/", {"p": [one.reference for one in proposals]})):
            with CaptureQueriesContext(connection) as captured:
                assert client.get(address_of(version, address), chosen).status_code == 200
            found.append(len(captured))
        costs.append((found[0], found[1]))
        with clock.at(clock.now() - timedelta(days=1)):
            proposals += [institution.submitted() for _n in range(3)]
    assert costs[0] == costs[1], costs


def test_the_history_of_a_proposal_says_that_it_was_moved(institution: Institution) -> None:
    proposal = institution.at_stage("senate")
    version = adopted(institution, without_councils)
    move(institution, version, proposal)
    html = client_of(institution, "author").get(reverse("proposal", args=[proposal.reference])).content.decode()
    assert f"moved the proposal from {institution.policy.label} to {version.label}." in html  # type: ignore[union-attr]
    assert "Approvals that still stand: Associate Dean, Centre for Teaching and Learning." in html
    assert "Approvals that no longer stand: Undergraduate Council." in html
    assert REASON in html


# ---- what was only received is no answer


def centre_is_informed(rules: dict[str, Any]) -> None:
    """The centre only receives, and so does Undergraduate Council."""
    stage_of(rules, "teaching-centre")["effect"] = "receive"
    stage_of(rules, "undergraduate-council")["effect"] = "receive"


def centre_decides(rules: dict[str, Any]) -> None:
    """The centre decides; Senate only receives, so nobody decides after it."""
    stage_of(rules, "teaching-centre")["effect"] = "decide"
    stage_of(rules, "undergraduate-council")["effect"] = "receive"
    stage_of(rules, "senate")["effect"] = "receive"
    rules["route"] = [stage for stage in rules["route"] if stage["key"] != "graduate-council"]


def test_a_stage_that_received_a_proposal_is_asked_where_it_has_to_answer(institution: Institution) -> None:
    adopted(institution, centre_is_informed)
    with clock.at(clock.now() + timedelta(minutes=1)):
        proposal = institution.submitted()
    institution.approve(proposal)
    assert held_by(proposal) == ["senate"]
    with clock.at(clock.now() + timedelta(days=1)):
        version = adopted(institution, centre_decides)
        (step,) = planned(version, proposal)
        assert [(one.stage, one.informed) for one in step.landing] == [("teaching-centre", False)]
        move(institution, version, proposal)
    assert held_by(proposal) == ["teaching-centre"]


def test_nobody_moves_their_own_proposal(institution: Institution) -> None:
    author = institution.person("author")
    author.is_staff = True
    author.save(update_fields=["is_staff"])
    proposal = institution.at_stage("teaching-centre")
    version = adopted(institution, without_councils)
    with pytest.raises(NotPermitted, match="another administrator"):
        move(institution, version, proposal, actor=author)
    move(institution, version, proposal)
    assert again(proposal).policy_version == version


def test_a_reference_with_a_character_that_no_database_keeps_is_not_found(institution: Institution) -> None:
    version = adopted(institution, without_councils)
    assert client_of(institution).get(address_of(version, "plan/"), {"p": "\0"}).status_code == 404
