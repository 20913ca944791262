"""The page that tells anyone signed in the rules and mandates of a day, and its form for another day.

Example: `/policies/on/2024-03-15/`, which every proposal and decision of that day links to.
"""

import datetime
from typing import Final

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _

from governance import clock
from governance.policies.at_a_date import FIRST_DAY, LAST_DAY, at_a_date

WRONG: Final = _("Write a day between 1900 and 2199, such as 2024-10-15.")


class DayForm(forms.Form):
    """Which day to look at."""

    date = forms.DateField(
        label=_("Day"),
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "class": "input"}),
        error_messages={"invalid": WRONG, "required": WRONG},
    )

    def clean_date(self) -> datetime.date:
        day: datetime.date = self.cleaned_data["date"]
        if not FIRST_DAY <= day <= LAST_DAY:
            raise forms.ValidationError(WRONG)
        return day


def on(request: HttpRequest) -> HttpResponse:
    """Go to the day that the form asks for, or to today where it asks for none."""
    form = DayForm(request.GET if "date" in request.GET else {"date": clock.today()})
    if not form.is_valid():
        return _wrong(request, form)
    return redirect("policies-on-day", f"{form.cleaned_data['date']:%Y-%m-%d}")


def on_day(request: HttpRequest, day: str) -> HttpResponse:
    form = DayForm({"date": day})
    if not form.is_valid():
        return _wrong(request, form)
    found = at_a_date(form.cleaned_data["date"])
    return render(request, "policies/on.html", {"nav": "policy", "form": form, "found": found})


def _wrong(request: HttpRequest, form: DayForm) -> HttpResponse:
    return render(request, "policies/on.html", {"nav": "policy", "form": form, "found": None}, status=422)
