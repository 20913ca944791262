"""Who may do what: every duty, the author, a stranger and an administrator, in every state, for every act.

The table below is written by hand from the policy, not derived from the code it checks. It is asserted on the actions
here and on the addresses in `test_permission_matrix_http.py`.
"""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import transaction

from governance import clock
from governance.people.actions import add_person, end_mandate, give_mandate
from governance.people.duties import Duty
from governance.people.models import User
from governance.policies.actions import adopt, begin_draft, propose
from governance.policies.models import PolicyVersion
from governance.refusals import NotPermitted, NotPossible, Refusal
from tests.conftest import LONG_AGO, REGISTRAR, Institution
from workflows.proposals.actions import save_section
from workflows.proposals.models import Proposal
from workflows.proposals.states import State
from workflows.review import actions
from workflows.review.models import WorkItem
from workflows.review.moving import plan, proposals_named
from workflows.review.permits import Act, refusal
from workflows.review.queries import standing, visible_to

pytestmark = pytest.mark.django_db

# One person of each duty on the body that holds the proposal (the proposer: on its unit's teaching staff), and others.
ACTORS = [*Duty.values, "author", "stranger", "administrator", "ended-yesterday", "overseer"]
MAY_DECIDE = {"officer", "reviewer", "chair"}
SIT_ON_BODY = {"officer", "reviewer", "chair", "member", "secretary", "observer"}
MAY_ADVISE = SIT_ON_BODY - {"observer"}
SUBMITTED = set(State) - {State.DRAFT}

# act: (states in which it is possible at all, who may do it then)
TABLE: dict[Act, tuple[set[State], set[str]]] = {
    Act.EDIT: ({State.DRAFT, State.RETURNED}, {"author"}),
    Act.SUBMIT: ({State.DRAFT, State.RETURNED}, {"author"}),
    Act.APPROVE: ({State.IN_REVIEW}, MAY_DECIDE),
    Act.RETURN: ({State.IN_REVIEW}, MAY_DECIDE),
    Act.DECLINE: ({State.IN_REVIEW}, MAY_DECIDE),
    Act.WITHDRAW: ({State.DRAFT, State.IN_REVIEW, State.RETURNED}, {"author"}),
    Act.COMMENT: (SUBMITTED, {"author"} | MAY_ADVISE),
    Act.MOVE: ({State.IN_REVIEW, State.RETURNED}, {"administrator"}),
    Act.VIEW: (set(State), set()),
}
VIEW = {State.DRAFT: {"author"}} | dict.fromkeys(SUBMITTED, {"author", "overseer"} | SIT_ON_BODY)


def expected(act: Act, state: State, actor: str) -> str:
    """ "yes", "not possible" or "not permitted", from the table."""
    if act is Act.VIEW:
        return "yes" if actor in VIEW[state] else "not permitted"
    possible, allowed = TABLE[act]
    if state not in possible:
        return "not possible"
    return "yes" if actor in allowed else "not permitted"


def cast(institution: Institution) -> dict[str, User]:
    """One person for each row of the table."""
    people = {"author": institution.person("author"), "stranger": institution.person("stranger")}
    people["administrator"] = institution.person("administrator")
    people["overseer"] = institution.person("observer")
    for duty in Duty:
        person = add_person(actor=REGISTRAR, email=f"{duty}@matrix.example", name=f"A {duty.label}")
        body = institution.bodies["staff-hsci" if duty is Duty.PROPOSER else "ad-hsci"]
        give_mandate(actor=REGISTRAR, person=person, body=body, duty=duty, starts_on=LONG_AGO)
        people[duty.value] = User.objects.get(pk=person.pk)
    person = add_person(actor=REGISTRAR, email="ended@matrix.example", name="A former officer")
    mandate = give_mandate(
        actor=REGISTRAR, person=person, body=institution.bodies["ad-hsci"], duty=Duty.OFFICER, starts_on=LONG_AGO
    )
    yesterday = clock.today() - timedelta(days=1)
    end_mandate(actor=REGISTRAR, mandate=mandate, ends_on=yesterday, reason="A new office")
    people["ended-yesterday"] = User.objects.get(pk=person.pk)
    return people


def bring_to(institution: Institution, state: State) -> Proposal:
    """A proposal in the state, brought there by the real acts, held by the Associate Dean while in review."""
    proposal = institution.draft() if state is State.DRAFT else institution.submitted()
    if state is State.RETURNED:
        institution.return_for_changes(proposal)
    elif state is State.DECLINED:
        item = institution.item(proposal)
        actions.decline(
            actor=institution.person("ad-hsci"), item=item, seen=proposal.version, reasons="The need is not shown."
        )
    elif state is State.WITHDRAWN:
        actions.withdraw(actor=proposal.author, proposal=proposal, seen=proposal.version, reason="A partner left.")
    elif state is State.APPROVED:
        while proposal.state == State.IN_REVIEW:
            institution.approve(proposal)
            proposal.refresh_from_db()
    proposal = Proposal.objects.get(pk=proposal.pk)
    assert proposal.state == state
    return proposal


