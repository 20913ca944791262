"""Any sequence of acts by anybody keeps what the record promises: a Hypothesis state machine over the real actions.

After every step: no decision without a mandate, no approval around a stage of the route, the author decided nothing,
nobody decided two stages, exactly the next stages hold the proposal, and the stream of events is complete and in order.
"""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from governance import clock
from governance.audit.queries import events_of
from governance.people.actions import end_mandate, give_mandate
from governance.people.duties import ALLOWS, Duty, Right
from governance.people.models import Mandate
from governance.policies.vocabulary import Kind, Level
from governance.refusals import Refusal
from tests.conftest import LONG_AGO, REGISTRAR, Institution, make_institution
from tests.samples import complete_content
from workflows.proposals.actions import save_section
from workflows.proposals.models import Proposal
from workflows.proposals.states import State
from workflows.review import actions
from workflows.review.models import Decision, WorkItem
from workflows.review.progress import APPROVALS

PEOPLE = ["author", "ad-hsci", "ad-eng", "ctl", "ugc", "gc", "senate", "member", "secretary", "observer", "stranger"]
BODIES = ["ad-hsci", "ctl", "ugc", "gc", "senate"]
HOLDER = {"ad-hsci": "ad-hsci", "ctl": "ctl", "ugc": "ugc", "gc": "gc", "senate": "senate"}


