"""Erasing a person: what is emptied, what stays, when it is refused, and how pages read afterwards."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import LazySettings
from django.contrib.sessions.models import Session
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, models
from django.test import Client
from django.urls import reverse

from governance import clock
from governance.audit.models import Event
from governance.people.actions import change_person, end_mandate, give_mandate
from governance.people.duties import Duty
from governance.people.models import Mandate, User
from governance.refusals import Incomplete, NotPermitted, NotPossible, Refusal, Stale
from tests.conftest import ROOT, Institution
from tests.workflows.auditing.world import PDF
from workflows.auditing.actions.erasure import erase, leave_no_copies, lift_hold, place_hold
from workflows.auditing.erasing.plans import ErasurePlan, erasure_plan
from workflows.auditing.models import Export, SavedSearch
from workflows.memos.actions import issue
from workflows.notices.actions import deliver
from workflows.notices.models import Delivery, Outbox
from workflows.proposals.actions import attach, look
from workflows.proposals.models import Audience, Comment, Proposal, Revision
from workflows.review import actions as review
from workflows.review.models import Decision

pytestmark = pytest.mark.django_db
ENOUGH = timedelta(days=400)
GONE = "a person whose data was erased"


@contextmanager
def later(**given: Any) -> Iterator[None]:
    with clock.at(clock.now() + (timedelta(**given) if given else ENOUGH)):
        yield


def leave(place: Institution, key: str) -> User:
    """The person's duties end today."""
    for mandate in Mandate.objects.filter(user=place.people[key]):
        end_mandate(
            actor=place.person("administrator").as_actor(), mandate=mandate, ends_on=clock.today(), reason="Left."
        )
    return place.person(key)


def send_mails() -> None:
    """Everything that waits but the making of PDFs."""
    while waiting := list(Outbox.objects.waiting().exclude(task="memos.render")):
        for row in waiting:
            deliver(row_id=row.pk)


def erased(place: Institution, person: User, **given: Any) -> ErasurePlan:
    said = {
        "actor": place.person("administrator"),
        "authority": "FIPPA, section 40",
        "reason": "Asked for in writing.",
        "plan_digest": erasure_plan(person).digest,
    }
    return erase(person=person, **(said | given))


def everything(word: str) -> list[str]:
    """Every table and column of text in which a word stands, in whichever letters."""
    found = []
    for model in apps.get_models():
        for field in model._meta.local_concrete_fields:
            if isinstance(field, models.CharField | models.TextField | models.JSONField | models.BinaryField):
                for value in model._default_manager.values_list(field.attname, flat=True):
                    text = (
                        bytes(value).decode(errors="replace") if isinstance(value, bytes | memoryview) else str(value)
                    )
                    if word.casefold() in text.casefold():
                        found.append(f"{model._meta.db_table}.{field.column}")
    return sorted(set(found))


@pytest.fixture
def departed(institution: Institution) -> User:
    """The Associate Dean, who decided and commented, was written to, looked and searched, and left."""
    place = institution
    proposal = place.submitted()
    review.comment(
        actor=place.person("ad-hsci"), proposal=proposal, audience=Audience.EVERYONE, text="Which labs?", section="need"
    )
    proposal.refresh_from_db()
    look(user=place.person("ad-hsci"), proposal=proposal)
    SavedSearch.objects.create(user=place.person("ad-hsci"), name="Mine", query="actor=me")
    issue(decision_id=place.return_for_changes(proposal).pk)
    send_mails()
    Client().force_login(place.person("ad-hsci"))
    Client().force_login(place.person("observer"))
    return leave(place, "ad-hsci")


