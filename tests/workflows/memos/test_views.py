"""Downloading a memo: by whom, and never a file that is not the one issued."""

import logging
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.template import Context, Template
from django.test import Client
from django.urls import reverse

from tests.conftest import Institution
from workflows.memos.actions import issue
from workflows.memos.models import Memo

pytestmark = pytest.mark.django_db


@pytest.fixture
def memo(institution: Institution) -> Memo:
    """The Associate Dean's memo on a proposal that now waits at the teaching centre."""
    return issue(decision_id=institution.approve(institution.submitted()).pk)


def get(institution: Institution, who: str, memo: Memo) -> Any:
    client = Client()
    client.force_login(institution.person(who))
    return client.get(memo.get_absolute_url())


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("author", 200),
        ("ad-hsci", 200),
        ("ctl", 200),
        ("observer", 200),
        ("ugc", 403),  # the proposal has not come so far
        ("senate", 403),
        ("ad-eng", 403),
        ("author-eng", 403),
        ("stranger", 403),
        ("administrator", 403),
    ],
)
def test_who_may_read_it(institution: Institution, memo: Memo, who: str, status: int) -> None:
    assert get(institution, who, memo).status_code == status


def test_nobody_reads_it_without_signing_in(memo: Memo) -> None:
    response = Client().get(memo.get_absolute_url())
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("sign-in"))


def test_it_is_shown_under_its_number_and_kept_by_no_cache(institution: Institution, memo: Memo) -> None:
    response = get(institution, "author", memo)
    with default_storage.open(memo.stored_name) as file:
        assert response.content == file.read()
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"] == f'inline; filename="{memo.number}.pdf"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cache-Control"] == "private, no-cache"


def test_number_that_was_never_issued_is_not_found(institution: Institution, memo: Memo) -> None:
    client = Client()
    client.force_login(institution.person("author"))
    assert client.get("/memos/SENATE-1999-001.pdf").status_code == 404


@pytest.mark.parametrize("tampering", ["one byte", "gone"])
def test_file_that_is_not_the_one_issued_is_refused_loudly(
    institution: Institution, memo: Memo, tampering: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = Path(default_storage.path(memo.stored_name))
    if tampering == "gone":
        path.unlink()
    else:
        found = path.read_bytes()
        path.chmod(0o600)
        path.write_bytes(found[:-9] + b"?" + found[-8:])
    with caplog.at_level(logging.ERROR, "assent.memos"):
        response = get(institution, "author", memo)
    assert response.status_code == 409
    assert b"An administrator must restore it." in response.content
    assert b"%PDF" not in response.content
    assert memo.number in caplog.text


def test_tag_lists_memos_with_their_links(institution: Institution, memo: Memo) -> None:
    page = (
        "{% load memos %}{% memos_of proposal as all %}{% for one in all %}{{ one.number }} {{ one.url }}{% endfor %}"
    )
    text = Template(page).render(Context({"proposal": memo.decision.proposal}))
    assert text == f"{memo.number} /memos/{memo.number}.pdf"


def test_administration_shows_it_and_lets_nobody_change_it(institution: Institution, memo: Memo) -> None:
    client = Client()
    client.force_login(institution.person("administrator"))
    assert memo.number in client.get(reverse("admin:memos_memo_changelist")).content.decode()
    page = client.get(reverse("admin:memos_memo_change", args=[memo.pk]))
    assert page.status_code == 200
    assert b'name="_save"' not in page.content
    assert client.get(reverse("admin:memos_memo_add")).status_code == 403
    assert client.post(reverse("admin:memos_memo_delete", args=[memo.pk])).status_code == 403
