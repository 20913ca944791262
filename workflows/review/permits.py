"""Who may do what to a proposal: one pure function for the pages that show a button and for the action behind it.

Example: an Associate Dean who is also the author gets `NotPermitted` with the clause that keeps the two duties apart.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.utils.translation import gettext as _

from governance.people.duties import Right
from governance.policies.rules import Duties
from governance.policies.vocabulary import Outcome
from governance.refusals import NotPermitted, NotPossible, Refusal
from workflows.proposals.states import State
from workflows.review.machine import sources


class Act(StrEnum):
    """An act on a proposal, named as the person says it."""

    VIEW = "view"
    EDIT = "edit"
    SUBMIT = "submit"
    APPROVE = "approve"
    RETURN = "return"
    DECLINE = "decline"
    WITHDRAW = "withdraw"
    COMMENT = "comment"
    MOVE = "move"


POSSIBLE: Final[dict[Act, frozenset[State]]] = {
    Act.VIEW: frozenset(State),
    Act.EDIT: sources("submit"),
    Act.SUBMIT: sources("submit"),
    Act.APPROVE: sources("approve"),
    Act.RETURN: sources("return_for_changes"),
    Act.DECLINE: sources("decline"),
    Act.WITHDRAW: sources("withdraw"),
    Act.COMMENT: frozenset(State) - {State.DRAFT},
    Act.MOVE: frozenset({State.IN_REVIEW, State.RETURNED}),
}
DECIDING: Final = {Act.APPROVE: Outcome.APPROVE, Act.RETURN: Outcome.RETURN, Act.DECLINE: Outcome.DECLINE}


@dataclass(frozen=True)
class Stage:
    """The open stage that a decision is about, as far as permission depends on it."""

    key: str
    body: str
    rights: frozenset[Right]
    outcomes: frozenset[Outcome]


@dataclass(frozen=True)
class Standing:
    """What matters of one person towards one proposal, gathered by `queries.standing`."""

    state: State
    is_author: bool = False
    may_propose: bool = False
    sees: bool = False
    advises: bool = False
    stage: Stage | None = None
    decided_stages: frozenset[str] = frozenset()
    duties: Duties | None = None
    is_administrator: bool = False


def refusal(act: Act, standing: Standing) -> Refusal | None:
    """Why this person may not do this now; None when they may. First whether it is possible at all, then whether by
    them."""
    if standing.state not in POSSIBLE[act]:
        return NotPossible(_impossible(act, standing.state))
    if act in DECIDING:
        return _may_decide(act, standing)
    if act is Act.VIEW:
        allowed, sentence = standing.sees, _("You do not sit on a body that this proposal has reached.")
    elif act is Act.COMMENT:
        allowed = standing.sees and (standing.is_author or standing.advises)
        sentence = _("Only the author and the bodies that review this proposal may comment on it.")
    elif act is Act.MOVE and standing.is_administrator:
        allowed = not standing.is_author
        sentence = _("You wrote this proposal, so another administrator must move it.")
    elif act is Act.MOVE:
        allowed = False
        sentence = _("Only an administrator may move proposals to another policy version.")
    elif act is Act.SUBMIT and standing.is_author:
        allowed, sentence = standing.may_propose, _("You no longer hold the duty to propose for this unit.")
    else:
        allowed, sentence = standing.is_author, _("Only the author of a proposal may do this.")
    return None if allowed else NotPermitted(sentence)


def _may_decide(act: Act, standing: Standing) -> Refusal | None:
    stage, duties = standing.stage, standing.duties
    if stage is None or duties is None:
        return NotPossible(_("This stage is no longer waiting for a decision."))
    if Right.DECIDE not in stage.rights:
        return NotPermitted(_("You hold no duty today that lets you decide for %(body)s.") % {"body": stage.body})
    if standing.is_author and not duties.author_may_decide.allowed:
        return NotPermitted(
            _("You wrote this proposal, so you cannot decide on it (clause %(clause)s).")
            % {"clause": duties.author_may_decide.clause}
        )
    if standing.decided_stages - {stage.key} and not duties.one_person_many_stages.allowed:
        return NotPermitted(
            _("You decided another stage of this proposal, so you cannot decide this one (clause %(clause)s).")
            % {"clause": duties.one_person_many_stages.clause}
        )
    if DECIDING[act] not in stage.outcomes:
        return NotPossible(_("The policy does not give this stage that answer."))
    return None


def _impossible(act: Act, state: State) -> str:
    if act is Act.EDIT:
        return _("A proposal that is %(state)s cannot be edited.") % {"state": state.label.lower()}
    if act is Act.COMMENT:
        return _("A draft has no comments yet; only its author sees it.")
    return _("This is not possible for a proposal that is %(state)s.") % {"state": state.label.lower()}
