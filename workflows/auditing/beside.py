"""Compares with the events what pages show and no export holds: what commitments open to, and attached files' rows."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import islice
from typing import Any

from governance.audit.models import Event, PersonalDatum
from governance.audit.personal import commitment
from governance.audit.verbs import Verb
from governance.audit.verifier import Report
from governance.people.models import User
from workflows.auditing.source import CHUNK
from workflows.proposals.models import Attachment


def look_at_openings(report: Report) -> None:
    """See that what is kept as the name, title or address behind a commitment is what was committed to."""
    salts = {f"person/{pk}": bytes(salt) for pk, salt in User.objects.values_list("pk", "salt")}
    for kept in PersonalDatum.objects.order_by("pk").iterator(chunk_size=CHUNK):
        salt = salts.get(kept.person, b"")
        if not salt or commitment(salt, kept.value) != kept.commitment:
            report.fails("people", f"What is kept of {kept.person} as “{kept.value}” is not what its commitment hides.")


def look_at_attachments(report: Report) -> None:
    """See that each row of an attached file says what the event that added it said, and was removed by an event."""
    rows = Attachment.objects.select_related("proposal").order_by("proposal_id", "pk").iterator(chunk_size=CHUNK)
    while page := list(islice(rows, CHUNK)):
        added, removed = _told({row.proposal.subject for row in page})
        for row in page:
            key = (row.proposal.subject, row.digest)
            what = f"{row.proposal.reference}: the file “{row.name}” ({row.digest[:16]}…)"
            if row.as_json() not in added[key]:
                report.fails("attachments", f"{what} is in the table, and no event added it so.")
            elif row.removed_at is not None and not removed[key]:
                report.fails("attachments", f"{what} was removed by the table, and by no event.")
            elif row.removed_at is None and removed[key] >= len(added[key]):
                report.fails("attachments", f"{what} was removed by an event, and not by the table.")


def _told(subjects: set[str]) -> tuple[defaultdict[tuple[str, str], list[Any]], Counter[tuple[str, str]]]:
    """What events of these streams said of each file when it was added, and how often it was removed."""
    added: defaultdict[tuple[str, str], list[Any]] = defaultdict(list)
    removed: Counter[tuple[str, str]] = Counter()
    for event in _events(subjects):
        after = event.facts["after"]
        if event.verb == Verb.ATTACHMENT_ADDED:
            added[event.subject, after["digest"]].append(after)
        else:
            removed[event.subject, after["digest"]] += 1
    return added, removed


def _events(subjects: set[str]) -> Iterator[Event]:
    verbs = [Verb.ATTACHMENT_ADDED, Verb.ATTACHMENT_REMOVED]
    return Event.objects.filter(subject__in=subjects, verb__in=verbs).iterator(chunk_size=CHUNK)
