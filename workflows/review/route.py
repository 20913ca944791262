"""The route of one proposal as its page draws it: who holds it, since when, until when, who answered, and what is next.

Pure functions over what was read already: work items, decisions and the resolved route.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from governance import clock
from governance.audit.models import named
from governance.policies.resolve import Route, RouteStage
from governance.policies.vocabulary import Effect, Outcome
from governance.site.templatetags.assent import day
from governance.working_days import working_days_between
from workflows.proposals.models import Proposal, Revision
from workflows.proposals.states import State
from workflows.review.materiality import Reopened, still_reopened
from workflows.review.models import Closing, Decision, WorkItem
from workflows.review.progress import APPROVALS, Answer, Changes, next_stages, only_received, standing_approvals


@dataclass(frozen=True)
class Step:
    """One stage of the stepper (`parts/stepper.html`)."""

    label: str
    status: str
    lines: tuple[str, ...] = ()
    bar: int | None = None
    mark: int | None = None
    kind: str = ""
    icon: str = ""


@dataclass(frozen=True)
class Meter:
    """How long a work item has been with its body: day n of m, and the meter that says the same."""

    n: int
    m: int
    bar: int
    mark: int | None
    kind: str


def meter(days_so_far: int, days_given: int, *, late: bool) -> Meter:
    """The meter of a stay; once late, it is full and a mark shows where the time was up."""
    n, m = days_so_far, max(1, days_given)
    return Meter(
        n=n,
        m=m,
        bar=100 if late else min(100, round(100 * n / m)),
        mark=round(100 * m / n) if late and n > m else None,
        kind="bad" if late else "",
    )


def meter_of(item: WorkItem) -> Meter:
    opened, today = timezone.localdate(item.opened_at), clock.today()
    return meter(
        working_days_between(opened, today), working_days_between(opened, item.due_on), late=item.due_on < today
    )


@dataclass(frozen=True)
class History:
    """What happened to a proposal on its route, as read from the database."""

    proposal: Proposal
    route: Route
    revisions: Sequence[Revision]
    items: Sequence[WorkItem]
    decisions: Sequence[Decision]
    mine: frozenset[int] = frozenset()

    @property
    def answers(self) -> list[Answer]:
        return [
            Answer(
                stage=decision.stage_key,
                outcome=Outcome(decision.outcome),
                revision=self._numbers[decision.revision_id],
                to_stage=decision.to_stage,
                by=decision.by_id,
                effect=Effect(decision.effect),
            )
            for decision in self.decisions
        ]

    @property
    def open_items(self) -> list[WorkItem]:
        return [item for item in self.items if item.closed_at is None]

    def behind(self, *latest: Answer) -> frozenset[str]:
        """The stages that are behind the proposal, were `latest` answered too."""
        version = self.proposal.policy_version
        assert version is not None
        received = {
            item.stage_key
            for item in self.items
            if item.closing == Closing.RECEIVED and item.revision_id == self._current_revision
        }
        approved = standing_approvals([*self.answers, *latest], self.route, version.typed_rules, self._changes)
        return approved | only_received(received, self.route)

    def asked_again(self) -> dict[str, Reopened]:
        """For each stage whose approval a later submission asks for again, and which has not answered since, why."""
        version = self.proposal.policy_version
        assert version is not None
        return still_reopened(self.answers, self.route, version.typed_rules, self._changes)

    @property
    def _changes(self) -> Changes:
        return {revision.number: revision.changed_fields for revision in self.revisions}

    @property
    def _numbers(self) -> dict[int, int]:
        return {revision.pk: revision.number for revision in self.revisions}

    @property
    def _current_revision(self) -> int | None:
        revision = self.proposal.current_revision
        return revision.pk if revision is not None else None

    def after_approval_of(self, item: WorkItem) -> tuple[RouteStage, ...]:
        """The stages that would hold the proposal once this one approves; empty when it would be approved."""
        number, effect = self._numbers[item.revision_id], Effect(item.effect)
        latest = Answer(stage=item.stage_key, outcome=Outcome.APPROVE, revision=number, effect=effect)
        approved = self.behind(latest)
        return tuple(stage for stage in next_stages(self.route, approved) if stage.effect is not Effect.RECEIVE)


def steps(history: History) -> list[Step]:
    """Draft, every stage of the policy's route, and the outcome; stages that this proposal does not pass say so."""
    proposal = history.proposal
    version = proposal.policy_version
    assert version is not None
    latest_item = {item.stage_key: item for item in history.items}
    latest_decision = {decision.stage_key: decision for decision in history.decisions}
    approved, again = history.behind(), history.asked_again()
    drawn = [_draft(history)]
    for stage in version.typed_rules.route:
        if stage.key not in history.route:
            if proposal.disposed_at is not None:
                # What it said is gone, and with it which of the stages beyond were on its way.
                drawn.append(Step(label=stage.label, status="next", lines=(_("Not reached"),)))
            else:
                drawn.append(Step(label=stage.label, status="skipped", lines=(_("Not for this proposal"),)))
            continue
        item, decision = latest_item.get(stage.key), latest_decision.get(stage.key)
        step = _stage(history, history.route[stage.key], item, decision, done=stage.key in approved)
        if stage.key in again and step.status in ("now", "next"):
            step = replace(step, lines=(again[stage.key].reason, *step.lines))
        drawn.append(step)
    drawn.append(_outcome(history))
    return drawn


