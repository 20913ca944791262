"""What somebody says who asks for a package: what it holds, and for whom or what it is."""

import re
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.forms import DayInput, with_plain_line_ends
from governance.refusals import Incomplete
from workflows.auditing.exporting.selection import Selection

EVERYTHING: Final = "everything"
PROPOSALS: Final = "proposals"
PERIOD: Final = "period"


class ExportForm(forms.Form):
    """What is wanted. Valid, `selection` and `reason` are what the act asks for."""

    kind = forms.ChoiceField(
        label=_("What it holds"),
        choices=[
            (EVERYTHING, _("Everything")),
            (PROPOSALS, _("Some proposals, by reference")),
            (PERIOD, _("Every proposal with an event in a period")),
        ],
        widget=forms.RadioSelect(),
        initial=EVERYTHING,
    )
    references = forms.CharField(
        label=_("Proposals"),
        required=False,
        help_text=_("For some proposals; such as MC-2026-0014, several with spaces between them."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    first = forms.DateField(label=_("From"), required=False, widget=DayInput())
    last = forms.DateField(label=_("To"), required=False, widget=DayInput())
    with_files = forms.BooleanField(
        label=_("With memos and attached files"),
        required=False,
        initial=True,
        help_text=_("Without them it is smaller, and the files’ digests are still checked against the events."),
    )
    reason = forms.CharField(
        label=_("For whom or for what"),
        max_length=2_000,
        help_text=_("It stands in the record, beside your name."),
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": _("Say for whom or for what the record is exported.")},
    )

    selection = Selection()

    def __init__(self, data: Any = None, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, auto_id="x-%s", initial=initial)

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or {}
        kind = said.get("kind")
        asked: dict[str, Any] = {}
        if kind == PROPOSALS:
            asked["references"] = tuple(dict.fromkeys(re.findall(r"[^\s,;]+", said.get("references", "").upper())))
            if not asked["references"]:
                self.add_error("references", _("Name at least one proposal."))
        elif kind == PERIOD:
            asked |= {name: said.get(name) for name in ("first", "last")}
            for name in ("first", "last"):
                if not asked[name] and name not in self.errors:
                    self.add_error(name, _("Give a day."))
        self.selection = Selection(**asked, with_files=said.get("with_files", False))
        if not self.errors:
            try:
                self.selection.check()
            except Incomplete as no:
                for name, sentence in no.gaps.items():
                    self.add_error(name, str(sentence))
        return said

    @property
    def reason_given(self) -> str:
        return with_plain_line_ends(self.cleaned_data["reason"])