def test_nothing_says_who_they_were_and_everything_else_stays(institution: Institution, departed: User) -> None:
    before = {event.pk: (bytes(event.body), bytes(event.leaf)) for event in Event.objects.all()}
    said = Decision.objects.get(by=departed).reasons
    assert "audit_personaldatum.value" in everything("Marc Lavoie")
    with later():
        plan = erased(institution, departed)
    assert everything("Marc Lavoie") == []
    assert everything("ad-hsci@kawartha.example") == []
    assert everything("Associate Dean (Academic)") == [
        "audit_personaldatum.value",
        "people_user.title",
    ]  # Engineering's
    person = User.objects.get(pk=departed.pk)
    assert (person.email, bytes(person.salt), person.is_active) == (f"erased-{person.pk}@invalid", b"", False)
    assert not person.has_usable_password()
    assert str(person) == GONE
    assert not SavedSearch.objects.exists()
    assert [row.get_decoded()["_auth_user_id"] for row in Session.objects.all()] == [
        str(institution.people["observer"].pk)
    ]
    # The record is what it was, and one event longer.
    assert {pk: before[pk] for pk in before} == {
        event.pk: (bytes(event.body), bytes(event.leaf)) for event in Event.objects.filter(pk__in=before)
    }
    assert (Decision.objects.get(by=person).reasons, Comment.objects.get(author=person).text) == (said, "Which labs?")
    event = Event.objects.latest("id")
    assert (event.verb, event.subject, event.reason) == ("person.erased", person.record_key, "Asked for in writing.")
    assert event.facts["after"] == {
        "person": person.record_key,
        "authority": "FIPPA, section 40",
        "emptied": plan.emptied.as_json(),
    }
    counts = plan.emptied.as_json()
    assert (counts["events"], counts["decisions"], counts["submissions"], counts["comments"]) == (2, 1, 0, 1)
    assert (counts["drafts"], counts["searches"], counts["looks"]) == (0, 1, 1)
    assert event.sentence == f"Daniel Fortin erased the personal data of {person.record_key}, under FIPPA, section 40."


def test_mails_to_them_and_about_them_are_emptied_and_others_are_not(institution: Institution, departed: User) -> None:
    to_author = Delivery.objects.filter(to="author@kawartha.example")
    assert to_author.filter(subject__contains="Marc Lavoie").exists()
    others = Outbox.objects.filter(task="notices.send_mail", payload__to="author@kawartha.example").count()
    kept = to_author.exclude(subject__contains="Marc Lavoie").count()
    with later():
        plan = erased(institution, departed)
    mails = Outbox.objects.filter(task="notices.send_mail")
    assert plan.emptied.mails == mails.filter(payload__text="").count() == 2
    assert mails.filter(payload__to="").count() == 1
    # Whom the others went to is still known, and what did not name them still says what it said.
    assert mails.filter(payload__to="author@kawartha.example").count() == others
    assert to_author.exclude(subject="").count() == kept
    assert not Outbox.objects.waiting().filter(task="notices.send_mail").exists()


def test_a_mail_that_waits_for_them_is_not_sent(institution: Institution) -> None:
    place = institution
    proposal = place.submitted()
    for row in Outbox.objects.waiting():
        deliver(row_id=row.pk)
    assert Outbox.objects.waiting().get().payload["to"] == "ad-hsci@kawartha.example"
    review.withdraw(actor=proposal.author, proposal=proposal, seen=proposal.version, reason="Too early.")
    person = leave(place, "ad-hsci")
    with later():
        erased(place, person)
    assert not Outbox.objects.waiting().filter(task="notices.send_mail").exists()
    assert not Delivery.objects.exists()


def test_a_short_name_is_no_part_of_other_words(institution: Institution) -> None:
    place = institution
    person = place.person("member")
    person.name = "Senat"
    change_person(actor=place.person("administrator").as_actor(), person=person, fields=["name"])
    place.at_stage("senate")
    send_mails()
    leave(place, "member")
    with later():
        plan = erasure_plan(place.person("member"))
    # Every mail that spoke of the Senate stays; theirs was none, because a member does not chair.
    assert Delivery.objects.filter(subject__contains="waits for you").exists()
    assert plan.emptied.mails == 0


def test_drafts_that_were_never_sent_go_and_their_files_with_them(institution: Institution) -> None:
    place = institution
    draft = place.draft()
    file = attach(actor=draft.author, proposal=draft, name="letter.pdf", file=BytesIO(PDF))
    assert default_storage.exists(file.stored_name)
    person = leave(place, "author")
    with later():
        erased(place, person)
    send_what_is_left()
    assert not default_storage.exists(file.stored_name)
    assert not Proposal.objects.get(pk=draft.pk).draft_sections.exists()
    assert everything("Nadia Rahimi") == []


def send_what_is_left() -> None:
    """The worker's part, without clearing the database's files: no transaction of a test may do that."""
    for row in Outbox.objects.waiting().filter(task="auditing.discard_file"):
        deliver(row_id=row.pk)


