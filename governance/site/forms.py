"""The form that signs a person in."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.utils.translation import gettext_lazy as _


class SignInForm(AuthenticationForm):
    """E-mail and password, with words of our own and what password managers look for."""

    error_messages = {
        "invalid_login": _("E-mail and password do not belong together. Check both; capitals count in a password."),
        "inactive": _("This account is closed. Ask the people named under Help."),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name = self.fields["username"]
        name.label = _("E-mail")
        name.widget = forms.EmailInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false", "maxlength": 254}
        )
        name.error_messages["required"] = _("Give your e-mail address")
        self.fields["password"].error_messages["required"] = _("Give your password")
