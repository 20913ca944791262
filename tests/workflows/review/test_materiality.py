"""What a changed submission asks for again: the approvals that the policy ties to what changed, and no others."""

import io
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from governance.audit.queries import events_of
from governance.policies.vocabulary import Effect
from governance.refusals import NotPossible
from tests.conftest import Institution, make_institution
from tests.versions import Change, adopted, stage_of
from workflows.proposals.actions import attach, save_section
from workflows.proposals.models import DraftSection, Proposal
from workflows.proposals.states import State
from workflows.review import actions
from workflows.review.models import Decision, WorkItem
from workflows.review.progress import next_stages, standing_approvals
from workflows.review.queries import answers_of, changes_of, route_of

FEE = {"fields": ["resources.fee"], "stages": ["associate-dean"], "clause": "7.6"}
OUTCOMES = {"fields": ["outcomes"], "stages": ["teaching-centre"], "clause": "7.6"}
FILES = {"fields": ["files"], "stages": ["teaching-centre"], "clause": "7.7"}


def reopens(*rules: dict[str, Any], resume: str = "returning-stage") -> Change:
    def change(data: dict[str, Any]) -> None:
        data["reopens"] = list(rules)
        data["resubmission"]["resume"] = resume

    return change


def edit(proposal: Proposal, section: str, **fields: Any) -> None:
    draft = DraftSection.objects.get(proposal=proposal, key=section)
    data = draft.data | fields
    save_section(actor=proposal.author, proposal=proposal, section=section, data=data, seen=draft.version)


def send(proposal: Proposal) -> Proposal:
    proposal = Proposal.objects.get(pk=proposal.pk)
    actions.submit(actor=proposal.author, proposal=proposal, seen=proposal.version)
    return Proposal.objects.get(pk=proposal.pk)


def returned(place: Institution, stage: str) -> Proposal:
    """A proposal that came as far as a stage, which returned it to its author."""
    proposal = place.at_stage(stage)
    place.return_for_changes(proposal)
    return Proposal.objects.get(pk=proposal.pk)


def held_by(proposal: Proposal) -> list[str]:
    return list(proposal.work_items.filter(closed_at=None).order_by("id").values_list("stage_key", flat=True))


def stages_until_approved(place: Institution, proposal: Proposal) -> list[str]:
    """The stages that hold it in turn while each approves."""
    found = []
    while proposal.state == State.IN_REVIEW:
        found += held_by(proposal)
        place.approve(proposal)
        proposal = Proposal.objects.get(pk=proposal.pk)
    return found


def page(place: Institution, who: str, address: str) -> str:
    client = Client()
    client.force_login(place.person(who))
    return str(client.get(address).content.decode())


# ---- what is asked again


def test_a_changed_fee_asks_the_associate_dean_again_and_then_goes_on_to_who_returned_it(
    institution: Institution,
) -> None:
    adopted(institution, reopens(FEE))
    proposal = returned(institution, "undergraduate-council")
    edit(proposal, "resources", fee=990)
    proposal = send(proposal)
    # The centre's approval stands, so it is passed by on the way back to the council.
    assert stages_until_approved(institution, proposal) == ["associate-dean", "undergraduate-council", "senate"]


def test_a_change_that_the_policy_ties_to_nothing_keeps_every_approval(institution: Institution) -> None:
    adopted(institution, reopens(FEE))
    proposal = returned(institution, "teaching-centre")
    edit(proposal, "resources", fee_basis="As comparable courses.")
    proposal = send(proposal)
    assert held_by(proposal) == ["teaching-centre"]
    event = events_of(proposal.subject, verbs=["proposal.resubmitted"]).get()
    assert event.facts["after"]["reopened"] == []


def test_the_policy_that_reopens_nothing_keeps_every_approval(institution: Institution) -> None:
    proposal = returned(institution, "teaching-centre")
    edit(proposal, "resources", fee=990)
    assert held_by(send(proposal)) == ["teaching-centre"]


def test_a_fee_changed_and_changed_back_before_sending_has_not_changed(institution: Institution) -> None:
    adopted(institution, reopens(FEE))
    proposal = returned(institution, "teaching-centre")
    fee = DraftSection.objects.get(proposal=proposal, key="resources").data["fee"]
    edit(proposal, "resources", fee=990)
    edit(proposal, "resources", fee=fee)
    assert held_by(send(proposal)) == ["teaching-centre"]


def test_a_whole_section_counts_whichever_of_its_fields_changed(institution: Institution) -> None:
    adopted(institution, reopens(OUTCOMES))
    proposal = returned(institution, "senate")
    edit(proposal, "outcomes", skills=[])
    assert stages_until_approved(institution, send(proposal)) == ["teaching-centre", "senate"]


