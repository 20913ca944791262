"""The only place that changes a draft: start it, save a section, attach or take out a file. Submitting it is
`review.actions`."""

import hashlib
from collections.abc import Mapping
from io import BytesIO
from typing import Any, BinaryIO, cast

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils.translation import gettext as _

from governance import clock
from governance.audit.actions import Actor, record, take_number
from governance.audit.canonical import Json
from governance.audit.models import Event
from governance.audit.verbs import Verb
from governance.people.duties import Right
from governance.people.models import Unit, User
from governance.people.queries import holdings
from governance.policies.vocabulary import Action
from governance.refusals import Incomplete, NotPermitted, NotPossible, Stale
from workflows.proposals.attachments import check_upload
from workflows.proposals.content import SECTIONS, Summary
from workflows.proposals.models import Attachment, DraftSection, Look, Proposal
from workflows.proposals.queries import access_subject


@transaction.atomic
def create_proposal(*, actor: User, unit: Unit, action: str = Action.NEW, title: str = "") -> Proposal:
    """Start a draft that only its author sees. Raises NotPermitted without the duty to propose for the unit today."""
    if unit.pk not in holdings(actor).units(Right.PROPOSE):
        raise NotPermitted(_("You hold no duty today that lets you propose for %(unit)s.") % {"unit": unit.name})
    moment = clock.now()
    year = clock.today().year
    proposal = Proposal.objects.create(
        reference=f"MC-{year}-{take_number(f'MC-{year}'):04d}",
        action=Action(action),
        title=title,
        unit=unit,
        author=actor,
        since=moment,
        created_at=moment,
    )
    for key, (_label, part) in SECTIONS.items():
        first = Summary(title=title, contact_name=actor.name, contact_email=actor.email) if part is Summary else part()
        DraftSection.objects.create(proposal=proposal, key=key, data=first.model_dump(mode="json"))
    # Without the title: until it is sent, what a draft says is its author's alone, and an event is for good.
    note(proposal, Verb.PROPOSAL_CREATED, actor.as_actor(), {"unit": unit.code, "action": proposal.action})
    return proposal


@transaction.atomic
def save_section(*, actor: User, proposal: Proposal, section: str, data: dict[str, Any], seen: int) -> DraftSection:
    """Save one section of the draft, typed and checked; a draft is private, so this is not in the record.

    `seen` is the version of the section that the person was shown. Raises Stale when somebody saved it since (the
    caller still has what was typed), NotPermitted and NotPossible as `locked_draft`, and pydantic's ValidationError for
    data that the content document cannot hold.
    """
    proposal = locked_draft(actor=actor, proposal=proposal)
    draft = DraftSection.objects.select_for_update().get(proposal=proposal, key=section)
    part = SECTIONS[section][1].model_validate(data)
    clean = part.model_dump(mode="json")
    if clean == draft.data:
        return draft
    if draft.version != seen:
        raise Stale(_("This section was saved elsewhere since you opened it."))
    draft.data, draft.version = clean, draft.version + 1
    draft.saved_at, draft.saved_by = clock.now(), actor
    draft.save()
    if isinstance(part, Summary):
        proposal.title, proposal.kind, proposal.level = part.title, part.kind, part.level
        proposal.save(update_fields=["title", "kind", "level"])
    return draft


@transaction.atomic
def attach(*, actor: User, proposal: Proposal, name: str, file: BinaryIO, confidential: bool = False) -> Attachment:
    """Attach a file to the draft and keep its bytes under their digest; the same file twice is attached once.

    Every reading of a confidential one by somebody else is recorded. Raises Incomplete with the sentence for the field
    when the file's type or size is not accepted, or when it is attached already, but not as confidential.
    """
    upload = check_upload(name=name, file=file)
    proposal = locked_draft(actor=actor, proposal=proposal)
    digest = hashlib.file_digest(cast(BytesIO, file), "sha256").hexdigest()
    existing = proposal.attachments.filter(digest=digest, removed_at=None).first()
    if existing is not None and confidential and not existing.confidential:
        sentence = _("This file is attached already. Remove it first, then attach it as confidential.")
        raise Incomplete(sentence, {"file": sentence})
    if existing is not None:
        return existing
    attachment = Attachment(
        proposal=proposal,
        digest=digest,
        name=upload.name,
        size=upload.size,
        media_type=upload.media_type,
        confidential=confidential,
        added_by=actor,
        added_at=clock.now(),
    )
    # Held, so that a disposal which deletes the same file elsewhere comes before or after, not in between.
    list(Attachment.objects.select_for_update().filter(digest=digest))
    if not default_storage.exists(attachment.stored_name):
        file.seek(0)
        default_storage.save(attachment.stored_name, File(file))
    attachment.save()
    _note_file(Verb.ATTACHMENT_ADDED, actor, attachment)
    return attachment


@transaction.atomic
def remove_attachment(*, actor: User, proposal: Proposal, digest: str) -> None:
    """Take a file out of the draft. Its bytes stay, because an earlier submission may hold it."""
    proposal = locked_draft(actor=actor, proposal=proposal)
    attachment = proposal.attachments.filter(digest=digest, removed_at=None).first()
    if attachment is None:
        raise NotPossible(_("This file is not in the draft any more."))
    attachment.removed_at = clock.now()
    attachment.save(update_fields=["removed_at"])
    _note_file(Verb.ATTACHMENT_REMOVED, actor, attachment)


@transaction.atomic
def note_reading(*, actor: User, attachment: Attachment) -> Event:
    """Record that somebody read a confidential file, in a stream beside the proposal's own.

    Readers wait for each other a moment, so that each has a number of its own.
    """
    subject = access_subject(attachment.proposal)
    return record(
        verb=Verb.ATTACHMENT_READ,
        subject=subject,
        actor=actor.as_actor(),
        after={"name": attachment.name, "digest": attachment.digest},
        sequence=take_number(subject),
    )


def look(*, user: User, proposal: Proposal) -> None:
    """Remember how far a person has seen the proposal; housekeeping, not part of the record."""
    Look.objects.update_or_create(
        proposal=proposal,
        user=user,
        defaults={
            "revision_number": proposal.revision_number,
            "version": proposal.version,
            "at": clock.now(),
        },
    )


def locked(proposal: Proposal) -> Proposal:
    """The proposal's row, locked until the transaction ends, with what every act reads of it."""
    return (
        Proposal.objects.select_for_update(of=("self",))
        .select_related("unit__parent__parent", "policy_version__policy")
        .get(pk=proposal.pk)
    )


def locked_draft(*, actor: User, proposal: Proposal) -> Proposal:
    """The locked proposal, if its author may write in it now. Raises NotPossible and NotPermitted."""
    proposal = locked(proposal)
    if not proposal.with_author:
        raise NotPossible(
            _("A proposal that is %(state)s cannot be edited.") % {"state": proposal.get_state_display().lower()}
        )
    if proposal.author_id != actor.pk:
        raise NotPermitted(_("Only the author of a proposal may do this."))
    return proposal


def note(proposal: Proposal, verb: Verb, actor: Actor, after: Mapping[str, Json]) -> Event:
    """Append an event to the stream of a locked proposal and keep its lock version at the last of them."""
    event = record(verb=verb, subject=proposal.subject, actor=actor, after=after, sequence=proposal.version + 1)
    proposal.version = event.sequence
    proposal.save(update_fields=["version"])
    return event


def _note_file(verb: Verb, actor: User, attachment: Attachment) -> None:
    note(attachment.proposal, verb, actor.as_actor(), attachment.as_json())
