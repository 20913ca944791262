"""The closed words that rules are written in: actions, outcomes, effects, and the facts that a condition may read.

Example: "the graduate council recommends when the kind is academic and the level is graduate" reads the facts `kind`
and `level`.
"""

from dataclasses import dataclass
from enum import StrEnum

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Action(TextChoices):
    """What a proposal asks to do to a micro-credential."""

    NEW = "new", _("New")
    MODIFY = "modify", _("Modify")
    TRANSFER = "transfer", _("Transfer")
    SUSPEND = "suspend", _("Suspend")
    REACTIVATE = "reactivate", _("Reactivate")
    DISCONTINUE = "discontinue", _("Discontinue")
    RENEW = "renew", _("Renew")


class Kind(TextChoices):
    """Whether academic credit is asked for."""

    ACADEMIC = "academic", _("For academic credit")
    NON_ACADEMIC = "non-academic", _("Without academic credit")


class Level(TextChoices):
    UNDERGRADUATE = "undergraduate", _("Undergraduate")
    GRADUATE = "graduate", _("Graduate")
    PROFESSIONAL = "professional", _("Continuing and professional")


class Effect(TextChoices):
    """What a stage's answer does, as approval matrices publish it (Y, recommend, R, I)."""

    DECIDE = "decide", _("Decides")
    RECOMMEND = "recommend", _("Recommends")
    ADVISE = "advise", _("Advises")
    RECEIVE = "receive", _("Receives for information")


class Outcome(TextChoices):
    """What a body may answer at a stage."""

    APPROVE = "approve", _("Approved")
    APPROVE_WITH_CONDITIONS = "approve-with-conditions", _("Approved with conditions")
    RETURN = "return", _("Returned for changes")
    DECLINE = "decline", _("Declined")


class DecidesBy(TextChoices):
    """Whose answer is the body's: that of one person who holds the right to decide on it, or the outcome of a vote that
    such a person records."""

    ONE = "one", _("One person")
    VOTE = "vote", _("A vote")


class Carries(TextChoices):
    """How many of the votes carry a motion."""

    MAJORITY = "majority", _("more than half")
    TWO_THIRDS = "two-thirds", _("two thirds")


class Voters(TextChoices):
    """Of whom a majority is counted."""

    PRESENT = "present", _("those present")
    MEMBERS = "members", _("all members")


class AnswerKind(TextChoices):
    """What an answer to a further question looks like."""

    LINE = "line", _("A line of words")
    TEXT = "text", _("Several paragraphs")
    NUMBER = "number", _("A whole number")
    YES_NO = "yes-no", _("Yes or no")
    CHOICE = "choice", _("One of several answers")


class Ending(TextChoices):
    """How a proposal ended, as retention depends on it."""

    APPROVED = "approved", _("Approved")
    DECLINED = "declined", _("Declined")
    WITHDRAWN = "withdrawn", _("Withdrawn")


@dataclass(frozen=True)
class Facts:
    """What a condition may read of a proposal, and nothing else."""

    action: str = Action.NEW
    kind: str = Kind.NON_ACADEMIC
    level: str = Level.PROFESSIONAL
    hours: int = 0
    weeks: int = 0
    credit_hundredths: int = 0
    partners: int = 0
    new_resources: bool = False


@dataclass(frozen=True)
class UnitPlace:
    """The proposing unit as rules see it: its code, its kind and the codes of the units it is part of, nearest
    first."""

    code: str
    kind: str
    within: tuple[str, ...] = ()


class FactName(StrEnum):
    """The names under which conditions read the facts of a proposal and of its unit."""

    ACTION = "action"
    KIND = "kind"
    LEVEL = "level"
    HOURS = "hours"
    WEEKS = "weeks"
    CREDIT_HUNDREDTHS = "credit_hundredths"
    PARTNERS = "partners"
    NEW_RESOURCES = "new_resources"
    UNIT = "unit"
    UNIT_KIND = "unit_kind"


Value = bool | int | str


def value_of(name: FactName, facts: Facts, unit: UnitPlace) -> Value:
    """The value a condition reads under `name`."""
    if name is FactName.UNIT:
        return unit.code
    if name is FactName.UNIT_KIND:
        return unit.kind
    value: Value = getattr(facts, name.value)
    return value
