"""How any policy version lives, declared once: drafted, proposed, adopted, in force, superseded, or withdrawn.

`actions.py` is the only module that fires a transition; what a page offers and what the tests walk through is derived
from the declaration.
"""

from viewflow import fsm

from governance.policies.models import PolicyVersion
from governance.policies.states import VersionStatus


class VersionLifecycle:
    """The life of one version, which it moves from status to status in memory; the action that asked saves it."""

    status = fsm.State(VersionStatus, default=VersionStatus.DRAFT)

    def __init__(self, version: PolicyVersion) -> None:
        self.version = version

    @status.getter()
    def _status(self) -> VersionStatus:
        return VersionStatus(self.version.status)

    @status.setter()
    def _set_status(self, status: VersionStatus) -> None:
        self.version.status = status

    @status.transition(source=VersionStatus.DRAFT, target=VersionStatus.PROPOSED)
    def propose(self) -> None:
        """The draft goes to the body that adopts it; its words stand still meanwhile."""

    @status.transition(source=VersionStatus.PROPOSED, target=VersionStatus.DRAFT)
    def take_back(self) -> None:
        """It is drafted further."""

    @status.transition(source=VersionStatus.PROPOSED, target=VersionStatus.ADOPTED)
    def adopt(self) -> None:
        """It was adopted; from now on nothing in it can change."""

    @status.transition(source=VersionStatus.ADOPTED, target=VersionStatus.IN_FORCE)
    def enter_into_force(self) -> None:
        """Its first day has come."""

    @status.transition(source={VersionStatus.ADOPTED, VersionStatus.IN_FORCE}, target=VersionStatus.SUPERSEDED)
    def supersede(self) -> None:
        """The first day of a later version has come."""

    @status.transition(
        source={VersionStatus.DRAFT, VersionStatus.PROPOSED, VersionStatus.ADOPTED}, target=VersionStatus.WITHDRAWN
    )
    def withdraw(self) -> None:
        """It will never be in force."""


def sources(transition: str) -> frozenset[VersionStatus]:
    """The statuses in which a transition is possible, read from the declaration."""
    declared = getattr(VersionLifecycle, transition).get_transitions()
    return frozenset(VersionStatus(one.source) for one in declared)
