"""Every field of the content goes through its form unchanged, and what cannot be kept gets its sentence."""

from datetime import date
from types import UnionType
from typing import Any, Union, get_args, get_origin

import annotated_types
import pytest
from django.http import QueryDict
from django.template.loader import render_to_string
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import StringConstraints

from governance.forms import with_row, without_row
from tests.samples import complete_content
from workflows.proposals.content import (
    FURTHER,
    SECTIONS,
    Alignment,
    Content,
    Coverage,
    FieldSpec,
    LearningOutcome,
    fields_of,
)
from workflows.proposals.forms import SectionForm, anchor_of

from .typed import typed_in

LETTERS = st.characters(exclude_categories=("Cc", "Cs"))
# What further questions ask is the policy's business (see `test_further_questions.py`).
WRITTEN = [key for key in SECTIONS if key != FURTHER]


class Draft:
    """Stands for the proposal whose links the page shows."""

    reference = "MC-2026-0001"


def shown(form: SectionForm) -> str:
    return render_to_string(
        "proposals/body.html", {"form": form, "proposal": Draft(), "total_weight": 0, "remarks": {}}
    )


def answers(spec: FieldSpec) -> st.SearchStrategy[Any]:
    """Every value that a field which is not a list can hold."""
    kinds = get_args(spec.type) if get_origin(spec.type) in {Union, UnionType} else (spec.type,)
    if spec.says.choices is not None:
        return st.sampled_from(["", *spec.says.choices.values])
    if bool in kinds:
        return st.booleans()
    if int in kinds:
        low = next(note.ge for note in spec.info.metadata if isinstance(note, annotated_types.Ge))
        high = next(note.le for note in spec.info.metadata if isinstance(note, annotated_types.Le))
        return st.none() | st.integers(low, high)  # type: ignore[arg-type]
    if date in kinds:
        return st.none() | st.dates()
    if any(isinstance(note, StringConstraints) and note.pattern for note in spec.info.metadata):
        return st.sampled_from(["", "1", "0.5", "12.25", "999"])
    if spec.says.email:
        return st.sampled_from(["", "nadia@kawartha.example"])
    lines = st.lists(st.text(LETTERS, max_size=40), max_size=3 if spec.says.long else 1)
    return lines.map(lambda several: "\n".join(several).strip())


