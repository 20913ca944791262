"""What an administrator types to erase, to dispose of, to hold and to lift."""

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

LONGEST_REASON = 5_000


class ReasonForm(forms.Form):
    """A reason, which goes into the record."""

    use_required_attribute = False

    reason = forms.CharField(max_length=LONGEST_REASON, widget=forms.Textarea({"rows": 3}))

    def __init__(
        self, data: QueryDict | None = None, *, label: str, missing: str, hint: str = "", **given: Any
    ) -> None:
        super().__init__(data, auto_id="e-%s", **given)
        field = self.fields["reason"]
        field.label, field.help_text = label, hint
        field.error_messages["required"] = missing


class HoldForm(ReasonForm):
    """What is to be held, and why."""

    on = forms.CharField(
        label=_("Proposal or person"),
        help_text=_("A reference such as MC-2026-0014, or an e-mail address."),
        max_length=300,
        error_messages={"required": _("Name a proposal or a person")},
    )
    field_order = ["on", "reason"]


class DestructionForm(ReasonForm):
    """Under which law or rule something is destroyed, and why; `plan` is the digest of what the person was shown."""

    authority = forms.CharField(max_length=300)
    plan = forms.CharField(widget=forms.HiddenInput, required=False)
    field_order = ["authority", "reason", "plan"]

    def __init__(self, data: QueryDict | None = None, *, authority: str, no_authority: str, **given: Any) -> None:
        super().__init__(data, **given)
        field = self.fields["authority"]
        field.label = authority
        field.error_messages["required"] = no_authority
