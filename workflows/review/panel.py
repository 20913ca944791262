"""The decision panel beside a proposal: what the policy asks for at this stage, and which answers it allows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from governance import clock
from governance.audit.models import named
from governance.policies.rules import ChecklistItem, Rules, Vote
from governance.policies.vocabulary import Carries, Outcome, UnitPlace, Voters
from workflows.proposals.completeness import asked
from workflows.proposals.content import Content
from workflows.review.forms import DecisionForm
from workflows.review.lists import due_words
from workflows.review.models import WorkItem
from workflows.review.permits import Act
from workflows.review.reader import Reader
from workflows.review.route import label_of_approval


@dataclass(frozen=True)
class Panel:
    """The decision panel: the stage, what the policy asks for there, and which answers it allows."""

    item: WorkItem
    form: DecisionForm
    due_words: str
    late: bool
    approve_label: str
    can_return: bool
    can_decline: bool
    can_set_conditions: bool
    returns_to_stages: bool
    vote: tuple[str, ...] = ()


def panel_of(reader: Reader, form: DecisionForm | None = None) -> Panel | None:
    """The decision panel, for somebody who may give at least one answer now; with what was typed, where it was."""
    item, history = reader.item, reader.history
    if item is None or history is None or not reader.may(Act.APPROVE):
        return None
    stage = history.route[item.stage_key].stage
    holding = {other.stage_key: other.stage_label for other in history.open_items}
    return Panel(
        item=item,
        form=form or decision_form(reader, initial={"item": item.pk, "seen": reader.proposal.version}),
        due_words=due_words(item.due_on, clock.today()),
        late=item.due_on < clock.today(),
        approve_label=label_of_approval(history.after_approval_of(item), holding),
        can_return=Outcome.RETURN in stage.outcomes,
        can_decline=Outcome.DECLINE in stage.outcomes,
        can_set_conditions=Outcome.APPROVE_WITH_CONDITIONS in stage.outcomes,
        returns_to_stages=bool(history.route.before(item.stage_key)),
        vote=vote_in_words(stage.vote) if stage.vote is not None else (),
    )


MAJORITIES: Final[dict[tuple[Carries, Voters], Promise]] = {
    (Carries.MAJORITY, Voters.PRESENT): gettext_lazy("More than half of those present must vote for it."),
    (Carries.MAJORITY, Voters.MEMBERS): gettext_lazy("More than half of all members must vote for it."),
    (Carries.TWO_THIRDS, Voters.PRESENT): gettext_lazy("Two thirds of those present must vote for it."),
    (Carries.TWO_THIRDS, Voters.MEMBERS): gettext_lazy("Two thirds of all members must vote for it."),
}


def vote_in_words(vote: Vote) -> tuple[str, ...]:
    """What the policy asks of a vote, so that an answer is the body's."""
    if vote.quorum is not None:
        quorum = ngettext(
            "The policy asks for a vote with at least %(n)s member present (clause %(clause)s).",
            "The policy asks for a vote with at least %(n)s members present (clause %(clause)s).",
            vote.quorum,
        ) % {"n": vote.quorum, "clause": vote.clause}
    else:
        quorum = _("The policy asks for a vote with at least %(share)s of the members present (clause %(clause)s).") % {
            "share": _("%(n)s%%") % {"n": vote.quorum_percent},
            "clause": vote.clause,
        }
    return quorum, str(MAJORITIES[vote.carries, vote.of])


def decision_form(reader: Reader, data: Any = None, initial: dict[str, Any] | None = None) -> DecisionForm:
    """The decision form of the stage at which the person stands."""
    item, history = reader.item, reader.history
    checklist: Sequence[ChecklistItem] = ()
    earlier: Iterable[Any] = ()
    if item is not None and history is not None:
        checklist = history.route[item.stage_key].stage.checklist
        earlier = history.route.before(item.stage_key)
    return DecisionForm(
        data, checklist=checklist, earlier=tuple(earlier), author=named(reader.proposal.author.name), initial=initial
    )


# ---- what the system checks


@dataclass(frozen=True)
class SystemCheck:
    """A requirement of the policy, checked by the system on this very submission."""

    says: str
    clause: str
    met: bool

    @property
    def clause_in_words(self) -> str:
        return _("clause %(number)s") % {"number": self.clause}


def system_checks(rules: Rules, content: Content, unit: UnitPlace, action: str) -> list[SystemCheck]:
    """Everything that the policy asks of this content, and whether it is there; what is open first."""
    checks = [
        SystemCheck(says=point.says, clause=point.clause, met=point.met)
        for point in asked(rules, content, unit, action=action)
    ]
    return sorted(checks, key=lambda check: check.met)
