"""The page behind each refusal, and the pages that belong to no subject."""

import pytest
from django.contrib.auth.base_user import AbstractBaseUser
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

from .conftest import REFUSALS

pytestmark = pytest.mark.django_db


@pytest.fixture
def signed_in(client: Client, somebody: AbstractBaseUser) -> Client:
    client.force_login(somebody)
    return client


@pytest.mark.parametrize(("kind", "status"), [(kind, int(r.status)) for kind, r in REFUSALS.items()])
def test_a_refusal_becomes_a_page_with_its_sentence_and_status(signed_in: Client, kind: str, status: int) -> None:
    response = signed_in.post(f"/test/refuse/{kind}/", headers={"Referer": "http://testserver/queue/?a=1"})
    assert response.status_code == status
    html = response.content.decode()
    assert REFUSALS[kind].sentence in html
    assert 'href="/queue/?a=1"' in html
    assert "<h1>" in html


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_refusal_of_a_fragment_is_a_notice_at_the_top_of_the_page(signed_in: Client, kind: str) -> None:
    response = signed_in.post(f"/test/refuse/{kind}/", headers={"HX-Request": "true"})
    assert response.headers["HX-Retarget"] == "#refusal"
    html = response.content.decode()
    assert REFUSALS[kind].sentence in html
    assert "<html" not in html


def test_a_stale_refusal_lists_what_happened_and_an_incomplete_one_what_is_missing(signed_in: Client) -> None:
    assert "Nadia Rahimi sent revision 4." in signed_in.post("/test/refuse/stale/").content.decode()
    assert "Say what should change" in signed_in.post("/test/refuse/incomplete/").content.decode()


def test_a_page_elsewhere_is_not_offered_as_the_way_back(signed_in: Client) -> None:
    response = signed_in.post("/test/refuse/stale/", headers={"Referer": "http://testserver.example/queue/"})
    assert "testserver.example" not in response.content.decode()


def test_other_errors_are_errors(signed_in: Client) -> None:
    signed_in.raise_request_exception = False
    assert signed_in.get("/test/refuse/unheard-of/").status_code == 500


def test_the_page_of_an_error_needs_no_context() -> None:
    assert "Nothing was changed" in render_to_string("500.html")


def test_nothing_found_is_a_page_of_ours(signed_in: Client) -> None:
    response = signed_in.get("/test/nowhere/")
    assert response.status_code == 404
    assert "There is nothing here" in response.content.decode()


def test_a_form_without_its_token_is_told_what_to_do(somebody: AbstractBaseUser) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(somebody)
    response = client.post("/test/write/", {"a": "1"})
    assert response.status_code == 403
    assert "too old to send" in response.content.decode()


@pytest.mark.parametrize("words", ["MC-2026-0014", " mc-2026-14 ", "mc 2026 14", "MC2026 014"])
def test_find_opens_the_proposal_whose_reference_it_is_given(signed_in: Client, words: str) -> None:
    response = signed_in.get(reverse("find"), {"q": words})
    assert response.headers["Location"] == reverse("proposal", kwargs={"reference": "MC-2026-0014"})


def test_find_searches_all_proposals_for_other_words(signed_in: Client) -> None:
    all_of_them = reverse("proposals-all")
    assert (
        signed_in.get(reverse("find"), {"q": "wound & care"}).headers["Location"] == f"{all_of_them}?q=wound+%26+care"
    )
    assert signed_in.get(reverse("find")).headers["Location"] == all_of_them


def test_single_keys_can_be_turned_off_and_on(client: Client) -> None:
    page = reverse("shortcuts")
    assert 'data-shortcuts="on"' in client.get(page).content.decode()
    client.post(page, {"turn": "off"})
    assert 'data-shortcuts="off"' in client.get(page).content.decode()
    client.post(page, {"turn": "on"})
    assert 'data-shortcuts="on"' in client.get(page).content.decode()


def test_the_language_can_be_changed_before_signing_in(client: Client) -> None:
    page = reverse("help")
    assert '<html lang="en-CA">' in client.get(page).content.decode()
    response = client.post(reverse("set-language"), {"language": "fr-ca", "next": page})
    assert response.headers["Location"] == page
    html = client.get(page).content.decode()
    assert '<html lang="fr-CA">' in html
    assert 'value="en-ca" lang="en-CA">English</button>' in html


def test_only_administrators_see_the_way_to_administration(signed_in: Client, somebody: AbstractBaseUser) -> None:
    link = f'href="{reverse("admin:index")}"'
    assert link not in signed_in.get(reverse("help")).content.decode()
    somebody.is_staff = True  # type: ignore[attr-defined]
    somebody.save()
    assert link in signed_in.get(reverse("help")).content.decode()
