"""Files of a proposal: what may be attached, what is refused and how, and who gets it back, as a download only."""

import io
import zipfile
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from tests.conftest import Institution
from workflows.proposals.attachments import DOCX, ODT
from workflows.proposals.models import Attachment, Proposal

PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj<<>>endobj\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 30
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + b"\x00" * 30
EXE = b"MZ\x90\x00\x03\x00\x00\x00" + b"\x00" * 200


def archive(**members: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        for name, words in members.items():
            file.writestr({"types": "[Content_Types].xml", "word": "word/document.xml"}.get(name, name), words)
    return made.getvalue()


WORD = b"<Types ContentType='application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml'/>"
MACROS = b"<Types ContentType='application/vnd.ms-word.document.macroEnabled.main+xml'/>"
A_DOCX = archive(types=WORD, word=b"<w:document/>")
AN_ODT = archive(mimetype=ODT.encode(), **{"content.xml": b"<office:document-content/>"})
ACCEPTED = [
    ("letter.pdf", PDF, "application/pdf"),
    ("plan.docx", A_DOCX, DOCX),
    ("plan.odt", AN_ODT, ODT),
    ("map.png", PNG, "image/png"),
    ("photo.jpeg", JPEG, "image/jpeg"),
]
REFUSED = {
    "an executable that calls itself a PDF": ("letter.pdf", EXE, "is not one of the accepted types"),
    "a page that calls itself a picture": ("map.png", b"<html><script>alert(1)</script>", "is not one of the accepted"),
    "a document with macros": (
        "plan.docx",
        archive(types=WORD, word=b"<w:document/>", **{"word/vbaProject.bin": b"x"}),
        "is not one of the accepted types",
    ),
    "a document that says it has macros": (
        "plan.docm",
        archive(types=MACROS, word=b"<w/>"),
        "is not one of the accepted",
    ),
    "a text document with macros": (
        "plan.odt",
        archive(mimetype=ODT.encode(), **{"Basic/Standard/Module1.xml": b"x"}),
        "is not one of the accepted types",
    ),
    "a spreadsheet": (
        "budget.ods",
        archive(mimetype=b"application/vnd.oasis.opendocument.spreadsheet"),
        "accepted types",
    ),
    "some other archive": ("all.zip", archive(**{"readme.txt": b"x"}), "is not one of the accepted types"),
    "a damaged archive": ("plan.docx", A_DOCX[:60], "is not one of the accepted types"),
    "an empty file": ("letter.pdf", b"", "The file is empty"),
}


@pytest.fixture
def client(institution: Institution) -> Client:
    return as_person(institution, "author")


def as_person(institution: Institution, key: str) -> Client:
    client = Client()
    client.force_login(institution.person(key))
    return client


def attach(client: Client, proposal: Proposal, name: str = "letter.pdf", content: bytes = PDF) -> Any:
    return client.post(
        reverse("attachment-add", args=[proposal.reference]), {"file": SimpleUploadedFile(name, content, "text/html")}
    )


def status_of(client: Client, address: str) -> int:
    """The status of a download, which is read to its end so that the file is closed."""
    response = client.get(address)
    if response.streaming:
        b"".join(response)
    return response.status_code


def address(proposal: Proposal, file: Attachment) -> str:
    return reverse("attachment", args=[proposal.reference, file.digest])


@pytest.mark.parametrize(("name", "content", "media_type"), ACCEPTED, ids=[name for name, _content, _type in ACCEPTED])
def test_an_accepted_file_is_listed_and_comes_back_as_a_download(
    institution: Institution, client: Client, name: str, content: bytes, media_type: str
) -> None:
    proposal = institution.draft()
    response = attach(client, proposal, name, content)
    assert response.status_code == 302
    file = proposal.attachments.get()
    assert (file.name, file.size, file.media_type) == (name, len(content), media_type)
    html = client.get(reverse("proposal-edit", args=[proposal.reference, "files"])).content.decode()
    assert name in html
    response = client.get(address(proposal, file))
    assert b"".join(response) == content
    assert response.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert response.headers["Content-Type"] == media_type
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"


@pytest.mark.parametrize("kind", REFUSED)
def test_a_refused_file_gets_its_sentence_beside_the_field(institution: Institution, client: Client, kind: str) -> None:
    name, content, sentence = REFUSED[kind]
    proposal = institution.draft()
    response = attach(client, proposal, name, content)
    assert response.status_code == 422
    html = response.content.decode()
    assert sentence in html
    assert 'id="id_file_error"' in html
    assert not proposal.attachments.exists()


def test_a_file_that_is_too_large_is_refused(institution: Institution, client: Client, settings: LazySettings) -> None:
    settings.ATTACHMENT_MAX_BYTES = 1024 * 1024
    proposal = institution.draft()
    response = attach(client, proposal, content=PDF + b"0" * 1024 * 1024)
    assert response.status_code == 422
    assert "is larger than 1 MB" in response.content.decode()


def test_no_file_at_all_is_said_so(institution: Institution, client: Client) -> None:
    proposal = institution.draft()
    response = client.post(reverse("attachment-add", args=[proposal.reference]))
    assert response.status_code == 422
    assert "Choose a file first" in response.content.decode()


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("C:\\letters\\dean.pdf", "dean.pdf"),
        ("Lettre d’appui été.pdf", "Lettre_dappui_été.pdf"),
        ("letter.exe", "letter.exe.pdf"),
        ("$$$", "file.pdf"),
        ("x" * 240 + ".pdf", "x" * 200 + ".pdf"),
    ],
)
def test_a_file_is_kept_under_a_plain_name_that_fits_its_type(
    institution: Institution, client: Client, name: str, kept: str
) -> None:
    proposal = institution.draft()
    assert attach(client, proposal, name).status_code == 302
    assert proposal.attachments.get().name == kept


