"""Which version of a policy is in force on a day, and what its approval matrix says."""

from dataclasses import dataclass
from datetime import date

from governance import clock
from governance.people.models import Unit
from governance.policies.models import PolicyVersion, VersionStatus
from governance.policies.resolve import resolve
from governance.policies.rules import Rules, Stage
from governance.policies.vocabulary import Action, Effect, Facts, Kind, Level, UnitPlace


def in_force(policy_key: str, day: date | None = None) -> PolicyVersion | None:
    """The adopted version in force on a day (today where none is given): the latest that had begun by then."""
    return (
        PolicyVersion.objects.filter(
            policy__key=policy_key, status=VersionStatus.ADOPTED, effective_from__lte=day or clock.today()
        )
        .select_related("policy")
        .order_by("-effective_from", "-number")
        .first()
    )


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
