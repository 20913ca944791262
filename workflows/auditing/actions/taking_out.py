"""The record's note of what is taken out of it: a list as a file, or an export."""

from collections.abc import Mapping
from typing import Final

from django.db import transaction

from governance.audit.actions import Actor, record, take_number
from governance.audit.canonical import Json
from governance.audit.models import Event
from governance.audit.verbs import Verb
from governance.people.models import User

RECORD: Final = "record"


def note_taken_out(*, actor: Actor, after: Mapping[str, Json], reason: str = "") -> Event:
    """Put on record, in the caller's transaction, who takes out what `after` says."""
    # The number is locked until the end of the transaction, so that two at once do not write to one place.
    sequence = take_number(RECORD)
    return record(verb=Verb.RECORD_EXPORTED, subject=RECORD, actor=actor, after=after, reason=reason, sequence=sequence)


@transaction.atomic
def take_list_away(*, actor: User, scope: str, form: str) -> Event:
    """Put on record that a person took a list of events out of the house as a file of that form, such as "csv"."""
    return note_taken_out(actor=actor.as_actor(), after={"scope": scope, "form": form})
