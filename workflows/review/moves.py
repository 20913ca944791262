"""What moving proposals to another policy version would do, proposal by proposal, before anybody does it.

Example: under version 3 MC-2026-0014 leaves Undergraduate Council for the Quality Office, keeps its Associate Dean's
approval, and Grace Kim gains a say in it. Pure functions over what `moving.py` has read.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from django.utils.translation import gettext as _

from governance.audit.canonical import Json, digest_of
from governance.people.duties import Right
from governance.policies.resolve import Route, RouteStage, resolve
from governance.policies.rules import Rules
from governance.policies.seats import Institution, Person, SeatedBody
from governance.policies.vocabulary import Effect, UnitPlace
from workflows.proposals.completeness import Point, gaps
from workflows.proposals.content import Content
from workflows.proposals.states import ENDED, State
from workflows.review.permits import Act, Stage, Standing, refusal
from workflows.review.progress import Answer, Changes, next_stages, only_received, standing_approvals

# ---- what was read


@dataclass(frozen=True)
class Law:
    """A policy version as far as a move depends on it."""

    policy: str
    number: int
    label: str
    digest: str
    rules: Rules


@dataclass(frozen=True)
class Approval:
    """A stage's latest approval: for which body, by whom (by name and by key), and of which submission."""

    stage: str
    label: str
    body: str
    by: str
    person: str
    submission: int

    def as_json(self) -> Json:
        """As the record keeps it: in words, because it outlives the version that has the stage. Only the person stands
        there by key, because a name in the record could never be erased."""
        return {
            "stage": self.stage,
            "label": self.label,
            "body": self.body,
            "by": self.person,
            "revision": self.submission,
        }


@dataclass(frozen=True)
class Held:
    """An open work item. `seat` is its body's kind and the code of its unit."""

    item: int
    stage: str
    label: str
    effect: Effect
    body: str
    seat: tuple[str, str]


@dataclass(frozen=True)
class Case:
    """One proposal as far as a move depends on it; `version` is its lock version."""

    reference: str
    title: str
    unit: str
    place: UnitPlace
    author: int
    action: str
    state: State
    version: int
    law: Law | None
    content: Content = field(default_factory=Content)
    answers: tuple[Answer, ...] = ()
    changes: Changes = field(default_factory=dict)
    approvals: Mapping[str, Approval] = field(default_factory=dict)
    held: tuple[Held, ...] = ()
    received: frozenset[str] = frozenset()


# ---- what would happen


class Trouble(StrEnum):
    """What stands in the way of a move, or only wants to be known: the last two may also concern a later stage."""

    NOT_SENT = "not-sent"
    ENDED = "ended"
    SAME_VERSION = "same-version"
    OTHER_POLICY = "other-policy"
    NOT_GOVERNED = "not-governed"
    NO_DECISION_LEFT = "no-decision-left"
    NO_BODY = "no-body"
    NOBODY_MAY_DECIDE = "nobody-may-decide"


@dataclass(frozen=True)
class Problem:
    trouble: Trouble
    stage: str = ""
    blocks: bool = True

    @property
    def sentence(self) -> str:
        return {
            Trouble.NOT_SENT: _("It was never sent, so it is bound to no version yet."),
            Trouble.ENDED: _("It has ended. What was decided stays under the version that governed it."),
            Trouble.SAME_VERSION: _("It is under this version already."),
            Trouble.OTHER_POLICY: _("It was sent under another policy."),
            Trouble.NOT_GOVERNED: _("This version does not govern what the proposal asks for."),
            Trouble.NO_DECISION_LEFT: _("No stage that decides would be left, and a move decides nothing."),
            Trouble.NO_BODY: _("The stage “%(stage)s” has no body for its unit.") % {"stage": self.stage},
            Trouble.NOBODY_MAY_DECIDE: _("Nobody may decide at the stage “%(stage)s” today.") % {"stage": self.stage},
        }[self.trouble]


@dataclass(frozen=True)
class Landing:
    """A stage that holds the proposal after the move: it `stays` there, or comes there anew; a stage that only receives
    is `informed`."""

    stage: str
    label: str
    body: str
    days: int
    stays: bool
    informed: bool