def rows(spec: FieldSpec, letter: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    assert spec.item is not None
    inner = list(fields_of(spec.item))
    row = st.fixed_dictionaries({each.name: answers(each) for each in inner}).filter(
        lambda values: any(value not in ("", None) for value in values.values())
    )
    several = st.lists(row, max_size=4)
    if "key" not in spec.item.model_fields:
        return several
    return several.map(lambda found: [one | {"key": f"{letter}{n}"} for n, one in enumerate(found, start=1)])


def section_data(key: str) -> st.SearchStrategy[dict[str, Any]]:
    fields = {}
    for spec in fields_of(SECTIONS[key][1], key):
        if spec.item is Alignment:
            continue
        fields[spec.name] = answers(spec) if spec.item is None else rows(spec, spec.name[0])
    return st.fixed_dictionaries(fields)


@pytest.mark.parametrize("key", WRITTEN)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_section_goes_through_its_form_unchanged(key: str, data: st.DataObject) -> None:
    part = SECTIONS[key][1].model_validate(data.draw(section_data(key)))
    content = Content.model_validate({key: part})
    page = shown(SectionForm(key, content))
    form = SectionForm(key, content, data=typed_in(page))
    assert form.is_valid(), [field.errors for field in form.errors]
    assert form.part() == part
    assert typed_in(shown(form)) == typed_in(page)


@settings(max_examples=40, deadline=None)
@given(levels=st.lists(st.sampled_from(["", *Coverage.values]), min_size=6, max_size=6))
def test_the_alignment_matrix_goes_through_its_form_unchanged(levels: list[str]) -> None:
    whole = complete_content()
    pairs = [(outcome, assessment) for outcome in ("o1", "o2", "o3") for assessment in ("a1", "a2")]
    whole["assessment"]["alignment"] = [
        {"outcome": outcome, "assessment": assessment, "coverage": level}
        for (outcome, assessment), level in zip(pairs, levels, strict=True)
        if level
    ]
    content = Content.model_validate(whole)
    form = SectionForm("assessment", content, data=typed_in(shown(SectionForm("assessment", content))))
    assert form.is_valid()
    assert form.part() == content.assessment


@pytest.mark.parametrize("section", WRITTEN)
def test_every_field_has_a_label_and_its_anchor_is_on_the_page(section: str) -> None:
    content = Content.model_validate(complete_content())
    form = SectionForm(section, content)
    html = shown(form)
    assert all(field.label or field.field.widget.attrs["aria-label"] for one in form.forms for field in one)
    for spec in fields_of(SECTIONS[section][1], section):
        assert f'id="{anchor_of(spec.path)}"' in html


@pytest.mark.parametrize(
    ("section", "name", "words", "sentence"),
    [
        ("resources", "fee", "six hundred", "“Fee, dollars” takes a whole number, such as 36"),
        ("resources", "fee", "-1", "“Fee, dollars” takes a number from 0 to 1000000"),
        ("resources", "fee", "9" * 5000, "“Fee, dollars” takes a whole number, such as 36"),
        ("delivery", "credits", "one", "Write the units of credit as a number such as 0.5 or 1.0"),
        ("summary", "first_offered_on", "in spring", "“First offered” takes a date, such as 2027-01-11"),
        ("summary", "title", "x" * 301, "“Title” is too long: it has 301 characters, and 300 fit"),
        ("summary", "contact_email", "nadia", "takes an address such as name@university.ca"),
        ("summary", "kind", "military", "“Academic credit” takes one of the answers offered"),
        ("need", "purpose", "x" * 12_001, "“Purpose” is too long: it has 12001 characters, and 12000 fit"),
        ("summary", "title", "nul \x00", "Null characters are not allowed."),
    ],
)
def test_what_cannot_be_kept_gets_its_sentence_and_stays_to_be_seen(
    section: str, name: str, words: str, sentence: str
) -> None:
    content = Content.model_validate(complete_content())
    data = typed_in(shown(SectionForm(section, content)), **{name: words})
    form = SectionForm(section, content, data=data)
    assert not form.is_valid()
    [bad] = form.errors
    assert sentence in str(bad.errors[0])
    if name != "kind":  # nobody types into a radio button
        assert typed_in(shown(form))[name] == words


def test_a_row_that_is_added_or_taken_out_leaves_the_others_as_typed() -> None:
    data = QueryDict("evidence-rows=2&evidence-0-title=one&evidence-1-title=two&purpose=why")
    added = with_row(data, "evidence")
    assert added["evidence-rows"] == "3"
    less = without_row(added, "evidence", 0)
    assert less["evidence-rows"] == "2"
    assert less["evidence-0-title"] == "two"
    assert "evidence-1-title" not in less
    assert less["purpose"] == "why"
    assert without_row(data, "evidence", 7) == data


def test_a_list_has_an_end() -> None:
    data = QueryDict("evidence-rows=20", mutable=True)
    assert with_row(data, "evidence")["evidence-rows"] == "20"
    for nonsense in ("", "-3", "1e9", "99999999999999999999", "²"):
        form = SectionForm("need", Content(), data=QueryDict(f"evidence-rows={nonsense}"))
        assert len(form.lists["evidence"].rows) <= 20


def test_rows_without_words_are_shown_but_not_kept() -> None:
    form = SectionForm("need", Content(), data=QueryDict("evidence-rows=3&evidence-1-title=Survey"))
    assert form.is_valid()
    assert [item.title for item in form.part().evidence] == ["Survey"]  # type: ignore[attr-defined]
    assert len(form.lists["evidence"].rows) == 3


def test_a_row_that_says_only_nought_is_kept() -> None:
    form = SectionForm("assessment", Content(), data=QueryDict("assessments-rows=1&assessments-0-weight=0"))
    assert form.is_valid()
    assert [item.weight for item in form.part().assessments] == [0]  # type: ignore[attr-defined]


def test_a_new_outcome_never_gets_the_key_of_one_that_the_matrix_still_names() -> None:
    whole = complete_content()
    whole["outcomes"]["outcomes"] = whole["outcomes"]["outcomes"][:2]
    content = Content.model_validate(whole)
    page = with_row(typed_in(shown(SectionForm("outcomes", content))), "outcomes")
    page["outcomes-2-text"] = "Explain what a community may ask for."
    form = SectionForm("outcomes", content, data=page)
    assert form.is_valid()
    assert [item.key for item in form.part().outcomes] == ["o1", "o2", "o4"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("keys", [("o1", "o1", "o1"), ("", "9", "<b>")])
def test_keys_that_somebody_made_up_are_replaced(keys: tuple[str, str, str]) -> None:
    content = Content(outcomes={"outcomes": [LearningOutcome(key="o1", text="Name a risk.")]})  # type: ignore[arg-type]
    data = QueryDict("outcomes-rows=3", mutable=True)
    for number, key in enumerate(keys):
        data[f"outcomes-{number}-key"] = key
        data[f"outcomes-{number}-text"] = f"Do thing {number}."
    form = SectionForm("outcomes", content, data=data)
    assert form.is_valid()
    found = [item.key for item in form.part().outcomes]  # type: ignore[attr-defined]
    assert len(set(found)) == 3


def test_a_label_says_optional_where_the_policy_asks_for_nothing() -> None:
    form = SectionForm("summary", Content(), asked={"summary.title"})
    html = shown(form)
    assert html.count("(optional)") == len(form.main.fields) - 1