def _draft(history: History) -> Step:
    proposal, author = history.proposal, named(history.proposal.author.name)
    number, since = proposal.revision_number, proposal.submitted_at
    if proposal.state in (State.DRAFT, State.RETURNED):
        lines = (_("With %(name)s since %(day)s") % {"name": author, "day": day(proposal.since)},)
        return Step(label=_("Draft"), status="now", lines=lines)
    sent = ngettext("Sent %(day)s", "%(n)s submissions since %(day)s", number) % {"n": number, "day": day(since)}
    return Step(label=_("Draft"), status="done", lines=(author, sent))


def _stage(
    history: History, stage: RouteStage, item: WorkItem | None, decision: Decision | None, *, done: bool
) -> Step:
    if item is not None and item.closed_at is None:
        return _holding(history, stage, item)
    if done and decision is not None and decision.outcome in APPROVALS:
        stay = next(item for item in history.items if item.pk == decision.item_id)
        return Step(label=stage.label, status="done", lines=_approved_lines(decision, stay))
    if decision is not None and item is not None and decision.item_id == item.pk:
        if decision.outcome == Outcome.DECLINE:
            lines = (_("Declined by %(name)s") % {"name": named(decision.by_name)}, day(decision.at))
            return Step(label=stage.label, status="declined", lines=lines, icon="circle-x")
        if decision.outcome == Outcome.RETURN and history.proposal.state in (State.RETURNED, State.WITHDRAWN):
            lines = (_("Returned by %(name)s") % {"name": named(decision.by_name)}, day(decision.at))
            return Step(label=stage.label, status="returned", lines=lines)
    if done:
        return Step(label=stage.label, status="done", lines=_received_lines(item))
    return Step(label=stage.label, status="next", lines=_next_lines(history, stage, decision))


def _holding(history: History, stage: RouteStage, item: WorkItem) -> Step:
    held, late = meter_of(item), item.due_on < clock.today()
    said = {"body": item.body.short_name, "day": day(item.opened_at), "n": held.n, "m": held.m, "due": day(item.due_on)}
    since = _("With you since %(day)s") if item.body_id in history.mine else _("With %(body)s since %(day)s")
    until = _("Day %(n)s of %(m)s, was due %(due)s") if late else _("Day %(n)s of %(m)s, due %(due)s")
    return Step(
        label=stage.label,
        status="now",
        lines=(since % said, until % said),
        bar=held.bar,
        mark=held.mark,
        kind=held.kind,
    )


def _approved_lines(decision: Decision, item: WorkItem) -> tuple[str, ...]:
    said = {"name": named(decision.by_name)}
    if decision.outcome == Outcome.APPROVE_WITH_CONDITIONS:
        first = _("Approved with conditions by %(name)s") % said
    else:
        first = _("Approved by %(name)s") % said
    opened = timezone.localdate(item.opened_at)
    m = working_days_between(opened, item.due_on)
    took = {"day": day(decision.at), "n": working_days_between(opened, timezone.localdate(decision.at)), "m": m}
    return first, ngettext("%(day)s, after %(n)s of %(m)s day", "%(day)s, after %(n)s of %(m)s days", m) % took


def _received_lines(item: WorkItem | None) -> tuple[str, ...]:
    return (_("For information"), day(item.closed_at)) if item is not None else (_("For information"),)


def _next_lines(history: History, stage: RouteStage, decision: Decision | None) -> tuple[str, ...]:
    if decision is not None and decision.outcome == Outcome.RETURN and decision.to_stage_label:
        said = {"stage": decision.to_stage_label, "day": day(decision.at)}
        return (_("Returned to %(stage)s on %(day)s") % said,)
    if history.proposal.state in (State.DECLINED, State.WITHDRAWN):
        return (_("Not reached"),)
    if stage.effect is Effect.RECEIVE:
        return (_("For information"),)
    days = stage.stage.due.working_days
    return (ngettext("Has %(n)s day once it arrives", "Has %(n)s days once it arrives", days) % {"n": days},)


def _outcome(history: History) -> Step:
    proposal = history.proposal
    ended = day(proposal.ended_at)
    if proposal.state == State.APPROVED:
        conditions = any(decision.outcome == Outcome.APPROVE_WITH_CONDITIONS for decision in history.decisions)
        said = _("Approved with conditions") if conditions else _("Approved")
        return Step(label=_("Outcome"), status="done", lines=(said, ended))
    if proposal.state == State.DECLINED:
        return Step(label=_("Outcome"), status="declined", lines=(_("Declined"), ended), icon="circle-x")
    if proposal.state == State.WITHDRAWN:
        return Step(label=_("Outcome"), status="ended", lines=(_("Withdrawn"), ended), icon="log-out")
    revision = proposal.current_revision
    start = revision.content.summary.first_offered_on if revision is not None else None
    lines = (_("Planned start %(day)s") % {"day": day(start)},) if start is not None else ()
    return Step(label=_("Outcome"), status="next", lines=lines)


def open_bodies(items: Iterable[WorkItem]) -> str:
    """The bodies that hold the proposal now, by name."""
    return ", ".join(item.body.name for item in items)


def label_of_approval(next_: Sequence[RouteStage], labels: Mapping[str, str]) -> str:
    """What the approving button says: where the proposal goes next, or only that it is approved."""
    going = [stage for stage in next_ if stage.key not in labels]
    if not going:
        return _("Approve")
    return _("Approve, send to %(stage)s") % {"stage": ", ".join(stage.label for stage in going)}