def test_what_was_submitted_stays_and_the_plan_says_so(institution: Institution) -> None:
    place = institution
    proposal = place.submitted()
    item = place.item(proposal)
    made = review.decline(actor=place.reviewer_of(item), item=item, seen=proposal.version, reasons="Offered already.")
    person = leave(place, "author")
    with later():
        assert hindrances(person) == f"A decision memo on {proposal.reference} is still to be issued."
    issue(decision_id=made.pk)
    send_mails()
    with later():
        plan = erased(place, person)
    assert (plan.proposals, plan.proposals_in_all) == ((proposal.reference,), 1)
    assert set(everything("Nadia Rahimi")) <= {
        "proposals_draftsection.data",
        "proposals_revision.content_text",
    }
    assert Revision.objects.get().submitted_by_name == ""


# ---- when it is refused


def hindrances(person: User) -> str:
    return " ".join(erasure_plan(User.objects.get(pk=person.pk)).hindrances)


def test_a_duty_that_is_held_or_comes_is_ended_first(institution: Institution) -> None:
    person = institution.person("member")
    with later():
        assert "They hold the duty “Member” on Senate. End it first." in hindrances(person)
        leave(institution, "member")
        assert "End it first" in hindrances(person)  # today is its last day
    give_mandate(
        actor=institution.person("administrator").as_actor(),
        person=institution.person("stranger"),
        body=institution.bodies["senate"],
        duty=Duty.MEMBER,
        starts_on=clock.today() + timedelta(days=2_000),
    )
    with later():
        assert "End it first" in hindrances(institution.person("stranger"))


def test_a_proposal_in_flight_ends_first(institution: Institution) -> None:
    proposal = institution.submitted()
    person = leave(institution, "author")
    with later():
        assert f"Their proposal {proposal.reference} is in flight." in hindrances(person)
        with pytest.raises(NotPossible, match="in flight"):
            erased(institution, person)


@pytest.mark.parametrize("last", ["their own act", "an act on their proposal", "the end of a duty", "their account"])
def test_a_year_must_pass_after_the_last_thing(institution: Institution, settings: LazySettings, last: str) -> None:
    place = institution
    if last == "their own act":
        proposal = place.submitted()
        person = leave(place, "ad-hsci")
        with later(days=30):
            give_mandate(
                actor=place.person("administrator").as_actor(),
                person=person,
                body=place.bodies["ad-hsci"],
                duty=Duty.OFFICER,
                starts_on=clock.today(),
                ends_on=clock.today(),
            )
            place.return_for_changes(proposal)
    elif last == "an act on their proposal":
        proposal = place.at_stage("senate")
        person = leave(place, "author")
        with later(days=30):
            place.approve(proposal)
    elif last == "the end of a duty":
        person = place.person("observer")
        with later(days=30):
            leave(place, "observer")
    else:
        person = place.person("stranger")
        with later(days=30):
            person.title = "Professor"
            change_person(actor=place.person("administrator").as_actor(), person=person, fields=["title"])
    with later(days=30 + 364):
        assert "The law keeps that for 365 days" in hindrances(person)
        with pytest.raises(NotPossible, match="365 days"):
            erased(place, person)
        settings.MINIMUM_RETENTION_DAYS = 100
        assert "The law" not in hindrances(person)
    settings.MINIMUM_RETENTION_DAYS = 365
    with later(days=30 + 366):
        assert "The law" not in hindrances(person)


def test_a_legal_hold_on_them_or_on_what_they_took_part_in(institution: Institution, departed: User) -> None:
    admin, proposal = institution.person("administrator"), Proposal.objects.get()
    with later():
        own = place_hold(actor=admin, on=departed, reason="A claim is before the court.")
        with pytest.raises(NotPossible, match="A legal hold stands on them"):
            erased(institution, departed)
        lift_hold(actor=admin, hold=own, reason="Settled.")
        held = place_hold(actor=admin, on=proposal, reason="An inquiry.")
        with pytest.raises(NotPossible, match=f"A legal hold stands on {proposal.reference}"):
            erased(institution, departed)
        lift_hold(actor=admin, hold=held, reason="Closed.")
        # That it was held and lifted starts no new year.
        erased(institution, departed)
        with pytest.raises(NotPossible, match="was erased on"):
            erased(institution, departed)