class Life(RuleBasedStateMachine):
    """One proposal, everyone who might touch it, and the mandates that come and go meanwhile."""

    place: Institution

    @initialize(kind=st.sampled_from(Kind.values), level=st.sampled_from(Level.values))
    def begin(self, kind: str, level: str) -> None:
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        content = complete_content(kind=kind, level=level)
        self.proposal = self.place.draft(content=content)
        self.decided = 0

    def teardown(self) -> None:
        if hasattr(self, "savepoint"):
            transaction.set_rollback(True)
            self.savepoint.__exit__(None, None, None)

    # ---- what people do

    def attempt(self, act: Any, **given: Any) -> None:
        """An act that may be refused; a refusal leaves no trace."""
        before = (Decision.objects.count(), events_of(self.proposal.subject).count())
        refused = False
        try:
            with transaction.atomic():
                act(**given)
        except Refusal:
            refused = True
        after = (Decision.objects.count(), events_of(self.proposal.subject).count())
        assert not refused or before == after
        self.proposal = Proposal.objects.get(pk=self.proposal.pk)

    def item(self, which: int) -> WorkItem | None:
        items = list(WorkItem.objects.filter(proposal=self.proposal).order_by("-closed_at", "id"))
        return items[which % len(items)] if items else None

    @precondition(lambda self: self.proposal.with_author)
    @rule()
    def the_author_submits(self) -> None:
        self.submit("author")

    @rule(who=st.sampled_from(PEOPLE))
    def submit(self, who: str) -> None:
        self.attempt(actions.submit, actor=self.place.person(who), proposal=self.proposal, seen=self.proposal.version)

    @precondition(lambda self: self.proposal.with_author)
    @rule(words=st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=40))
    def edit(self, words: str) -> None:
        section = self.proposal.draft_sections.get(key="quality")
        self.attempt(
            save_section,
            actor=self.place.person("author"),
            proposal=self.proposal,
            section="quality",
            data=section.data | {"renewal": f"Renewed when demand holds. {words}"},
            seen=section.version,
        )

    @precondition(lambda self: self.proposal.state == State.IN_REVIEW)
    @rule(stale=st.booleans(), confirm=st.integers(0, 9), conditions=st.integers(0, 2))
    def holder_approves(self, stale: bool, confirm: int, conditions: int) -> None:
        """The right person at the right time: without this, random walks rarely come far."""
        item = WorkItem.objects.filter(proposal=self.proposal, closed_at=None).select_related("body").first()
        if item is not None:
            self.decide(
                "approve", HOLDER[item.body.code.lower()], 0, stale and confirm == 0, confirm > 0, conditions, ""
            )

    @rule(
        act=st.sampled_from(["approve", "return", "return", "decline"]),
        who=st.sampled_from(PEOPLE),
        which=st.integers(0, 5),
        confirm=st.booleans(),
        reasons=st.sampled_from(["", "  ", "Say who asked for it."]),
        to_stage=st.sampled_from(["", "associate-dean", "teaching-centre", "senate", "nowhere"]),
    )
    def anybody_decides(self, act: str, who: str, which: int, confirm: bool, reasons: str, to_stage: str) -> None:
        self.decide(act, who, which, False, confirm, 0, to_stage, reasons)

    @precondition(lambda self: self.proposal.state == State.IN_REVIEW)
    @rule(who=st.sampled_from(["author", "somebody who decided before", "stranger"]))
    def a_newcomer_approves(self, who: str) -> None:
        """Given the office that holds the proposal, the author and earlier deciders are still barred; others are
        not."""
        item = WorkItem.objects.filter(proposal=self.proposal, closed_at=None).select_related("body").first()
        earlier = self.proposal.decisions.order_by("id").first()
        if who == "somebody who decided before":
            if earlier is None:
                return
            who = next(key for key, person in self.place.people.items() if person.pk == earlier.by_id)
        assert item is not None
        person = self.place.people[who]
        if not Mandate.objects.filter(user=person, body=item.body, duty=Duty.OFFICER).exists():
            give_mandate(actor=REGISTRAR, person=person, body=item.body, duty=Duty.OFFICER, starts_on=LONG_AGO)
        self.decide("approve", who, 0, False, True, 0, "")

    @precondition(lambda self: self.proposal.state == State.IN_REVIEW)
    @rule(to_stage=st.sampled_from(["", "", "associate-dean", "teaching-centre"]))
    def holder_returns(self, to_stage: str) -> None:
        item = WorkItem.objects.filter(proposal=self.proposal, closed_at=None).select_related("body").first()
        if item is not None:
            self.decide("return", HOLDER[item.body.code.lower()], 0, False, True, 0, to_stage, "Say who asked for it.")

    def decide(
        self,
        act: str,
        who: str,
        which: int,
        stale: bool,
        confirm: bool,
        conditions: int,
        to_stage: str,
        reasons: str = "",
    ) -> None:
        item = self.item(which) if which else WorkItem.objects.filter(proposal=self.proposal, closed_at=None).first()
        if item is None or self.proposal.policy_version is None:
            return
        stage = self.proposal.policy_version.typed_rules.stage(item.stage_key)
        given: dict[str, Any] = {
            "actor": self.place.person(who),
            "item": item,
            "seen": self.proposal.version - (2 if stale else 0),
            "confirmed": [question.key for question in stage.checklist] if confirm else [],
            "reasons": reasons,
        }
        if act == "approve":
            given["conditions"] = [actions.NewCondition(text=f"Condition {n}") for n in range(conditions)]
            self.attempt(actions.approve, **given)
        elif act == "return":
            self.attempt(actions.return_for_changes, to_stage=to_stage, **given)
        else:
            self.attempt(actions.decline, **given)

    @rule(who=st.sampled_from(PEOPLE), reason=st.sampled_from(["", "A partner left."]), likely=st.integers(0, 5))
    def withdraw(self, who: str, reason: str, likely: int) -> None:
        if likely == 0:
            self.attempt(
                actions.withdraw,
                actor=self.place.person(who),
                proposal=self.proposal,
                seen=self.proposal.version,
                reason=reason,
            )

    @rule(who=st.sampled_from(PEOPLE), audience=st.sampled_from(["body", "reviewers", "everyone"]))
    def comment(self, who: str, audience: str) -> None:
        self.attempt(
            actions.comment,
            actor=self.place.person(who),
            proposal=self.proposal,
            audience=audience,
            text="Watch the hours in module 2.",
        )

    @rule(who=st.sampled_from(PEOPLE), body=st.sampled_from(BODIES), duty=st.sampled_from(Duty.values))
    def a_mandate_begins(self, who: str, body: str, duty: str) -> None:
        person, where = self.place.people[who], self.place.bodies[body]
        if not Mandate.objects.filter(user=person, body=where, duty=duty).exists():
            give_mandate(actor=REGISTRAR, person=person, body=where, duty=Duty(duty), starts_on=LONG_AGO)

    @rule(which=st.integers(0, 30), likely=st.integers(0, 5))
    def a_mandate_ends(self, which: int, likely: int) -> None:
        mandates = list(Mandate.objects.in_force().exclude(user__email__startswith="author").order_by("id"))
        if likely == 0 and len(mandates) > 8:
            yesterday = clock.today() - timedelta(days=1)
            end_mandate(
                actor=REGISTRAR, mandate=mandates[which % len(mandates)], ends_on=yesterday, reason="A new office"
            )

    # ---- what always holds

    @invariant()
    def new_decisions_were_made_under_a_mandate(self) -> None:
        decisions = list(Decision.objects.filter(proposal=self.proposal).order_by("id"))
        for decision in decisions[self.decided :]:
            duties = (
                Mandate.objects.in_force().filter(user=decision.by, body=decision.body).values_list("duty", flat=True)
            )
            assert any(Right.DECIDE in ALLOWS[Duty(duty)] for duty in duties)
            assert decision.by_id != self.proposal.author_id
        self.decided = len(decisions)
        stages_of: dict[int, set[str]] = {}
        for decision in decisions:
            stages_of.setdefault(decision.by_id, set()).add(decision.stage_key)
        assert all(len(stages) == 1 for stages in stages_of.values())

    @invariant()
    def approved_only_past_every_stage(self) -> None:
        if self.proposal.state != State.APPROVED:
            return
        assert self.proposal.policy_version is not None
        summary = self.proposal.current_revision.content.summary  # type: ignore[union-attr]
        council = {Level.GRADUATE: ["graduate-council"]}
        expected = ["associate-dean", "teaching-centre", "senate"]
        if summary.kind == Kind.ACADEMIC:
            expected[2:2] = council.get(Level(summary.level), ["undergraduate-council"])
        decisions = list(self.proposal.decisions.order_by("id"))
        for place, stage in enumerate(expected):
            approved_at = max(
                (n for n, made in enumerate(decisions) if made.stage_key == stage and made.outcome in APPROVALS)
            )
            sent_back_at = [
                n for n, made in enumerate(decisions) if made.to_stage and expected.index(made.to_stage) <= place
            ]
            assert approved_at > max(sent_back_at, default=-1)

    @invariant()
    def held_by_exactly_one_stage_in_review(self) -> None:
        held = self.proposal.work_items.filter(closed_at=None).count()
        assert held == (1 if self.proposal.state == State.IN_REVIEW else 0)

    @invariant()
    def the_record_is_complete(self) -> None:
        events = list(events_of(self.proposal.subject))
        assert [event.sequence for event in events] == list(range(1, len(events) + 1))
        assert self.proposal.version == len(events)
        decided = [event for event in events if event.verb.startswith("decision.")]
        numbers = list(self.proposal.decisions.order_by("id").values_list("event_number", flat=True))
        assert [event.pk for event in decided] == numbers
        moved = [event.facts["after"]["state"] for event in events if "state" in (event.facts["after"] or {})]
        assert (moved or ["draft"])[-1] == self.proposal.state
        for event in decided:
            revision = self.proposal.revisions.get(number=event.facts["revision"]["number"])
            assert event.facts["revision"]["digest"] == revision.digest
            files = revision.attachments
            assert revision.content.digest(files) == revision.digest


@pytest.mark.django_db
def test_lifecycle() -> None:
    Life.place = make_institution()
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Life,
        settings=settings(
            max_examples=60,
            stateful_step_count=40,
            deadline=None,
            # Making a failing history shorter takes minutes here; the first one found is readable enough.
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
            suppress_health_check=list(HealthCheck),
        ),
    )
