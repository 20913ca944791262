"""The combinations that stand for all proposals: proposals of one combination take one route, and the words say which
they are."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from governance.policies.classes import NUMBERS, can_be_sent, classes_of, combinations, count_combinations, units_alike
from governance.policies.resolve import resolve
from governance.policies.rules import Rules
from governance.policies.vocabulary import Effect, FactName, Facts, UnitPlace
from tests.governance.policies import law
from tests.governance.policies.law import ARTS, MUSIC, PLACES, ROOT, stage
from workflows.proposals.completeness import gaps
from workflows.proposals.content import Content


def words(when: dict[str, Any], **given: Any) -> list[str]:
    return [one.words for one in combinations(law.rules(stage("senate", effect="decide", when=when), **given))]


def representative(rules: Rules, facts: Facts) -> Facts:
    """The proposal that stands for one of these facts: the facts that are read, each the first of its class."""
    values: dict[str, Any] = {}
    for name, classes in classes_of(rules).items():
        value = getattr(facts, name.value)
        if name in NUMBERS:
            value = max(int(one.value) for one in classes if int(one.value) <= value)
        values[name.value] = value
    return Facts(**values)


@settings(max_examples=300, deadline=None)
@given(rules=law.drawn_rules(), facts=law.drawn_facts(), unit=st.sampled_from(PLACES))
def test_what_stands_for_a_proposal_takes_its_route(rules: Rules, facts: Facts, unit: UnitPlace) -> None:
    facts = replace(facts, action=rules.governs[0])
    [alike] = [group for group in units_alike(rules, PLACES) if unit in group]
    assume(can_be_sent(rules, facts, unit))
    stands_for_it = representative(rules, facts)
    assert stands_for_it in [combination.facts for combination in combinations(rules)]
    assert can_be_sent(rules, stands_for_it, alike[0])
    assert resolve(rules, facts, unit) == resolve(rules, stands_for_it, alike[0])


@settings(max_examples=200, deadline=None)
@given(rules=law.drawn_rules(), facts=law.drawn_facts(), unit=st.sampled_from(PLACES))
def test_resolve_answers_for_every_proposal_and_always_the_same(rules: Rules, facts: Facts, unit: UnitPlace) -> None:
    route = resolve(rules, facts, unit)
    again = resolve(Rules.model_validate_json(rules.model_dump_json(by_alias=True)), replace(facts), unit)
    assert route == again
    assert [(one.key, one.effect) for one in route.stages] == [
        (one.key, one.effect_for(facts, unit))
        for one in rules.route
        if one.effect_for(facts, unit) in list(Effect) and (one.when is None or one.when.holds(facts, unit))
    ]
    waves = [one.wave for one in route.stages]
    assert waves == sorted(waves)
    assert set(waves) == set(range(len(set(waves))))


def test_combinations_are_said_in_words() -> None:
    when = {"all": [{"field": "kind", "is": "academic"}, {"field": "hours", "at_least": 40}]}
    asked = [{"field": "summary.kind", "says": "Say it"} | law.CLAUSE]
    assert words(when, requires=asked) == [
        "for academic credit, fewer than 40 hours",
        "for academic credit, 40 hours or more",
        "without academic credit, fewer than 40 hours",
        "without academic credit, 40 hours or more",
    ]


WEEKS = ["fewer than 4 weeks", "4 weeks", "5 to 7 weeks", "8 weeks", "9 weeks or more"]
CREDITS = ["fewer than 1.5 units of credit", "1.5 units of credit or more"]
LEVELS = ["undergraduate", "graduate", "continuing and professional", "level not said"]


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ({"field": "hours", "is": 1}, ["0 hours", "1 hour", "2 hours or more"]),
        ({"field": "weeks", "in": [4, 8]}, WEEKS),
        ({"field": "partners", "less_than": 2}, ["fewer than 2 partners", "2 partners or more"]),
        ({"field": "credit_hundredths", "at_least": 150}, CREDITS),
        ({"field": "new_resources", "is": True}, ["without new resources", "with new resources"]),
        ({"field": "hours", "at_least": 0}, ["any proposal"]),
        ({"field": "level", "is": "graduate"}, LEVELS),
        ({"field": "action", "is": "new"}, ["any proposal"]),
        ({"field": "unit", "is": "A"}, ["any proposal"]),
    ],
)
def test_each_fact_is_told_apart_where_a_condition_does(when: dict[str, Any], said: list[str]) -> None:
    assert words(when) == said


def test_only_the_actions_that_the_policy_governs_are_looked_at() -> None:
    assert words({"field": "action", "in": ["new", "renew"]}, governs=["new", "modify"]) == ["new", "modify"]


def test_facts_that_no_route_depends_on_are_not_told_apart() -> None:
    asked = [{"field": "summary.title", "says": "Say it", "when": {"field": "hours", "at_least": 9}} | law.CLAUSE]
    question = {"key": "q", "text": "Why?", "when": {"field": "weeks", "at_least": 9}} | law.CLAUSE
    rules = law.rules(stage("senate", effect="decide"), requires=asked, questions=[question])
    assert list(classes_of(rules)) == []
    assert count_combinations(rules) == 1


def test_units_are_grouped_by_what_conditions_ask_of_them() -> None:
    when = {"any": [{"field": "unit", "is": "A"}, {"field": "unit_kind", "is": "institute"}]}
    science = UnitPlace("S", "faculty", ("U",))
    rules = law.rules(stage("senate", effect="decide", when=when))
    assert units_alike(rules, [ROOT, ARTS, MUSIC, science]) == [[ROOT, science], [ARTS], [MUSIC]]
    assert units_alike(law.rules(stage("senate", effect="decide")), PLACES) == [PLACES]


def test_a_kind_or_level_that_must_be_filled_in_is_never_empty() -> None:
    when = {"field": "level", "is": "graduate"}
    only_for_credit = {"field": "kind", "is": "academic"}
    asked = [{"field": "summary.level", "says": "Say it", "when": only_for_credit} | law.CLAUSE]
    rules = law.rules(stage("senate", effect="decide", when=when), requires=asked)
    empty = [one for one in combinations(rules) if one.facts.level == ""]
    assert [(one.words, can_be_sent(rules, one.facts, ARTS)) for one in empty] == [
        ("for academic credit, level not said", False),
        ("without academic credit, level not said", True),
        ("kind not said, level not said", True),
    ]


@pytest.mark.parametrize("kind", ["academic", "non-academic", ""])
@pytest.mark.parametrize("level", ["graduate", ""])
def test_what_can_be_sent_is_what_the_completeness_check_lets_through(kind: str, level: str) -> None:
    """The fields that the kind and the level are taken from are those of a proposal's own content."""
    asked = [
        {"field": "summary.kind", "says": "Say it", "when": {"field": "level", "is": "graduate"}} | law.CLAUSE,
        {"field": "summary.level", "says": "Say it", "when": {"field": "kind", "is": "academic"}} | law.CLAUSE,
    ]
    rules = law.rules(stage("senate", effect="decide"), requires=asked)
    content = Content.model_validate({"summary": {"kind": kind, "level": level}})
    assert can_be_sent(rules, content.facts(), ARTS) == (not gaps(rules, content, ARTS, action="new"))


def test_every_number_among_the_facts_is_cut_into_ranges() -> None:
    assert {name.value for name in NUMBERS} == {
        name for name, value in vars(Facts()).items() if isinstance(value, int) and not isinstance(value, bool)
    }
    assert {name.value for name in FactName} == {*vars(Facts()), "unit", "unit_kind"}