@dataclass(frozen=True)
class Move:
    """What becomes of one proposal. A returned one stays with its author; `landing` is where it goes when it is sent
    again as it is. `restored` are approvals that the new rules let stand where the old ones did not."""

    case: Case
    problems: tuple[Problem, ...] = ()
    landing: tuple[Landing, ...] = ()
    leaves: tuple[Held, ...] = ()
    kept: tuple[Approval, ...] = ()
    lost: tuple[Approval, ...] = ()
    restored: tuple[Approval, ...] = ()
    gone: frozenset[str] = frozenset()
    gaining: tuple[Person, ...] = ()
    losing: tuple[Person, ...] = ()
    missing: tuple[Point, ...] = ()
    ahead: tuple["Seated", ...] = ()

    @property
    def hindrance(self) -> Problem | None:
        """The first problem because of which it cannot be moved."""
        return next((problem for problem in self.problems if problem.blocks), None)

    @property
    def is_returned(self) -> bool:
        return self.case.state is State.RETURNED

    def as_json(self) -> Json:
        """Everything that the plan says of this proposal, in no language."""
        case = self.case
        return {
            "reference": case.reference,
            "version": case.version,
            "state": case.state.value,
            "from": case.law.digest if case.law else None,
            "landing": [[one.stage, one.body, one.days, one.stays, one.informed] for one in self.landing],
            "leaves": [one.item for one in self.leaves],
            "kept": [one.stage for one in self.kept],
            "lost": [one.stage for one in self.lost],
            "restored": [one.stage for one in self.restored],
            "gaining": [one.key for one in self.gaining],
            "losing": [one.key for one in self.losing],
            "ahead": [[one.key, one.body_name, [person.key for person in one.people]] for one in self.ahead],
            "missing": [[one.field, one.clause] for one in self.missing],
            "problems": [[one.trouble.value, one.stage] for one in self.problems],
        }


@dataclass(frozen=True)
class Plan:
    """What would become of every chosen proposal under a version. Two plans of one digest do the same."""

    law: Law
    moves: tuple[Move, ...]

    @property
    def blocked(self) -> list[Move]:
        return [move for move in self.moves if move.hindrance is not None]

    @property
    def movable(self) -> list[Move]:
        return [move for move in self.moves if move.hindrance is None]

    @property
    def digest(self) -> str:
        return digest_of({"to": self.law.digest, "moves": [move.as_json() for move in self.moves]})

    @property
    def seen(self) -> dict[str, int]:
        """The lock version of every proposal in it."""
        return {move.case.reference: move.case.version for move in self.moves}


# ---- how it is worked out


@dataclass(frozen=True)
class Seated:
    """A stage with the body that sits there and the people who may decide there today."""

    stage: RouteStage
    body: SeatedBody | None
    people: tuple[Person, ...]

    @property
    def key(self) -> str:
        return self.stage.key

    @property
    def body_name(self) -> str:
        return self.body.name if self.body else ""

    @property
    def acts(self) -> bool:
        return self.stage.effect is not Effect.RECEIVE


@dataclass(frozen=True)
class _Position:
    """Where a proposal stands under one version: what it has behind it, what comes next, and all that is ahead."""

    route: Route
    approved: tuple[str, ...]
    coming: tuple[Seated, ...]
    ahead: tuple[Seated, ...]

    @property
    def people(self) -> set[Person]:
        return {person for seated in self.ahead for person in seated.people}


def plan_of(cases: Iterable[Case], law: Law, institution: Institution) -> Plan:
    """What moving these proposals to a version would do in this institution."""
    return Plan(law=law, moves=tuple(_move(case, law, institution) for case in cases))


