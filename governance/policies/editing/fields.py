"""The boxes that rules are typed into, each with its own sentence for what cannot be kept.

Example: a key such as “Senate!” gets "“Key” takes small letters, digits and hyphens, such as associate-dean".
"""

import re
from collections.abc import Iterable
from datetime import date
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from governance.forms import DayInput, with_plain_line_ends

# Words, or words that are translated when they are shown.
Label = Any
Choices = Iterable[tuple[Any, Any]]

_CHOOSE: Final = gettext_lazy("Choose one of the answers offered")
_CLAUSE_LABEL: Final = gettext_lazy("Clause")
_SLUG: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_CLAUSE: Final = re.compile(r"\d+(\.\d+)*")


class Words(forms.CharField):
    """Words on one line or, if `long`, on several. `missing` is what to do when there are none."""

    def __init__(
        self, label: Label, *, missing: Label = "", hint: Label = "", limit: int = 1_000, long: bool = False
    ) -> None:
        self.limit = limit
        super().__init__(
            label=label,
            help_text=hint,
            required=bool(missing),
            widget=forms.Textarea({"rows": 2, "cols": None}) if long else forms.TextInput(),
            error_messages={"required": missing},
        )

    def to_python(self, value: Any) -> str:
        return super().to_python(with_plain_line_ends(str(value or ""))) or ""

    def validate(self, value: str) -> None:
        super().validate(value)
        if len(value) > self.limit:
            said = {"label": self.label, "length": len(value), "limit": self.limit}
            raise ValidationError(_("“%(label)s” is too long: it has %(length)d characters, and %(limit)d fit") % said)


class Key(forms.CharField):
    """What the system knows a thing by: `associate-dean`."""

    def __init__(self, label: Label, *, missing: Label = "", hint: Label = "", limit: int = 60) -> None:
        self.limit = limit
        super().__init__(
            label=label,
            help_text=hint,
            required=bool(missing),
            widget=forms.TextInput({"spellcheck": "false", "autocapitalize": "none"}),
            error_messages={"required": missing},
        )

    def validate(self, value: str) -> None:
        super().validate(value)
        if value and (not _SLUG.fullmatch(value) or len(value) > self.limit):
            raise ValidationError(
                _("“%(label)s” takes small letters, digits and hyphens, such as associate-dean") % {"label": self.label}
            )


class Number(forms.IntegerField):
    """A whole number within limits."""

    def __init__(self, label: Label, low: int, high: int, *, missing: Label = "", hint: Label = "") -> None:
        self.low, self.high = low, high
        super().__init__(
            label=label,
            help_text=hint,
            required=bool(missing),
            widget=forms.TextInput({"inputmode": "numeric"}),
            error_messages={"required": missing},
        )

    def to_python(self, value: Any) -> int | None:
        try:
            number = super().to_python(value)
        except ValidationError:
            number = self.low - 1
        if number is not None and not self.low <= number <= self.high:
            said = {"label": self.label, "low": self.low, "high": self.high}
            raise ValidationError(_("“%(label)s” takes a whole number from %(low)s to %(high)s") % said)
        return number


class Day(forms.DateField):
    """A date."""

    def __init__(self, label: Label, *, missing: Label, hint: Label = "") -> None:
        super().__init__(
            label=label,
            help_text=hint,
            widget=DayInput(),
            input_formats=["%Y-%m-%d"],
            error_messages={
                "required": missing,
                "invalid": gettext_lazy("Write the day as a date, such as 2027-07-01"),
            },
        )

    def to_python(self, value: Any) -> date | None:
        day = super().to_python(value)
        if day is not None and not 1900 <= day.year <= 2200:
            raise ValidationError(self.error_messages["invalid"])
        return day


class One(forms.ChoiceField):
    """One of several answers: as radio buttons where there are few."""

    def __init__(
        self,
        label: Label,
        choices: Choices = (),
        *,
        missing: Label = _CHOOSE,
        hint: Label = "",
        radios: bool = False,
    ) -> None:
        super().__init__(
            choices=list(choices),
            label=label,
            help_text=hint,
            required=bool(missing),
            widget=forms.RadioSelect() if radios else forms.Select(),
            error_messages={
                "required": missing,
                "invalid_choice": _CHOOSE,
            },
        )


class Several(forms.MultipleChoiceField):
    """Any of several answers, as boxes to tick."""

    def __init__(self, label: Label, choices: Choices = (), *, missing: Label, hint: Label = "") -> None:
        super().__init__(
            choices=list(choices),
            label=label,
            help_text=hint,
            widget=forms.CheckboxSelectMultiple(),
            error_messages={
                "required": missing,
                "invalid_choice": gettext_lazy("Choose among the answers offered"),
            },
        )


class YesNo(forms.BooleanField):
    """A box to tick."""

    def __init__(self, label: Label, *, hint: Label = "", ticked: bool = False) -> None:
        super().__init__(label=label, help_text=hint, required=False, initial=ticked)


class ClauseSelect(forms.Select):
    """A select that is written without a template for each of its options: a page has many, each with every clause."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        options = format_html_join(
            "",
            '<option value="{}"{}>{}</option>',
            (
                (number, mark_safe(" selected") if number == str(value or "") else "", words)
                for number, words in self.choices
            ),
        )
        given = self.build_attrs(self.attrs, {"name": name, **(attrs or {})})
        return format_html("<select{}>{}</select>", flatatt(given), options)


class Clause(forms.CharField):
    """The clause of the text that a rule carries out. One that the text has no longer can be kept; it is a problem of
    the whole document."""

    def __init__(self, label: Label = _CLAUSE_LABEL, *, hint: Label = "") -> None:
        super().__init__(
            label=label,
            help_text=hint,
            widget=ClauseSelect(),
            error_messages={"required": gettext_lazy("Choose the clause that this carries out")},
        )

    def offer(self, clauses: Iterable[tuple[str, str]], current: str) -> None:
        """Let the person choose among the clauses of the text, and keep the one that stands there now."""
        choices = [("", _("Choose a clause")), *clauses]
        if current and current not in {number for number, _words in choices}:
            choices.append((current, _("%(number)s (not in the text)") % {"number": current}))
        assert isinstance(self.widget, ClauseSelect)
        self.widget.choices = choices

    def validate(self, value: str) -> None:
        super().validate(value)
        if not _CLAUSE.fullmatch(value) or len(value) > 12:
            raise ValidationError(self.error_messages["required"])