def test_a_new_file_counts_where_the_policy_says_files(institution: Institution) -> None:
    adopted(institution, reopens(FEE, FILES))
    proposal = returned(institution, "senate")
    attach(actor=proposal.author, proposal=proposal, name="letter.pdf", file=io.BytesIO(b"%PDF-1.7 a letter"))
    proposal = send(proposal)
    assert held_by(proposal) == ["teaching-centre"]
    event = events_of(proposal.subject, verbs=["proposal.resubmitted"]).get()
    assert event.facts["after"]["reopened"] == [
        {"stage": "teaching-centre", "label": "Centre for Teaching and Learning", "fields": ["files"], "clause": "7.7"}
    ]


def test_each_submission_is_compared_with_the_one_before_it(institution: Institution) -> None:
    adopted(institution, reopens(FEE))
    proposal = returned(institution, "teaching-centre")
    edit(proposal, "resources", fee=990)
    proposal = send(proposal)
    institution.approve(proposal)
    institution.return_for_changes(proposal)
    edit(proposal, "delivery", workload="Five hours a week.")
    proposal = send(proposal)
    assert held_by(proposal) == ["teaching-centre"]  # the dean approved the new fee in submission 2
    institution.return_for_changes(proposal)
    edit(proposal, "resources", fee=1090)
    assert held_by(send(proposal)) == ["associate-dean"]


def test_a_reopened_approval_stays_open_through_a_submission_that_does_not_touch_it(institution: Institution) -> None:
    adopted(institution, reopens(FEE))
    proposal = returned(institution, "teaching-centre")
    edit(proposal, "resources", fee=990)
    proposal = send(proposal)
    institution.return_for_changes(proposal, "Say how the fee was set.")
    edit(proposal, "resources", fee_basis="As comparable courses.")
    assert stages_until_approved(institution, send(proposal))[:2] == ["associate-dean", "teaching-centre"]


def test_where_a_return_begins_again_at_the_first_stage_nothing_is_left_to_reopen(institution: Institution) -> None:
    adopted(institution, reopens(FEE, resume="first-stage"))
    proposal = returned(institution, "undergraduate-council")
    edit(proposal, "resources", fee=990)
    proposal = send(proposal)
    assert events_of(proposal.subject, verbs=["proposal.resubmitted"]).get().facts["after"]["reopened"] == []
    assert stages_until_approved(institution, proposal)[:2] == ["associate-dean", "teaching-centre"]


def test_sent_back_to_an_earlier_stage_and_from_there_to_the_author(institution: Institution) -> None:
    adopted(institution, reopens(FEE))
    proposal = institution.at_stage("senate")
    institution.return_for_changes(proposal, to_stage="teaching-centre")
    institution.return_for_changes(proposal)
    edit(proposal, "resources", fee=990)
    assert stages_until_approved(institution, send(proposal)) == [
        "associate-dean",
        "teaching-centre",
        "undergraduate-council",
        "senate",
    ]


def test_the_person_who_approved_before_may_approve_again(institution: Institution) -> None:
    adopted(institution, reopens(FEE))
    proposal = returned(institution, "teaching-centre")
    edit(proposal, "resources", fee=990)
    proposal = send(proposal)
    institution.approve(proposal)
    names = Decision.objects.filter(proposal=proposal, stage_key="associate-dean").values_list("by_name", flat=True)
    assert list(names) == ["Marc Lavoie", "Marc Lavoie"]


def centre_decides_without_credit(data: dict[str, Any]) -> None:
    """Without academic credit the centre decides, and Senate is only told."""
    no_credit = {"field": "kind", "is": "non-academic"}
    stage_of(data, "teaching-centre")["effect"] = [{"when": no_credit, "effect": "decide"}, {"effect": "recommend"}]
    stage_of(data, "senate")["effect"] = [{"when": no_credit, "effect": "receive"}, {"effect": "decide"}]


def test_a_recommendation_is_no_decision_where_the_change_makes_its_stage_decide(institution: Institution) -> None:
    adopted(institution, centre_decides_without_credit)
    proposal = returned(institution, "undergraduate-council")
    edit(proposal, "summary", kind="non-academic")
    sentence = (
        "“Centre for Teaching and Learning” now decides where it only recommended, so it is asked again (clause 4.2)."
    )
    html = page(institution, "author", reverse("proposal-check", args=[proposal.reference]))
    assert sentence in html
    proposal = send(proposal)
    assert held_by(proposal) == ["teaching-centre"]
    assert "Asked again: it now decides" in page(institution, "ctl", reverse("proposal", args=[proposal.reference]))
    institution.approve(proposal)
    proposal.refresh_from_db()
    assert proposal.state == State.APPROVED
    assert Decision.objects.filter(proposal=proposal).order_by("id").last().effect == "decide"  # type: ignore[union-attr]


