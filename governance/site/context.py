"""What every page knows without asking the database."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language, get_language_info

from governance.site.views import SHORTCUTS_COOKIE


def site(request: HttpRequest) -> dict[str, Any]:
    """The institution's name, the language of the page and the others there are, and whether single keys act."""
    current = get_language() or settings.LANGUAGE_CODE
    return {
        "institution": settings.INSTITUTION,
        "DEMONSTRATION": settings.DEMONSTRATION,
        "html_lang": html_language(current),
        "other_languages": [
            {"code": code, "lang": html_language(code), "name": get_language_info(code)["name_local"].capitalize()}
            for code, _name in settings.LANGUAGES
            if code != current
        ],
        "shortcuts_on": request.COOKIES.get(SHORTCUTS_COOKIE) != "off",
    }


def html_language(code: str) -> str:
    """Django's "fr-ca" as HTML writes it, "fr-CA"."""
    language, _dash, region = code.partition("-")
    return f"{language}-{region.upper()}" if region else language
