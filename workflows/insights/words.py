"""A replay in words: why a proposal would have fared otherwise, and how it did. Pure functions over what was found."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from governance.policies.vocabulary import Outcome
from workflows.insights.replay import Because, Reason, Result
from workflows.proposals.states import State

RESULTS: Final[dict[Result, Promise]] = {
    Result.SAME: gettext_lazy("%(n)s the same"),
    Result.RETURNED: gettext_lazy("%(n)s returned once more"),
    Result.ROUTE: gettext_lazy("%(n)s by another route"),
    Result.BARRED: gettext_lazy("%(n)s decided by somebody else"),
}

_SENTENCES: Final[dict[Because, Promise]] = {
    Because.GAINS: gettext_lazy("Also goes to “%(stage)s”"),
    Because.LOSES: gettext_lazy("No longer goes to “%(stage)s”"),
    Because.INFORMED: gettext_lazy("“%(stage)s” is only informed"),
    Because.ONCE_MORE: gettext_lazy("“%(stage)s” is asked again after a change"),
    Because.ONCE_LESS: gettext_lazy("“%(stage)s” is not asked again"),
    Because.ORDER: gettext_lazy("The same stages in another order"),
    Because.BODY: gettext_lazy("“%(stage)s” is for %(says)s instead of %(was)s"),
    Because.DECIDER: gettext_lazy("%(says)s decides instead of %(was)s"),
    Because.ENDING: gettext_lazy("Ends as “%(says)s” instead of “%(was)s”"),
    Because.GAP: gettext_lazy("To be completed first: %(says)s"),
    Because.BARRED: gettext_lazy("“%(stage)s” is decided by somebody else"),
    Because.ANSWER: gettext_lazy("“%(stage)s” cannot answer “%(says)s”"),
}


def to_complete(reason: Reason) -> str:
    """What is to be completed, in the policy's words; a further question is asked in the language of the reader."""
    return _("Answer “%(question)s”") % {"question": reason.label} if reason.label else reason.says


def sentence(reason: Reason, bodies: Mapping[str, str]) -> str:
    """A reason in a sentence; `bodies` says what a kind of body is called here."""
    says, was = reason.says, reason.was
    if reason.because in {Because.BODY, Because.DECIDER}:
        says, was = bodies.get(says, says), bodies.get(was, was)
    elif reason.because is Because.GAP:
        says = to_complete(reason)
    elif reason.because is Because.ENDING:
        says, was = str(State(says).label), str(State(was).label)
    elif reason.because is Because.ANSWER:
        says = str(Outcome(says).label)
    return str(_SENTENCES[reason.because]) % {"stage": reason.label, "says": says, "was": was}


def how_it_ended(way: Mapping[str, Any]) -> str:
    """How a proposal ended, and where: "Approved by Senate"."""
    stages: Sequence[str] = way["stages"]
    said = {"stage": stages[-1] if stages else ""}
    match State(way["ended"]):
        case State.APPROVED:
            return _("Approved by %(stage)s") % said
        case State.DECLINED:
            return _("Declined by %(stage)s") % said
        case State.WITHDRAWN:
            return _("Withdrawn at %(stage)s") % said
    return str(State(way["ended"]).label)


def in_short(result: Result, reasons: Sequence[Reason], bodies: Mapping[str, str]) -> str:
    """What the draft does to a proposal in a word or two: "To Senate"."""
    by_kind = {reason.because: reason for reason in reversed(reasons)}
    if result is Result.RETURNED:
        return _("Returned once more")
    if result is Result.BARRED:
        return _("Decided by somebody else")
    if gained := by_kind.get(Because.GAINS):
        return _("To %(stage)s") % {"stage": gained.label}
    if lost := by_kind.get(Because.LOSES) or by_kind.get(Because.INFORMED):
        return _("Not to %(stage)s") % {"stage": lost.label}
    if again := by_kind.get(Because.ONCE_MORE):
        return _("Once more to %(stage)s") % {"stage": again.label}
    if other := by_kind.get(Because.DECIDER) or by_kind.get(Because.BODY):
        return _("Decided by %(body)s") % {"body": bodies.get(other.says, other.says)}
    return _("Another route")
