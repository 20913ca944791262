"""Versions with other rules than the shipped ones, and past proposals for them, all made by the real acts."""

from datetime import date, timedelta
from typing import Any

from governance import clock
from governance.policies.actions import adopt, draft, propose
from governance.policies.loading import PolicyFile, load_policy_file
from governance.policies.models import PolicyVersion
from governance.policies.rules import (
    BodyRef,
    Due,
    DutyRule,
    Reopening,
    Resubmission,
    Resume,
    Rules,
    Stage,
)
from governance.policies.vocabulary import Effect
from tests.conftest import SHIPPED_POLICY, Institution
from workflows.insights.cases import COLUMNS, read_cases, units_by_key
from workflows.insights.walk import Case
from workflows.notices.actions import deliver_due
from workflows.notices.models import Outbox
from workflows.proposals.models import Proposal
from workflows.review import actions as review

SHIPPED = load_policy_file(SHIPPED_POLICY)


def stage(key: str, kind: str, **given: Any) -> Stage:
    """A stage of the duty to decide unless said otherwise, after clause 4.1."""
    label = given.pop("label", key.replace("-", " ").capitalize())
    due = Due(working_days=given.pop("days", 10), clause="6.1")
    given.setdefault("effect", Effect.RECOMMEND)
    return Stage(key=key, label=label, clause=given.pop("clause", "4.1"), body=BodyRef(kind=kind), due=due, **given)


def without(*keys: str) -> dict[str, Any]:
    return {"route": tuple(stage for stage in SHIPPED.rules.route if stage.key not in keys)}


def with_stage(new: Stage, *, before: str) -> dict[str, Any]:
    route: list[Stage] = []
    for known in SHIPPED.rules.route:
        route += [new, known] if known.key == before else [known]
    return {"route": tuple(route)}


def with_changed_stage(key: str, **changes: Any) -> dict[str, Any]:
    return {
        "route": tuple(known.model_copy(update=changes) if known.key == key else known for known in SHIPPED.rules.route)
    }


def duties(**allowed: bool) -> dict[str, Any]:
    rules = {name: DutyRule(allowed=value, clause="8.1") for name, value in allowed.items()}
    return {"duties": SHIPPED.rules.duties.model_copy(update=rules)}


def rules_with(**changes: Any) -> Rules:
    """The shipped rules with some parts changed."""
    return SHIPPED.rules.model_copy(update={"version": 2, **changes})


def drafted(institution: Institution, *, text: str = SHIPPED.text, **changes: Any) -> PolicyVersion:
    """A draft of version 2 with some of the shipped rules changed."""
    rules = rules_with(effective_from=changes.pop("effective_from", clock.today() + timedelta(days=30)), **changes)
    return draft(actor=institution.person("drafter"), source=PolicyFile(rules=rules, text=text))


def adopted(institution: Institution, *, first_day: date | None = None, **changes: Any) -> PolicyVersion:
    """Version 2, in force from a day: today where none is given."""
    version = drafted(institution, effective_from=first_day or clock.today(), **changes)
    proposed = propose(actor=institution.person("drafter"), version=version)
    return adopt(actor=institution.person("administrator"), version=proposed, motion="Senate minute 2026-09-30, item 2")


REOPENING = (
    Reopening(fields=("quality",), stages=("teaching-centre",), clause="7.5"),
    Reopening(fields=("resources.fee",), stages=("associate-dean", "senate"), clause="7.5"),
)
FROM_THE_FIRST = Resubmission(resume=Resume.FIRST_STAGE, clause="7.5")
INFORMED = stage("informed", "secretariat", effect=Effect.RECEIVE)

# Rules of every kind that a way depends on.
VARIANTS: dict[str, dict[str, Any]] = {
    "shipped": {},
    "from-the-first": {"resubmission": FROM_THE_FIRST},
    "reopening": {"reopens": REOPENING},
    "reopening-from-the-first": {"reopens": REOPENING, "resubmission": FROM_THE_FIRST},
    "informed": {**with_stage(INFORMED, before="teaching-centre"), "reopens": REOPENING},
    "informed-last": {
        "route": (*SHIPPED.rules.route, INFORMED),
    },
    "side-by-side": {
        "reopens": REOPENING,
        "route": tuple(
            known.model_copy(update={"wave": "together"} if known.key in {"associate-dean", "teaching-centre"} else {})
            for known in SHIPPED.rules.route
        ),
    },
}


def case_of(proposal: Proposal) -> Case:
    """A proposal as a replay reads it."""
    (row,) = Proposal.objects.filter(pk=proposal.pk).values(*COLUMNS)
    (case,) = read_cases([row], units_by_key())
    return case


def approved(institution: Institution, **given: Any) -> Proposal:
    """A proposal that was approved by every stage of its route."""
    proposal = institution.submitted(**given)
    while proposal.ended_at is None:
        institution.approve(proposal)
        proposal = Proposal.objects.get(pk=proposal.pk)
    return proposal


def declined(institution: Institution, **given: Any) -> Proposal:
    proposal = institution.submitted(**given)
    item = institution.item(proposal)
    review.decline(
        actor=institution.reviewer_of(item), item=item, seen=proposal.version, reasons="No unit has room for it."
    )
    return Proposal.objects.get(pk=proposal.pk)


def withdrawn(institution: Institution, **given: Any) -> Proposal:
    proposal = institution.submitted(**given)
    review.withdraw(actor=proposal.author, proposal=proposal, seen=proposal.version, reason="A partner left.")
    return Proposal.objects.get(pk=proposal.pk)


def deliver_replays() -> None:
    """What a worker does, without the memos and letters of the past, which take longer than everything else."""
    Outbox.objects.filter(task__in=["memos.render", "review.letters"]).update(done_at=clock.now())
    deliver_due()
