"""Whether what a memo transmits is still in force. Pure functions.

Example: the teaching centre recommended submission 2; the author then changed the assessments, for which the policy
reopens that recommendation. From then on the memo is out of force, and when the centre has answered again, superseded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from governance.policies.vocabulary import Outcome
from workflows.proposals.states import State
from workflows.review.progress import APPROVALS


class Standing(StrEnum):
    IN_FORCE = "in force"
    SUPERSEDED = "superseded"
    ENDED = "no longer in force"


@dataclass(frozen=True)
class Answer:
    """An answer of a stage on a proposal, and the number of its memo (empty while that is being made)."""

    stage: str
    outcome: Outcome
    memo: str = ""


@dataclass(frozen=True)
class InForce:
    """How a memo stands, and which memo took its place where one did."""

    standing: Standing
    superseded_by: str = ""


def standing_of(answer: Answer, *, later: Sequence[Answer], state: State, counts: bool) -> InForce:
    """How the memo of an answer stands. In this order:

    1. It is superseded once the same stage answered on the same proposal again, by whoever sat there and whatever they
       said: the last of these memos took its place. Another stage's answer supersedes nothing.
    2. A refusal ends its proposal and stays in force.
    3. A return stays in force until the stage answers again (1), unless the proposal ended before that: withdrawn,
       declined by another stage, or approved under a version that no longer asks this stage.
    4. An approval, recommendation or advice is in force as long as it counts. It no longer does once the proposal was
       withdrawn or declined, or while the stage has to answer again: because something was changed that the policy
       reopens the stage for, or the proposal was sent back to a stage before it, or to the beginning, or was moved to a
       version that asks more of the stage. Nor does it where the proposal, changed or moved, no longer passes the
       stage. `counts` says that none of this is so.

    `later` holds the answers given on the proposal after this one, in their order; `state` is the proposal's today.
    """
    again = [each for each in later if each.stage == answer.stage]
    if again:
        return InForce(Standing.SUPERSEDED, again[-1].memo)
    if answer.outcome is Outcome.DECLINE:
        holds = True
    elif answer.outcome in APPROVALS:
        holds = counts and state not in {State.WITHDRAWN, State.DECLINED}
    else:
        holds = state in {State.IN_REVIEW, State.RETURNED}
    return InForce(Standing.IN_FORCE if holds else Standing.ENDED)
