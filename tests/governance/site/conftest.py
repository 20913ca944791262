"""A person who can sign in, and two pages of our own on top of the real ones."""

import pytest
from django.conf import LazySettings
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, URLResolver, include, path

from governance.refusals import Incomplete, NotPermitted, NotPossible, Refusal, Stale

PASSWORD = "a long pass phrase"


@pytest.fixture
def somebody(db: None) -> AbstractBaseUser:
    return get_user_model().objects.create_user(email="priya@example.edu", name="Priya Venkataraman", password=PASSWORD)


class HappenedSince:
    """Stands for an event of the record."""

    sentence = "Nadia Rahimi sent revision 4."
    at = None


REFUSALS: dict[str, Refusal] = {
    "not-possible": NotPossible("This proposal was withdrawn."),
    "not-permitted": NotPermitted("Only the Associate Dean decides here."),
    "stale": Stale("This proposal changed.", [HappenedSince()]),
    "incomplete": Incomplete("An answer is missing.", {"reasons": "Say what should change"}),
}


def write(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"got": dict(request.POST.lists())})


def refuse(request: HttpRequest, kind: str) -> HttpResponse:
    raise REFUSALS[kind]


class Urls:
    """The project's addresses and ours."""

    urlpatterns: list[URLPattern | URLResolver] = []


@pytest.fixture(autouse=True)
def pages_of_our_own(settings: LazySettings) -> None:
    if not Urls.urlpatterns:
        Urls.urlpatterns = [
            path("test/write/", write),
            path("test/refuse/<kind>/", refuse),
            path("", include(settings.ROOT_URLCONF)),
        ]
    settings.ROOT_URLCONF = Urls
