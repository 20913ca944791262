"""The small forms around the editor: a new proposal, a file, the note that goes with a submission."""

from collections.abc import Sequence

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.people.models import Unit
from governance.policies.vocabulary import Action
from workflows.proposals.attachments import ACCEPTED
from workflows.proposals.forms.fields import FEW


class NewProposalForm(forms.Form):
    """The unit and a working title; what it asks for only where the policy in force governs more than one thing."""

    use_required_attribute = False

    title = forms.CharField(
        label=_("Working title"),
        help_text=_("You can change it until you send the proposal."),
        max_length=300,
        error_messages={
            "required": _("Give a working title"),
            "max_length": _("Shorten the title: it has %(show_value)d characters, and %(limit_value)d fit"),
        },
    )
    unit = forms.ModelChoiceField(
        Unit.objects.none(),
        label=_("For"),
        help_text=_("The unit that will host it."),
        empty_label=_("Choose one"),
        error_messages={
            "required": _("Choose the unit that will host it"),
            "invalid_choice": _("Choose a unit that you may propose for"),
        },
    )
    action = forms.ChoiceField(
        label=_("It asks for"),
        error_messages={
            "required": _("Say what it asks for"),
            "invalid_choice": _("Choose one of the answers offered"),
        },
    )

    def __init__(self, *args: object, units: Sequence[Unit], actions: Sequence[Action], **given: object) -> None:
        super().__init__(*args, **given)  # type: ignore[arg-type]
        unit, action = self.fields["unit"], self.fields["action"]
        assert isinstance(unit, forms.ModelChoiceField)
        assert isinstance(action, forms.ChoiceField)
        unit.queryset = Unit.objects.filter(pk__in=[unit.pk for unit in units])
        if len(units) == 1:
            unit.empty_label = None
            unit.initial = units[0].pk
        action.choices = [(one.value, one.label) for one in actions]
        action.initial = actions[0].value
        if len(actions) == 1:
            action.widget = forms.HiddenInput()
        elif len(actions) <= FEW:
            action.widget = forms.RadioSelect(choices=action.choices)
        self.fields["title"].widget.attrs.pop("maxlength", None)


class UploadForm(forms.Form):
    """A file to attach; whether it can be kept is asked of `attachments`."""

    use_required_attribute = False

    file = forms.FileField(
        label=_("Add a file"),
        max_length=255,
        error_messages={
            "required": _("Choose a file first"),
            "empty": _("The file is empty"),
            "max_length": _("Shorten the file’s name: it has %(length)d characters, and %(max)d fit"),
        },
        widget=forms.FileInput({"accept": ".pdf,.docx,.odt,.png,.jpg,.jpeg"}),
    )
    confidential = forms.BooleanField(
        label=_("Confidential"),
        required=False,
        help_text=_("Every reading by somebody else than you is recorded, and you see who read it and when."),
    )

    def __init__(self, *args: object, limit_mb: int, **given: object) -> None:
        super().__init__(*args, **given)  # type: ignore[arg-type]
        self.fields["file"].help_text = _("%(types)s; up to %(limit)s MB.") % {"types": ACCEPTED, "limit": limit_mb}


class NoteForm(forms.Form):
    """What the author says to the reviewers when sending."""

    use_required_attribute = False

    note = forms.CharField(required=False, widget=forms.Textarea({"rows": 3, "cols": None}))

    def __init__(self, *args: object, again: bool, **given: object) -> None:
        super().__init__(*args, **given)  # type: ignore[arg-type]
        note = self.fields["note"]
        if again:
            note.label = _("What did you change?")
            note.help_text = _("Reviewers see it first, above the comparison with what you sent before.")
        else:
            note.label = _("A note to the reviewers")
            note.help_text = _("It is kept with this submission.")
