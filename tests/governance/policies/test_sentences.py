"""Conditions and rules in the words of people: nothing that a rule says is lost on the way into its sentence."""

from typing import Any

import pytest
from django.utils import translation
from hypothesis import given, settings
from pydantic import TypeAdapter

from governance.policies.conditions import Condition
from governance.policies.fields import field_in_words
from governance.policies.page import clauses_with_rules
from governance.policies.rules import Rules
from governance.policies.sentences import condition_in_words, part_in_words
from governance.policies.statements import RuleKind, statements
from governance.policies.text import TextClause
from tests.governance.policies.generated import CONDITIONS, rule_sets
from tests.governance.policies.rich import full, typed

CONDITION: TypeAdapter[Condition] = TypeAdapter(Condition)
CREDIT = {"field": "kind", "is": "academic"}
GRADUATE = {"field": "level", "is": "graduate"}
LONG = {"field": "hours", "at_least": 40}


def words(condition: dict[str, Any]) -> str:
    return condition_in_words(CONDITION.validate_python(condition))


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        (CREDIT, "academic credit is asked for"),
        ({"not": CREDIT}, "no academic credit is asked for"),
        ({"field": "new_resources", "is": False}, "no new resources are needed"),
        (GRADUATE, "the level is graduate"),
        ({"not": GRADUATE}, "the level is not graduate"),
        ({"field": "level", "in": ["undergraduate", "graduate"]}, "the level is undergraduate or graduate"),
        (
            {"not": {"field": "action", "in": ["new", "modify", "renew"]}},
            "the action is neither new, modify nor renew",
        ),
        (LONG, "the number of contact hours is at least 40"),
        ({"not": LONG}, "the number of contact hours is less than 40"),
        ({"not": {"field": "weeks", "less_than": 3}}, "the number of weeks is at least 3"),
        ({"field": "credit_hundredths", "at_least": 50}, "the number of units of credit is at least 0.5"),
        ({"field": "credit_hundredths", "is": 10_000}, "the number of units of credit is 100"),
        ({"field": "unit", "in": ["ENG", "HSCI"]}, "the host unit is ENG or HSCI"),
        ({"field": "unit_kind", "is": "continuing-education"}, "the kind of host unit is continuing education"),
        ({"field": "level", "is": "doctoral"}, "the level is “doctoral”"),
        ({"field": "level", "is": True}, "the level is “yes”"),
        ({"all": [CREDIT, GRADUATE]}, "academic credit is asked for and the level is graduate"),
        ({"any": [CREDIT, GRADUATE, LONG]}, f"academic credit is asked for, the level is graduate or {words(LONG)}"),
        ({"all": [{"all": [CREDIT]}, {"not": {"not": GRADUATE}}]}, words({"all": [CREDIT, GRADUATE]})),
        (
            {"not": {"all": [CREDIT, GRADUATE]}},
            "no academic credit is asked for or the level is not graduate",
        ),
        (
            {"all": [CREDIT, {"any": [GRADUATE, LONG]}]},
            f"academic credit is asked for, and either the level is graduate or {words(LONG)}",
        ),
        (
            {"any": [{"all": [CREDIT, GRADUATE]}, LONG]},
            f"academic credit is asked for and the level is graduate, or {words(LONG)}",
        ),
        (
            {"any": [{"all": [CREDIT, {"any": [GRADUATE, LONG]}]}, {"field": "partners", "at_least": 1}]},
            f"(academic credit is asked for, and either the level is graduate or {words(LONG)})"
            " or the number of partners is at least 1",
        ),
    ],
)
def test_a_condition_in_words(condition: dict[str, Any], said: str) -> None:
    assert words(condition) == said


@given(condition=CONDITIONS)
@settings(deadline=None)
def test_every_condition_has_words_and_twice_not_is_none(condition: dict[str, Any]) -> None:
    assert words(condition)
    assert words({"not": {"not": condition}}) == words(condition)
    assert words({"not": condition}) != words(condition)


def test_numbers_follow_the_language() -> None:
    with translation.override("fr-ca"):
        assert "0,5" in words({"field": "credit_hundredths", "at_least": 50})


def test_the_part_of_a_stage() -> None:
    dean, council, _library, senate = typed(full()).route
    assert part_in_words(dean) == "recommends for every proposal"
    assert part_in_words(senate) == "decides for every proposal"
    assert part_in_words(council) == (
        "recommends where academic credit is asked for; advises in all other cases; it has a part only where the level "
        "is graduate or continuing and professional, and either the number of contact hours is at least 40 or the "
        "number of weeks is at least 6"
    )


def test_fields_are_called_by_their_names() -> None:
    names = [field_in_words(path) for path in ("resources.fee", "outcomes", "files", "nowhere.such")]
    assert names == ["Fee, dollars", "Learning outcomes", "Files", "nowhere.such"]


def test_every_kind_of_rule_is_a_sentence_under_its_clause() -> None:
    found = {(one.clause, one.kind, one.sentence) for one in statements(typed(full()))}
    assert found >= {
        ("4.1", RuleKind.ROUTE, "“Dean” recommends for every proposal."),
        ("4.2", RuleKind.ROUTE, "“Library” stands side by side with “Graduate Council”."),
        ("4.2", RuleKind.ROUTE, "“Graduate Council” cannot answer “Approved with conditions” or “Declined”."),
        ("4.3", RuleKind.ROUTE, "No proposal is approved around “Senate”."),
        ("6.3", RuleKind.TARGET, "“Senate” answers within 20 working days."),
        (
            "6.4",
            RuleKind.VOTE,
            "“Senate” votes with a quorum of 20; a motion is carried by more than half of those present.",
        ),
        ("5.1", RuleKind.CHECK, "Dean, optional: The fee is fair. Evidence wanted: The date."),
        ("3.1", RuleKind.REQUIREMENT, "Give the contact hours, where academic credit is asked for"),
        ("3.2", RuleKind.QUESTION, "“Who was consulted?” Answer: several paragraphs"),
        (
            "3.2",
            RuleKind.QUESTION,
            "“On which campus?” Answer, if any: “North” or “South”, where academic credit is asked for",
        ),
        (
            "7.2",
            RuleKind.REOPENING,
            "A change to “Fee, dollars” or “Learning outcomes” asks for the approval of “Dean” and “Graduate Council”"
            " again.",
        ),
        ("8.1", RuleKind.DUTIES, "Nobody decides on a proposal that they wrote."),
        ("9.1", RuleKind.RETENTION, "A proposal that ended as “Approved” is kept for good."),
        ("9.1", RuleKind.RETENTION, "A proposal that ended as “Declined” is kept for 6 years."),
    }


@given(rules=rule_sets())
@settings(max_examples=50, deadline=None)
def test_every_clause_that_a_rule_rests_on_has_a_sentence(rules: Rules) -> None:
    assert {one.clause for one in statements(rules)} == rules.clauses()
    assert all(one.kind.label and one.kind.icon and one.kind.changes for one in statements(rules))


def test_clauses_without_usable_rules_are_shown_bare() -> None:
    clause = TextClause(number="1.1", text="Prose.", heading="1. Scope")
    (row,) = clauses_with_rules(None, [clause])
    assert (row.clause, row.statements, row.begins_heading) == (clause, (), True)
