"""What let a person do what an event says, on that day: a mandate on the body, their own proposal, or administration.

Example: "Chair of Senate from 1 January 2020, given by The Registrar".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.utils import timezone
from django.utils.translation import gettext as _

from governance.audit.models import Event, named
from governance.audit.queries import events_of
from governance.audit.verbs import Verb
from governance.people.models import Mandate
from workflows.auditing.explorer.forms import SYSTEM
from workflows.proposals.models import Proposal


@dataclass(frozen=True)
class Held:
    """A mandate in force on the day, and the event that gave it where the record has it."""

    mandate: Mandate
    given: Event | None

    @property
    def giver(self) -> str:
        return named(self.given.actor_name) if self.given else ""


@dataclass(frozen=True)
class RightToAct:
    """Why the person could act, in sentences; the mandates on the body acted for, and the others of that day."""

    day: date
    reasons: tuple[str, ...]
    on_the_body: tuple[Held, ...]
    elsewhere: tuple[Mandate, ...]
    is_found: bool


def right_to_act(event: Event, proposal: Proposal | None) -> RightToAct:
    """What the record and the mandates say of the actor on the day of the event. At most three queries.

    Mandates are those whose dates hold the day, whenever they were entered.
    """
    day = timezone.localdate(event.at)
    if event.actor == SYSTEM:
        said = _("Assent did this by itself, as the policy or an earlier act says.")
        return RightToAct(day, (said,), (), (), is_found=True)
    number = event.actor.partition("/")[2]
    held = _mandates(int(number), day) if number.isdecimal() else []
    here = [mandate for mandate in held if event.body_code and mandate.body.code == event.body_code]
    reasons = []
    if proposal is not None and f"person/{proposal.author_id}" == event.actor:
        reasons.append(_("They are the author of the proposal."))
    if _administered(event):
        reasons.append(_("They were an administrator of Assent on that day."))
    return RightToAct(
        day=day,
        reasons=tuple(reasons),
        on_the_body=tuple(_with_givers(event, here)),
        elsewhere=tuple(mandate for mandate in held if mandate not in here),
        is_found=bool(reasons or here or (held and not event.body_code)),
    )


def _mandates(person: int, day: date) -> Sequence[Mandate]:
    return list(Mandate.objects.in_force(day).filter(user=person).select_related("body").order_by("body__name", "pk"))


def _administered(event: Event) -> bool:
    """Whether the actor was an administrator by what the record says of them before the event."""
    verbs = [Verb.PERSON_ADDED, Verb.PERSON_CHANGED]
    is_one = False
    for change in events_of(event.actor, verbs=verbs).filter(at__lte=event.at):
        after = change.facts["after"] or {}
        said = after.get("is_staff", after.get("administrator"))
        is_one = is_one if said is None else said in (True, "True")
    return is_one


def _with_givers(event: Event, mandates: Sequence[Mandate]) -> list[Held]:
    if not mandates:
        return []
    gifts = {}
    for gift in events_of(f"body/{event.body_code}", verbs=[Verb.MANDATE_GIVEN]):
        after = gift.facts["after"]
        gifts[after["person"], after["duty"], after["starts_on"]] = gift
    return [Held(one, gifts.get((event.actor, one.duty, one.starts_on.isoformat()))) for one in mandates]
