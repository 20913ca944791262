"""A comparison leaves nothing out: every difference of rules is a sentence, and every word of both texts is there."""

import re
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from governance.policies.compare import ClauseRow, Comparison, Side, compare_versions
from governance.policies.differences.parts import Difference
from governance.policies.differences.rules import rule_differences
from governance.policies.loading import load_policy_file
from governance.policies.rules import Rules
from governance.policies.statements import RuleKind
from governance.policies.text import clauses, outside_clauses
from governance.redline import Mark
from tests.conftest import SHIPPED_POLICY
from tests.governance.policies.generated import rule_sets
from tests.governance.policies.rich import Place, changes, full, typed

RICH = typed(full())
SHIPPED = load_policy_file(SHIPPED_POLICY)


def sentences(before: Rules, after: Rules) -> list[str]:
    return [one.sentence for one in rule_differences(before, after, {})]


def changed(place: tuple[int | str, ...], value: Any) -> Rules:
    data = full()
    inner: Any = data
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    return typed(data)


# ---- nothing is left out


def without_version(rules: Rules) -> dict[str, Any]:
    return rules.model_dump() | {"version": 0}


@pytest.mark.parametrize(("place", "after"), [pytest.param(*one, id=".".join(map(str, one[0]))) for one in changes()])
def test_every_change_of_a_rule_is_said_in_both_directions(place: Place, after: Rules) -> None:
    there, back = sentences(RICH, after), sentences(after, RICH)
    expected = without_version(after) != without_version(RICH)
    assert (bool(there), bool(back)) == (expected, expected)
    assert len(set(there)) == len(there)


def test_the_changes_reach_every_field_that_rules_have() -> None:
    """A field that is added to the rules is compared, or this fails."""

    def fields(model: Any) -> set[tuple[str, str]]:
        found: set[tuple[str, str]] = set()
        if isinstance(model, BaseModel):
            for name, value in model:
                found |= {(type(model).__name__, name)} | fields(value)
        elif isinstance(model, tuple):
            for item in model:
                found |= fields(item)
        return found

    def owners(place: Place) -> set[tuple[str, str]]:
        model: Any = RICH
        passed = set()
        for step in place:
            if isinstance(step, int):
                model = model[step]
            else:
                name = next(name for name, info in type(model).model_fields.items() if step in (name, info.alias))
                passed.add((type(model).__name__, name))
                model = getattr(model, name)
        return passed

    every = {
        (model.__name__, name)
        for model in subclasses(Rules.__mro__[1])
        for name in model.model_fields
        if model.__module__.startswith("governance.policies.")
    }
    assert fields(RICH) == every
    assert {owner for place, _after in changes() for owner in owners(place)} == every


def subclasses(model: Any) -> set[Any]:
    return {one for direct in model.__subclasses__() for one in {direct, *subclasses(direct)}}


@given(before=rule_sets(), after=rule_sets())
@settings(max_examples=60, deadline=None)
def test_any_two_sets_of_rules_differ_in_sentences_exactly_when_they_differ(before: Rules, after: Rules) -> None:
    assert sentences(before, before) == []
    assert bool(sentences(before, after)) == (without_version(before) != without_version(after))


@given(before=rule_sets(), after=rule_sets())
@settings(max_examples=60, deadline=None)
def test_the_other_way_round_what_was_new_is_gone(before: Rules, after: Rules) -> None:
    there, back = (rule_differences(*pair, {}) for pair in ((before, after), (after, before)))
    new = [one.sentence.removeprefix("New: ") for one in there if one.sentence.startswith("New: ")]
    gone = [one.sentence.removeprefix("No longer: ") for one in back if one.sentence.startswith("No longer: ")]
    assert new == gone
    assert sorted(one.kind for one in there) == sorted(one.kind for one in back)


# ---- what is said


