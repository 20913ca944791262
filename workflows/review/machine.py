"""How any proposal lives, declared once. Which bodies it passes while in review is the policy's business, not this
machine's.

`actions.py` is the only module that fires a transition; the permission table and the tests are derived from the
declaration.
"""

from viewflow import fsm

from workflows.proposals.models import Proposal
from workflows.proposals.states import State


class Lifecycle:
    """The life of one proposal, which it moves from state to state in memory; the action that asked saves it."""

    state = fsm.State(State, default=State.DRAFT)

    def __init__(self, proposal: Proposal) -> None:
        self.proposal = proposal

    @state.getter()
    def _state(self) -> State:
        return State(self.proposal.state)

    @state.setter()
    def _set_state(self, state: State) -> None:
        self.proposal.state = state

    @state.transition(source={State.DRAFT, State.RETURNED}, target=State.IN_REVIEW)
    def submit(self) -> None:
        """The author sends a revision to the bodies of its route, for the first time or again."""

    @state.transition(source=State.IN_REVIEW, target=fsm.State.RETURN_VALUE(State.IN_REVIEW, State.APPROVED))
    def approve(self, *, stages_remain: bool) -> State:
        """A stage approves; the proposal is approved when none remains."""
        return State.IN_REVIEW if stages_remain else State.APPROVED

    @state.transition(source=State.IN_REVIEW, target=fsm.State.RETURN_VALUE(State.IN_REVIEW, State.RETURNED))
    def return_for_changes(self, *, to_author: bool) -> State:
        """A stage returns the proposal to its author, or to an earlier stage, which keeps it in review."""
        return State.RETURNED if to_author else State.IN_REVIEW

    @state.transition(source=State.IN_REVIEW, target=State.DECLINED)
    def decline(self) -> None:
        """A stage declines; the proposal ends."""

    @state.transition(source={State.DRAFT, State.IN_REVIEW, State.RETURNED}, target=State.WITHDRAWN)
    def withdraw(self) -> None:
        """The author withdraws; the proposal ends, and what was said about it stays."""


def sources(transition: str) -> frozenset[State]:
    """The states in which a transition is possible, read from the declaration."""
    return frozenset(State(declared.source) for declared in getattr(Lifecycle, transition).get_transitions())