# ---- what people read


def test_the_author_reads_before_sending_what_is_asked_again_and_why(institution: Institution) -> None:
    adopted(institution, reopens(FEE | {"stages": ["associate-dean", "teaching-centre"]}, OUTCOMES))
    proposal = returned(institution, "senate")
    address = reverse("proposal-check", args=[proposal.reference])
    assert "asked again" not in page(institution, "author", address)
    edit(proposal, "resources", fee=990)
    edit(proposal, "outcomes", skills=[])
    html = page(institution, "author", address)
    for sentence in (
        "“Fee, dollars” changed, so “Associate Dean” is asked again (clause 7.6).",
        "“Fee, dollars” changed, so “Centre for Teaching and Learning” is asked again (clause 7.6).",
        "“Skills alignment” changed, so “Centre for Teaching and Learning” is asked again (clause 7.6).",
    ):
        assert sentence in html
    assert html.count("its approval stands only until you send") == 2
    assert html.count("Its approval stands") == 1  # the council's
    assert "Send to Associate Dean, Health Sciences" in html
    proposal = send(proposal)
    assert held_by(proposal) == ["associate-dean"]


def test_several_fields_of_one_rule_make_one_sentence(institution: Institution) -> None:
    adopted(institution, reopens(FEE | {"fields": ["resources.fee", "resources.resources"]}))
    proposal = returned(institution, "teaching-centre")
    edit(proposal, "resources", fee=990, resources="Two instructors.")
    html = page(institution, "author", reverse("proposal-check", args=[proposal.reference]))
    assert "“Fee, dollars” and “Resources” changed, so “Associate Dean” is asked again (clause 7.6)." in html


def test_who_is_asked_again_reads_why_until_they_have_answered(institution: Institution) -> None:
    adopted(institution, reopens(FEE))
    proposal = returned(institution, "teaching-centre")
    edit(proposal, "resources", fee=990)
    proposal = send(proposal)
    address = reverse("proposal", args=[proposal.reference])
    html = page(institution, "ad-hsci", address)
    assert "Asked again: “Fee, dollars” changed" in html[: html.index("Sections")]  # in the stepper
    assert html.count("“Fee, dollars” changed, so “Associate Dean” is asked again (clause 7.6).") == 2
    institution.approve(proposal)
    html = page(institution, "ad-hsci", address)
    assert "Asked again" not in html
    assert html.count("is asked again (clause 7.6).") == 1  # in the history alone


def test_the_record_keeps_what_was_asked_again_in_words_that_outlive_the_policy(institution: Institution) -> None:
    adopted(institution, reopens(FEE))
    proposal = returned(institution, "teaching-centre")
    edit(proposal, "resources", fee=990)
    proposal = send(proposal)
    event = events_of(proposal.subject, verbs=["proposal.resubmitted"]).get()
    assert event.facts["after"]["reopened"] == [
        {"stage": "associate-dean", "label": "Associate Dean", "fields": ["resources.fee"], "clause": "7.6"}
    ]
    assert event.facts["after"]["stages"] == ["associate-dean"]


# ---- any history


def side_by_side(resume: str) -> Change:
    """Rules in which the centre and the council stand side by side, the registry is told, and three edits reopen."""

    def change(data: dict[str, Any]) -> None:
        reopens(FEE, OUTCOMES, {"fields": ["quality"], "stages": ["undergraduate-council", "senate"], "clause": "7.6"})(
            data
        )
        data["resubmission"]["resume"] = resume
        for key in ("teaching-centre", "undergraduate-council"):
            stage_of(data, key)["wave"] = "design"
        told = stage_of(data, "graduate-council") | {"when": None, "effect": "receive", "checklist": []}
        data["route"] = [told if stage["key"] == told["key"] else stage for stage in data["route"]]

    return change


def approvals_by_definition(proposal: Proposal) -> set[str]:
    """The same said the other way round: an approval stands if it is the stage's last word and nothing undid it."""
    assert proposal.policy_version is not None
    rules, route = proposal.policy_version.typed_rules, route_of(proposal)
    changed = {revision.number: revision.changed_fields for revision in proposal.revisions.all()}
    answers = answers_of(proposal)
    standing = set()
    for place, answer in enumerate(answers):
        later = answers[place + 1 :]
        if answer.stage not in route or "approve" not in answer.outcome:
            continue
        undone = any(
            other.stage == answer.stage
            or (other.outcome == "return" and not other.to_stage and rules.resubmission.resume == "first-stage")
            or (other.to_stage == answer.stage)
            or (other.to_stage and route[other.to_stage].wave < route[answer.stage].wave)
            for other in later
        )
        reopened = any(
            any(path == field or path.startswith(field + ".") for field in rule.fields)
            for number, paths in changed.items()
            if number > answer.revision
            for path in paths
            for rule in rules.reopens
            if answer.stage in rule.stages
        )
        if not undone and not reopened:
            standing.add(answer.stage)
    return standing


