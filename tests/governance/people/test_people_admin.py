"""The administration pages change people and mandates through the actions, and can delete nothing."""

from datetime import date

import pytest
from django.test import Client
from django.urls import reverse

from governance import clock
from governance.audit.models import Event
from governance.people.models import Mandate, User
from tests.conftest import Institution

pytestmark = pytest.mark.django_db
KEPT = [
    "people_user",
    "people_unit",
    "people_body",
    "people_mandate",
    "policies_policyversion",
    "proposals_proposal",
    "review_workitem",
    "review_decision",
    "audit_event",
    "notices_outbox",
]
READ_ONLY = KEPT[4:]


@pytest.fixture
def admin(institution: Institution, client: Client) -> Client:
    client.force_login(institution.person("administrator"))
    return client


def test_visitors_sign_in_as_everywhere_and_come_back(institution: Institution, client: Client) -> None:
    mandates = reverse("admin:people_mandate_changelist")
    given = {"username": "administrator@kawartha.example", "password": "a-long-password"}
    page = client.get(mandates, follow=True)
    assert page.redirect_chain[-1][0].startswith("/sign-in/?next=")
    response = client.post("/sign-in/", given | {"next": page.context["next"]}, follow=True)
    assert response.redirect_chain[-1][0] == mandates
    assert client.get("/admin/login/?next=//elsewhere.example/").headers["Location"] == "/admin/"


def test_who_is_no_administrator_is_told_so(institution: Institution, client: Client) -> None:
    client.force_login(institution.person("senate"))
    response = client.get("/admin/", follow=True)
    assert response.status_code == 403
    assert "Your duties do not include it." in response.content.decode()


@pytest.mark.parametrize("page", KEPT)
def test_lists_and_rows_can_be_read_and_never_deleted(admin: Client, institution: Institution, page: str) -> None:
    institution.approve(institution.submitted())
    response = admin.get(reverse(f"admin:{page}_changelist"))
    assert response.status_code == 200
    row = response.context["cl"].queryset.first()
    assert admin.get(reverse(f"admin:{page}_change", args=[row.pk])).status_code == 200
    assert admin.post(reverse(f"admin:{page}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    assert type(row)._default_manager.filter(pk=row.pk).exists()


@pytest.mark.parametrize("page", READ_ONLY)
def test_what_was_decided_cannot_be_added_or_changed(admin: Client, institution: Institution, page: str) -> None:
    institution.approve(institution.submitted())
    assert admin.get(reverse(f"admin:{page}_add")).status_code == 403
    row = admin.get(reverse(f"admin:{page}_changelist")).context["cl"].queryset.first()
    assert admin.post(reverse(f"admin:{page}_change", args=[row.pk]), {"title": "changed"}).status_code == 403


def test_a_mandate_is_given_and_ended_on_the_record(admin: Client, institution: Institution) -> None:
    person, body = institution.people["stranger"], institution.bodies["senate"]
    data = {"user": person.pk, "body": body.pk, "duty": "member", "starts_on": "2026-07-01", "ends_on": ""}
    assert admin.post(reverse("admin:people_mandate_add"), data).status_code == 302
    mandate = Mandate.objects.get(user=person)
    assert (mandate.duty, mandate.starts_on) == ("member", date(2026, 7, 1))
    assert Event.objects.latest("id").actor_name == "Daniel Fortin"
    change = reverse("admin:people_mandate_change", args=[mandate.pk])
    assert "Give the last day" in admin.post(change, {"ends_on": "", "reason": "x"}).content.decode()
    assert admin.post(change, {"ends_on": clock.today().isoformat(), "reason": "Left"}).status_code == 302
    assert Event.objects.latest("id").reason == "Left"


def test_adding_and_changing_a_person_is_on_the_record(admin: Client, institution: Institution) -> None:
    data = {"email": "New.Person@kawartha.example", "name": "Chantal Roy", "title": "Professor", "unit": ""}
    response = admin.post(reverse("admin:people_user_add"), data)
    assert response.status_code == 302
    person = User.objects.get(email="new.person@kawartha.example")
    assert Event.objects.latest("id").verb == "person.added"
    data |= {"email": person.email, "name": "Chantal Roy-Martin", "is_active": "on", "reason": "Married"}
    assert admin.post(reverse("admin:people_user_change", args=[person.pk]), data).status_code == 302
    event = Event.objects.latest("id")
    assert event.verb == "person.changed"
    # The record holds names as commitments, so that they can be erased; until then it can be shown what they say.
    before, after = event.facts["before"]["name"], event.facts["after"]["name"]
    assert [event.openings[each["commitment"]] for each in (before, after)] == ["Chantal Roy", "Chantal Roy-Martin"]
    assert b"Chantal" not in bytes(event.body)


def test_others_do_not_get_in(institution: Institution, client: Client) -> None:
    client.force_login(institution.person("senate"))
    assert client.get(reverse("admin:people_mandate_changelist")).status_code in {302, 403}
