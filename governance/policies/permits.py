"""Who may do what to a policy version: one pure function for the pages that show a button and for the action behind it.

Example: the administrator who drafted a version gets `NotPermitted` when they would also record its adoption.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.utils.translation import gettext as _

from governance.policies.machine import sources
from governance.policies.states import VersionStatus
from governance.refusals import NotPermitted, NotPossible, Refusal


class VersionAct(StrEnum):
    """An act on a version, named as the person says it."""

    READ = "read"
    EDIT = "edit"
    PROPOSE = "propose"
    TAKE_BACK = "take-back"
    ADOPT = "adopt"
    WITHDRAW = "withdraw"


POSSIBLE: Final[dict[VersionAct, frozenset[VersionStatus]]] = {
    VersionAct.READ: frozenset(VersionStatus),
    VersionAct.EDIT: sources("propose"),
    VersionAct.PROPOSE: sources("propose"),
    VersionAct.TAKE_BACK: sources("take_back"),
    VersionAct.ADOPT: sources("adopt"),
    VersionAct.WITHDRAW: sources("withdraw"),
}
# What everybody signed in may read: that which is law, was law, or is put to a body to become law.
PUBLIC: Final = frozenset(VersionStatus) - {VersionStatus.DRAFT, VersionStatus.WITHDRAWN}


@dataclass(frozen=True)
class VersionStanding:
    """What matters of one person towards one version."""

    status: VersionStatus
    is_administrator: bool = False
    is_drafter: bool = False
    has_begun: bool = False


def refusal(act: VersionAct, standing: VersionStanding) -> Refusal | None:
    """Why this person may not do this now; None when they may. First whether it is possible at all, then whether by
    them."""
    if standing.status not in POSSIBLE[act]:
        if standing.status == VersionStatus.DRAFT:
            return NotPossible(_("This is not possible for a draft."))
        said = {"status": standing.status.label.lower()}
        return NotPossible(_("This is not possible for a version that is %(status)s.") % said)
    if act is VersionAct.READ and standing.status in PUBLIC:
        return None
    if not standing.is_administrator:
        if act is VersionAct.READ and standing.status is VersionStatus.WITHDRAWN:
            return NotPermitted(_("This version was withdrawn; administrators can read it."))
        if act is VersionAct.READ:
            return NotPermitted(_("This version is a draft; administrators can read it."))
        return NotPermitted(_("Only an administrator may do this to a policy."))
    if act is VersionAct.ADOPT and standing.is_drafter:
        return NotPermitted(_("A version is adopted by somebody other than the person who drafted it."))
    if act is VersionAct.WITHDRAW and standing.has_begun:
        return NotPossible(_("Its first day has come, so it can only be followed by another version."))
    return None
