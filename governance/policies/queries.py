"""Which version of a policy is in force on a day, and what its approval matrix says."""

import json
from dataclasses import dataclass
from datetime import date

from django.db.models import QuerySet

from governance import clock
from governance.people.models import Unit, User
from governance.policies.checking import check
from governance.policies.models import PolicyVersion
from governance.policies.permits import VersionAct, VersionStanding, refusal
from governance.policies.resolve import resolve
from governance.policies.rules import Rules, Stage
from governance.policies.states import LAW, VersionStatus
from governance.policies.vocabulary import Action, Effect, Facts, Kind, Level, UnitPlace
from governance.refusals import Refusal


def in_force(policy_key: str, day: date | None = None) -> PolicyVersion | None:
    """The version in force on a day (today where none is given): the latest of those adopted that had begun by then."""
    return _law_on(policy_key, day).first()


def name_of_law(policy_key: str) -> PolicyVersion | None:
    """The version in force today without its words and rules: every page names it, few read it."""
    return _law_on(policy_key, None).defer("text", "rules", "source").first()


def _law_on(policy_key: str, day: date | None) -> QuerySet[PolicyVersion]:
    begun = PolicyVersion.objects.filter(
        policy__key=policy_key, status__in=LAW, effective_from__lte=day or clock.today()
    )
    return begun.select_related("policy").order_by("-effective_from", "-number")


def refusal_for(act: VersionAct, user: User, version: PolicyVersion) -> Refusal | None:
    """Why this person may not do this to a version now; None when they may."""
    drafted = version.drafted_by_id == user.pk or (
        not version._state.adding and version.drafters.filter(pk=user.pk).exists()
    )
    return refusal(
        act,
        VersionStanding(
            status=VersionStatus(version.status),
            is_administrator=user.is_staff and user.is_active,
            is_drafter=drafted,
            has_begun=version.is_law and version.effective_from <= clock.today(),
        ),
    )


def rules_of(version: PolicyVersion) -> Rules | None:
    """The rules of a version; None of a draft, or one withdrawn as a draft, that cannot be used yet."""
    if version.status in {VersionStatus.DRAFT, VersionStatus.WITHDRAWN}:
        return check(json.loads(version.rules), version.text).rules
    return version.typed_rules


def place_of(unit: Unit) -> UnitPlace:
    """A unit as rules see it."""
    return UnitPlace(code=unit.code, kind=unit.kind, within=tuple(ancestor.code for ancestor in unit.lineage()[1:]))


@dataclass(frozen=True)
class MatrixRow:
    """What each stage does for one action and class: a row of the approval matrix, None where the stage has no part."""

    action: Action
    kind: Kind
    level: Level
    cells: tuple[tuple[Effect | None, Stage], ...]


def approval_matrix(rules: Rules, unit: UnitPlace) -> list[MatrixRow]:
    """The approval matrix of action and class by stage, as universities publish it, worked out from the same rules."""
    rows = []
    classes = [
        (Kind.ACADEMIC, Level.UNDERGRADUATE),
        (Kind.ACADEMIC, Level.GRADUATE),
        (Kind.ACADEMIC, Level.PROFESSIONAL),
        (Kind.NON_ACADEMIC, Level.PROFESSIONAL),
    ]
    for action in rules.governs:
        for kind, level in classes:
            route = resolve(rules, Facts(action=action, kind=kind, level=level), unit)
            cells = tuple((route[stage.key].effect if stage.key in route else None, stage) for stage in rules.route)
            rows.append(MatrixRow(action=action, kind=kind, level=level, cells=cells))
    return rows
