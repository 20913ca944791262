"""The only place that changes who holds which duty. Grants on bodies follow the mandates in the same transaction."""

from collections.abc import Collection
from datetime import date
from typing import Final, TypeVar

from django.contrib.auth.models import Permission
from django.db import transaction
from django.utils.translation import gettext as _
from guardian.shortcuts import assign_perm, remove_perm

from governance import clock
from governance.audit.actions import Actor, record
from governance.audit.canonical import Json
from governance.audit.verbs import Verb
from governance.people.duties import ALLOWS, Duty, Right
from governance.people.models import Body, BodyUserObjectPermission, Mandate, Unit, UnitKind, User
from governance.refusals import NotPossible


@transaction.atomic
def add_person(
    *,
    actor: Actor,
    email: str,
    name: str,
    title: str = "",
    unit: Unit | None = None,
    password: str | None = None,
    is_staff: bool = False,
) -> User:
    """Add a person who may sign in. It gives no right on any body."""
    person = User.objects.create_user(
        email, name=name, password=password, title=title, unit=unit, is_staff=is_staff, is_superuser=is_staff
    )
    record(
        verb=Verb.PERSON_ADDED,
        subject=person.record_key,
        actor=actor,
        after={"name": person.hidden(name), "title": person.hidden(title), "administrator": is_staff},
    )
    return person


@transaction.atomic
def change_person(*, actor: Actor, person: User, fields: Collection[str], reason: str = "") -> User:
    """Save the named fields of a person, with what they were before and why on the record. Passwords are not among
    them. Raises NotPossible for a person whose data was erased."""
    _check_not_erased(person)
    name: dict[str, Json] = {"name": person.hidden(person.name)}
    return _change(actor, person, person.record_key, Verb.PERSON_CHANGED, name, fields, reason)


@transaction.atomic
def add_unit(*, actor: Actor, code: str, name: str, short_name: str, kind: str, parent: Unit | None = None) -> Unit:
    """Add a unit to the tree; only the university itself has no parent."""
    unit = Unit.objects.create(code=code, name=name, short_name=short_name, kind=UnitKind(kind), parent=parent)
    record(
        verb=Verb.UNIT_ADDED,
        subject=f"unit/{code}",
        actor=actor,
        after={"name": name, "kind": unit.kind, "parent": parent.code if parent else None},
    )
    return unit


@transaction.atomic
def change_unit(*, actor: Actor, unit: Unit, fields: Collection[str], reason: str = "") -> Unit:
    """Save the named fields of a unit, with what they were before and why on the record."""
    return _change(actor, unit, f"unit/{unit.code}", Verb.UNIT_CHANGED, {"name": unit.name}, fields, reason)


@transaction.atomic
def change_body(*, actor: Actor, body: Body, fields: Collection[str], reason: str = "") -> Body:
    """Save the named fields of a body, with what they were before and why on the record."""
    return _change(actor, body, f"body/{body.code}", Verb.BODY_CHANGED, {"body": body.name}, fields, reason)


@transaction.atomic
def create_body(
    *, actor: Actor, code: str, kind: str, name: str, short_name: str, unit: Unit, address: str = "", email: str = ""
) -> Body:
    """Set up a body that a policy's stages can name by its kind."""
    body = Body.objects.create(
        code=code, kind=kind, name=name, short_name=short_name, unit=unit, address=address, email=email
    )
    record(
        verb=Verb.BODY_CREATED,
        subject=f"body/{code}",
        actor=actor,
        after={"body": name, "kind": kind, "unit": unit.code},
    )
    return body


@transaction.atomic
def give_mandate(
    *, actor: Actor, person: User, body: Body, duty: Duty, starts_on: date, ends_on: date | None = None
) -> Mandate:
    """Give a person a duty on a body from a first day, to a last day where one is known.

    Raises NotPossible for a person whose data was erased, and for a last day before the first.
    """
    Body.objects.select_for_update().get(pk=body.pk)
    _check_not_erased(person)
    if ends_on is not None and ends_on < starts_on:
        raise NotPossible(_("The last day of a mandate cannot be before its first day."))
    mandate = Mandate.objects.create(user=person, body=body, duty=duty, starts_on=starts_on, ends_on=ends_on)
    record(
        verb=Verb.MANDATE_GIVEN,
        subject=f"body/{body.code}",
        actor=actor,
        after=_mandate_in_words(mandate),
    )
    refresh_grants(person=person)
    return mandate


