"""The floor that pages are held against: what session, sign-in, one row by key and fifty rows in a plain Django
template cost, and nothing of the product. And the visitor who asks for either.
"""

from typing import Any, Final

from django.conf import settings
from django.contrib.auth import login
from django.contrib.sessions.backends.db import SessionStore
from django.core.handlers.base import BaseHandler
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.test import RequestFactory
from django.test.utils import override_settings
from django.urls import include, path

from governance import clock
from governance.people.models import Body, User
from workflows.review.models import WorkItem

MIDDLEWARE: Final = (
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
)
HOST: Final = "localhost"


def floor_page(request: HttpRequest, body: int) -> HttpResponse:
    """Fifty rows as one would write them without a thought: related rows joined, an address and dates in each."""
    assert isinstance(request.user, User)
    rows = WorkItem.objects.filter(closed_at=None, body=body).select_related("proposal__author", "proposal__unit")
    context = {
        "who": request.user.name,
        "body": Body.objects.get(pk=body),
        "rows": rows.order_by("due_on", "id")[:50],
        "today": clock.today(),
    }
    return render(request, "benchmarks/floor.html", context)


urlpatterns = [path("floor/<int:body>/", floor_page, name="floor"), path("", include("governance.urls"))]


class Visitor:
    """A signed-in person whose requests go straight into Django, without sockets: through the whole product, or, for
    the floor, through session and sign-in alone."""

    def __init__(self, user: User, *, floor: bool = False) -> None:
        self.floor = floor
        self.handler = BaseHandler()
        if floor:
            with override_settings(MIDDLEWARE=list(MIDDLEWARE)):
                self.handler.load_middleware()
        else:
            self.handler.load_middleware()
        request = RequestFactory().get("/")
        request.session = SessionStore()
        login(request, user, backend="django.contrib.auth.backends.ModelBackend")
        request.session.save()
        cookie = f"{settings.SESSION_COOKIE_NAME}={request.session.session_key}"
        self.requests = RequestFactory(SERVER_NAME=HOST, HTTP_COOKIE=cookie)

    def get(self, address: str) -> bytes:
        """The page at an address. Raises RuntimeError for anything but a page."""
        request: Any = self.requests.get(address)
        if self.floor:
            request.urlconf = "workflows.benchmarks.floor"
        response = self.handler.get_response(request)
        if response.status_code != 200:
            raise RuntimeError(f"{address} answered {response.status_code}")
        content: bytes = getattr(response, "content", b"")
        return content