@pytest.mark.parametrize(
    ("place", "value", "there", "back"),
    [
        (
            ("route", 3, "vote", "quorum"),
            25,
            "Senate’s quorum rises from 20 to 25.",
            "Senate’s quorum falls from 25 to 20.",
        ),
        (
            ("route", 3, "due", "working_days"),
            15,
            "“Senate” has 15 working days instead of 20.",
            "“Senate” has 20 working days instead of 15.",
        ),
        (
            ("route", 3, "when"),
            {"field": "kind", "is": "academic"},
            "“Senate” now decides only where academic credit is asked for.",
            "“Senate” now decides for every proposal, not only where academic credit is asked for.",
        ),
        (
            ("route", 0, "effect"),
            "advise",
            "“Dean” now advises rather than recommends.",
            "“Dean” now recommends rather than advises.",
        ),
        (
            ("route", 0, "label"),
            "Associate Dean",
            "The stage “Dean” is now called “Associate Dean”.",
            "The stage “Associate Dean” is now called “Dean”.",
        ),
        (
            ("route", 0, "outcomes"),
            ["approve", "approve-with-conditions", "return"],
            "“Dean” can no longer answer “Declined”.",
            "“Dean” can now also answer “Declined”.",
        ),
        (
            ("route", 3, "mandatory"),
            False,
            "“Senate” is no longer mandatory.",
            "“Senate” is now mandatory: no proposal is approved around it.",
        ),
        (
            ("route", 0, "body", "kind"),
            "associate-dean",
            "“Dean” is now a body of the kind “associate-dean” instead of “dean”.",
            "“Dean” is now a body of the kind “dean” instead of “associate-dean”.",
        ),
        (
            ("route", 0, "checklist", 0, "text"),
            "The need is proven.",
            "“Dean” now confirms “The need is proven.” instead of “The need is shown.”",
            "“Dean” now confirms “The need is shown.” instead of “The need is proven.”",
        ),
        (
            ("route", 0, "checklist", 1, "required"),
            True,
            "“Dean” cannot approve any more before it has confirmed: “The fee is fair.”",
            "“Dean” may now approve without having confirmed: “The fee is fair.”",
        ),
        (
            ("route", 2, "wave"),
            None,
            "“Graduate Council” and “Library” no longer stand side by side.",
            "“Graduate Council” and “Library” now stand side by side.",
        ),
        (
            ("duties", "one_person_many_stages", "allowed"),
            True,
            "One person may decide several stages of a proposal. Before: Nobody decides two stages of one proposal.",
            "Nobody decides two stages of one proposal. Before: One person may decide several stages of a proposal.",
        ),
        (
            ("requires", 1, "number"),
            8,
            "“Give the contact hours” now looks for at least 8 instead of at least 6.",
            "“Give the contact hours” now looks for at least 6 instead of at least 8.",
        ),
        (
            ("questions", 1, "required"),
            True,
            "“On which campus?” must now be answered.",
            "“On which campus?” may now be left unanswered.",
        ),
        (
            ("retention", 0, "years"),
            10,
            "A proposal that ended as “Approved” is kept for 10 years. "
            "Before: A proposal that ended as “Approved” is kept for good.",
            "A proposal that ended as “Approved” is kept for good. "
            "Before: A proposal that ended as “Approved” is kept for 10 years.",
        ),
        (
            ("reopens", 1, "fields"),
            ["files", "delivery.hours"],
            "New: A change to “Contact hours” asks for the approval of “Library” again.",
            "No longer: A change to “Contact hours” asks for the approval of “Library” again.",
        ),
        (
            ("effective_from",),
            "2027-01-01",
            "Its first day is 1 January 2027 instead of 1 July 2026.",
            "Its first day is 1 July 2026 instead of 1 January 2027.",
        ),
        (
            ("governs",),
            ["new"],
            "It no longer governs proposals of the kind “Modify”.",
            "It now also governs proposals of the kind “Modify”.",
        ),
        (
            ("route", 0, "clause"),
            "4.9",
            "Under clause 4.9 instead of 4.1: “Dean” recommends for every proposal.",
            "Under clause 4.1 instead of 4.9: “Dean” recommends for every proposal.",
        ),
    ],
)
def test_a_change_is_said_as_people_say_it(place: Place, value: Any, there: str, back: str) -> None:
    after = changed(place, value)
    assert (sentences(RICH, after), sentences(after, RICH)) == ([there], [back])


def test_a_new_stage_is_told_with_its_rules() -> None:
    data = full()
    dean, *others = data["route"]
    data["reopens"][0]["stages"] = ["council"]
    without = typed(data | {"route": others})
    with_it = typed(data | {"route": [dean, *others]})
    assert sentences(without, with_it) == [
        "The stage “Dean” is new; it recommends for every proposal.",
        "New: “Dean” answers within 10 working days.",
        "New: Dean: The need is shown.",
        "New: Dean, optional: The fee is fair. Evidence wanted: The date.",
    ]
    assert sentences(with_it, without)[0] == (
        "The stage “Dean” is gone; under the version before, it recommends for every proposal."
    )
    kinds = [one.kind for one in rule_differences(without, with_it, {})]
    assert kinds == [RuleKind.ROUTE, RuleKind.TARGET, RuleKind.CHECK, RuleKind.CHECK]