def test_oneself_and_others_who_are_no_administrators(institution: Institution, departed: User) -> None:
    admin = institution.person("administrator")
    with later(days=800):
        with pytest.raises(NotPermitted, match="Another administrator"):
            erased(institution, admin)
        for key in ("secretary", "observer", "ad-hsci", "author"):
            with pytest.raises(NotPermitted):
                erased(institution, departed, actor=institution.person(key))
        # One administrator erases another; an erased one can do nothing any more.
        erased(institution, institution.person("drafter"))
        with pytest.raises(NotPermitted):
            erased(institution, departed, actor=institution.person("drafter"))


def test_an_export_that_is_being_made_is_waited_for_and_one_that_is_kept_is_removed(
    institution: Institution, departed: User
) -> None:
    export = Export.objects.create(scope={}, reason="The auditor.", requested_by=institution.person("administrator"))
    with later():
        assert hindrances(departed) == "An export of the record is being made. Try again when it is ready."
    export.state = Export.State.DONE
    export.save()
    default_storage.save(export.stored_name, ContentFile(b"PK"))
    with later():
        erased(institution, departed)
    if connection.vendor == "postgresql":
        leave_no_copies()
        assert not default_storage.exists(export.stored_name)


def test_nothing_is_erased_but_what_was_shown(institution: Institution, departed: User) -> None:
    with later():
        shown = erasure_plan(departed).digest
        SavedSearch.objects.create(user=departed, name="Another", query="")
        with pytest.raises(Stale):
            erased(institution, departed, plan_digest=shown)
        for words in ({"authority": " "}, {"reason": ""}):
            with pytest.raises(Incomplete):
                erased(institution, departed, **words)
        for words in ({"reason": "MARC LAVOIE asked."}, {"authority": "ad-hsci@kawartha.example"}):
            with pytest.raises(Incomplete, match="must not name"):
                erased(institution, departed, **words)
    assert User.objects.get(pk=departed.pk).erased_at is None


def test_nothing_of_an_erased_person_changes_any_more(institution: Institution, departed: User) -> None:
    admin = institution.person("administrator")
    with later():
        erased(institution, departed)
        person = User.objects.get(pk=departed.pk)
        person.name = "Marc Lavoie"
        with pytest.raises(NotPossible):
            change_person(actor=admin.as_actor(), person=person, fields=["name"])
        with pytest.raises(NotPossible):
            give_mandate(
                actor=admin.as_actor(),
                person=person,
                body=institution.bodies["senate"],
                duty=Duty.MEMBER,
                starts_on=clock.today(),
            )
        with pytest.raises(NotPossible):
            place_hold(actor=admin, on=person, reason="A claim.")


# ---- how pages read


def test_pages_say_that_somebody_was_erased(institution: Institution, departed: User, client: Client) -> None:
    place, proposal = institution, Proposal.objects.get()
    with later():
        erased(place, departed)
    client.force_login(place.person("author"))
    page = client.get(f"/proposals/{proposal.reference}/?show=clean").content.decode()
    assert "Returned by a person whose data was erased" in page
    assert "A person whose data was erased returned submission 1 for changes" in page
    assert f"<strong>{GONE}</strong>" in page  # the comment
    assert "Marc" not in page
    client.force_login(place.person("administrator"))
    version = place.policy
    assert version is not None
    for address in (f"{version.get_absolute_url()}decided/", "/policies/", f"/policies/on/{clock.today()}/", "/admin/"):
        answer = client.get(address, follow=True)
        assert answer.status_code == 200, address
        assert "Marc" not in answer.content.decode()
    page = client.get(reverse("personal-data-person", args=[departed.pk])).content.decode()
    assert "A person whose data was erased" in page
    assert "What stayed, and why" in page


def test_their_session_ends_and_they_cannot_sign_in(institution: Institution, departed: User) -> None:
    theirs = Client()
    theirs.force_login(departed)
    assert theirs.get("/queue/").status_code == 200
    with later():
        erased(institution, departed)
    assert theirs.get("/queue/").status_code == 302
    assert not Client().login(username="ad-hsci@kawartha.example", password="a-long-password")


# ---- the pages of an erasure


def as_person(place: Institution, key: str) -> Client:
    client = Client()
    client.force_login(place.person(key))
    return client


PAGES = ["personal-data", "personal-data-person", "retention", "retention-proposal", "holds", "hold-place", "hold-lift"]
POSTED = [
    "personal-data-person",
    "personal-data-erase",
    "retention-proposal",
    "retention-dispose",
    "hold-place",
    "hold-lift",
]


