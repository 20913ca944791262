"""The two questions of the public page: a number, or a file."""

import re
from typing import Final

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import RegexValidator
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext_lazy as _

from workflows.memos.checking import LARGEST_FILE

TOO_LARGE: Final = _("A memo is never larger than %(size)s.")
NO_NUMBER: Final = _("Type the number as it is printed on the memo, such as SENATE-2026-014.")


class NumberForm(forms.Form):
    """The number printed on a memo."""

    number = forms.CharField(
        label=_("Number of the memo"),
        help_text=_("It stands at the head of the memo, such as SENATE-2026-014."),
        max_length=60,
        validators=[RegexValidator(re.compile(r"^[-\w]+$", re.ASCII), NO_NUMBER)],
        error_messages={"required": NO_NUMBER, "max_length": NO_NUMBER},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "characters"}),
    )


class FileForm(forms.Form):
    """A memo's file."""

    file = forms.FileField(
        label=_("The memo’s PDF"),
        help_text=_("It is read, checked and forgotten. Nothing of it is kept here."),
        error_messages={
            "required": _("Choose the PDF that you were given."),
            "empty": _("This file is empty."),
            "invalid": _("Choose the PDF that you were given."),
        },
        widget=forms.FileInput(attrs={"accept": "application/pdf,.pdf"}),
    )

    def clean_file(self) -> UploadedFile:
        file: UploadedFile = self.cleaned_data["file"]
        if (file.size or 0) > LARGEST_FILE:
            raise forms.ValidationError(too_large())
        return file


def too_large() -> str:
    return str(TOO_LARGE) % {"size": filesizeformat(LARGEST_FILE)}
