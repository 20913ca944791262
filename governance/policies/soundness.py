"""What must hold of rules in an institution before they become law there, for every proposal that they tell apart and
every unit that may propose. Pure functions.

Example: "Faculty of Law, for academic credit, graduate: no body of the kind “graduate-council” serves the unit, so
“Graduate Council” has nobody to go to."
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from governance.policies.classes import (
    MOST_COMBINATIONS,
    Combination,
    can_be_sent,
    combinations,
    count_combinations,
    units_alike,
    unknown_values,
)
from governance.policies.resolve import Route, RouteStage, resolve
from governance.policies.rules import Rules, Stage
from governance.policies.seats import Institution, Person, PlacedUnit, SeatedBody, first_unfilled
from governance.policies.vocabulary import Effect, FactName, UnitPlace, Value


class FaultKind(StrEnum):
    """What is wrong, for programs that read the answer."""

    NOBODY_PROPOSES = "nobody-proposes"
    TOO_MANY_COMBINATIONS = "too-many-combinations"
    UNKNOWN_VALUE = "unknown-value"
    NO_STAGE = "no-stage"
    NOBODY_ACTS = "nobody-acts"
    DOES_NOT_DECIDE = "does-not-decide"
    PASSED_BY = "passed-by"
    NO_BODY = "no-body"
    NOBODY_DECIDES = "nobody-decides"
    ONLY_THE_AUTHOR = "only-the-author"
    NO_QUORUM = "no-quorum"
    NOT_ENOUGH_APART = "not-enough-apart"


@dataclass(frozen=True)
class Fault:
    """Something that does not hold: in a sentence, with the key of the stage, the name of the body that lacks people,
    the first combination and unit that show it, and in how many other cases (a combination from a unit) the same is
    so."""

    kind: FaultKind
    sentence: str
    stage: str = ""
    body: str = ""
    combination: str = ""
    unit: str = ""
    others: int = 0

    @property
    def case(self) -> str:
        """The unit and the combination that show it; nothing for a fault that does not depend on them."""
        return ", ".join(word for word in (self.unit, self.combination) if word)

    def __str__(self) -> str:
        said = _("%(case)s: %(fault)s") % {"case": self.case, "fault": self.sentence} if self.case else self.sentence
        return f"{said} {self.elsewhere}".rstrip()

    @property
    def elsewhere(self) -> str:
        """The sentence that says in how many other cases the same is so; nothing where there is none."""
        if not self.others:
            return ""
        words = ngettext("The same is so in %(n)s other case.", "The same is so in %(n)s other cases.", self.others)
        return words % {"n": self.others}


def check(rules: Rules, institution: Institution) -> list[Fault]:
    """Everything that does not hold of these rules in this institution; nothing when they are sound.

    For every combination of facts that the conditions tell apart and every unit that may propose: the route is not
    empty, somebody acts on it, and the last who acts decides; every mandatory stage is on it and acts; every stage
    finds its body; and whoever of the unit is the author, people remain to decide at every stage, a different one at
    each where duties are kept apart, and to make up the quorum of those that vote (see `_seats`). A fault that
    many cases show is reported once.
    """
    found = _Found()
    places = [unit.place for unit in institution.units]
    for key, name, value in unknown_values(rules, places, institution.unit_kinds):
        found.add(_unknown_value(rules.stage(key), name, value), 0)
    proposing = institution.proposing
    if not proposing:
        found.add(Fault(FaultKind.NOBODY_PROPOSES, _("Nobody holds the duty to propose for any unit.")), 0)
        return found.faults
    alike = units_alike(rules, [unit.place for unit in proposing])
    number = count_combinations(rules) * len(alike)
    if number > MOST_COMBINATIONS:
        found.add(_too_many(number), 0)
        return found.faults
    by_code = {unit.place.code: unit for unit in proposing}
    for group in alike:
        ways = _ways(rules, group[0])
        for place in group:
            seating = _Seating(rules, institution, by_code[place.code], ways)
            for way in ways:
                for fault in (*_faults_of_route(rules, way.route), *seating.faults(way.route)):
                    found.add(replace(fault, combination=way.first.words, unit=seating.unit.name), way.count)
    for stage in rules.route:
        if not institution.bodies_of(stage.body.kind):  # also where nothing reaches the stage
            found.add(_no_body(stage, 0), 0)
    return found.faults


@dataclass
class _Found:
    """The faults so far, those of one kind at one stage, or about one body there, counted as one."""

    by_place: dict[tuple[FaultKind, str, str], Fault] = field(default_factory=dict)

    @property
    def faults(self) -> list[Fault]:
        return list(self.by_place.values())

    def add(self, fault: Fault, cases: int = 1) -> None:
        about = fault.sentence if fault.kind is FaultKind.UNKNOWN_VALUE else fault.body
        place = (fault.kind, fault.stage, about)
        known = self.by_place.get(place)
        if known is None:
            self.by_place[place] = replace(fault, others=max(0, cases - 1))
        else:
            self.by_place[place] = replace(known, others=known.others + cases)


def _unknown_value(stage: Stage, name: FactName, value: Value) -> Fault:
    words = _("A condition of “%(stage)s” compares “%(field)s” with “%(value)s”, which no proposal can have.")
    said = {"stage": stage.label, "field": name.value, "value": value}
    return Fault(FaultKind.UNKNOWN_VALUE, words % said, stage=stage.key)


def _too_many(number: int) -> Fault:
    words = _(
        "The conditions tell %(n)s cases apart, and no more than %(most)s are checked. Let them compare with fewer"
        " values."
    )
    return Fault(FaultKind.TOO_MANY_COMBINATIONS, words % {"n": number, "most": MOST_COMBINATIONS})


# ---- the route


@dataclass(frozen=True)
class _Way:
    """A route that some combinations take: the first of them, and how many they are."""

    route: Route
    first: Combination
    count: int


def _ways(rules: Rules, unit: UnitPlace) -> list[_Way]:
    """The different routes of all combinations that can be sent from a unit."""
    ways: dict[tuple[tuple[str, Effect], ...], _Way] = {}
    for combination in combinations(rules):
        facts = combination.facts
        if not can_be_sent(rules, facts, unit):
            continue
        route = resolve(rules, facts, unit)
        stages = tuple((stage.key, stage.effect) for stage in route.stages)
        known = ways.get(stages)
        ways[stages] = replace(known, count=known.count + 1) if known else _Way(route, combination, 1)
    return list(ways.values())


def _faults_of_route(rules: Rules, route: Route) -> Iterator[Fault]:
    acting = _acting(route)
    if not route.stages:
        yield Fault(FaultKind.NO_STAGE, _("No stage is on its route."))
    elif not acting:
        yield Fault(FaultKind.NOBODY_ACTS, _("Every stage on its route only receives it, so nobody answers."))
    elif acting[-1].effect is not Effect.DECIDE:
        last = acting[-1]
        sentence = _("“%(stage)s” is the last to answer, and it does not decide.") % {"stage": last.label}
        yield Fault(FaultKind.DOES_NOT_DECIDE, sentence, stage=last.key)
    acting_keys = {stage.key for stage in acting}
    for stage in rules.route:
        if stage.mandatory and stage.key not in acting_keys:
            words = (
                _("“%(stage)s” is mandatory, and only receives it for information.")
                if stage.key in route
                else _("“%(stage)s” is mandatory, and the route passes it by.")
            )
            yield Fault(FaultKind.PASSED_BY, words % {"stage": stage.label}, stage=stage.key)


def _acting(route: Route) -> list[RouteStage]:
    return [stage for stage in route.stages if stage.effect is not Effect.RECEIVE]


# ---- the people


@dataclass(frozen=True)
class _ByAuthor:
    """What one author leaves of the people: the seats of every stage that can answer, those that cannot, and whether
    the people suffice for all that can when each has a part in one stage only."""

    author: Person | None
    seats: dict[str, list[list[int]]]
    troubles: dict[str, Fault]
    enough_apart: bool


class _Seating:
    """Whether the people of an institution can answer the proposals from one unit, whichever of `ways` these take."""

    def __init__(self, rules: Rules, institution: Institution, unit: PlacedUnit, ways: Iterable[_Way]) -> None:
        self.rules, self.institution, self.unit = rules, institution, unit
        self.bodies = {stage.key: institution.body_for(stage.body, unit.place) for stage in rules.route}
        reached = {stage.key for way in ways for stage in _acting(way.route)}
        self.acting = [
            (stage, body)
            for stage in rules.route
            if stage.key in reached and (body := self.bodies[stage.key]) is not None
        ]
        by_author = [self._by_author(author) for author in self._authors()]
        self.in_trouble = [one for one in by_author if one.troubles or not one.enough_apart]
        self._first_short: dict[tuple[Person | None, tuple[str, ...]], str | None] = {}

    def _authors(self) -> list[Person | None]:
        """Those who may propose, as far as it matters who of them is the author: None stands for all who have no other
        part."""
        if self.rules.duties.author_may_decide.allowed:
            return [None]
        involved = {
            person
            for stage, body in self.acting
            for person in (*body.deciders, *(body.voters if stage.vote is not None else ()))
        }
        authors: list[Person | None] = [person for person in self.unit.proposers if person in involved]
        return authors if len(authors) == len(self.unit.proposers) else [None, *authors]

    def _by_author(self, author: Person | None) -> _ByAuthor:
        seats = {stage.key: _seats(stage, body, author) for stage, body in self.acting}
        troubles = {
            stage.key: _why(stage, body, author)
            for stage, body in self.acting
            if first_unfilled(seats[stage.key]) is not None
        }
        able = {key: of_stage for key, of_stage in seats.items() if key not in troubles}
        apart = self.rules.duties.one_person_many_stages.allowed or _first_short(able, able) is None
        return _ByAuthor(author, able, troubles, apart)

    def faults(self, route: Route) -> Iterator[Fault]:
        """Each fault of a route once, with the first author for whom it is there."""
        told: set[tuple[FaultKind, str]] = set()
        for fault in self._all_faults(route):
            if (fault.kind, fault.stage) not in told:
                told.add((fault.kind, fault.stage))
                yield fault

    def _all_faults(self, route: Route) -> Iterator[Fault]:
        for stage in route.stages:
            if self.bodies[stage.key] is None:
                yield _no_body(stage.stage, len(self.institution.bodies_of(stage.stage.body.kind)))
        acting = [stage.key for stage in _acting(route)]
        for one in self.in_trouble:
            yield from (one.troubles[key] for key in acting if key in one.troubles)
            if not one.enough_apart:
                known = one.author, tuple(key for key in acting if key in one.seats)
                if known not in self._first_short:
                    self._first_short[known] = _first_short(one.seats, known[1])
                short = self._first_short[known]
                if short is not None:
                    yield _not_enough_apart(self.rules.stage(short), one.author)


def _first_short(seats: dict[str, list[list[int]]], keys: Iterable[str]) -> str | None:
    """The first of these stages for which too few people are left beside those before it."""
    in_order = [(key, people) for key in keys for people in seats[key]]
    unfilled = first_unfilled([people for _key, people in in_order])
    return None if unfilled is None else in_order[unfilled][0]


def _seats(stage: Stage, body: SeatedBody, author: Person | None) -> list[list[int]]:
    """Who may take each of the seats that a stage needs: one for the person who decides; where it votes, that person
    records the vote, and there is one seat more for each member that the quorum asks for.

    Whoever holds the duty of chair or of member counts as a member. The one who records the vote has a seat of their
    own and is not counted beside it, so that a quorum never hangs on the person who establishes it. Where duties are
    kept apart, nobody takes seats at two stages: a vote cast is a part in the decision, too.
    """
    seats = [[person.key for person in body.deciders if person != author]]
    if stage.vote is not None:
        seats += [[person.key for person in body.voters if person != author]] * quorum(stage, body)
    return seats


def quorum(stage: Stage, body: SeatedBody) -> int:
    """How many members must vote at a stage; at least one, because nobody is carried by an empty room."""
    assert stage.vote is not None
    return max(1, stage.vote.quorum_among(len(body.voters)))


def _why(stage: Stage, body: SeatedBody, author: Person | None) -> Fault:
    said = {"stage": stage.label, "body": body.name, "author": author.name if author else ""}
    deciders = [person for person in body.deciders if person != author]
    if not body.deciders:
        words = _("Nobody holds a duty on %(body)s that lets them decide at “%(stage)s”.")
        return Fault(FaultKind.NOBODY_DECIDES, words % said, stage=stage.key, body=body.name)
    if not deciders:
        words = _("Only %(author)s may decide at “%(stage)s”, and nobody decides on a proposal that they wrote.")
        return Fault(FaultKind.ONLY_THE_AUTHOR, words % said, stage=stage.key, body=body.name)
    voters = [person for person in body.voters if person != author]
    left = len(voters) if set(deciders) - set(voters) else len(voters) - 1
    numbers = {"quorum": quorum(stage, body), "left": left}
    if author is not None and author in body.voters:
        words = ngettext(
            "The quorum of “%(stage)s” is %(quorum)s. Beside %(author)s, who wrote it, and the person who records the"
            " vote, only %(left)s member of %(body)s may vote.",
            "The quorum of “%(stage)s” is %(quorum)s. Beside %(author)s, who wrote it, and the person who records the"
            " vote, only %(left)s members of %(body)s may vote.",
            left,
        )
    else:
        words = ngettext(
            "The quorum of “%(stage)s” is %(quorum)s. Beside the person who records the vote, only %(left)s member of"
            " %(body)s may vote.",
            "The quorum of “%(stage)s” is %(quorum)s. Beside the person who records the vote, only %(left)s members of"
            " %(body)s may vote.",
            left,
        )
    return Fault(FaultKind.NO_QUORUM, words % (said | numbers), stage=stage.key, body=body.name)


def _no_body(stage: Stage, bodies: int) -> Fault:
    said = {"stage": stage.label, "kind": stage.body.kind, "n": bodies}
    if not bodies:
        words = _("There is no body of the kind “%(kind)s”, so “%(stage)s” has nobody to go to.")
    elif stage.body.of is None:
        words = _(
            "There are %(n)s bodies of the kind “%(kind)s”, and “%(stage)s” does not say that it goes to the one of the"
            " proposal’s unit."
        )
    else:
        words = _("No body of the kind “%(kind)s” serves the unit, so “%(stage)s” has nobody to go to.")
    return Fault(FaultKind.NO_BODY, words % said, stage=stage.key)


def _not_enough_apart(stage: Stage, author: Person | None) -> Fault:
    said = {"stage": stage.label, "author": author.name if author else ""}
    words = (
        _("Too few people are left for “%(stage)s” when nobody has a part in two stages.")
        if author is None
        else _("Too few people are left for “%(stage)s” when nobody has a part in two stages and %(author)s wrote it.")
    )
    return Fault(FaultKind.NOT_ENOUGH_APART, words % said, stage=stage.key)
