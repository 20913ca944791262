"""What was law on a day, and who sat where: the version of each policy in force, bodies and mandates, and what is
different today.

Example: "On 15 March 2024 version 1 was in force and William Ashdown chaired Senate; today Amara Nwosu does." Six
queries, whatever there is.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from django.db.models import Min, Q
from django.utils import timezone

from governance import clock
from governance.audit.models import Event, named
from governance.audit.queries import open_together
from governance.audit.verbs import Verb
from governance.dates import midnight
from governance.people.duties import Duty
from governance.people.models import Body, Mandate
from governance.policies.models import PolicyVersion
from governance.policies.states import LAW

# Those who preside and decide stand before those who advise.
ORDER: Final = (Duty.CHAIR, Duty.OFFICER, Duty.REVIEWER, Duty.MEMBER, Duty.SECRETARY, Duty.OBSERVER, Duty.PROPOSER)
SUBJECT_OF_BODY: Final = "body/"
FIRST_DAY: Final = date(1900, 1, 1)
LAST_DAY: Final = date(2199, 12, 31)


@dataclass(frozen=True)
class Seat:
    """A person with a duty on a body: named as today, with what they were called on the day where the record shows
    another name or title."""

    person: str
    title: str
    duty: Duty
    starts_on: date
    ends_on: date | None
    name_then: str = ""
    title_then: str = ""
    then: bool = True
    today: bool = True


@dataclass(frozen=True)
class BodyOnDay:
    """A body with everybody who held a duty on it on the day, or holds one today."""

    code: str
    name: str
    seats: tuple[Seat, ...] = ()
    name_then: str = ""
    only_proposes: bool = False

    @property
    def then(self) -> tuple[Seat, ...]:
        return tuple(seat for seat in self.seats if seat.then)

    @property
    def gone(self) -> tuple[Seat, ...]:
        """Who held a duty that day that they do not hold today."""
        return tuple(seat for seat in self.seats if not seat.today)

    @property
    def others(self) -> tuple[Seat, ...]:
        """Who holds a duty today that they did not hold that day."""
        return tuple(seat for seat in self.seats if not seat.then)


@dataclass(frozen=True)
class PolicyOnDay:
    """A policy with its version of the day, if it had one; the versions that began after the day, as far as they were
    adopted; and the one in force today."""

    key: str
    title: str
    version: PolicyVersion | None
    later: tuple[PolicyVersion, ...]
    today: PolicyVersion | None

    @property
    def last_day(self) -> date | None:
        """The last day of the version of the day; None while no other was adopted to follow it."""
        return self.later[0].effective_from - timedelta(days=1) if self.version and self.later else None


@dataclass(frozen=True)
class AtADate:
    """The rules and the mandates of a day. `record_began` is the day of the first event on record."""

    day: date
    today: date
    record_began: date | None
    policies: tuple[PolicyOnDay, ...]
    bodies: tuple[BodyOnDay, ...]
    set_up_since: tuple[BodyOnDay, ...] = ()

    @property
    def is_past(self) -> bool:
        return self.day < self.today

    @property
    def is_to_come(self) -> bool:
        return self.day > self.today

    @property
    def is_before_the_record(self) -> bool:
        return self.record_began is None or self.day < self.record_began

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all is known of the day."""
        return not self.bodies and not any(policy.version for policy in self.policies)

    @property
    def sitting(self) -> list[BodyOnDay]:
        return [body for body in self.bodies if not body.only_proposes]

    @property
    def proposing(self) -> list[BodyOnDay]:
        """The bodies on which nobody does more than propose: often long lists."""
        return [body for body in self.bodies if body.only_proposes]

    @property
    def gone(self) -> int:
        return sum(len(body.gone) for body in self.bodies)

    @property
    def others(self) -> int:
        return sum(len(body.others) for body in (*self.bodies, *self.set_up_since))

    @property
    def is_as_today(self) -> bool:
        """Whether the same rules and the same mandates hold today."""
        return (
            not self.gone
            and not self.others
            and not self.set_up_since
            and all(policy.version == policy.today for policy in self.policies)
        )


