"""Access on the record: who read a confidential file, why an administrator changed something, and what the pages of
the administration do not show."""

import threading
from io import BytesIO
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse

from governance.audit.models import Event
from tests.conftest import Institution
from tests.workflows.auditing.test_erasure import as_person
from tests.workflows.auditing.world import PDF
from workflows.proposals.actions import attach
from workflows.proposals.models import Attachment, Proposal
from workflows.review import actions as review


def sent_with(place: Institution, *, confidential: bool) -> Attachment:
    """A proposal at the Associate Dean, with one file."""
    draft = place.draft()
    file = attach(actor=draft.author, proposal=draft, name="letter.pdf", file=BytesIO(PDF), confidential=confidential)
    draft.refresh_from_db()
    review.submit(actor=draft.author, proposal=draft, seen=draft.version)
    return file


def address_of(file: Attachment) -> str:
    return reverse("attachment", args=[file.proposal.reference, file.digest])


def read(client: Client, file: Attachment, method: str = "get") -> bytes:
    answer = getattr(client, method)(address_of(file))
    assert answer.status_code == 200
    return b"".join(answer.streaming_content) if answer.streaming else b""


def readings() -> list[tuple[str, int, str, str]]:
    events = Event.objects.filter(verb="attachment.read").order_by("id")
    return [(event.subject, event.sequence, event.actor_name, event.facts["after"]["name"]) for event in events]


@pytest.mark.django_db
def test_every_reading_of_a_confidential_file_by_others_is_recorded(institution: Institution) -> None:
    file = sent_with(institution, confidential=True)
    subject = f"access/{file.proposal.reference}"
    for key in ("ad-hsci", "observer", "ad-hsci"):
        assert read(as_person(institution, key), file) == PDF
    assert readings() == [
        (subject, 1, "Marc Lavoie", "letter.pdf"),
        (subject, 2, "Ruth Adeyemi", "letter.pdf"),
        (subject, 3, "Marc Lavoie", "letter.pdf"),
    ]
    assert Event.objects.latest("id").sentence == "Marc Lavoie read the confidential file “letter.pdf”."
    # The proposal's own stream, and with it what makes a decision stale, does not move.
    assert Proposal.objects.get().version == Event.objects.filter(subject=file.proposal.subject).count()


@pytest.mark.django_db
def test_what_is_no_reading_is_not_recorded(institution: Institution) -> None:
    file = sent_with(institution, confidential=True)
    assert read(as_person(institution, "author"), file) == PDF
    assert read(as_person(institution, "ad-hsci"), file, "head") == b""
    assert as_person(institution, "stranger").get(address_of(file)).status_code == 403
    assert as_person(institution, "administrator").get(address_of(file)).status_code == 403
    assert as_person(institution, "ad-hsci").get(address_of(file).replace(file.digest, "0" * 64)).status_code == 404
    default_storage.delete(file.stored_name)
    assert as_person(institution, "ad-hsci").get(address_of(file)).status_code == 404
    assert readings() == []


@pytest.mark.django_db
def test_readings_of_other_files_are_nobodys_business(institution: Institution) -> None:
    file = sent_with(institution, confidential=False)
    assert read(as_person(institution, "ad-hsci"), file) == PDF
    assert readings() == []


@pytest.mark.django_db
def test_the_box_says_what_it_does_and_the_author_sees_who_read(institution: Institution) -> None:
    place, author = institution, as_person(institution, "author")
    draft = place.draft()
    files = f"/proposals/{draft.reference}/edit/files/"
    assert "Every reading by somebody else than you is recorded" in author.get(files).content.decode()
    upload = {"file": SimpleUploadedFile("letter.pdf", PDF), "confidential": "on"}
    assert author.post(reverse("attachment-add", args=[draft.reference]), upload).status_code == 302
    page = author.get(files).content.decode()
    assert "Confidential</span>" in page
    assert "Nobody has read it yet." in page
    file = Attachment.objects.get()
    assert file.confidential
    draft.refresh_from_db()
    review.submit(actor=draft.author, proposal=draft, seen=draft.version)
    assert draft.revisions.get().attachments == [
        {"name": "letter.pdf", "digest": file.digest, "size": len(PDF), "confidential": True}
    ]
    reviewer = as_person(place, "ad-hsci")
    shown = reviewer.get(f"/proposals/{draft.reference}/").content.decode()
    assert "Confidential</span>" in shown
    assert "Who read the confidential ones" not in shown
    read(reviewer, file)
    page = author.get(f"/proposals/{draft.reference}/").content.decode()
    address = reverse("proposal-readings", args=[draft.reference])
    assert address in page
    assert "Marc Lavoie" in author.get(address).content.decode()
    for key in ("ad-hsci", "observer", "administrator", "stranger"):
        assert as_person(place, key).get(address).status_code == 403
    place.return_for_changes(draft)
    assert "Read by Marc Lavoie" in author.get(files).content.decode()


