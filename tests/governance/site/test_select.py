"""A list of choices is written by a template of our own, and says what Django's says."""

from django import forms
from django.forms.renderers import DjangoTemplates
from pytest_django.asserts import assertHTMLEqual

CHOICES = [("", "All <units> & more"), (1000, "Engineering"), ("Groups", [('a"b', "One"), ("c", "Two")])]


def test_our_template_for_lists_of_choices_says_the_same_as_django() -> None:
    for widget, value in (
        (forms.Select(choices=CHOICES, attrs={"class": "select", "required": True}), "1000"),
        (forms.Select(choices=CHOICES), 'a"b'),
        (forms.SelectMultiple(choices=CHOICES), ["1000", "c"]),
        (forms.NullBooleanSelect(), True),
    ):
        ours, theirs = widget.render("unit", value), widget.render("unit", value, renderer=DjangoTemplates())
        assertHTMLEqual(ours, theirs)
        assert ours.count(" selected") == (2 if isinstance(value, list) else 1)
