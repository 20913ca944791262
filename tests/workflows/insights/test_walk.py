"""Walked under the rules that governed it, any past proposal takes exactly the way that the record says it took."""

from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from governance.policies.vocabulary import Kind, Level, Outcome
from governance.refusals import NotPossible
from tests.conftest import Institution, make_institution
from tests.samples import complete_content
from tests.workflows.insights.world import VARIANTS, adopted, case_of, rules_with
from workflows.insights.replay import Because, Comparison, Result
from workflows.insights.walk import as_recorded, walk
from workflows.proposals.actions import save_section
from workflows.proposals.models import DraftSection, Proposal
from workflows.proposals.states import ENDED, State
from workflows.review import actions as review
from workflows.review.models import WorkItem

pytestmark = [pytest.mark.django_db, pytest.mark.once]

# What the author changes before sending again: what reopens the teaching centre's approval, what reopens others, and
# what alters the route.
EDITS: dict[str, tuple[str, dict[str, Any]]] = {
    "quality": ("quality", {"renewal": "Renewed when demand holds."}),
    "fee": ("resources", {"fee": 75}),
    "level": ("summary", {"level": "graduate"}),
    "curriculum": ("delivery", {"curriculum": "Module 1: consent. Module 2: retention."}),
    "nothing": ("summary", {}),
}

# Making a failing life shorter takes minutes here; the first one found is readable enough.
AS_FOUND = settings(
    deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate), suppress_health_check=list(HealthCheck)
)

acts = st.tuples(
    st.sampled_from(["approve", "approve", "approve", "conditions", "return", "send-back", "decline", "withdraw"]),
    st.integers(0, 3),
    st.sampled_from(list(EDITS)),
)


class Life:
    """One proposal, and acts on it by whoever may."""

    def __init__(self, institution: Institution, kind: str, level: str) -> None:
        self.institution = institution
        self.proposal = institution.submitted(content=complete_content(kind=kind, level=level))

    def act(self, what: str, which: int, edit: str) -> None:
        if self.proposal.state == State.RETURNED:
            self.send_again(edit)
        elif what == "withdraw":
            if which == 0:
                self.withdraw()
        else:
            self.decide(what, which)
        self.proposal = Proposal.objects.get(pk=self.proposal.pk)

    def send_again(self, edit: str) -> None:
        key, changes = EDITS[edit]
        section = DraftSection.objects.get(proposal=self.proposal, key=key)
        save_section(
            actor=self.proposal.author,
            proposal=self.proposal,
            section=key,
            data=section.data | changes,
            seen=section.version,
        )
        review.submit(actor=self.proposal.author, proposal=self.proposal, seen=self.proposal.version)

    def withdraw(self) -> None:
        review.withdraw(
            actor=self.proposal.author, proposal=self.proposal, seen=self.proposal.version, reason="A partner left."
        )

    def decide(self, what: str, which: int) -> None:
        items = list(WorkItem.objects.filter(proposal=self.proposal, closed_at=None).select_related("body"))
        item = items[which % len(items)]
        item.proposal = self.proposal
        given: dict[str, Any] = {
            "actor": self.institution.reviewer_of(item),
            "item": item,
            "seen": self.proposal.version,
        }
        if what in {"approve", "conditions"}:
            conditions = [review.NewCondition(text="Name the instructor.")] if what == "conditions" else []
            review.approve(**given, confirmed=self.institution.checklist(item), conditions=conditions)
        elif what == "decline":
            stage = self.proposal.policy_version.typed_rules.stage(item.stage_key)  # type: ignore[union-attr]
            if Outcome.DECLINE in stage.outcomes and which == 0:
                review.decline(**given, reasons="No unit has room for it.")
        else:
            to_stage = ["associate-dean", "teaching-centre"][which % 2] if what == "send-back" else ""
            try:
                with transaction.atomic():
                    review.return_for_changes(**given, reasons="Say who asked for it.", to_stage=to_stage)
            except NotPossible:
                pass  # not a stage before this one


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_version_reproduces_the_ways_of_the_proposals_that_it_governed(variant: str) -> None:
    institution = make_institution()
    if VARIANTS[variant]:
        adopted(institution, **VARIANTS[variant])

    @settings(AS_FOUND, max_examples=15)
    @given(
        kind=st.sampled_from(Kind.values),
        level=st.sampled_from(Level.values),
        what_happens=st.lists(acts, min_size=4, max_size=24),
    )
    def any_life(kind: str, level: str, what_happens: list[tuple[str, int, str]]) -> None:
        with transaction.atomic():
            life = Life(institution, kind, level)
            assert life.proposal.policy_version is not None
            rules = life.proposal.policy_version.typed_rules
            for act in what_happens:
                life.act(*act)
                case = case_of(life.proposal)
                way = walk(rules, case)
                assert as_recorded(way, case.stays), (way, case.stays)
                assert (way.supposed, way.answers) == (0, case.answers)
                if life.proposal.state in ENDED:
                    assert way.ended == life.proposal.state
                    break
            found = Comparison(rules, rules, {}).of(case_of(life.proposal))
            assert (found.result, found.reasons, found.halves, found.elsewhere) == (Result.SAME, (), 0, 0)
            transaction.set_rollback(True)

    any_life()


@pytest.mark.parametrize("variant", [name for name in VARIANTS if name != "shipped"])
def test_under_any_other_rules_the_walk_comes_to_an_end(variant: str) -> None:
    """Whatever was answered under the shipped rules, the draft's way ends, and what differs is said."""
    institution = make_institution()
    draft = rules_with(**VARIANTS[variant])

    @settings(AS_FOUND, max_examples=8)
    @given(level=st.sampled_from(Level.values), what_happens=st.lists(acts, min_size=8, max_size=24))
    def any_life(level: str, what_happens: list[tuple[str, int, str]]) -> None:
        with transaction.atomic():
            life = Life(institution, "academic", level)
            for act in what_happens:
                if life.proposal.state not in ENDED:
                    life.act(*act)
            assert life.proposal.policy_version is not None
            found = Comparison(life.proposal.policy_version.typed_rules, draft, {}).of(case_of(life.proposal))
            assert (found.result is Result.SAME) == (not found.reasons)
            stays = ([opening.stay for opening in way.acting] for way in (found.before, found.after))
            if len(set(map(tuple, stays))) == 2:
                assert found.result is Result.ROUTE
            gained = {reason.key for reason in found.reasons if reason.because is Because.GAINS}
            assert gained == {one.key for one in found.after.acting} - {one.key for one in found.before.acting}
            transaction.set_rollback(True)

    any_life()