def test_as_few_stages_as_possible_are_said_to_have_moved() -> None:
    data = full()
    for stage in data["route"]:
        stage["wave"] = None
    before = typed(data)
    dean, council, library, senate = data["route"]
    last_first = typed(data | {"route": [library, dean, council, senate]})
    assert sentences(before, last_first) == ["“Library” now comes before “Dean”."]
    assert sentences(last_first, before) == ["“Library” now comes after “Graduate Council”."]


def test_order_within_a_wave_is_only_order_on_paper() -> None:
    data = full()
    dean, council, library, senate = data["route"]
    (sentence,) = sentences(RICH, typed(data | {"route": [dean, library, council, senate]}))
    assert "only their order on paper changes" in sentence


# ---- the text


TEXT = """# A policy

Version 1, by Senate.

## 4. The route

**4.1** The Dean reviews every proposal first and recommends.

**4.2** The Council reviews and recommends a proposal for credit.

**4.3** Senate decides within twenty days of a proposal
reaching it.

## 5. Time

**5.1** Silence approves nothing.
"""


def compared(after: str, before: str = TEXT) -> Comparison:
    return compare_versions(Side(None, before), Side(None, after))


def rows(comparison: Comparison) -> list[tuple[str, str, bool]]:
    return [(row.number_before, row.number, row.words.changed) for row in comparison.rows]


def test_a_text_compared_with_itself_has_no_difference() -> None:
    comparison = compare_versions(Side(RICH, TEXT), Side(RICH, TEXT))
    assert comparison.is_same
    assert (comparison.changed_count, comparison.clause_count, comparison.folded_count) == (0, 4, 4)
    assert comparison.differences == ()


def test_words_are_marked_in_the_clause_that_has_them() -> None:
    comparison = compared(TEXT.replace("twenty", "fifteen working"))
    row = next(row for row in comparison.rows if row.words.changed)
    assert row.number == "4.3"
    assert [(run.mark, run.text) for run in row.words.runs if run.mark] == [
        (Mark.REMOVED, "twenty"),
        (Mark.ADDED, "fifteen working"),
    ]
    assert (comparison.changed_count, comparison.words_added, comparison.words_removed) == (1, 2, 1)
    assert comparison.folded_count == 3


def test_a_clause_put_in_renumbers_those_after_it_and_changes_only_itself() -> None:
    after = TEXT.replace("**4.3**", "**4.4**").replace("**4.2**", "**4.3**")
    after = after.replace("**4.3** The", "**4.2** The Library is told about it.\n\n**4.3** The")
    comparison = compared(after)
    assert rows(comparison) == [
        ("4.1", "4.1", False),
        ("", "4.2", True),
        ("4.2", "4.3", False),
        ("4.3", "4.4", False),
        ("5.1", "5.1", False),
    ]
    assert (comparison.changed_count, comparison.renumbered_count) == (1, 2)


def test_a_clause_that_is_moved_and_rewritten_is_still_the_same() -> None:
    after = TEXT.replace("**4.3**", "**4.4**").replace("twenty", "thirty")
    after = after.replace("**4.4**", "**4.3** The Library is told.\n\n**4.4**")
    assert rows(compared(after))[2:4] == [("", "4.3", True), ("4.3", "4.4", True)]


def test_a_clause_that_is_gone_stands_where_it_stood() -> None:
    comparison = compared(re.sub(r"\*\*4\.1\*\*.*?\n\n", "", TEXT, flags=re.DOTALL))
    assert rows(comparison)[0] == ("4.1", "", True)
    assert comparison.sections[0].heading.new == "4. The route"
    assert comparison.words_removed == 8


def test_headings_and_words_outside_the_clauses_are_compared() -> None:
    comparison = compared(TEXT.replace("5. Time", "5. Time limits").replace("Version 1", "Version 2"))
    assert comparison.changed_count == 0
    assert [section.heading.changed for section in comparison.sections] == [False, True]
    assert (comparison.outside.old, comparison.outside.new) == (
        "A policy\nVersion 1, by Senate.",
        "A policy\nVersion 2, by Senate.",
    )
    assert not comparison.is_same


def test_a_heading_that_lost_all_its_clauses_is_gone() -> None:
    after = TEXT.replace("## 5. Time\n\n", "")
    comparison = compared(after)
    assert [(section.heading.old, section.heading.new) for section in comparison.sections] == [
        ("4. The route", "4. The route"),
        ("5. Time", ""),
    ]