def _move(case: Case, law: Law, institution: Institution) -> Move:
    hindrance = _hindrance(case, law)
    if hindrance is not None or case.law is None:
        return Move(case=case, problems=(Problem(hindrance or Trouble.NOT_SENT),))
    before, after = _position(case, case.law.rules, institution), _position(case, law.rules, institution)
    coming = [seated for seated in after.coming if seated.acts or case.state is State.IN_REVIEW]
    landing = tuple(_landing(case, seated) for seated in coming)
    staying = {one.stage for one in landing if one.stays}
    return Move(
        case=case,
        problems=tuple(_problems(after)),
        landing=landing,
        leaves=tuple(held for held in case.held if held.stage not in staying),
        kept=tuple(case.approvals[key] for key in after.approved if key in before.approved),
        lost=tuple(case.approvals[key] for key in before.approved if key not in after.approved),
        restored=tuple(case.approvals[key] for key in after.approved if key not in before.approved),
        gone=frozenset(key for key in before.approved if key not in after.route),
        gaining=_by_name(after.people - before.people),
        losing=_by_name(before.people - after.people),
        missing=tuple(gaps(law.rules, case.content, case.place, action=case.action)),
        ahead=after.ahead,
    )


def _hindrance(case: Case, law: Law) -> Trouble | None:
    """Why a proposal cannot be moved whatever the rules say of it; None when it can."""
    if case.state in ENDED:
        return Trouble.ENDED
    if case.law is None:
        return Trouble.NOT_SENT
    if case.law.policy != law.policy:
        return Trouble.OTHER_POLICY
    if case.law.number == law.number:
        return Trouble.SAME_VERSION
    return None if case.action in law.rules.governs else Trouble.NOT_GOVERNED


def _position(case: Case, rules: Rules, institution: Institution) -> _Position:
    route = resolve(rules, case.content.facts(case.action), case.place)
    approved = standing_approvals(case.answers, route, rules, case.changes)
    behind = approved | only_received(case.received, route)
    seated = {stage.key: _seated(case, stage, rules, institution) for stage in route.stages}
    return _Position(
        route=route,
        approved=tuple(stage.key for stage in route.stages if stage.key in approved),
        coming=tuple(seated[stage.key] for stage in next_stages(route, behind)),
        ahead=tuple(one for one in seated.values() if one.acts and one.key not in approved),
    )


def _seated(case: Case, stage: RouteStage, rules: Rules, institution: Institution) -> Seated:
    body = institution.body_for(stage.stage.body, case.place)
    deciders = body.deciders if body is not None else ()
    return Seated(stage, body, tuple(person for person in deciders if _may_decide(person, case, stage, rules)))


def _may_decide(person: Person, case: Case, stage: RouteStage, rules: Rules) -> bool:
    """Whether somebody who decides for the body may decide on this proposal, by the same question as the act asks."""
    standing = Standing(
        state=State.IN_REVIEW,
        is_author=person.key == case.author,
        stage=Stage(stage.key, "", frozenset({Right.DECIDE}), frozenset(stage.stage.outcomes)),
        decided_stages=frozenset(answer.stage for answer in case.answers if answer.by == person.key),
        duties=rules.duties,
    )
    return refusal(Act.APPROVE, standing) is None


def _landing(case: Case, seated: Seated) -> Landing:
    stage, body = seated.stage, seated.body
    there = (stage.key, stage.effect, (body.kind, body.unit) if body else None)
    return Landing(
        stage=stage.key,
        label=stage.label,
        body=seated.body_name,
        days=stage.stage.due.working_days,
        stays=any((held.stage, held.effect, held.seat) == there for held in case.held),
        informed=not seated.acts,
    )


def _problems(after: _Position) -> Iterator[Problem]:
    if not any(seated.stage.effect is Effect.DECIDE for seated in after.ahead):
        yield Problem(Trouble.NO_DECISION_LEFT)
    next_ = {seated.key for seated in after.coming}
    for seated in (*(one for one in after.coming if not one.acts), *after.ahead):
        if seated.body is None:
            yield Problem(Trouble.NO_BODY, seated.stage.label, blocks=seated.key in next_)
        elif seated.acts and not seated.people:
            yield Problem(Trouble.NOBODY_MAY_DECIDE, seated.stage.label, blocks=False)


def _by_name(people: Iterable[Person]) -> tuple[Person, ...]:
    return tuple(sorted(people, key=lambda person: (person.name, person.key)))
