"""Whatever rules there are go through their forms unchanged: what a form shows, sent back, is what was stored."""

import json
import re
from typing import Any

from django import forms
from django.http import QueryDict
from hypothesis import HealthCheck, given, settings

from governance.forms import MOST_ROWS
from governance.policies.editing.condition_form import ConditionLines
from governance.policies.editing.drafts import items, named
from governance.policies.editing.part import Offered, Part, PartForm, Rows
from governance.policies.editing.sections import SECTIONS
from governance.policies.editing.shown import differences
from governance.policies.fields import field_names
from governance.policies.rules import Rules

from .generated import rule_sets


def typed(form: PartForm) -> QueryDict:
    """What a browser sends from a form as it is shown."""
    data = QueryDict(mutable=True)
    _type(form.main, data)
    return data


def _type(part: Part, data: QueryDict) -> None:
    for name, box in part.fields.items():
        value = part[name].value()
        if isinstance(box, forms.ChoiceField) and isinstance(box.widget, forms.Select) and value in (None, ""):
            values = [str(next(iter(box.choices))[0])]
        elif isinstance(box, forms.BooleanField):
            values = ["on"] if value else []
        elif isinstance(value, list | tuple):
            values = [str(one) for one in value]
        else:
            # A browser sends each line end as CR LF.
            values = ["" if value is None else str(value).replace("\n", "\r\n")]
        if values:
            data.setlist(part[name].html_name, values)
    for inner in part.inner.values():
        if isinstance(inner, Rows):
            data[f"{inner.name}-rows"] = str(len(inner.rows))
            if isinstance(inner, ConditionLines) and inner.kept:
                data[f"{inner.name}-kept"] = inner.kept
            for row in inner.rows:
                _type(row, data)
        else:
            _type(inner, data)


def without_control_characters(value: Any) -> Any:
    """No browser sends such a character from a box of one line."""
    if isinstance(value, dict):
        return {key: without_control_characters(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [without_control_characters(inner) for inner in value]
    return re.sub(r"[\x00-\x1f]", "x", value) if isinstance(value, str) else value


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rule_sets())
def test_rules_of_every_shape_go_through_their_forms_unchanged(rules: Rules) -> None:
    data = without_control_characters(json.loads(rules.model_dump_json(by_alias=True)))
    offered = Offered(
        fields=field_names(), stages=[(stage.key, stage.label) for stage in rules.route], units={"KU": "University"}
    )
    for key, section in SECTIONS.items():
        parts = items(data, key) if section.is_list else [named(data, section.names)] if section.names else []
        for part in parts:
            form = PartForm(section.form, part, offered)
            again = PartForm(section.form, part, offered, typed(form))
            assert again.is_valid(), [(box.html_name, box.errors) for box in again.errors]
            assert again.result() == part
            assert differences(again, form) == []


def test_a_list_within_a_form_has_an_end() -> None:
    form = PartForm(SECTIONS["route"].form, {}, Offered(), QueryDict("checklist-rows=900&when-rows=-4&cases-rows=x"))
    for name, count in (("checklist", MOST_ROWS), ("when", 0), ("cases", 1)):
        rows = form.list_named(name)
        assert rows is not None
        assert len(rows.rows) == count
    assert form.list_named("nothing") is None
