"""What people fill in here: the filters of what was decided under a version, and over what a draft is replayed."""

from typing import Any, Final

from django import forms
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from governance.forms import DayInput
from governance.people.models import Unit
from governance.policies.vocabulary import Kind, Outcome
from workflows.insights.cases import Period
from workflows.insights.decided import Wanted
from workflows.proposals.states import State
from workflows.review.forms import NarrowForm

OUTCOMES_OF_PROPOSALS: Final[list[tuple[str, str | Promise]]] = [
    ("", _("Every outcome")),
    ("decided", _("Approved or declined")),
    ("approved", State.APPROVED.label),
    ("declined", State.DECLINED.label),
    ("withdrawn", State.WITHDRAWN.label),
    ("open", _("Still open")),
]
OUTCOMES_OF_DECISIONS: Final[list[tuple[str, str | Promise]]] = [
    ("", _("Every outcome")),
    *((outcome.value, outcome.label) for outcome in Outcome),
]


class DecidedForm(NarrowForm):
    """The filters of what was decided under a version; they live in the address."""

    outcome = forms.ChoiceField(label=_("Outcome"), required=False)
    first = forms.DateField(label=_("Ended from"), required=False, widget=DayInput())
    last = forms.DateField(label=_("Ended to"), required=False, widget=DayInput())

    field_order = ("q", "outcome", "unit", "kind", "first", "last")

    def __init__(self, request: HttpRequest, units: Any, *, decisions: bool) -> None:
        super().__init__(request, units)
        self._choose("outcome", OUTCOMES_OF_DECISIONS if decisions else OUTCOMES_OF_PROPOSALS)
        if decisions:
            self.fields["first"].label, self.fields["last"].label = _("Decided from"), _("Decided to")
        for name in ("first", "last"):
            self.fields[name].widget.attrs["class"] = "input"

    def wanted(self) -> Wanted:
        narrow = self.narrow()
        said = self.cleaned_data
        return Wanted(
            narrow=narrow, outcome=said.get("outcome", ""), period=Period(said.get("first"), said.get("last"))
        )

    @property
    def days(self) -> list[forms.BoundField]:
        return [self["first"], self["last"]]


class ReplayForm(forms.Form):
    """Over which past proposals a version is replayed; nothing said: over all."""

    first = forms.DateField(label=_("Ended from"), required=False, widget=DayInput())
    last = forms.DateField(label=_("Ended to"), required=False, widget=DayInput())
    unit = forms.ModelChoiceField(
        label=_("Faculty"), required=False, queryset=Unit.objects.order_by("short_name"), empty_label=_("Every faculty")
    )
    kind = forms.ChoiceField(
        label=_("Kind"), required=False, choices=[("", _("Every kind")), *((kind.value, kind.label) for kind in Kind)]
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, auto_id="r-%s")

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or {}
        first, last = said.get("first"), said.get("last")
        if first and last and last < first:
            self.add_error("last", _("Give a day that is not before the first one"))
        return said

    @property
    def given(self) -> dict[str, Any]:
        """What the action asks for."""
        said = self.cleaned_data
        return {
            "ended": Period(said.get("first"), said.get("last")),
            "unit": said.get("unit"),
            "kind": said.get("kind", ""),
        }