EDITS: dict[str, tuple[str, str]] = {
    "fee": ("resources", "fee"),
    "basis": ("resources", "fee_basis"),
    "outcomes": ("outcomes", "skills"),
    "quality": ("quality", "renewal"),
}
ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("approve"), st.integers(0, 2), st.none()),
        st.tuples(st.just("approve"), st.integers(0, 2), st.none()),
        st.tuples(st.just("return"), st.integers(0, 2), st.sets(st.sampled_from(sorted(EDITS)), max_size=2)),
        st.tuples(st.just("send back"), st.integers(0, 2), st.integers(0, 3)),
    ),
    min_size=2,
    max_size=12,
)


@pytest.mark.django_db
@pytest.mark.parametrize("resume", ["returning-stage", "first-stage"])
def test_work_items_always_follow_from_the_whole_history(resume: str) -> None:
    place = make_institution()
    adopted(place, side_by_side(resume))

    @settings(
        max_examples=25,
        deadline=None,
        phases=(Phase.explicit, Phase.reuse, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(acts=ACTS)
    def holds(acts: list[tuple[str, int, Any]]) -> None:
        with transaction.atomic():
            walk(place, acts)
            transaction.set_rollback(True)

    holds()


def walk(place: Institution, acts: list[tuple[str, int, Any]]) -> None:
    proposal = place.submitted()
    for number, (act, which, how) in enumerate(acts):
        items = list(proposal.work_items.filter(closed_at=None).select_related("body", "proposal").order_by("id"))
        if not items:
            break
        item = items[which % len(items)]
        given: dict[str, Any] = {"actor": place.reviewer_of(item), "item": item, "seen": proposal.version}
        earlier = route_of(proposal).before(item.stage_key)
        if act == "approve":
            actions.approve(confirmed=place.checklist(item), **given)
        elif act == "send back" and earlier:
            to_stage = earlier[how % len(earlier)].key
            actions.return_for_changes(reasons="Look again.", to_stage=to_stage, **given)
        else:
            actions.return_for_changes(reasons="Say more.", **given)
            for name in sorted(how) if isinstance(how, set) else []:
                section, field = EDITS[name]
                new = {"fee": 500 + number, "fee_basis": f"Basis {number}", "renewal": f"Renewal {number}"}
                skills = [{"name": f"Skill {number}", "framework": "", "link": ""}]
                edit(proposal, section, **{field: new.get(field, skills)})
            send(proposal)
        proposal = Proposal.objects.get(pk=proposal.pk)
        follows(proposal)


def follows(proposal: Proposal) -> None:
    """The open work items are exactly the stages that come next by the whole history."""
    assert proposal.policy_version is not None
    rules, route = proposal.policy_version.typed_rules, route_of(proposal)
    approved = standing_approvals(answers_of(proposal), route, rules, changes_of(proposal))
    assert approved == approvals_by_definition(proposal)
    expected = {stage.key for stage in next_stages(route, approved) if stage.effect is not Effect.RECEIVE}
    assert set(held_by(proposal)) == (expected if proposal.state == State.IN_REVIEW else set())
    assert (proposal.state == State.APPROVED) == (not expected)
    assert WorkItem.objects.filter(proposal=proposal, closed_at=None, effect=Effect.RECEIVE).count() == 0


# ---- nobody is left to ask


def test_a_submission_that_nobody_would_look_at_is_refused(institution: Institution) -> None:
    """The centre decides short work by itself; without credit the council falls away, and the centre has decided."""

    def change(rules: dict[str, Any]) -> None:
        rules["route"] = [stage for stage in rules["route"] if stage["key"] not in ("senate", "graduate-council")]
        stage_of(rules, "teaching-centre")["effect"] = "decide"
        stage_of(rules, "undergraduate-council")["effect"] = "decide"

    adopted(institution, change)
    proposal = returned(institution, "undergraduate-council")
    edit(proposal, "summary", kind="non-academic", level="professional")
    with pytest.raises(NotPossible, match="no stage of its route is left"):
        send(proposal)
    assert Proposal.objects.get(pk=proposal.pk).state == State.RETURNED
    assert proposal.revisions.count() == 1