@pytest.mark.django_db
def test_the_same_file_does_not_become_confidential_by_the_way(institution: Institution) -> None:
    draft, author = institution.draft(), as_person(institution, "author")
    add = reverse("attachment-add", args=[draft.reference])
    assert author.post(add, {"file": SimpleUploadedFile("letter.pdf", PDF)}).status_code == 302
    answer = author.post(add, {"file": SimpleUploadedFile("letter.pdf", PDF), "confidential": "on"})
    assert answer.status_code == 422
    assert "Remove it first" in answer.content.decode()
    digest = Attachment.objects.get().digest
    author.post(reverse("attachment-remove", args=[draft.reference, digest]))
    author.post(add, {"file": SimpleUploadedFile("letter.pdf", PDF), "confidential": "on"})
    draft.refresh_from_db()
    review.submit(actor=draft.author, proposal=draft, seen=draft.version)
    assert read(as_person(institution, "ad-hsci"), Attachment.objects.latest("id")) == PDF
    assert len(readings()) == 1


@pytest.mark.django_db(transaction=True)
def test_readers_at_once_all_get_it_and_all_are_recorded(committed_institution: Institution) -> None:
    place = committed_institution
    file = sent_with(place, confidential=True)
    clients = [as_person(place, key) for key in ("ad-hsci", "observer") * 3]
    start, got = threading.Barrier(len(clients)), []

    def fetch(client: Client) -> None:
        try:
            start.wait()
            got.append(read(client, file))
        finally:
            connection.close()

    if connection.vendor == "sqlite":  # one database in memory: its connections are one, so they come in turn
        start = threading.Barrier(1)
        for client in clients:
            fetch(client)
    else:
        readers = [threading.Thread(target=fetch, args=[client]) for client in clients]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
    assert got == [PDF] * len(clients)
    assert [sequence for _subject, sequence, *_ in readings()] == [1, 2, 3, 4, 5, 6]


# ---- administrators' overrides carry a reason


CHANGES: list[tuple[str, str, dict[str, Any]]] = [
    (
        "people_user",
        "stranger",
        {"email": "owen@kawartha.example", "name": "Owen MacNeil", "title": "Lecturer", "unit": ""},
    ),
    ("people_unit", "HSCI", {"name": "Faculty of Health", "short_name": "Health", "kind": "faculty", "parent": None}),
    ("people_body", "senate", {"name": "The Senate", "short_name": "Senate", "address": "", "email": ""}),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("page", "key", "data"), CHANGES)
def test_what_an_administrator_changes_says_why(
    institution: Institution, page: str, key: str, data: dict[str, Any]
) -> None:
    place, admin = institution, as_person(institution, "administrator")
    row: Any = (place.people | place.units | place.bodies)[key]
    if "parent" in data:
        data = data | {"parent": place.units["KU"].pk}
    address, before = reverse(f"admin:{page}_change", args=[row.pk]), Event.objects.count()
    answer = admin.post(address, data)
    assert answer.status_code == 200
    assert "This field is required" in answer.content.decode()
    assert Event.objects.count() == before
    assert admin.post(address, data | {"reason": "As decided on 11 June."}).status_code == 302
    event = Event.objects.latest("id")
    assert (event.reason, event.verb.endswith(".changed")) == ("As decided on 11 June.", True)
    assert Event.objects.count() == before + 1


@pytest.mark.django_db
def test_a_reason_alone_changes_nothing(institution: Institution) -> None:
    person, before = institution.people["stranger"], Event.objects.count()
    data = {"email": person.email, "name": person.name, "title": person.title, "unit": "", "is_active": "on"}
    address = reverse("admin:people_user_change", args=[person.pk])
    assert as_person(institution, "administrator").post(address, data | {"reason": "None."}).status_code == 302
    assert Event.objects.count() == before


# ---- what administrators, who may not see a proposal, are not shown


SECRETS = [
    "Applied Data Stewardship",
    "26 employers rank",
    "Say how outcome 2 is assessed",
    "Which labs",
]


@pytest.mark.django_db
def test_the_administration_pages_show_no_words_of_a_proposal(institution: Institution) -> None:
    place = institution
    place.draft()
    proposal = place.submitted()
    review.comment(actor=place.person("ad-hsci"), proposal=proposal, audience="body", text="Which labs?")
    place.return_for_changes(proposal)
    admin = as_person(place, "administrator")
    for page in ("proposals_proposal", "review_workitem", "review_decision"):
        address = reverse(f"admin:{page}_changelist")
        shown = admin.get(address)
        assert shown.status_code == 200
        texts = [shown.content.decode()]
        texts += [
            admin.get(reverse(f"admin:{page}_change", args=[row.pk])).content.decode()
            for row in shown.context["cl"].queryset
        ]
        assert proposal.reference in texts[0]
        assert [secret for secret in SECRETS for text in texts if secret in text] == []
        # Nor can they be found by what they say.
        assert admin.get(address, {"q": "Stewardship"}).context["cl"].result_count == 0
    assert admin.get("/admin/proposals/revision/").status_code == 404