def later_version() -> PolicyVersion:
    """The version to move to: as the one that governs, adopted later; made once and undone with the act."""
    governing = PolicyVersion.objects.get(number=1)
    drafter, administrator = (User.objects.get(email=f"{key}@kawartha.example") for key in ("drafter", "administrator"))
    version = begin_draft(actor=drafter, like=governing, effective_from=clock.today())
    return adopt(actor=administrator, version=propose(actor=drafter, version=version), motion="Senate minute, item 5")


def perform(act: Act, actor: User, proposal: Proposal) -> Any:
    """The act through its action, with everything else about it in order."""
    seen = proposal.version
    item = WorkItem.objects.filter(proposal=proposal, body__code="AD-HSCI").order_by("-id").first()
    if act is Act.EDIT:
        section = proposal.draft_sections.get(key="quality")
        data = section.data | {"renewal": "Renewed every second year."}
        return save_section(actor=actor, proposal=proposal, section="quality", data=data, seen=section.version)
    if act is Act.SUBMIT:
        return actions.submit(actor=actor, proposal=proposal, seen=seen)
    if act is Act.WITHDRAW:
        return actions.withdraw(actor=actor, proposal=proposal, seen=seen, reason="A partner left.")
    if act is Act.COMMENT:
        return actions.comment(actor=actor, proposal=proposal, audience="everyone", text="The fee is confirmed.")
    if act is Act.MOVE:
        version = later_version()
        digest = plan(proposals_named([proposal.reference]), version).digest
        return actions.move(
            actor=actor, proposals=[proposal], version=version, plan_digest=digest, reason="One route for all."
        )
    assert item is not None and proposal.policy_version is not None
    checklist = [question.key for question in proposal.policy_version.typed_rules.stage(item.stage_key).checklist]
    if act is Act.APPROVE:
        return actions.approve(actor=actor, item=item, seen=seen, confirmed=checklist)
    if act is Act.RETURN:
        return actions.return_for_changes(actor=actor, item=item, seen=seen, reasons="Say who asked for it.")
    return actions.decline(actor=actor, item=item, seen=seen, reasons="The need is not shown.")


def attempt(act: Act, actor: User, proposal: Proposal) -> str:
    """What became of the act, undone afterwards."""
    if act is Act.VIEW:
        return "yes" if visible_to(actor).filter(pk=proposal.pk).exists() else "not permitted"
    try:
        with transaction.atomic():
            perform(act, actor, proposal)
            transaction.set_rollback(True)
    except NotPossible:
        return "not possible"
    except NotPermitted:
        return "not permitted"
    return "yes"


# A draft has never reached a body, so there is no stage to decide.
COMBINATIONS = [
    (act, state)
    for act in Act
    for state in State
    if not (state is State.DRAFT and act in {Act.APPROVE, Act.RETURN, Act.DECLINE})
]


@pytest.mark.parametrize(("act", "state"), COMBINATIONS, ids=lambda value: value.value)
def test_every_actor(institution: Institution, act: Act, state: State) -> None:
    people = cast(institution)
    proposal = bring_to(institution, state)
    found = {actor: attempt(act, people[actor], Proposal.objects.get(pk=proposal.pk)) for actor in ACTORS}
    assert found == {actor: expected(act, state, actor) for actor in ACTORS}


@pytest.mark.parametrize(("act", "state"), COMBINATIONS, ids=lambda value: value.value)
def test_pages_ask_the_same_question(institution: Institution, act: Act, state: State) -> None:
    """What a page learns from `refusal` is what the action would have answered."""
    people = cast(institution)
    proposal = bring_to(institution, state)
    item = WorkItem.objects.filter(proposal=proposal, closed_at=None).select_related("body").first()
    words = {type(None): "yes", NotPossible: "not possible", NotPermitted: "not permitted"}
    found: dict[str, str] = {}
    for actor in ACTORS:
        no: Refusal | None = refusal(act, standing(people[actor], proposal, item))
        found[actor] = words[type(no)]
    assert found == {actor: expected(act, state, actor) for actor in ACTORS}


def test_a_mandate_that_starts_tomorrow_allows_nothing_today(institution: Institution) -> None:
    proposal = institution.submitted()
    person = institution.people["stranger"]
    tomorrow: date = clock.today() + timedelta(days=1)
    give_mandate(
        actor=REGISTRAR, person=person, body=institution.bodies["ad-hsci"], duty=Duty.OFFICER, starts_on=tomorrow
    )
    assert attempt(Act.APPROVE, institution.person("stranger"), proposal) == "not permitted"


def test_nobody_decides_two_stages_of_one_proposal(institution: Institution) -> None:
    give_mandate(
        actor=REGISTRAR,
        person=institution.people["ad-hsci"],
        body=institution.bodies["ugc"],
        duty=Duty.CHAIR,
        starts_on=LONG_AGO,
    )
    proposal = institution.at_stage("undergraduate-council")
    item = institution.item(proposal)
    with pytest.raises(NotPermitted, match="another stage"):
        actions.approve(
            actor=institution.person("ad-hsci"),
            item=item,
            seen=proposal.version,
            confirmed=institution.checklist(item),
        )
