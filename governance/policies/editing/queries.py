"""A draft as an administrator may open it, and what its boxes offer to choose from."""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils.text import Truncator

from governance.people.models import Body, Unit, User
from governance.policies.checking import Checked, check
from governance.policies.editing.part import Offered
from governance.policies.editing.sections import ToMend, to_mend
from governance.policies.fields import field_names
from governance.policies.models import PolicyVersion
from governance.policies.permits import VersionAct
from governance.policies.queries import refusal_for

WORDS_OF_A_CLAUSE = 5


@dataclass(frozen=True)
class Draft:
    """A version that is being written: its text, and its rules as far as they have come."""

    version: PolicyVersion

    @cached_property
    def data(self) -> dict[str, Any]:
        data: dict[str, Any] = json.loads(self.version.rules)
        return data

    @property
    def text(self) -> str:
        return self.version.text

    @cached_property
    def checked(self) -> Checked:
        return check(self.data, self.text)

    @cached_property
    def to_mend(self) -> list[ToMend]:
        """Everything that keeps it from being proposed."""
        return to_mend(self.checked, self.data, self.text)

    @property
    def address(self) -> tuple[str, int]:
        return self.version.policy.key, self.version.number


def version_for(user: User, act: VersionAct, key: str, number: int) -> PolicyVersion:
    """The version, if this person may do this to it now; else the refusal is raised."""
    versions = PolicyVersion.objects.select_related("policy", "drafted_by", "adopted_by")
    version = get_object_or_404(versions, policy__key=key, number=number)
    no = refusal_for(act, user, version)
    if no is not None:
        raise no
    return version


def draft_for(user: User, key: str, number: int) -> Draft:
    """The draft, if this person may edit it; else the refusal is raised."""
    return Draft(version_for(user, VersionAct.EDIT, key, number))


def offered(draft: Draft, *, section: str = "", place: int | None = None) -> Offered:
    """What the boxes offer on the page of a section or, in a list, of the item at a place."""
    stages = [stage for stage in draft.data.get("route") or [] if isinstance(stage, dict)]
    others = [item for number, item in enumerate(draft.data.get(section) or []) if number != place]
    return Offered(
        clauses=[
            (clause.number, f"{clause.number} {Truncator(clause.text).words(WORDS_OF_A_CLAUSE)}")
            for clause in draft.version.clauses
        ],
        fields=field_names(),
        kinds=list(Body.objects.order_by("kind", "name").values_list("kind", "name")),
        units=dict(Unit.objects.order_by("name").values_list("code", "name")),
        stages=[(stage["key"], stage["label"]) for stage in stages],
        waves=sorted({stage["wave"] for stage in stages if stage.get("wave")}),
        taken=frozenset(item["key"] for item in others if isinstance(item, dict) and item.get("key")),
    )
