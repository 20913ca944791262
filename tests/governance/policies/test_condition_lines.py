"""A condition of any nesting, shown as lines, holds for the same proposals; untouched, it stays as it was."""

import json
from typing import Any

import pytest
from django.http import QueryDict
from hypothesis import assume, given, settings
from pydantic import TypeAdapter

from governance.forms import MOST_ROWS
from governance.policies.conditions import Condition
from governance.policies.editing.condition_form import ConditionLines, when
from governance.policies.editing.conditions import Joint, Line, Operator, condition_of, lines_of
from governance.policies.editing.facts import BadValue, as_typed, values_in
from governance.policies.editing.part import Offered
from governance.policies.vocabulary import FactName, Facts, UnitPlace

from .generated import CONDITIONS, FACTS, UNITS

READ: TypeAdapter[Condition] = TypeAdapter(Condition)
OFFERED = Offered(units={"HSCI": "Faculty of Health Sciences", "ENG": "Faculty of Engineering", "KU": "University"})


def read(data: Any) -> Condition:
    return READ.validate_python(data)


def as_json(condition: Condition) -> Any:
    return json.loads(condition.model_dump_json(by_alias=True))


def form(stored: Any, data: QueryDict | None = None) -> ConditionLines:
    return ConditionLines(when("When"), stored, OFFERED, data=data, name="when")


def typed(lines: ConditionLines) -> QueryDict:
    """What a browser sends from the lines of a condition."""
    data = QueryDict(mutable=True)
    data["when-rows"] = str(len(lines.rows))
    if lines.kept:
        data["when-kept"] = lines.kept
    for row in lines.rows:
        for box in row:
            data[box.html_name] = str(box.value() or "")
    return data


def saved(stored: Any, data: QueryDict) -> Any:
    """What is kept of a condition when the form comes back."""
    lines = form(stored, data)
    assert all(row.is_valid() for row in lines.every_form), [row.errors for row in lines.every_form]
    return lines.as_data()


@settings(max_examples=400, deadline=None)
@given(CONDITIONS, FACTS, UNITS)
def test_lines_hold_whenever_the_condition_does(stored: Any, facts: Facts, unit: UnitPlace) -> None:
    condition = read(stored)
    lines = lines_of(condition)
    assume(lines is not None)
    assert lines is not None
    made = condition_of(lines)
    assert condition.holds(facts, unit) == (made is None or made.holds(facts, unit))
    assert lines_of(made) == lines


@settings(max_examples=200, deadline=None)
@given(CONDITIONS)
def test_a_condition_that_nobody_touched_stays_byte_for_byte(stored: Any) -> None:
    stored = as_json(read(stored))
    assert json.dumps(saved(stored, typed(form(stored)))) == json.dumps(stored)


@settings(max_examples=200, deadline=None)
@given(CONDITIONS, FACTS, UNITS)
def test_a_line_more_changes_nothing_else(stored: Any, facts: Facts, unit: UnitPlace) -> None:
    stored = as_json(read(stored))
    data = typed(form(stored))
    count = int(data["when-rows"])
    assume(0 < count < MOST_ROWS)
    data["when-rows"] = str(count + 1)
    for name, value in {"joint": "or", "field": "weeks", "operator": "at-least", "value": "52"}.items():
        data[f"when-{count}-{name}"] = value
    made = read(saved(stored, data))
    assert made.holds(facts, unit) == (read(stored).holds(facts, unit) or facts.weeks >= 52)


def test_and_binds_tighter_than_or() -> None:
    def line(joint: Joint, field: FactName, value: Any) -> Line:
        return Line(joint, field, Operator.IS, (value,))

    made = condition_of(
        [
            line(Joint.AND, FactName.KIND, "academic"),
            line(Joint.OR, FactName.LEVEL, "graduate"),
            line(Joint.AND, FactName.NEW_RESOURCES, True),
        ]
    )
    assert made is not None
    assert as_json(made) == {
        "any": [
            {"field": "kind", "is": "academic"},
            {"all": [{"field": "level", "is": "graduate"}, {"field": "new_resources", "is": True}]},
        ]
    }


def test_a_condition_too_long_for_lines_is_kept_and_said_in_words() -> None:
    names = ["hours", "weeks", "partners", "credit_hundredths"]
    stored = {"all": [{"any": [{"field": name, "is": number} for name in names]} for number in range(4)]}
    lines = form(stored)
    assert lines.rows == []
    assert "the number of weeks is 3" in lines.words
    assert saved(stored, typed(lines)) == stored


def test_an_empty_line_says_nothing_and_a_half_empty_one_is_wrong() -> None:
    data = QueryDict("when-rows=2&when-0-joint=and&when-0-operator=is&when-1-joint=or&when-1-operator=in")
    assert saved(None, data) is None
    half = QueryDict("when-rows=1&when-0-field=level&when-0-operator=is&when-0-value=")
    row = form(None, half).rows[0]
    assert not row.is_valid()
    assert row.errors["value"] == ["Say what it is compared with"]


@pytest.mark.parametrize(
    ("field", "operator", "words", "values"),
    [
        ("level", "is", "graduate", ("graduate",)),
        ("level", "is", " Graduate ", ("graduate",)),
        ("level", "in", "Undergraduate,Continuing and professional", ("undergraduate", "professional")),
        ("unit", "not-in", "hsci; Faculty of Engineering", ("HSCI", "ENG")),
        ("hours", "in", "20, 30", (20, 30)),
        ("credit_hundredths", "at-least", "0.5", (50,)),
        ("credit_hundredths", "in", "0,5; 1,25", (50, 125)),
        ("new_resources", "is", "yes", (True,)),
    ],
)
def test_values_are_read_as_people_write_them(field: str, operator: str, words: str, values: tuple[Any, ...]) -> None:
    name = FactName(field)
    read_values = values_in(words, name, Operator(operator), OFFERED.units)
    assert read_values == values
    assert [type(value) for value in read_values] == [type(value) for value in values]
    assert values_in(as_typed(name, values), name, Operator(operator), OFFERED.units) == values


@pytest.mark.parametrize(
    ("field", "operator", "words", "says"),
    [
        ("level", "is", "postgraduate", "Undergraduate, Graduate, Continuing and professional"),
        ("level", "at-least", "3", "no number that could be compared"),
        ("unit", "is", "ARTS", "HSCI, ENG, KU"),
        ("hours", "is", "1e9", "whole number"),
        ("hours", "at-least", "20, 30", "whole number"),
        ("credit_hundredths", "is", "a half", "0.5 or 1.0"),
        ("kind", "in", " , ", "Say what"),
    ],
)
def test_what_is_no_value_gets_its_sentence(field: str, operator: str, words: str, says: str) -> None:
    with pytest.raises(BadValue, match=says):
        values_in(words, FactName(field), Operator(operator), OFFERED.units)
