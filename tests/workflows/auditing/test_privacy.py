"""What the record's pages, files and erasures must not tell, and to whom."""

import time
import zlib
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test import Client

from governance import clock
from governance.audit.models import Event
from governance.people.actions import change_person
from governance.people.models import User
from governance.refusals import NotPossible
from tests.conftest import Institution
from tests.versions import adopted
from tests.workflows.auditing.test_erasure import erased, everything, later, leave
from tests.workflows.auditing.test_retention import decline, disposed, with_memos, with_retention
from workflows.auditing.actions import exports
from workflows.auditing.actions.erasure import empty_names_again, leave_no_copies
from workflows.auditing.actions.taking_out import take_list_away
from workflows.auditing.erasing.plans import erasure_plan, words_for
from workflows.auditing.exporting.package import Package, Progress
from workflows.auditing.exporting.selection import Selection
from workflows.auditing.models import Export, SavedSearch
from workflows.memos.actions import issue
from workflows.notices import mail
from workflows.notices.actions import deliver, try_again
from workflows.notices.mail import queue_mail
from workflows.notices.models import Delivery, Outbox
from workflows.proposals.actions import save_section
from workflows.review import actions as review

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _workshop(settings: Any, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path / "var"


def signed_in(place: Institution, key: str) -> Client:
    client = Client()
    client.force_login(place.person(key))
    return client


def text_of(response: Any) -> str:
    parts = response.streaming_content if response.streaming else [response.content]
    return b"".join(parts).decode()


# ---- drafts, and what administrators are not shown


@pytest.mark.parametrize("who", ["administrator", "observer"])
def test_what_a_draft_is_called_is_its_authors_alone_until_it_is_sent(institution: Institution, who: str) -> None:
    place = institution
    draft = place.draft()
    client = signed_in(place, who)
    addresses = [f"/audit/events/{event.pk}/" for event in Event.objects.filter(subject=draft.subject)]
    addresses += [f"{address}record.json" for address in addresses]
    addresses += [f"/audit/proposals/{draft.reference}/as-of/", "/audit/", "/audit/events.csv", "/audit/events.json"]
    for address in addresses:
        answer = client.get(address)
        assert answer.status_code == 200, address
        assert draft.title not in text_of(answer), address
    review.submit(actor=draft.author, proposal=draft, seen=draft.version)
    assert draft.title in text_of(client.get(addresses[0]))
    assert draft.title in text_of(client.get(f"/audit/proposals/{draft.reference}/as-of/"))
    # Sent back, it is a draft again, which may be called otherwise by now.
    place.return_for_changes(draft)
    draft.refresh_from_db()
    section = draft.draft_sections.get(key="summary")
    renamed = {**section.data, "title": "A name that nobody has seen"}
    save_section(actor=draft.author, proposal=draft, section="summary", data=renamed, seen=section.version)
    for address in addresses:
        assert "nobody has seen" not in text_of(client.get(address)), address


def test_administration_shows_neither_the_words_of_mails_nor_of_events(institution: Institution) -> None:
    place = institution
    proposal = place.submitted()
    review.comment(actor=place.person("ad-hsci"), proposal=proposal, audience="everyone", text="Which labs?")
    issue(decision_id=place.return_for_changes(proposal).pk)
    for row in Outbox.objects.waiting().exclude(task="memos.render"):
        deliver(row_id=row.pk)
    client = signed_in(place, "administrator")
    for label in ("notices.outbox", "notices.delivery", "memos.memo", "audit.event"):
        model = apps.get_model(label)
        folder = f"/admin/{label.replace('.', '/')}/"
        pages = [folder, *(f"{folder}{row.pk}/change/" for row in model.objects.all())]
        assert len(pages) > 1
        for page in pages:
            shown = text_of(client.get(page))
            for secret in (proposal.title, "Say how outcome 2 is assessed", "Which labs"):
                assert secret not in shown, (page, secret)


# ---- names in what is kept for good


def test_a_list_that_was_taken_away_names_people_by_their_keys(institution: Institution) -> None:
    marc = institution.person("ad-hsci")
    text_of(signed_in(institution, "observer").get("/audit/events.csv", {"who": marc.name}))
    said = Event.objects.get(verb="record.exported").facts["after"]["scope"]
    assert said == f"Who acted: {marc.record_key}"


# ---- what an erasure leaves


def gone(place: Institution, person: User) -> None:
    with later():
        erased(place, person)
    assert everything("Marc Lavoie") == []


def test_searches_of_others_that_name_them_or_find_nobody_else_go(institution: Institution) -> None:
    place = institution
    observer = place.person("observer")
    for name, query in {
        "1": "who=Marc+Lavoie&since=2026-01-01",
        "2": "who=lavoie",
        "What Marc Lavoie did": "what=decisions",
        "kept": "who=Associate+Dean",
        "all": "",
    }.items():
        SavedSearch.objects.create(user=observer, name=name, query=query)
    person = leave(place, "ad-hsci")
    with later():
        assert erasure_plan(person).emptied.searches == 3
    gone(place, person)
    assert set(SavedSearch.objects.values_list("name", flat=True)) == {"kept", "all"}


def test_a_title_that_they_had_before_is_not_taken_for_their_name(institution: Institution) -> None:
    place = institution
    person = place.person("stranger")
    for title in ("Professor", "Dean"):
        person.title = title
        change_person(actor=place.person("administrator").as_actor(), person=person, fields=["title"])
    person.name = "Owen Grant"
    change_person(actor=place.person("administrator").as_actor(), person=person, fields=["name"])
    assert words_for(person) == {"Owen MacNeil", "Owen Grant", person.email}


def test_a_mail_about_them_that_was_given_up_is_not_sent_without_its_words(institution: Institution) -> None:
    with transaction.atomic():
        row = queue_mail(key="a", to="other@kawartha.example", subject="Marc Lavoie", text="Of Marc Lavoie.")
    Outbox.objects.filter(pk=row.pk).update(failed_at=clock.now())
    gone(institution, leave(institution, "ad-hsci"))
    with pytest.raises(NotPossible):
        try_again(actor=institution.person("administrator"), row=row)


def test_a_mail_that_leaves_while_they_are_erased_leaves_no_note_of_them(
    institution: Institution, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = leave(institution, "ad-hsci")
    with transaction.atomic():
        row = queue_mail(key="a", to=person.email, subject="For Marc Lavoie", text="…")

    class Leaving:
        def send(self) -> int:
            with later():
                erased(institution, person)
            return 1

    monkeypatch.setattr(mail, "compose", lambda *_args, **_given: Leaving())
    mail.send(**row.payload)
    assert everything("Marc Lavoie") == [] and everything("ad-hsci@kawartha.example") == []
    assert Delivery.objects.get().subject == ""


def test_an_act_of_theirs_that_was_under_way_leaves_no_name(institution: Institution) -> None:
    person = leave(institution, "ad-hsci")
    under_way = User.objects.get(pk=person.pk)
    gone(institution, person)
    take_list_away(actor=under_way, scope="every event", form="csv")
    assert everything("Marc Lavoie") == ["audit_event.actor_name"]
    empty_names_again()
    assert everything("Marc Lavoie") == []


@pytest.mark.parametrize("destroyed", ["person", "proposal"])
def test_an_export_that_failed_half_way_is_removed_and_does_not_go_on(
    institution: Institution, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, destroyed: str
) -> None:
    place = institution
    adopted(place, with_retention)
    proposal = with_memos(decline(place))
    export = exports.ask_for(actor=place.person("administrator"), selection=Selection(), reason="The court")
    write = Package.write

    def stops(self: Package) -> Iterator[Progress]:
        for progress in write(self):
            yield progress
            if progress.file == "people.jsonl":
                raise OSError("the disk is full")

    monkeypatch.setattr(Package, "write", stops)
    exports.run(export_id=export.pk)
    folder = tmp_path / "var" / "exports"
    assert b"Marc Lavoie" in (folder / str(export.pk) / "people.jsonl").read_bytes()
    if destroyed == "person":
        gone(place, leave(place, "ad-hsci"))
    else:
        with clock.at(clock.now() + timedelta(days=2300)):
            disposed(place, proposal)
    with pytest.raises(NotPossible):
        exports.go_on(actor=place.person("administrator"), export=export)
    if connection.vendor == "postgresql":
        leave_no_copies()
    else:
        exports.remove_copies()
    assert list(folder.iterdir()) == []


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite lets one transaction write at a time")
@pytest.mark.django_db(transaction=True)
def test_an_export_asked_for_while_somebody_is_erased_waits_for_it(committed_institution: Institution) -> None:
    place = committed_institution
    person, administrator = leave(place, "ad-hsci"), place.person("drafter")
    asked: list[bool] = []

    def ask() -> None:
        try:
            exports.ask_for(actor=administrator, selection=Selection(), reason="The court")
            asked.append(User.objects.get(pk=person.pk).erased_at is not None)
        finally:
            connection.close()

    with transaction.atomic():
        with later():
            erased(place, person)
        asking = Thread(target=ask)
        asking.start()
        time.sleep(0.5)
        assert asked == [] and not Export.objects.exists()
    asking.join()
    assert asked == [True]


# ---- who fetched a package


def test_whoever_fetches_a_package_is_on_record_also_one_that_another_asked_for(institution: Institution) -> None:
    export = exports.ask_for(actor=institution.person("observer"), selection=Selection(), reason="The court")
    exports.run(export_id=export.pk)
    client = signed_in(institution, "administrator")
    assert client.get(f"{export.get_absolute_url()}record.zip").getvalue().startswith(b"PK")  # type: ignore[attr-defined]
    event = Event.objects.filter(verb="record.exported").latest("sequence")
    assert (event.actor_name, event.reason) == ("Daniel Fortin", f"Fetched export {export.pk}.")


# ---- what somebody types to break a page


@pytest.mark.parametrize(
    "address",
    [
        "/audit/?until=9999-12-31",
        "/audit/?since=0001-01-01",
        "/audit/events.csv?until=9999-12-31",
        "/audit/events/99999999999999999999/",
        "/audit/log/checkpoint/99999999999999999999",
        "/verify/?number=%C3%89-1",
        "/verify/?number=%D9%A1",
    ],
)
def test_what_no_page_can_mean_is_said_and_breaks_none(institution: Institution, address: str) -> None:
    assert signed_in(institution, "administrator").get(address).status_code in {302, 404, 422}


def test_a_period_that_no_clock_shows_is_said(institution: Institution) -> None:
    said = {"kind": "period", "first": "2026-01-01", "last": "9999-12-31", "reason": "The court"}
    answer = signed_in(institution, "administrator").post("/audit/exports/", said)
    assert answer.status_code == 422 and "Give days from 1900 to 2999." in text_of(answer)
    assert not Export.objects.exists()


def test_a_length_that_is_no_number_counts_as_none(client: Client) -> None:
    assert client.generic("POST", "/verify/", b"x", CONTENT_LENGTH="many").status_code == 422


@pytest.mark.once
def test_a_small_file_made_to_never_end_ends_soon_and_apart(client: Client) -> None:
    data = zlib.compress(b"x")
    pdf = BytesIO()
    pdf.write(b"%PDF-1.7\n1 0 obj\n<</Type/Catalog>>\nendobj\n")
    start = pdf.tell()
    pdf.write(b"3 0 obj\n<</Type/XRef/Size 2000000000/W [0 0 0]/Index [0 2000000000]/Root 1 0 R/Filter/FlateDecode")
    pdf.write(b"/Length %d>>\nstream\n%b\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % (len(data), data, start))
    began = time.monotonic()
    answer = client.post("/verify/", {"file": SimpleUploadedFile("memo.pdf", pdf.getvalue())})
    assert "This file cannot be read as a PDF." in text_of(answer)
    assert time.monotonic() - began < 25
