"""Under any sound rules, and through moves between them, a proposal in review is always held by somebody who must
answer, and one that is approved was approved by every stage that its route asks, the last of which decides.

Stages in any order and wave, that decide, recommend or only receive depending on the proposal; acts in any order.
"""

import json
from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from governance import clock
from governance.policies.actions import adopt, begin_draft, propose, save_draft
from governance.policies.models import PolicyVersion
from governance.policies.vocabulary import Effect, Kind, Level
from governance.refusals import Incomplete, Refusal
from tests.conftest import Institution
from tests.samples import complete_content
from tests.versions import MORE_CLAUSES
from workflows.proposals.actions import save_section
from workflows.proposals.models import Proposal
from workflows.proposals.states import ENDED, State
from workflows.review import actions
from workflows.review.models import WorkItem
from workflows.review.moving import plan, proposals_named
from workflows.review.progress import standing_approvals
from workflows.review.queries import answers_of, changes_of, route_of

EFFECTS = [effect.value for effect in Effect]
ACADEMIC = {"field": "kind", "is": "academic"}


def some_rules(rules: dict[str, Any], chance: Random) -> None:
    """Other rules of the same bodies: often sound, because a stage that decides stands last of those that answer."""
    route = rules["route"]
    chance.shuffle(route)
    route = route[chance.randint(0, 3) :]
    for stage in route:
        stage["effect"] = chance.choice(
            [
                chance.choice(EFFECTS),
                [{"when": ACADEMIC, "effect": chance.choice(EFFECTS)}, {"effect": chance.choice(EFFECTS)}],
            ]
        )
        stage["when"] = chance.choice([None, None, ACADEMIC, {"not": ACADEMIC}])
        stage["wave"] = chance.choice([None, "together"])
        stage["checklist"] = []
    together = [place for place, stage in enumerate(route) if stage["wave"]]
    for place, stage in enumerate(route):
        stage["wave"] = "together" if together and together[0] <= place <= together[-1] else None
    last = route[-1 - chance.randint(0, 1)] if len(route) > 1 else route[-1]
    last |= {"effect": "decide", "when": None}
    rules["route"] = route
    rules["duties"]["one_person_many_stages"]["allowed"] = True
    rules["resubmission"]["resume"] = chance.choice(["returning-stage", "first-stage"])
    keys = [stage["key"] for stage in route]
    rules["reopens"] = [
        {"fields": ["summary"], "stages": chance.sample(keys, chance.randint(1, len(keys))), "clause": "7.6"}
    ][: chance.randint(0, 1)]


def adopted_by_chance(place: Institution, chance: Random) -> PolicyVersion | None:
    """The next version with some rules, in force from today; None where they are not sound."""
    assert place.policy is not None
    drafter = place.person("drafter")
    try:
        with transaction.atomic():
            version = begin_draft(actor=drafter, like=place.policy, effective_from=clock.today())
            rules = json.loads(version.rules)
            some_rules(rules, chance)
            text = version.text + MORE_CLAUSES
            version = save_draft(actor=drafter, version=version, seen=version.saves, text=text, rules=rules)
            version = propose(actor=drafter, version=version)
            return adopt(actor=place.person("administrator"), version=version, motion="Senate minute, item 5")
    except Incomplete:
        return None


def act(place: Institution, proposal: Proposal, version: PolicyVersion, chance: Random) -> None:
    """Something that somebody may do now, or a refusal."""
    seen, author = proposal.version, proposal.author
    if proposal.state in (State.DRAFT, State.RETURNED):
        if chance.random() < 0.7:
            draft = proposal.draft_sections.get(key="summary")
            kind, level = chance.choice(Kind.values), chance.choice(Level.values)
            data = draft.data | {"kind": kind, "level": level}
            save_section(actor=author, proposal=proposal, section="summary", data=data, seen=draft.version)
            seen = Proposal.objects.get(pk=proposal.pk).version
        if proposal.revision_number == 0 or chance.random() < 0.8:
            actions.submit(actor=author, proposal=proposal, seen=seen)
            return
    if proposal.policy_version_id not in (None, version.pk) and chance.random() < 0.5:
        chosen = proposals_named([proposal.reference])
        digest = plan(chosen, version).digest
        administrator = place.person("administrator")
        actions.move(actor=administrator, proposals=chosen, version=version, plan_digest=digest, reason="It applies.")
        return
    items = list(WorkItem.objects.filter(proposal=proposal, closed_at=None))
    if not items:
        return
    item = chance.choice(items)
    reviewer = place.reviewer_of(item)
    if chance.random() < 0.55:
        actions.approve(actor=reviewer, item=item, seen=seen)
        return
    before = [""] + [stage.key for stage in route_of(proposal).before(item.stage_key)]
    to_stage = chance.choice(before)
    actions.return_for_changes(actor=reviewer, item=item, seen=seen, reasons="Say who asked.", to_stage=to_stage)


def check_held(proposal: Proposal) -> None:
    held = list(WorkItem.objects.filter(proposal=proposal, closed_at=None))
    assert all(item.effect != Effect.RECEIVE for item in held)
    assert bool(held) == (proposal.state == State.IN_REVIEW)
    if proposal.policy_version is None:
        return
    route, answers = route_of(proposal), answers_of(proposal)
    approved = standing_approvals(answers, route, proposal.policy_version.typed_rules, changes_of(proposal))
    acting = [stage for stage in route.stages if stage.effect is not Effect.RECEIVE]
    missing = [stage for stage in acting if stage.key not in approved]
    if proposal.state == State.IN_REVIEW:
        first = min(stage.wave for stage in missing)
        now = {(stage.key, stage.effect.value) for stage in missing if stage.wave == first}
        assert {(item.stage_key, item.effect) for item in held} == now
    if proposal.state == State.APPROVED:
        assert not missing
        assert acting[-1].effect is Effect.DECIDE


@pytest.mark.django_db
@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(seed=st.integers(0, 2**32))
@example(seed=44048778)  # a stage that had only received it comes to answer
def test_what_is_in_review_is_held_and_what_is_approved_was_decided(institution: Institution, seed: int) -> None:
    with transaction.atomic():
        for proposal in life_by_chance(institution, Random(seed)):
            check_held(proposal)
        transaction.set_rollback(True)


def life_by_chance(institution: Institution, chance: Random) -> Iterator[Proposal]:
    """Three days of versions and acts by chance; gives the proposal acted on, as it is after each of them."""
    begun = clock.now()
    proposal: Proposal | None = None
    for day in range(1, 4):
        with clock.at(begun + timedelta(days=day)):
            version = adopted_by_chance(institution, chance) or institution.policy
            assert version is not None
            for _step in range(9):
                if proposal is None or proposal.state in ENDED:
                    proposal = institution.draft(content=complete_content(kind=chance.choice(Kind.values)))
                try:
                    with transaction.atomic():
                        act(institution, proposal, version, chance)
                except Refusal:
                    pass
                proposal = Proposal.objects.get(pk=proposal.pk)
                yield proposal
