"""What the demonstration adds to the sign-in page, and to no other."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from workflows.demonstration.reading import read_institution


def sign_ins(request: HttpRequest) -> dict[str, Any]:
    """The people whose sign-ins a demonstration shows, read only when the template asks for them."""
    page = request.resolver_match
    if not settings.DEMONSTRATION or page is None or page.url_name != "sign-in":
        return {}
    return {"demo_sign_ins": SimpleLazyObject(listed)}


def listed() -> list[dict[str, str]]:
    """Every demonstration sign-in, in the order in which a visitor meets them."""
    institution = read_institution()
    return [
        {
            "name": institution.person(one.person).name,
            "email": institution.email(one.person),
            "duty": one.duty,
            "password": institution.password,
            "hint": one.hint,
        }
        for one in institution.sign_ins
    ]