def at_a_date(day: date) -> AtADate:
    """The rules and mandates of a day, beside those of today.

    Mandates are those whose dates hold the day, whenever they were entered; a body that was set up later is left out.
    """
    since = Event.objects.filter(at__gte=midnight(day + timedelta(days=1)))
    first = Event.objects.aggregate(at=Min("at"))["at"]
    created = since.filter(verb=Verb.BODY_CREATED).values_list("subject", flat=True)
    set_up_later = {subject.removeprefix(SUBJECT_OF_BODY) for subject in created}
    known_as = _known_as(since.filter(verb__in=[Verb.PERSON_CHANGED, Verb.BODY_CHANGED]).order_by("id"))
    bodies = _bodies(day, known_as)
    return AtADate(
        day=day,
        today=clock.today(),
        record_began=timezone.localdate(first) if first else None,
        policies=_policies(day),
        bodies=tuple(body for body in bodies if body.code not in set_up_later),
        set_up_since=tuple(_new(body) for body in bodies if body.code in set_up_later),
    )


def _new(body: BodyOnDay) -> BodyOnDay:
    """A body that was not there on the day, with those who sit on it today, also by a mandate that reaches back."""
    return replace(body, seats=tuple(replace(seat, then=False) for seat in body.seats if seat.today))


def _policies(day: date) -> tuple[PolicyOnDay, ...]:
    versions = (
        PolicyVersion.objects.filter(status__in=LAW)
        .select_related("policy")
        .defer("text", "rules", "source")
        .order_by("policy__title", "policy", "effective_from")
    )
    by_policy: dict[int, list[PolicyVersion]] = {}
    for version in versions:
        by_policy.setdefault(version.policy_id, []).append(version)
    return tuple(
        PolicyOnDay(
            key=law[0].policy.key,
            title=law[0].policy.title,
            version=_in_force(law, day),
            later=tuple(version for version in law if version.effective_from > day),
            today=_in_force(law, clock.today()),
        )
        for law in by_policy.values()
    )


def _in_force(versions: Iterable[PolicyVersion], day: date) -> PolicyVersion | None:
    begun = [version for version in versions if version.effective_from <= day]
    return begun[-1] if begun else None


KnownAs = dict[tuple[str, str], str]


def _known_as(changes: Iterable[Event]) -> KnownAs:
    """What people and bodies were called before the first of these changes, by subject and field."""
    known: KnownAs = {}
    for change in open_together(changes):
        for name, before in (change.facts["before"] or {}).items():
            known.setdefault((change.subject, name), str(change.opened(before)))
    return known


def _bodies(day: date, known_as: KnownAs) -> list[BodyOnDay]:
    mandates = Mandate.objects.filter(_holds(day) | _holds(clock.today())).select_related("user")
    by_body: dict[int, list[Mandate]] = {}
    for mandate in mandates:
        by_body.setdefault(mandate.body_id, []).append(mandate)
    bodies = []
    for body in Body.objects.order_by("name"):
        seats = _seats(day, by_body.get(body.pk, []), known_as)
        then = known_as.get((f"{SUBJECT_OF_BODY}{body.code}", "name"), "")
        bodies.append(
            BodyOnDay(
                code=body.code,
                name=body.name,
                seats=seats,
                name_then=then if then != body.name else "",
                only_proposes=bool(seats) and all(seat.duty is Duty.PROPOSER for seat in seats),
            )
        )
    return bodies


def _holds(day: date) -> Q:
    return Q(starts_on__lte=day) & (Q(ends_on=None) | Q(ends_on__gte=day))


def _seats(day: date, mandates: Collection[Mandate], known_as: KnownAs) -> tuple[Seat, ...]:
    """One seat for each person and duty: who held it that day and holds it today, by the same mandate or another."""
    held_then = {_who(mandate): mandate for mandate in mandates if _covers(mandate, day)}
    held_today = {_who(mandate): mandate for mandate in mandates if _covers(mandate, clock.today())}
    seats = []
    for who, mandate in (held_today | held_then).items():
        user = mandate.user
        earlier = known_as if user.erased_at is None else {}
        name, title = (earlier.get((user.record_key, field), "") for field in ("name", "title"))
        seats.append(
            Seat(
                person=named(user.name),
                title=user.title,
                duty=Duty(mandate.duty),
                starts_on=mandate.starts_on,
                ends_on=mandate.ends_on,
                name_then=name if name != user.name else "",
                title_then=title if title != user.title else "",
                then=who in held_then,
                today=who in held_today,
            )
        )
    return tuple(sorted(seats, key=lambda seat: (ORDER.index(seat.duty), seat.person)))


def _who(mandate: Mandate) -> tuple[int, str]:
    return mandate.user_id, mandate.duty


def _covers(mandate: Mandate, day: date) -> bool:
    return mandate.starts_on <= day and (mandate.ends_on is None or mandate.ends_on >= day)