@transaction.atomic
def end_mandate(*, actor: Actor, mandate: Mandate, ends_on: date, reason: str) -> Mandate:
    """End a mandate on its last day, given as a date not before its first. What was done under it stays."""
    Body.objects.select_for_update().get(pk=mandate.body_id)
    mandate = Mandate.objects.select_for_update().select_related("user", "body").get(pk=mandate.pk)
    if ends_on < mandate.starts_on:
        raise NotPossible(_("The last day of a mandate cannot be before its first day."))
    before = _mandate_in_words(mandate)
    mandate.ends_on = ends_on
    mandate.save(update_fields=["ends_on"])
    record(
        verb=Verb.MANDATE_ENDED,
        subject=f"body/{mandate.body.code}",
        actor=actor,
        before=before,
        after=_mandate_in_words(mandate),
        reason=reason,
    )
    refresh_grants(person=mandate.user)
    return mandate


@transaction.atomic
def refresh_grants(*, person: User | None = None) -> int:
    """Make guardian's grants say what the mandates in force today say; returns how many had to change.

    Run with every change of a mandate, and every hour for mandates that begin or end with the day.
    """
    mandates = Mandate.objects.in_force(clock.today()).select_related("user", "body")
    grants = BodyUserObjectPermission.objects.select_related("user", "content_object", "permission")
    if person is not None:
        mandates, grants = mandates.filter(user=person), grants.filter(user=person)
    people: dict[int, User] = {}
    bodies: dict[int, Body] = {}
    wanted: set[tuple[int, int, str]] = set()
    for mandate in mandates:
        people[mandate.user_id], bodies[mandate.body_id] = mandate.user, mandate.body
        wanted |= {(mandate.user_id, mandate.body_id, right.value) for right in ALLOWS[Duty(mandate.duty)]}
    held: set[tuple[int, int, str]] = set()
    for grant in grants:
        people[grant.user_id], bodies[grant.content_object_id] = grant.user, grant.content_object
        held.add((grant.user_id, grant.content_object_id, grant.permission.codename))
    permissions = {
        permission.codename: permission
        for permission in Permission.objects.filter(
            content_type__app_label="people", content_type__model="body", codename__in=[right.value for right in Right]
        )
    }
    for user_id, body_id, codename in sorted(wanted - held):
        assign_perm(permissions[codename], people[user_id], bodies[body_id])
    for user_id, body_id, codename in sorted(held - wanted):
        remove_perm(permissions[codename], people[user_id], bodies[body_id])
    return len(wanted ^ held)


Kept = TypeVar("Kept", User, Unit, Body)
# What the record holds of a person as commitments only.
PERSONAL: Final = {"name", "title", "email"}


def _check_not_erased(person: User) -> None:
    """Lock the person's row, and see that there is somebody left to do something with."""
    if User.objects.select_for_update(no_key=True).get(pk=person.pk).erased_at is not None:
        raise NotPossible(_("This person’s data was erased. Nothing of theirs can change any more."))


def _change(
    actor: Actor,
    row: Kept,
    subject: str,
    verb: Verb,
    words: dict[str, Json],
    fields: Collection[str],
    reason: str,
) -> Kept:
    before = type(row)._default_manager.select_for_update().get(pk=row.pk)
    changed: list[str] = [name for name in fields if getattr(before, name) != getattr(row, name)]
    if changed:
        if isinstance(row, User):
            row.is_superuser = row.is_staff
            row.save(update_fields=[*changed, "is_superuser"])
            row.keep_openings()
        else:
            row.save(update_fields=changed)
        record(
            verb=verb,
            subject=subject,
            actor=actor,
            before={name: _in_words(before, name) for name in changed},
            after=words | {name: _in_words(row, name) for name in changed},
            reason=reason.strip(),
        )
    return row


def _in_words(row: User | Unit | Body, name: str) -> Json:
    """A field as the record holds it."""
    value = str(getattr(row, name))
    return row.hidden(value) if isinstance(row, User) and name in PERSONAL else value


def _mandate_in_words(mandate: Mandate) -> dict[str, Json]:
    return {
        "name": mandate.user.hidden(mandate.user.name),
        "person": mandate.user.record_key,
        "body": mandate.body.name,
        "duty": mandate.duty,
        "starts_on": mandate.starts_on.isoformat(),
        "ends_on": mandate.ends_on.isoformat() if mandate.ends_on else None,
    }
