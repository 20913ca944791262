"""The parts that pages are built from."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from django import forms
from django.template.loader import render_to_string

MOMENT = datetime(2026, 10, 2, 13, 12, tzinfo=UTC)


class Form(forms.Form):
    """One field of each kind that the parts draw differently."""

    title = forms.CharField(help_text="As on the credential", error_messages={"required": "Give it a title"})
    hours = forms.IntegerField(required=False)
    mode = forms.ChoiceField(widget=forms.RadioSelect, choices=[("o", "Online")], error_messages={"required": "Choose"})
    agree = forms.BooleanField(label="I confirm", error_messages={"required": "Confirm it"})
    hidden = forms.CharField(widget=forms.HiddenInput, required=False)


def test_field_ties_hint_and_error_to_its_control_with_the_error_above() -> None:
    html = Form({})["title"].as_field_group()
    assert 'aria-describedby="id_title_helptext id_title_error"' in html
    assert 'aria-invalid="true"' in html
    assert html.index('id="id_title_helptext"') < html.index('id="id_title_error"') < html.index("<input")
    assert "Give it a title" in html


def test_field_says_when_it_is_optional() -> None:
    assert "(optional)" in Form()["hours"].as_field_group()
    assert "(optional)" not in Form()["title"].as_field_group()


def test_field_with_several_controls_is_a_fieldset_with_a_legend() -> None:
    html = Form({})["mode"].as_field_group()
    assert html.strip().startswith("<fieldset")
    assert "<legend>Mode" in html
    assert 'id="id_mode_error"' in html


def test_field_that_is_a_checkbox_has_its_words_after_it() -> None:
    html = Form()["agree"].as_field_group()
    assert html.index("<input") < html.index("I confirm")


def test_field_that_is_hidden_has_no_label() -> None:
    assert "<label" not in Form()["hidden"].as_field_group()


def test_error_summary_links_every_error_to_its_field() -> None:
    html = render_to_string("parts/error_summary.html", {"form": Form({})})
    assert "3 things to fix" in html
    assert '<a href="#id_title">Give it a title</a>' in html
    assert '<a href="#id_mode_0">Choose</a>' in html
    assert 'tabindex="-1"' in html


def test_error_summary_takes_pairs_as_they_are() -> None:
    html = render_to_string("parts/error_summary.html", {"errors": [("o3", "Say how"), ("", "Weights")]})
    assert '<a href="#o3">Say how</a>' in html
    assert "<li>Weights</li>" in html


def test_error_summary_is_absent_when_nothing_is_wrong() -> None:
    assert render_to_string("parts/error_summary.html", {"form": Form()}).strip() == ""


@pytest.mark.parametrize("count", [3, 5, 7])
def test_stepper_has_a_step_for_every_stage_and_marks_the_present_one(count: int) -> None:
    statuses = ["done", "now", "next", "skipped", "returned", "next", "next"][:count]
    steps = [SimpleNamespace(label=f"Stage {n}", status=s, lines=["Who", "When"]) for n, s in enumerate(statuses)]
    steps[1].bar = 80
    html = render_to_string("parts/stepper.html", {"steps": steps})
    assert html.count('<li class="step ') == count
    assert html.count('aria-current="step"') == 1
    assert html.count('class="bar"') == 1


def test_timeline_tells_who_what_and_when() -> None:
    entries = [
        SimpleNamespace(
            icon="send", tone="accent", actor="Nadia <R>", text="sent it.", moment=MOMENT, quote="Line\nTwo"
        ),
        SimpleNamespace(icon="check", tone="", sentence_html="", actor="", text="Sealed.", moment=MOMENT, quote=""),
    ]
    html = render_to_string("parts/timeline.html", {"entries": entries})
    assert "<strong>Nadia &lt;R&gt;</strong> sent it." in html
    assert "timeline__mark--accent" in html
    assert "<blockquote>Line<br>Two</blockquote>" in html
    assert html.count("<time datetime=") == 2


def test_pager_leads_only_where_there_is_more() -> None:
    html = render_to_string("parts/pager.html", {"older": "?after=9", "position": "25 of 340"})
    assert 'href="?after=9"' in html
    assert "Newer" not in html
    assert render_to_string("parts/pager.html", {}).strip() == ""


def test_notice_and_empty_escape_what_they_are_given() -> None:
    assert "&lt;b&gt;" in render_to_string("parts/notice.html", {"kind": "bad", "text": "<b>"})
    html = render_to_string(
        "parts/empty.html", {"title": "None", "text": "<b>", "href": "/x", "link": "Go", "level": 3}
    )
    assert "<h3>None</h3>" in html
    assert "&lt;b&gt;" in html
