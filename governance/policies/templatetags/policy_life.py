"""What a person may do with a version, for the page that shows it: one button an act, derived from `permits`; and where
a fault of a draft is mended."""

import json
from dataclasses import dataclass

from django import template
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from governance.people.models import User
from governance.policies.models import PolicyVersion
from governance.policies.permits import PUBLIC, VersionAct
from governance.policies.queries import refusal_for
from governance.policies.soundness import Fault
from governance.policies.states import VersionStatus
from governance.refusals import NotPermitted

register = template.Library()


@dataclass(frozen=True)
class Offer:
    """An act that is offered: where its button leads, and what it says."""

    act: str
    address: str
    words: str | Promise


_PAGES = {
    VersionAct.EDIT: ("policy-edit", _("Edit the draft")),
    VersionAct.PROPOSE: ("policy-check", _("Check and propose…")),
    VersionAct.ADOPT: ("policy-adopt", _("Record its adoption…")),
    VersionAct.TAKE_BACK: ("policy-take-back", _("Take it back…")),
    VersionAct.WITHDRAW: ("policy-withdraw", _("Withdraw it…")),
}


@register.simple_tag
def mending_page(version: PolicyVersion, fault: Fault) -> str:
    """Where in a draft a fault is mended: the page of its stage; nothing where it is of none, or no draft any more."""
    if version.status != VersionStatus.DRAFT or not fault.stage:
        return ""
    keys = [stage["key"] for stage in json.loads(version.rules)["route"]]
    return reverse("policy-edit-item", args=[version.policy.key, version.number, "route", keys.index(fault.stage) + 1])


@register.simple_tag
def offers_on(version: PolicyVersion, person: User) -> list[Offer]:
    """The acts that are possible now. One that only this administrator may not do is offered too, and explains why."""
    if not person.is_staff:
        return []
    offers = []
    for act, (page, words) in _PAGES.items():
        no = refusal_for(act, person, version)
        if no is None or isinstance(no, NotPermitted):
            offers.append(Offer(act, reverse(page, args=[version.policy.key, version.number]), words))
    if version.status in PUBLIC:
        address = reverse("policy-next", args=[version.policy.key, version.number])
        offers.append(Offer("next", address, _("Draft the next version…")))
    return offers
