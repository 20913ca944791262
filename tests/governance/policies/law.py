"""Small rules and small institutions: written out for one case, or drawn by Hypothesis; and a walk through every case,
which knows nothing of classes and of matchings."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, product
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st
from pydantic import ValidationError

from governance.policies.resolve import resolve
from governance.policies.rules import Rules, Stage
from governance.policies.seats import Institution, Person, PlacedUnit, SeatedBody
from governance.policies.vocabulary import Action, Effect, Facts, Kind, Level, UnitPlace

Place = tuple[str, str]  # the kind of a fault, and the key of its stage

CLAUSE = {"clause": "1.1"}
TEXT = "## 1. Everything\n\n**1.1** What the rules say.\n"
PEOPLE = [Person(number, name) for number, name in enumerate(["Ann", "Bob", "Cyd", "Dee", "Eli"], start=1)]
ANN, BOB, CYD, DEE, ELI = PEOPLE
ROOT = UnitPlace("U", "university")
ARTS = UnitPlace("A", "faculty", ("U",))
MUSIC = UnitPlace("M", "institute", ("A", "U"))
PLACES = [ROOT, ARTS, MUSIC]
UNIT_KINDS = ("university", "faculty", "institute")


def stage(key: str, kind: str = "", **given: Any) -> dict[str, Any]:
    """A stage as rules write it, at a body of a kind (by default called as the stage), with what is given."""
    body = {"kind": kind or key} | ({"of": given.pop("of")} if given.get("of") else {})
    return {"key": key, "label": key.title(), "body": body, "effect": "recommend", "due": DUE} | CLAUSE | given


DUE = {"working_days": 5} | CLAUSE


def vote(**given: Any) -> dict[str, Any]:
    """What makes a stage one that votes: `stage("senate", **vote(quorum=2))`."""
    return {"decides_by": "vote", "vote": given | CLAUSE}


def law(*route: dict[str, Any], **given: Any) -> dict[str, Any]:
    """Rules as they are written, with everything else as simple as it can be."""
    return {
        "policy": "sample",
        "title": "Sample policy",
        "version": 1,
        "effective_from": "2020-01-01",
        "governs": ["new"],
        "route": list(route),
        "duties": allowing(),
        "resubmission": {"resume": "first-stage"} | CLAUSE,
    } | given


def rules(*route: dict[str, Any], **given: Any) -> Rules:
    return Rules.model_validate(law(*route, **given))


def allowing(*duties: str) -> dict[str, Any]:
    """Which of the two duties need not be kept apart."""
    return {name: {"allowed": name in duties} | CLAUSE for name in ("author_may_decide", "one_person_many_stages")}


def body(kind: str, unit: str = "U", deciders: Sequence[Person] = (), voters: Sequence[Person] = ()) -> SeatedBody:
    return SeatedBody(f"The {kind} of {unit}", kind, unit, tuple(deciders), tuple(voters))


def university(*bodies: SeatedBody, arts: Sequence[Person] = (ELI,), music: Sequence[Person] = ()) -> Institution:
    """A university with Arts, whose Eli proposes, and within it Music, for which nobody does unless somebody is
    given."""
    units = (
        PlacedUnit(ROOT, "The University"),
        PlacedUnit(ARTS, "Arts", tuple(arts)),
        PlacedUnit(MUSIC, "Music", tuple(music)),
    )
    return Institution(units, bodies, UNIT_KINDS)


# ---- drawn


STRINGS = {
    "action": ["new", "modify", "renew"],
    "kind": ["academic", "non-academic"],
    "level": ["undergraduate", "graduate", "professional", "gradaute"],
    "unit": ["A", "M", "X"],
    "unit_kind": ["faculty", "institute"],
}
NUMBERS = ["hours", "partners"]


def comparisons() -> st.SearchStrategy[dict[str, Any]]:
    text = st.sampled_from(list(STRINGS)).flatmap(
        lambda name: st.one_of(
            st.sampled_from(STRINGS[name]).map(lambda value: {"field": name, "is": value}),
            st.lists(st.sampled_from(STRINGS[name]), min_size=1, max_size=2).map(
                lambda values: {"field": name, "in": values}
            ),
        )
    )
    numbers = st.tuples(st.sampled_from(NUMBERS), st.sampled_from(["at_least", "less_than", "is"]), st.integers(0, 3))
    number = numbers.map(lambda drawn: {"field": drawn[0], drawn[1]: drawn[2]})
    resources = st.booleans().map(lambda value: {"field": "new_resources", "is": value})
    return st.one_of(text, number, resources)


def conditions() -> st.SearchStrategy[dict[str, Any]]:
    return st.recursive(
        comparisons(),
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=2).map(lambda several: {"all": several}),
            st.lists(inner, min_size=1, max_size=2).map(lambda several: {"any": several}),
            inner.map(lambda one: {"not": one}),
        ),
        max_leaves=3,
    )


def seldom() -> st.SearchStrategy[bool]:
    return st.integers(0, 5).map(lambda drawn: drawn == 5)


@st.composite
def drawn_stage(draw: st.DrawFn, key: str, effects: Sequence[str]) -> dict[str, Any]:
    effect: Any = draw(st.sampled_from(effects))
    if draw(seldom()):
        cases = [{"when": draw(conditions()), "effect": draw(st.sampled_from(list(Effect))).value}, {"effect": effect}]
        effect = cases[: draw(st.integers(1, 2))]
    conditional = draw(seldom()) if "decide" in effects else draw(st.booleans())
    given: dict[str, Any] = {"effect": effect, "mandatory": draw(seldom())}
    if conditional:
        given["when"] = draw(conditions())
    if draw(seldom()):
        given |= vote(**draw(st.sampled_from([{"quorum": 1}, {"quorum": 2}, {"quorum_percent": 50}])))
    if draw(st.booleans()):
        given["of"] = "proposal.unit"
    return stage(key, draw(st.sampled_from(["dean", "council", "senate"])), **given)


@st.composite
def drawn_law(draw: st.DrawFn) -> dict[str, Any]:
    """Rules that can be used; whether they are sound is another matter."""
    count = draw(st.integers(0, 3))
    route = [draw(drawn_stage(f"s{number}", ["recommend", "recommend", "receive"])) for number in range(count)]
    route.append(draw(drawn_stage("last", ["decide"])))
    allowed = draw(st.lists(st.sampled_from(["author_may_decide", "one_person_many_stages"]), unique=True))
    required = [
        {"field": name, "says": "Say it"} | CLAUSE | ({"when": draw(conditions())} if draw(st.booleans()) else {})
        for name in draw(st.lists(st.sampled_from(["summary.kind", "summary.level"]), max_size=3))
    ]
    governs = draw(st.sampled_from([["new"], ["new", "modify"], ["modify", "renew", "modify"]]))
    data = law(*route, duties=allowing(*allowed), requires=required, governs=governs)
    try:
        Rules.model_validate(data)
    except ValidationError:
        assume(False)
    return data


def drawn_rules() -> st.SearchStrategy[Rules]:
    return drawn_law().map(Rules.model_validate)


def some(least: int, most: int) -> st.SearchStrategy[list[Person]]:
    return st.lists(st.sampled_from(PEOPLE), min_size=least, max_size=most, unique=True)


@st.composite
def drawn_institution(draw: st.DrawFn) -> Institution:
    """Most of these have a body of each kind and somebody to decide there."""
    bodies = []
    for kind in ("dean", "council", "senate"):
        where = st.lists(st.sampled_from([ARTS, MUSIC]), max_size=2, unique=True) if draw(seldom()) else st.just([ROOT])
        least = 0 if draw(seldom()) else 2
        bodies += [body(kind, place.code, draw(some(least, 3)), draw(some(least, 4))) for place in draw(where)]
    return university(*bodies, arts=draw(some(0 if draw(seldom()) else 1, 2)), music=draw(some(0, 2)))


def drawn_facts() -> st.SearchStrategy[Facts]:
    return st.builds(
        Facts,
        action=st.sampled_from(Action.values),
        kind=st.sampled_from([*Kind.values, ""]),
        level=st.sampled_from([*Level.values, ""]),
        hours=st.integers(0, 6),
        weeks=st.integers(0, 6),
        credit_hundredths=st.integers(0, 6),
        partners=st.integers(0, 6),
        new_resources=st.booleans(),
    )


# ---- walked


def walk(rules: Rules, place: Institution) -> set[Place]:
    """Every fault that some proposal shows, found by trying every value, every author and every seating of people."""
    found = set(_without_a_case(rules, place))
    for unit in place.units:
        for author in unit.proposers:
            for facts in every_proposal(rules):
                if _sent(rules, facts, unit.place):
                    found |= set(_faults(rules, facts, unit.place, author, place))
    return found


def every_proposal(rules: Rules) -> Iterator[Facts]:
    """Every value of each fact that the rules name, numbers from 0 to beyond every number that they name."""
    named = rules.model_dump_json()
    values: dict[str, Iterable[Any]] = {"action": rules.governs}
    if '"kind"' in named:
        values["kind"] = [*Kind.values, ""]
    if '"level"' in named:
        values["level"] = [*Level.values, ""]
    values |= {name: range(6) for name in NUMBERS if f'"{name}"' in named}
    if '"new_resources"' in named:
        values["new_resources"] = [False, True]
    for chosen in product(*values.values()):
        yield Facts(**dict(zip(values, chosen, strict=True)))


def _sent(rules: Rules, facts: Facts, unit: UnitPlace) -> bool:
    for requirement in rules.requires:
        empty = {"summary.kind": facts.kind, "summary.level": facts.level}[requirement.field] == ""
        if empty and (requirement.when is None or requirement.when.holds(facts, unit)):
            return False
    return True


def _without_a_case(rules: Rules, place: Institution) -> Iterator[Place]:
    if not any(unit.proposers for unit in place.units):
        yield "nobody-proposes", ""
    for stage in rules.route:
        condition = stage.model_dump_json(include={"when", "effect"})
        if '"gradaute"' in condition or '"X"' in condition:
            yield "unknown-value", stage.key
        if any(unit.proposers for unit in place.units) and all(one.kind != stage.body.kind for one in place.bodies):
            yield "no-body", stage.key


def _faults(rules: Rules, facts: Facts, unit: UnitPlace, author: Person, place: Institution) -> Iterator[Place]:
    route = resolve(rules, facts, unit)
    acting = [one for one in route.stages if one.effect != "receive"]
    if not route.stages:
        yield "no-stage", ""
    elif not acting:
        yield "nobody-acts", ""
    elif acting[-1].effect != "decide":
        yield "does-not-decide", acting[-1].key
    for stage in rules.route:
        if stage.mandatory and stage.key not in [one.key for one in acting]:
            yield "passed-by", stage.key
    for one in route.stages:
        if _body(one.stage, unit, place) is None:
            yield "no-body", one.key
    yield from _faults_of_people(rules, [one.stage for one in acting], unit, author, place)


def _faults_of_people(
    rules: Rules, acting: list[Stage], unit: UnitPlace, author: Person, place: Institution
) -> Iterator[Place]:
    seatings = []
    barred = set() if rules.duties.author_may_decide.allowed else {author}
    for stage in acting:
        sits = _body(stage, unit, place)
        if sits is None:
            continue
        deciders = set(sits.deciders) - barred
        ways = list(_seatings(stage, sits, deciders, set(sits.voters) - barred))
        if ways:
            seatings.append((stage.key, ways))
        elif not sits.deciders:
            yield "nobody-decides", stage.key
        else:
            yield "no-quorum" if deciders else "only-the-author", stage.key
    if not rules.duties.one_person_many_stages.allowed:
        for number in range(1, len(seatings) + 1):
            if not any(_apart(chosen) for chosen in product(*(ways for _key, ways in seatings[:number]))):
                yield "not-enough-apart", seatings[number - 1][0]
                break


def _body(stage: Stage, unit: UnitPlace, place: Institution) -> SeatedBody | None:
    of_kind = [one for one in place.bodies if one.kind == stage.body.kind]
    if not stage.body.of:
        return of_kind[0] if len(of_kind) == 1 else None
    for code in [unit.code, *unit.within]:
        for one in of_kind:
            if one.unit == code:
                return one
    return None


def _seatings(stage: Stage, sits: SeatedBody, deciders: set[Person], voters: set[Person]) -> Iterator[set[Person]]:
    """Every choice of people with whom a stage can answer: who decides or records, and a quorum beside them."""
    for decider in deciders:
        if stage.vote is None:
            yield {decider}
        else:
            share = stage.vote.quorum_percent or 0
            needed = stage.vote.quorum or max(1, -(-len(sits.voters) * share // 100))
            for members in combinations(voters - {decider}, needed):
                yield {decider, *members}


def _apart(chosen: Sequence[set[Person]]) -> bool:
    return sum(map(len, chosen)) == len(set().union(*chosen))
