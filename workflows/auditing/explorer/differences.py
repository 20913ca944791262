"""What an event says changed, field by field, in words where there are any.

Example: "State: In review, then Returned for changes".
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import TextChoices
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from governance.audit.canonical import canonical_bytes
from governance.audit.models import ERASED, Event
from governance.audit.personal import HIDDEN, is_hidden
from governance.audit.verbs import Verb
from governance.dates import in_full
from governance.people.duties import Duty
from governance.people.kinds import UnitKind
from governance.policies.vocabulary import Action, Effect, Outcome
from governance.site.templatetags.assent import moment
from workflows.auditing.explorer.kinds import FIELDS
from workflows.proposals.content import SECTIONS
from workflows.proposals.display import FILES, label_of
from workflows.proposals.models import Audience
from workflows.proposals.states import State

# Fields whose values come from a closed list.
LISTS: Final[dict[str, type[TextChoices]]] = {
    "state": State,
    "outcome": Outcome,
    "effect": Effect,
    "duty": Duty,
    "audience": Audience,
    "action": Action,
    "kind": UnitKind,
}
DAYS: Final = {"starts_on", "ends_on", "effective_from"}
MOMENTS: Final = {"opened_at"}
SECTIONS_OF: Final = {"section", "changed_sections"}


@dataclass(frozen=True)
class Difference:
    """A field, and what it said before and after; empty where it said nothing."""

    label: str
    before: str
    after: str
    changed: bool


def differences(event: Event) -> list[Difference]:
    """Every field that the event says something of; those that changed come first."""
    before, after = (event.facts[side] or {} for side in ("before", "after"))
    found = [
        Difference(
            label=str(FIELDS.get(key, key)),
            before=_said(event, key, before),
            after=_said(event, key, after),
            changed=key in before and key in after and before[key] != after[key],
        )
        for key in sorted({*before, *after}, key=_place)
        if not all(_is_nothing(side.get(key)) for side in (before, after))
    ]
    return sorted(found, key=lambda one: not one.changed)


def _place(key: str) -> tuple[int, str]:
    """Fields with words stand in the order of those, others after them."""
    return (list(FIELDS).index(key) if key in FIELDS else len(FIELDS), key)


def _is_nothing(value: Any) -> bool:
    return value is None or value in ("", [])


def _said(event: Event, key: str, side: Mapping[str, Any]) -> str:
    return in_words(event, key, side[key]) if key in side else ""


def in_words(event: Event, key: str, value: Any) -> str:
    """One value of an event, as a reader understands it; what has no words stands as in the record."""
    if _is_nothing(value):
        return _("nothing")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if is_hidden(value):
        return event.openings.get(value[HIDDEN], _not_told(event))
    if isinstance(value, list):
        return "; ".join(in_words(event, key, each) for each in value)
    if isinstance(value, Mapping):
        return _named(value)
    return _word(key, value)


def _not_told(event: Event) -> str:
    """What stands for a commitment that nothing opens: a comment's words were never kept with the names."""
    return _("kept with the comment") if event.verb == Verb.COMMENT_ADDED else str(ERASED)


def _named(value: Mapping[str, Any]) -> str:
    """Something with parts, by its name if it has one; else as the record has it."""
    for key in ("label", "name", "text"):
        if isinstance(value.get(key), str):
            return str(value[key])
    return canonical_bytes(dict(value)).decode()


def _word(key: str, value: Any) -> str:
    if key in LISTS and value in LISTS[key].values:
        return str(LISTS[key](value).label)
    if key in SECTIONS_OF and (value in SECTIONS or value == FILES):
        return label_of(value)
    if key in DAYS and (day := parse_date(value)):
        return in_full(day)
    if key in MOMENTS and (at := parse_datetime(value)):
        return moment(at)
    return str(value)


def pretty(event: Event) -> str:
    """The sealed record, indented to be read. The bytes that were hashed are `event.body`."""
    return json.dumps(event.facts, indent=2, ensure_ascii=False)
