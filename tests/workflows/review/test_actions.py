"""The acts on a proposal, as an author, a reviewer and an auditor would check them."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from governance.audit.queries import events_of
from governance.refusals import Incomplete, NotPermitted, NotPossible, Stale
from tests.conftest import Institution
from tests.samples import complete_content
from tests.versions import adopted
from workflows.notices.models import Outbox
from workflows.proposals.actions import save_section
from workflows.proposals.models import Proposal
from workflows.proposals.states import State
from workflows.review import actions
from workflows.review.models import Decision, WorkItem

pytestmark = pytest.mark.django_db


def verbs(proposal: Proposal) -> list[str]:
    return [event.verb for event in events_of(proposal.subject)]


def test_walk_from_draft_to_senate(institution: Institution) -> None:
    proposal = institution.submitted()
    stages = []
    while proposal.state == State.IN_REVIEW:
        item = institution.item(proposal)
        stages.append((item.stage_key, item.body.name))
        institution.approve(proposal)
        proposal.refresh_from_db()
    assert stages == [
        ("associate-dean", "Associate Dean, Health Sciences"),
        ("teaching-centre", "Centre for Teaching and Learning"),
        ("undergraduate-council", "Undergraduate Council"),
        ("senate", "Senate"),
    ]
    assert proposal.state == State.APPROVED
    assert proposal.ended_at is not None
    assert verbs(proposal) == ["proposal.created", "proposal.submitted"] + ["decision.approved"] * 4
    last = events_of(proposal.subject).last()
    assert last is not None
    assert last.facts["before"]["state"] == "in_review"
    assert last.facts["after"]["state"] == "approved"
    assert last.facts["on_behalf_of"] == "Senate"
    assert last.facts["policy_version"].endswith("version 1")
    assert last.facts["revision"] == {"number": 1, "digest": proposal.revisions.get().digest}
    assert proposal.version == last.sequence
    assert Outbox.objects.filter(task="memos.render").count() == 4


@pytest.mark.parametrize(
    ("kind", "level", "expected"),
    [
        ("academic", "undergraduate", ["associate-dean", "teaching-centre", "undergraduate-council", "senate"]),
        ("academic", "graduate", ["associate-dean", "teaching-centre", "graduate-council", "senate"]),
        ("non-academic", "professional", ["associate-dean", "teaching-centre", "senate"]),
    ],
)
def test_route_follows_credit_and_level(institution: Institution, kind: str, level: str, expected: list[str]) -> None:
    proposal = institution.submitted(content=complete_content(kind=kind, level=level))
    while proposal.state == State.IN_REVIEW:
        institution.approve(proposal)
        proposal.refresh_from_db()
    assert list(Decision.objects.filter(proposal=proposal).values_list("stage_key", flat=True)) == expected


def test_incomplete_draft_is_not_sent_and_every_gap_names_its_clause(institution: Institution) -> None:
    content = complete_content()
    content["need"]["supporters"] = []
    content["assessment"]["alignment"] = []
    proposal = institution.draft(content=content)
    with pytest.raises(Incomplete) as refusal:
        actions.submit(actor=proposal.author, proposal=proposal, seen=proposal.version)
    assert set(refusal.value.gaps) == {"need.supporters", "assessment.alignment"}
    assert all("clause" in str(sentence) for sentence in refusal.value.gaps.values())
    proposal.refresh_from_db()
    assert (proposal.state, proposal.revision_number, verbs(proposal)) == ("draft", 0, ["proposal.created"])


def test_returned_to_author_keeps_earlier_approvals(institution: Institution) -> None:
    proposal = institution.at_stage("teaching-centre")
    institution.return_for_changes(proposal)
    proposal.refresh_from_db()
    assert proposal.state == State.RETURNED
    assert not proposal.work_items.filter(closed_at=None).exists()
    section = proposal.draft_sections.get(key="delivery")
    save_section(
        actor=proposal.author,
        proposal=proposal,
        section="delivery",
        data=section.data | {"workload": "Five hours a week."},
        seen=section.version,
    )
    revision = actions.submit(actor=proposal.author, proposal=proposal, seen=proposal.version)
    assert (revision.number, revision.changed_sections) == (2, ["delivery"])
    assert institution.item(proposal).stage_key == "teaching-centre"
    assert proposal.revisions.get(number=1).content.delivery.workload.startswith("Four hours")


def test_sent_back_to_an_earlier_stage_passes_all_stages_from_there_again(institution: Institution) -> None:
    proposal = institution.at_stage("senate")
    institution.return_for_changes(proposal, to_stage="teaching-centre")
    proposal.refresh_from_db()
    assert proposal.state == State.IN_REVIEW
    stages = []
    while proposal.state == State.IN_REVIEW:
        stages.append(institution.item(proposal).stage_key)
        institution.approve(proposal)
        proposal.refresh_from_db()
    assert stages == ["teaching-centre", "undergraduate-council", "senate"]
    assert "decision.sent-back" in verbs(proposal)


def test_declined_ends_with_reasons(institution: Institution) -> None:
    proposal = institution.submitted()
    item = institution.item(proposal)
    reviewer = institution.person("ad-hsci")
    with pytest.raises(Incomplete):
        actions.decline(actor=reviewer, item=item, seen=proposal.version, reasons="  ")
    actions.decline(actor=reviewer, item=item, seen=proposal.version, reasons="The need is not shown.")
    proposal.refresh_from_db()
    assert proposal.state == State.DECLINED
    with pytest.raises(NotPossible):
        actions.submit(actor=proposal.author, proposal=proposal, seen=proposal.version)


def test_withdrawn_by_its_author_only(institution: Institution) -> None:
    proposal = institution.submitted()
    with pytest.raises(NotPermitted):
        actions.withdraw(
            actor=institution.person("ad-hsci"), proposal=proposal, seen=proposal.version, reason="Not mine"
        )
    actions.withdraw(actor=proposal.author, proposal=proposal, seen=proposal.version, reason="A partner left.")
    proposal.refresh_from_db()
    assert proposal.state == State.WITHDRAWN
    assert WorkItem.objects.get(proposal=proposal).closing == "withdrawn"


def test_approval_needs_the_required_checklist(institution: Institution) -> None:
    proposal = institution.submitted()
    item = institution.item(proposal)
    with pytest.raises(Incomplete) as refusal:
        institution.approve(proposal, confirmed=[])
    assert set(refusal.value.gaps) <= {f"confirmed-{key}" for key in institution.checklist(item)}
    assert not Decision.objects.exists()


def test_conditions_make_it_an_approval_with_conditions(institution: Institution) -> None:
    proposal = institution.submitted()
    decision = institution.approve(proposal, conditions=[actions.NewCondition(text="Finance confirms the fee.")])
    assert decision.outcome == "approve-with-conditions"
    assert [condition.text for condition in decision.conditions.all()] == ["Finance confirms the fee."]
    assert verbs(proposal)[-1] == "decision.approved-with-conditions"


def test_stale_page_is_refused_with_what_changed(institution: Institution) -> None:
    proposal = institution.submitted()
    item, seen = institution.item(proposal), proposal.version
    institution.approve(proposal)
    with pytest.raises(Stale) as refusal:
        actions.return_for_changes(
            actor=institution.person("ad-hsci"), item=item, seen=seen, reasons="Too late for this one"
        )
    assert [event.verb for event in refusal.value.changed] == ["decision.approved"]
    assert Decision.objects.count() == 1


def test_comment_does_not_make_a_page_stale(institution: Institution) -> None:
    proposal = institution.submitted()
    seen = proposal.version
    actions.comment(actor=proposal.author, proposal=proposal, audience="everyone", text="The fee is now confirmed.")
    item = institution.item(proposal)
    actions.approve(actor=institution.person("ad-hsci"), item=item, seen=seen, confirmed=institution.checklist(item))


def test_author_cannot_decide_even_as_office_holder(institution: Institution) -> None:
    from datetime import date

    from governance.people.actions import give_mandate
    from governance.people.duties import Duty
    from tests.conftest import REGISTRAR

    proposal = institution.submitted()
    give_mandate(
        actor=REGISTRAR,
        person=institution.people["author"],
        body=institution.bodies["ad-hsci"],
        duty=Duty.OFFICER,
        starts_on=date(2020, 1, 1),
    )
    item = institution.item(proposal)
    with pytest.raises(NotPermitted, match="You wrote this proposal"):
        actions.approve(
            actor=institution.person("author"),
            item=item,
            seen=proposal.version,
            confirmed=institution.checklist(item),
        )


def newly_queued(known: set[int]) -> list[str]:
    """The keys of what was queued since, in order; from now on it is known."""
    fresh = list(Outbox.objects.exclude(pk__in=known).order_by("pk"))
    known.update(row.pk for row in fresh)
    return [row.key for row in fresh]


def test_every_act_queues_its_memo_and_the_letters_to_those_it_concerns(institution: Institution) -> None:
    known: set[int] = set()

    def waits(proposal: Proposal) -> str:
        return f"letter:waits:{institution.item(proposal).pk}"

    proposal = institution.submitted()
    assert newly_queued(known) == [waits(proposal)]
    approved = institution.approve(proposal)
    assert newly_queued(known) == [f"memo:{approved.pk}", f"letter:decided:{approved.pk}", waits(proposal)]
    back = institution.return_for_changes(proposal, to_stage="associate-dean")
    assert newly_queued(known) == [f"memo:{back.pk}", f"letter:decided:{back.pk}", waits(proposal)]
    returned = institution.return_for_changes(proposal)
    assert newly_queued(known) == [f"memo:{returned.pk}", f"letter:decided:{returned.pk}"]

    declined_one = institution.submitted()
    assert newly_queued(known) == [waits(declined_one)]
    item = institution.item(declined_one)
    declined = actions.decline(
        actor=institution.reviewer_of(item), item=item, seen=declined_one.version, reasons="Not within our mandate."
    )
    assert newly_queued(known) == [f"memo:{declined.pk}", f"letter:decided:{declined.pk}"]

    withdrawn = institution.submitted()
    held = institution.item(withdrawn)
    assert newly_queued(known) == [waits(withdrawn)]
    actions.withdraw(actor=withdrawn.author, proposal=withdrawn, seen=withdrawn.version, reason="Not this year.")
    assert newly_queued(known) == [f"letter:withdrawn:{held.pk}"]


def test_a_decision_costs_few_queries(institution: Institution) -> None:
    proposal = institution.submitted()
    item = institution.item(proposal)
    reviewer, confirmed = institution.person("ad-hsci"), institution.checklist(item)
    with CaptureQueriesContext(connection) as captured:
        actions.approve(actor=reviewer, item=item, seen=proposal.version, confirmed=confirmed)
    statements = [query["sql"] for query in captured if "SAVEPOINT" not in query["sql"]]
    assert len(statements) <= 13, statements


def test_what_the_policy_in_force_does_not_govern_is_not_sent(institution: Institution) -> None:
    proposal = institution.draft()

    def only_other_things(rules: dict[str, Any]) -> None:
        rules["governs"] = ["modify"]

    adopted(institution, only_other_things)
    with pytest.raises(NotPossible, match="does not govern"):
        actions.submit(actor=proposal.author, proposal=proposal, seen=proposal.version)
    assert Proposal.objects.get(pk=proposal.pk).state == State.DRAFT
