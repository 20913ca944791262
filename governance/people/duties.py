"""What each duty on a body allows: the one table, readable by a dean. Nothing else grants a right.

Example: the chair of Senate may see what lies before Senate, advise on it, decide it and preside; its secretary may see
it and keep the minutes, but not decide.
"""

from enum import StrEnum
from typing import Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Right(StrEnum):
    """A django-guardian permission on a body; the value is its codename."""

    PROPOSE = "propose"
    ADVISE = "advise"
    DECIDE = "decide"
    CHAIR = "chair"
    MINUTE = "minute"
    VIEW = "view"


class Duty(TextChoices):
    """What a mandate makes a person on a body."""

    PROPOSER = "proposer", _("Proposer")
    OFFICER = "officer", _("Office holder")
    REVIEWER = "reviewer", _("Reviewer")
    CHAIR = "chair", _("Chair")
    MEMBER = "member", _("Member")
    SECRETARY = "secretary", _("Secretary")
    OBSERVER = "observer", _("Observer")


ALLOWS: Final[dict[Duty, frozenset[Right]]] = {
    Duty.PROPOSER: frozenset({Right.PROPOSE}),
    Duty.OFFICER: frozenset({Right.VIEW, Right.ADVISE, Right.DECIDE}),
    Duty.REVIEWER: frozenset({Right.VIEW, Right.ADVISE, Right.DECIDE}),
    Duty.CHAIR: frozenset({Right.VIEW, Right.ADVISE, Right.DECIDE, Right.CHAIR}),
    Duty.MEMBER: frozenset({Right.VIEW, Right.ADVISE}),
    Duty.SECRETARY: frozenset({Right.VIEW, Right.ADVISE, Right.MINUTE}),
    Duty.OBSERVER: frozenset({Right.VIEW}),
}


def duties_that_allow(right: Right) -> list[Duty]:
    return [duty for duty, rights in ALLOWS.items() if right in rights]
