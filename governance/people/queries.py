"""Who sits where, answered by body so that it costs the same whatever the size of the archive."""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet

from governance.people.duties import ALLOWS, Duty, Right, duties_that_allow
from governance.people.models import Body, Mandate, Unit, User


@dataclass(frozen=True)
class Seat:
    """A body on which a person holds rights today."""

    body_id: int
    code: str
    name: str
    kind: str
    unit_id: int
    rights: frozenset[Right]


@dataclass(frozen=True)
class Holdings:
    """Everything a person may do today, body by body: few rows, whatever the size of the archive."""

    seats: tuple[Seat, ...] = ()

    def bodies(self, right: Right) -> frozenset[int]:
        """The keys of the bodies on which the person holds a right."""
        return frozenset(seat.body_id for seat in self.seats if right in seat.rights)

    def units(self, right: Right) -> frozenset[int]:
        """The keys of the units on one of whose bodies the person holds a right."""
        return frozenset(seat.unit_id for seat in self.seats if right in seat.rights)

    def kinds(self, right: Right) -> frozenset[str]:
        """The kinds of the bodies on which the person holds a right."""
        return frozenset(seat.kind for seat in self.seats if right in seat.rights)

    def rights_on(self, body_id: int) -> frozenset[Right]:
        return next((seat.rights for seat in self.seats if seat.body_id == body_id), frozenset())


def holdings(user: User) -> Holdings:
    """What a person holds today: guardian's grants, as far as a mandate in force still carries them. One query.

    Both must say so: the grant is what guardian was told, the mandate is why, and yesterday's last day ends it today
    even if nobody has told guardian yet. Being a superuser gives nothing here.
    """
    if not user.is_active:
        return Holdings()
    held: dict[int, Seat] = {}
    # The filter and the columns share one join, so each row is one mandate beside one grant on its body.
    rows = (
        Mandate.objects.in_force()
        .filter(user=user, body__grants__user=user, body__grants__permission__codename__in=list(Right))
        .order_by("body__name")
    )
    for pk, code, name, kind, unit_id, duty, granted in rows.values_list(
        "body",
        "body__code",
        "body__short_name",
        "body__kind",
        "body__unit",
        "duty",
        "body__grants__permission__codename",
    ):
        rights = ALLOWS[Duty(duty)] & {Right(granted)}
        if pk in held:
            rights |= held[pk].rights
        held[pk] = Seat(body_id=pk, code=code, name=name, kind=kind, unit_id=unit_id, rights=rights)
    return Holdings(tuple(held.values()))


def bodies_where(user: User, right: Right) -> QuerySet[Body]:
    """The bodies on which a person holds a right today."""
    return Body.objects.filter(pk__in=holdings(user).bodies(right))


def find_body(kind: str, unit: Unit | None) -> Body | None:
    """The body of a kind that serves a unit: the nearest one up the tree; without a unit, the only one of its kind."""
    bodies = list(Body.objects.filter(kind=kind))
    if unit is None:
        return bodies[0] if len(bodies) == 1 else None
    by_unit = {body.unit_id: body for body in bodies}
    return next((by_unit[ancestor.pk] for ancestor in unit.lineage() if ancestor.pk in by_unit), None)


def holders(body: Body, right: Right) -> QuerySet[User]:
    """The people who hold a right on a body today, by name."""
    mandated = Mandate.objects.in_force().filter(body=body, duty__in=duties_that_allow(right), user=OuterRef("pk"))
    return User.objects.filter(Exists(mandated), is_active=True).order_by("name")