def test_the_same_file_twice_is_attached_once(institution: Institution, client: Client) -> None:
    proposal = institution.draft()
    attach(client, proposal)
    attach(client, proposal, "again.pdf")
    assert [file.name for file in proposal.attachments.all()] == ["letter.pdf"]


def test_a_removed_file_is_gone_from_the_draft(institution: Institution, client: Client) -> None:
    proposal = institution.draft()
    attach(client, proposal)
    file = proposal.attachments.get()
    remove = reverse("attachment-remove", args=[proposal.reference, file.digest])
    assert client.get(remove).status_code == 405
    assert client.post(remove).status_code == 302
    assert status_of(client, address(proposal, file)) == 404
    assert client.post(remove).status_code == 409


def test_nobody_else_gets_a_file_of_a_draft(institution: Institution, client: Client) -> None:
    proposal = institution.draft()
    attach(client, proposal)
    file = proposal.attachments.get()
    for key in ("stranger", "ad-hsci", "observer", "administrator", "author-eng"):
        assert status_of(as_person(institution, key), address(proposal, file)) == 403, key
    assert status_of(Client(), address(proposal, file)) == 302


def test_what_was_sent_stays_open_to_its_readers_and_what_was_not_stays_closed(
    institution: Institution, client: Client
) -> None:
    from workflows.review.actions import submit

    proposal = institution.draft()
    attach(client, proposal)
    sent = proposal.attachments.get()
    proposal.refresh_from_db()
    submit(actor=institution.person("author"), proposal=proposal, seen=proposal.version)
    dean = as_person(institution, "ad-hsci")
    assert status_of(dean, address(proposal, sent)) == 200
    assert status_of(as_person(institution, "stranger"), address(proposal, sent)) == 403
    assert status_of(as_person(institution, "ad-eng"), address(proposal, sent)) == 403
    institution.return_for_changes(proposal)
    client.post(reverse("attachment-remove", args=[proposal.reference, sent.digest]))
    attach(client, proposal, "new.pdf", PDF + b"more")
    new = proposal.attachments.get(removed_at=None)
    assert status_of(dean, address(proposal, sent)) == 200
    assert status_of(client, address(proposal, sent)) == 200
    assert status_of(dean, address(proposal, new)) == 404
    assert status_of(client, address(proposal, new)) == 200


@pytest.mark.parametrize("key", ["stranger", "ad-hsci", "author-eng"])
def test_only_the_author_attaches_and_removes(institution: Institution, client: Client, key: str) -> None:
    proposal = institution.draft()
    attach(client, proposal)
    other = as_person(institution, key)
    assert attach(other, proposal, "mine.pdf", PDF + b"1").status_code == 403
    digest = proposal.attachments.get().digest
    assert other.post(reverse("attachment-remove", args=[proposal.reference, digest])).status_code == 403
    assert proposal.attachments.filter(removed_at=None).count() == 1


def test_in_review_nothing_is_attached(institution: Institution, client: Client) -> None:
    proposal = institution.submitted()
    assert attach(client, proposal).status_code == 409
