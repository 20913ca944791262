"""Which version of a policy is in force on a day, and what its approval matrix says."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import product
from math import prod
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from governance import clock
from governance.dates import in_full
from governance.people.models import Unit, User
from governance.policies.checking import check
from governance.policies.classes import MOST_COMBINATIONS, FactClass, classes_of
from governance.policies.models import PolicyVersion
from governance.policies.permits import VersionAct, VersionStanding, refusal
from governance.policies.resolve import resolve
from governance.policies.rules import Rules, Stage
from governance.policies.states import LAW, VersionStatus
from governance.policies.vocabulary import Action, Effect, FactName, Facts, Kind, Level, UnitPlace
from governance.refusals import NotPossible, Refusal


def in_force(policy_key: str, day: date | None = None) -> PolicyVersion | None:
    """The version in force on a day (today where none is given): the latest of those adopted that had begun by then."""
    return _law_on(policy_key, day).first()


def name_of_law(policy_key: str) -> PolicyVersion | None:
    """The version in force today with no more than its name and address: every page names it, few read it."""
    return _law_on(policy_key, None).only("number", "policy__key").first()


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


def refusal_of_first_day(version: PolicyVersion) -> NotPossible | None:
    """Why a version cannot be adopted for its first day; None when it can.

    No law reaches back: a version begins today or later, and after every version adopted before it. Only the first
    version of a policy may begin in the past, since nothing was governed before it.
    """
    latest = version.policy.versions.filter(status__in=LAW).order_by("-effective_from").first()
    if latest is None:
        return None
    if latest.effective_from >= version.effective_from:
        words = _("Version %(number)s was adopted for %(day)s already. Another version can only begin after it.")
        return NotPossible(words % {"number": latest.number, "day": in_full(latest.effective_from)})
    if version.effective_from < clock.today() and in_force(version.policy.key) is not None:
        words = _("Its first day, %(day)s, is past. It can only be adopted with a first day from today on.")
        return NotPossible(words % {"day": in_full(version.effective_from)})
    return None


def rules_of(version: PolicyVersion) -> Rules | None:
    """The rules of a version; None of a draft, or one withdrawn as a draft, that cannot be used yet."""
    if version.status in {VersionStatus.DRAFT, VersionStatus.WITHDRAWN}:
        return check(json.loads(version.rules), version.text).rules
    return version.typed_rules


def place_of(unit: Unit) -> UnitPlace:
    """A unit as rules see it."""
    return UnitPlace(code=unit.code, kind=unit.kind, within=tuple(ancestor.code for ancestor in unit.lineage()[1:]))


Cells = tuple[tuple[Effect | None, Stage], ...]


@dataclass(frozen=True)
class MatrixRow:
    """What each stage does for one action and class: a row of the approval matrix, None where the stage has no part.

    `limits` says for which proposals of the class, such as "fewer than 30 hours"; nothing where it is so for all.
    """

    action: Action
    kind: Kind
    level: Level
    limits: str
    cells: Cells


def approval_matrix(rules: Rules, unit: UnitPlace) -> list[MatrixRow]:
    """The approval matrix of action and class by stage, as universities publish it, worked out from the same rules.

    A class has a row for each range of hours, or whatever else the conditions read, that changes who does what in it;
    the matrix is empty where these are too many to be looked at.
    """
    in_rows = {FactName.ACTION, FactName.KIND, FactName.LEVEL}
    others = {name: classes for name, classes in classes_of(rules).items() if name not in in_rows}
    if prod(len(classes) for classes in others.values()) > MOST_COMBINATIONS:
        return []
    rows = []
    classes = [
        (Kind.ACADEMIC, Level.UNDERGRADUATE),
        (Kind.ACADEMIC, Level.GRADUATE),
        (Kind.ACADEMIC, Level.PROFESSIONAL),
        (Kind.NON_ACADEMIC, Level.PROFESSIONAL),
    ]
    for action in rules.governs:
        for kind, level in classes:
            found: dict[tuple[FactClass, ...], Cells] = {}
            for chosen in product(*others.values()):
                said: dict[str, Any] = {name.value: one.value for name, one in zip(others, chosen, strict=True)}
                route = resolve(rules, Facts(action=action, kind=kind, level=level, **said), unit)
                found[chosen] = tuple(
                    (route[stage.key].effect if stage.key in route else None, stage) for stage in rules.route
                )
            telling = [place for place in range(len(others)) if _tells_apart(place, found)]
            by_limits = {tuple(chosen[place] for place in telling): cells for chosen, cells in found.items()}
            for limits, cells in by_limits.items():
                words = ", ".join(one.words for one in limits if one.words)
                rows.append(MatrixRow(action=action, kind=kind, level=level, limits=words, cells=cells))
    return rows


def _tells_apart(place: int, found: Mapping[tuple[FactClass, ...], Cells]) -> bool:
    """Whether the fact at this place ever changes the cells while all others stay."""
    seen: dict[tuple[FactClass, ...], Cells] = {}
    return any(seen.setdefault(chosen[:place] + chosen[place + 1 :], cells) != cells for chosen, cells in found.items())