NUMBERS = st.lists(st.sampled_from(["1.1", "1.2", "1.3", "2.1", "2.2"]), unique=True).map(sorted)
SENTENCES = st.sampled_from(["The Dean reviews it.", "Senate decides.", "Senate decides soon.", "Nothing.", "A b c d."])


@st.composite
def texts(draw: Any) -> str:
    parts = [draw(st.sampled_from(["", "# A policy", "Preface."]))]
    for chapter in ("1", "2"):
        heading = draw(st.sampled_from(["Route", "Time", ""]))
        parts += [f"## {chapter}. {heading}"] if heading else []
        parts += [f"**{number}** {draw(SENTENCES)}" for number in draw(NUMBERS) if number[0] == chapter]
    return "\n\n".join(parts)


@given(before=texts(), after=texts())
@settings(max_examples=300, deadline=None)
def test_without_deletions_it_is_the_later_text_and_without_insertions_the_earlier_one(before: str, after: str) -> None:
    comparison = compare_versions(Side(None, before), Side(None, after))
    now = [(row.number, row.words.new) for row in comparison.rows if row.number]
    was = [(row.number_before, row.words.old) for row in comparison.rows if row.number_before]
    assert sorted(now) == sorted((one.number, one.text) for one in clauses(after))
    assert sorted(was) == sorted((one.number, one.text) for one in clauses(before))
    assert (comparison.outside.old, comparison.outside.new) == (outside_clauses(before), outside_clauses(after))
    headings_now = [section.heading.new for section in comparison.sections if section.heading.new]
    headings_was = [section.heading.old for section in comparison.sections if section.heading.old]
    assert sorted(headings_now) == sorted({one.heading for one in clauses(after)} - {""})
    assert sorted(headings_was) == sorted({one.heading for one in clauses(before)} - {""})


# ---- rules under the clauses of the text


def notes(row: ClauseRow) -> list[str]:
    return [note.sentence for note in row.notes]


def test_a_rule_follows_its_clause_to_another_number_without_a_word() -> None:
    text = SHIPPED.text.replace("**4.5**", "**4.6**").replace("**4.6**", "**4.5** A new body is told.\n\n**4.6**", 1)
    data = SHIPPED.rules.model_dump(mode="json", by_alias=True)
    data["route"][-1]["clause"] = "4.6"
    followed = compare_versions(Side(SHIPPED.rules, SHIPPED.text), Side(Rules.model_validate(data), text))
    assert followed.differences == ()
    assert followed.renumbered_count == 1
    forgotten = compare_versions(Side(SHIPPED.rules, SHIPPED.text), Side(SHIPPED.rules, text))
    assert [one.sentence for one in forgotten.differences] == [
        "Still under clause 4.5, whose words are now in clause 4.6: “Senate” decides for every proposal."
    ]


def test_a_rule_that_changed_without_its_words_stands_under_its_clause() -> None:
    data = SHIPPED.rules.model_dump(mode="json", by_alias=True)
    data["route"][-1]["due"]["working_days"] = 15
    comparison = compare_versions(Side(SHIPPED.rules, SHIPPED.text), Side(Rules.model_validate(data), SHIPPED.text))
    row = next(row for row in comparison.rows if row.notes)
    assert (row.number, row.words.changed) == ("6.4", False)
    assert notes(row) == ["“Senate” has 15 working days instead of 20."]


def test_a_rule_that_is_gone_stands_under_the_clause_that_it_had() -> None:
    data = SHIPPED.rules.model_dump(mode="json", by_alias=True)
    gone = data["requires"].pop(0)
    comparison = compare_versions(Side(SHIPPED.rules, SHIPPED.text), Side(Rules.model_validate(data), SHIPPED.text))
    (row,) = [row for row in comparison.rows if row.notes]
    assert (row.number_before, notes(row)) == (gone["clause"], [f"No longer: {gone['says']}"])


def test_what_has_no_clause_is_told_in_general() -> None:
    after = SHIPPED.rules.model_copy(update={"effective_from": date(2026, 7, 1), "version": 2})
    comparison = compare_versions(Side(SHIPPED.rules, SHIPPED.text), Side(after, SHIPPED.text))
    assert comparison.general == (Difference(RuleKind.DATE, "Its first day is 1 July 2026 instead of 1 July 2025."),)


def test_rules_that_cannot_be_used_leave_the_texts_to_compare() -> None:
    comparison = compare_versions(Side(RICH, TEXT), Side(None, TEXT.replace("twenty", "ten")))
    assert (comparison.general, comparison.differences, comparison.changed_count) == (None, (), 1)