def address_of(name: str, departed: User, hold: int) -> str:
    arguments: dict[str, list[Any]] = {
        "personal-data-person": [departed.pk],
        "personal-data-erase": [departed.pk],
        "retention-proposal": [Proposal.objects.get().reference],
        "retention-dispose": [Proposal.objects.get().reference],
        "hold-lift": [hold],
    }
    return reverse(name, args=arguments.get(name, []))


@pytest.mark.parametrize("key", ["author", "ad-eng", "senate", "secretary", "observer", "stranger", "administrator"])
def test_only_administrators_get_there(institution: Institution, departed: User, key: str) -> None:
    hold = place_hold(actor=institution.person("administrator"), on=departed, reason="A claim.")
    client, before = as_person(institution, key), Event.objects.count()
    allowed = key == "administrator"
    for name in PAGES:
        assert client.get(address_of(name, departed, hold.pk)).status_code == (200 if allowed else 403), name
    for name in POSTED:
        statuses = {409, 422} if allowed else {403}
        assert client.post(address_of(name, departed, hold.pk), {}).status_code in statuses, name
        assert client.get(address_of(name, departed, hold.pk)).status_code in ({200, 405} if allowed else {403, 405})
    assert Event.objects.count() == before
    assert Client().get(reverse("personal-data")).status_code == 302


def test_an_erasure_takes_two_steps_and_keeps_what_was_typed(institution: Institution, departed: User) -> None:
    client, address = as_person(institution, "administrator"), reverse("personal-data-person", args=[departed.pk])
    found = client.get(reverse("personal-data"), {"q": "lavoie"}).content.decode()
    assert address in found
    with later():
        page = client.get(address).content.decode()
        assert "Name and title on 1 decision; the decision stays" in page
        said = {"plan": erasure_plan(departed).digest, "authority": "FIPPA, section 40", "reason": ""}
        answer = client.post(address, said)
        assert answer.status_code == 422
        assert "Say why it is erased" in answer.content.decode()
        said["reason"] = "Marc Lavoie asked."
        answer = client.post(address, said)
        assert "What the record will say" in answer.content.decode()
        assert User.objects.get(pk=departed.pk).erased_at is None
        answer = client.post(reverse("personal-data-erase", args=[departed.pk]), said)
        assert answer.status_code == 422
        page = answer.content.decode()
        assert "Leave out their name and address" in page
        assert "Marc Lavoie asked." in page
        said["reason"] = "Asked for in writing."
        answer = client.post(reverse("personal-data-erase", args=[departed.pk]), said, follow=True)
        assert answer.redirect_chain == [(address, 302)]
    assert "The data was erased." in answer.content.decode()
    assert User.objects.get(pk=departed.pk).erased_at is not None


def test_finding_people_costs_the_same_for_one_and_for_many(
    institution: Institution, django_assert_max_num_queries: Any
) -> None:
    client = as_person(institution, "administrator")
    for word in ("lavoie", "kawartha"):
        with django_assert_max_num_queries(8):
            client.get(reverse("personal-data"), {"q": word})


def test_refusals_are_of_one_kind(institution: Institution, departed: User) -> None:
    """Whatever an act says no with becomes a page; none is an error of the server."""
    client = as_person(institution, "administrator")
    said = {"plan": "x", "authority": "FIPPA", "reason": "Asked for."}
    assert issubclass(Stale, Refusal)
    with later():
        assert client.post(reverse("personal-data-erase", args=[departed.pk]), said).status_code == 409
    assert client.post(reverse("personal-data-erase", args=[departed.pk]), said).status_code == 409


# ---- the database's files


@pytest.mark.once
def test_no_copy_is_left_in_the_files_of_sqlite(tmp_path: Path) -> None:
    """Neither in a page that was freed nor in the log of writes (its WAL)."""
    command = [sys.executable, "-W", "error", "-m", "tests.workflows.auditing.erased_file"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ASSENT_", "DATABASE_"))}
    environment = kept | {
        "DJANGO_SETTINGS_MODULE": "governance.settings",
        "ASSENT_VAR": str(tmp_path),
        "ASSENT_DEMO": "1",
        "EMAIL_URL": "memorymail://",
    }
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert "assent.sqlite3" in found["before"]
    assert found["right after"] != []  # so there was something to clear
    assert (found["outcome"], found["cleared"]) == (["delivered"], [])
