"""One form field for one field of the content: "Weight, %" becomes a box for a whole number from 0 to 100.

A draft may be empty everywhere, so nothing here is ever missing; what is written must be of the right kind.
"""

import re
from collections.abc import Callable
from datetime import date
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin

import annotated_types
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.utils.translation import gettext as _
from pydantic import StringConstraints

from governance.forms import DayInput, with_plain_line_ends
from governance.policies.rules import Question
from governance.policies.vocabulary import AnswerKind
from workflows.proposals.content import FIT_IN_A_LINE, FIT_IN_A_TEXT, NO, YES, FieldSpec

FEW: Final = 3


class _MayBeEmpty(forms.Field):
    """`required` only says what the label says: that the policy will ask for it before the proposal is sent."""

    def validate(self, value: Any) -> None:
        if value not in self.empty_values:
            super().validate(value)


class WordsField(_MayBeEmpty, forms.CharField):
    """Words as the author typed them, with the line ends that the record keeps."""

    def to_python(self, value: Any) -> str:
        return super().to_python(with_plain_line_ends(str(value or ""))) or ""


class NumberField(_MayBeEmpty, forms.IntegerField):
    """A whole number."""

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {"inputmode": "numeric"}


class DayField(_MayBeEmpty, forms.DateField):
    """A date."""


class OneOfField(_MayBeEmpty, forms.ChoiceField):
    """One of a few answers."""


def form_field(spec: FieldSpec, *, required: bool, in_row: bool = False) -> forms.Field:
    """The form field for a content field that is not a list. Made for each request, in the language of the person."""
    label = str(spec.says.label)
    common: dict[str, Any] = {"label": label, "help_text": str(spec.says.hint), "required": required}
    kinds = get_args(spec.type) if get_origin(spec.type) in {Union, UnionType} else (spec.type,)
    if spec.says.choices is not None:
        return _one_of(spec, common, in_row=in_row)
    if bool in kinds:
        return forms.BooleanField(**common | {"required": False})
    if int in kinds:
        return _number(spec, label, common)
    if date in kinds:
        wrong = _("“%(label)s” takes a date, such as 2027-01-11") % {"label": label}
        return DayField(widget=DayInput(), input_formats=["%Y-%m-%d"], error_messages={"invalid": wrong}, **common)
    return _words(spec, label, common)


def _one_of(spec: FieldSpec, common: dict[str, Any], *, in_row: bool) -> forms.Field:
    assert spec.says.choices is not None
    answers = [(value, str(words)) for value, words in spec.says.choices.choices]
    return _choice(str(spec.says.label), answers, common, in_row=in_row)


def _choice(label: str, answers: list[tuple[str, str]], common: dict[str, Any], *, in_row: bool = False) -> forms.Field:
    wrong = _("“%(label)s” takes one of the answers offered") % {"label": label}
    radios = len(answers) <= FEW and not in_row
    return OneOfField(
        choices=answers if radios else [("", _("Choose one")), *answers],
        widget=forms.RadioSelect() if radios else forms.Select(),
        error_messages={"invalid_choice": wrong},
        **common,
    )


def _number(spec: FieldSpec, label: str, common: dict[str, Any]) -> forms.Field:
    low = next((note.ge for note in spec.info.metadata if isinstance(note, annotated_types.Ge)), None)
    high = next((note.le for note in spec.info.metadata if isinstance(note, annotated_types.Le)), None)
    outside = _("“%(label)s” takes a number from %(low)s to %(high)s") % {"label": label, "low": low, "high": high}

    def in_range(value: int) -> bool:
        return (low is None or value >= low) and (high is None or value <= high)  # type: ignore[operator]

    return NumberField(
        widget=forms.TextInput(),
        validators=[_only(in_range, outside)],
        error_messages={"invalid": _("“%(label)s” takes a whole number, such as 36") % {"label": label}},
        **common,
    )


def _words(spec: FieldSpec, label: str, common: dict[str, Any]) -> forms.Field:
    validators: list[Callable[[Any], None]] = []
    for note in spec.info.metadata:
        if isinstance(note, StringConstraints) and note.max_length is not None:
            validators.append(_at_most(note.max_length, label))
        if isinstance(note, StringConstraints) and note.pattern is not None:
            validators.append(_only(re.compile(note.pattern).fullmatch, str(spec.says.wrong)))
    widget: forms.Widget = forms.Textarea({"rows": 3, "cols": None}) if spec.says.long else forms.TextInput()
    if spec.says.email:
        widget = forms.EmailInput()
        wrong = _("“%(label)s” takes an address such as name@university.ca") % {"label": label}
        validators.append(EmailValidator(message=wrong))
    return WordsField(widget=widget, validators=validators, **common)


def _only(holds: Callable[[Any], object], sentence: str) -> Callable[[Any], None]:
    def check(value: Any) -> None:
        if not holds(value):
            raise ValidationError(sentence)

    return check


def _at_most(limit: int, label: str) -> Callable[[Any], None]:
    def check(value: str) -> None:
        if len(value) > limit:
            raise ValidationError(
                _("“%(label)s” is too long: it has %(length)d characters, and %(limit)d fit")
                % {"label": label, "length": len(value), "limit": limit}
            )

    return check


# ---- further questions


def question_name(key: str) -> str:
    """What the field of a further question is called in its form, where a key alone could be the name of a button."""
    return f"q-{key}"


def question_field(question: Question) -> forms.Field:
    """The form field for a question of the institution's own, by the kind of answer that it takes."""
    label = question.text
    common: dict[str, Any] = {"label": label, "help_text": question.hint or "", "required": question.required}
    match question.kind:
        case AnswerKind.NUMBER:
            wrong = _("“%(label)s” takes a whole number, such as 36") % {"label": label}
            return NumberField(widget=forms.TextInput(), error_messages={"invalid": wrong}, **common)
        case AnswerKind.YES_NO:
            return _choice(label, [(YES, _("Yes")), (NO, _("No"))], common)
        case AnswerKind.CHOICE:
            return _choice(label, [(choice, choice) for choice in question.choices], common)
        case AnswerKind.LINE:
            return WordsField(widget=forms.TextInput(), validators=[_at_most(FIT_IN_A_LINE, label)], **common)
    area = forms.Textarea({"rows": 3, "cols": None})
    return WordsField(widget=area, validators=[_at_most(FIT_IN_A_TEXT, label)], **common)
