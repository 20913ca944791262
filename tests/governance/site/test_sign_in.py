"""Signing in comes first, and what somebody typed before their session ended is not lost."""

import re
from html import unescape

import pytest
from django.contrib.auth.base_user import AbstractBaseUser
from django.core import signing
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from governance.site import parked

from .conftest import PASSWORD

pytestmark = pytest.mark.django_db

TYPED = {"need": "Forty-one roles stand unfilled.\r\nA survey says so.", "tags": ["one", "two"], "mark": '"<&>'}


def note_in(html: str) -> str:
    found = re.search(r'name="parked" value="([^"]+)"', html)
    assert found
    return unescape(found[1])


def sign_in(client: Client, **more: str) -> tuple[int, str]:
    data = {"username": "priya@example.edu", "password": PASSWORD, **more}
    response = client.post(reverse("sign-in"), data)
    return response.status_code, response.content.decode()


def test_a_page_asked_for_by_nobody_leads_to_sign_in_and_back(client: Client, somebody: AbstractBaseUser) -> None:
    response = client.get("/test/write/?a=1")
    assert response.headers["Location"] == f"{reverse('sign-in')}?next=/test/write/%3Fa%3D1"
    response = client.post(
        reverse("sign-in"), {"username": "priya@example.edu", "password": PASSWORD, "next": "/test/write/?a=1"}
    )
    assert response.headers["Location"] == "/test/write/?a=1"


@pytest.mark.parametrize("page", ["sign-in", "help", "accessibility", "shortcuts"])
def test_pages_about_the_site_are_open_to_everybody(client: Client, page: str) -> None:
    response = client.get(reverse(page))
    assert response.status_code == 200
    assert "site-nav" not in response.content.decode()


def test_what_was_typed_comes_back_after_signing_in(somebody: AbstractBaseUser) -> None:
    client = Client(enforce_csrf_checks=True)
    page = client.get(reverse("sign-in"))
    token = client.cookies["csrftoken"].value
    assert page.status_code == 200

    interrupted = client.post("/test/write/?a=1", {**TYPED, "csrfmiddlewaretoken": token})
    html = interrupted.content.decode()
    assert interrupted.status_code == 200
    assert "What you typed is safe" in html
    assert "no-store" in interrupted.headers["Cache-Control"]

    status, html = sign_in(client, csrfmiddlewaretoken=token, parked=note_in(html))
    assert status == 200
    assert 'action="/test/write/?a=1"' in html
    fields = [(n, unescape(v)) for n, v in re.findall(r'<textarea name="(\w+)" hidden>\n(.*?)</textarea>', html, re.S)]
    assert fields == [("need", TYPED["need"]), ("tags", "one"), ("tags", "two"), ("mark", '"<&>')]

    fresh = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', html)[-1]
    saved = client.post("/test/write/?a=1", {**TYPED, "csrfmiddlewaretoken": fresh})
    assert saved.json()["got"]["need"] == [TYPED["need"]]


def test_a_wrong_password_keeps_what_was_typed(client: Client, somebody: AbstractBaseUser) -> None:
    note = note_in(client.post("/test/write/", TYPED).content.decode())
    response = client.post(reverse("sign-in"), {"username": "priya@example.edu", "password": "wrong", "parked": note})
    html = response.content.decode()
    assert "do not belong together" in html
    assert note_in(html) == note


def test_a_file_is_not_carried_and_the_page_says_so(client: Client, somebody: AbstractBaseUser) -> None:
    file = SimpleUploadedFile("letter.pdf", b"%PDF-1.7 secret")
    note = note_in(client.post("/test/write/", {"title": "x", "file": file}).content.decode())
    assert "could not be kept" in sign_in(client, parked=note)[1]


def note(*, host: str = "testserver", path: str = "/test/write/", salt: str = "assent.parked") -> str:
    return signing.dumps({"host": host, "path": path, "fields": [], "files_lost": False}, salt=salt)


@pytest.mark.parametrize(
    "note",
    ["rubbish", note(salt="other"), note(host="x.example"), note(path="//x.example/"), note(path="https://x.example/")],
    ids=["rubbish", "other purpose", "other host", "leads away", "leads far away"],
)
def test_a_note_that_is_not_ours_or_leads_elsewhere_is_refused(
    client: Client, somebody: AbstractBaseUser, note: str
) -> None:
    status, html = sign_in(client, parked=note)
    assert status == 302
    assert html == ""


def test_a_note_too_old_is_refused(client: Client, somebody: AbstractBaseUser, monkeypatch: pytest.MonkeyPatch) -> None:
    note = note_in(client.post("/test/write/", TYPED).content.decode())
    monkeypatch.setattr(parked, "_MAX_AGE", -1)
    assert sign_in(client, parked=note)[0] == 302


def test_a_fragment_asked_for_by_nobody_leads_the_whole_page_to_sign_in(client: Client) -> None:
    response = client.get(
        "/test/write/", headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/queue/?unit=2"}
    )
    assert response.status_code == 401
    assert response.headers["HX-Redirect"] == f"{reverse('sign-in')}?next=%2Fqueue%2F%3Funit%3D2"


def test_a_form_sent_as_a_fragment_by_nobody_becomes_the_sign_in_form(client: Client) -> None:
    response = client.post("/test/write/", TYPED, headers={"HX-Request": "true"})
    assert response.status_code == 401
    assert (response.headers["HX-Retarget"], response.headers["HX-Reselect"]) == ("#main > .wrap", "#sign-in")
    assert note_in(response.content.decode())


def test_signing_out_works_also_when_the_session_has_ended(client: Client, somebody: AbstractBaseUser) -> None:
    client.force_login(somebody)
    assert client.post(reverse("sign-out")).headers["Location"] == reverse("sign-in")
    assert client.post(reverse("sign-out")).headers["Location"] == reverse("sign-in")
    assert client.get("/test/write/").status_code == 302


def test_somebody_signed_in_is_not_asked_again(client: Client, somebody: AbstractBaseUser) -> None:
    client.force_login(somebody)
    assert client.get(reverse("sign-in") + "?next=/test/write/").headers["Location"] == "/test/write/"
    assert client.get(reverse("sign-in") + "?next=https://x.example/").headers["Location"] == reverse("home")
