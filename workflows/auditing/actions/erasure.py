"""Erasing a person's data, disposing of proposals whose time is over, and the legal holds that forbid both.

Nothing here touches an event, a hash or a proof: names stand in the record as commitments, and what they stood for is
destroyed beside it.
"""

from typing import Any, Final

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from governance import clock
from governance.audit.actions import record
from governance.audit.models import Event, PersonalDatum
from governance.audit.verbs import Verb
from governance.people.models import BodyUserObjectPermission, Mandate, User
from governance.refusals import Incomplete, NotPermitted, NotPossible, Stale
from workflows.auditing.actions import exports
from workflows.auditing.actions.exports import one_at_a_time
from workflows.auditing.erasing.plans import (
    DisposalPlan,
    ErasurePlan,
    digests_of,
    disposal_plan,
    drafts_of,
    erasure_plan,
    mails_about,
    names_them,
    searches_about,
    words_for,
)
from workflows.auditing.erasing.queries import open_hold_on
from workflows.auditing.models import Hold, SavedSearch
from workflows.notices import outbox
from workflows.notices.models import Delivery
from workflows.notices.outbox import Parcel
from workflows.proposals.actions import locked
from workflows.proposals.models import Attachment, Comment, DraftSection, Look, Proposal, Revision
from workflows.review.models import Decision

# An address that no mail can ever reach (RFC 2606), for a row that must have one of its own.
NOBODY: Final = "erased-{key}@invalid"


class CopiesLeft(Exception):
    """Others were reading the database file, so that old pages of it could not be cut off yet."""


# ---- legal holds


@transaction.atomic
def place_hold(*, actor: User, on: Proposal | User, reason: str) -> Hold:
    """Forbid that anything of a proposal or a person is erased or disposed of, until the hold is lifted.

    A hold has a stream of its own in the record, because why it was placed is not for everybody who may see the
    proposal. Raises NotPermitted to all but administrators, NotPossible while another one stands on it or where nothing
    is left to hold, Incomplete without a reason.
    """
    _check_administers(actor)
    one_at_a_time()
    subject, name = _held(on)
    if open_hold_on(subject) is not None:
        raise NotPossible(_("A legal hold stands on it already."))
    _check_said({"reason": (reason, _("Say why it is held"))})
    hold = Hold.objects.create(subject=subject, name=subject, reason=reason.strip(), placed_by=actor)
    record(
        verb=Verb.HOLD_PLACED,
        subject=f"hold/{hold.pk}",
        actor=actor.as_actor(),
        after={"subject": subject, "name": name},
        reason=hold.reason,
    )
    return hold


@transaction.atomic
def lift_hold(*, actor: User, hold: Hold, reason: str) -> Hold:
    """Lift a legal hold, with the reason. Raises NotPermitted, NotPossible and Incomplete as `place_hold` does."""
    _check_administers(actor)
    hold = Hold.objects.select_for_update().get(pk=hold.pk)
    if hold.lifted_at is not None:
        raise NotPossible(_("This legal hold was lifted already."))
    _check_said({"reason": (reason, _("Say why it is lifted"))})
    hold.lifted_at, hold.lifted_by, hold.reason_lifted = clock.now(), actor, reason.strip()
    hold.save(update_fields=["lifted_at", "lifted_by", "reason_lifted"])
    placed = Event.objects.get(subject=f"hold/{hold.pk}", sequence=1).facts["after"]
    record(
        verb=Verb.HOLD_LIFTED,
        subject=f"hold/{hold.pk}",
        actor=actor.as_actor(),
        after=placed,
        reason=hold.reason_lifted,
    )
    return hold


def _held(on: Proposal | User) -> tuple[str, Any]:
    """The stream of what is to be held, locked until the transaction ends, and its name as the record holds it."""
    if isinstance(on, Proposal):
        proposal = locked(on)
        if proposal.disposed_at is not None:
            raise NotPossible(_("The contents of this proposal were disposed of. Nothing is left to hold."))
        return proposal.subject, proposal.reference
    person = User.objects.select_for_update(of=("self",)).get(pk=on.pk)
    if person.erased_at is not None:
        raise NotPossible(_("The data of this person was erased. Nothing is left to hold."))
    return person.record_key, person.hidden(person.name)


# ---- erasing a person's data


@transaction.atomic
def erase(*, actor: User, person: User, authority: str, reason: str, plan_digest: str) -> ErasurePlan:
    """Destroy everything that says who a person was, and record under which law or request.

    Salt and openings go, so that nobody can show any more whom the record means; names, titles and addresses are
    emptied wherever they stand outside people's own words; the account ends. What they decided and wrote stays.

    Raises NotPermitted to all but another administrator; NotPossible for the first of the plan's hindrances; Stale when
    the plan of now is not the one of that digest; Incomplete without authority and reason, or where these name them.
    """
    one_at_a_time()
    # Both rows, in the order of their keys, so that two administrators who erase each other come one after the other.
    rows = User.objects.select_for_update(of=("self",)).filter(pk__in=[actor.pk, person.pk]).order_by("pk")
    both = {row.pk: row for row in rows}
    actor, person = both[actor.pk], both[person.pk]
    _check_administers(actor)
    if actor.pk == person.pk:
        raise NotPermitted(_("Nobody erases their own data here. Another administrator must do it."))
    plan = erasure_plan(person)
    if plan.hindrances:
        raise NotPossible(plan.hindrances[0])
    if plan.digest != plan_digest:
        raise Stale(_("Something of theirs changed since you looked, so nothing was erased. Look again."))
    _check_said(
        {
            "authority": (authority, _("Say under which law or on whose request")),
            "reason": (reason, _("Say why it is erased")),
        }
    )
    _check_names_nobody(person, {"authority": authority, "reason": reason})
    _overwrite_what_is_deleted()
    key = person.record_key
    files = digests_of(list(drafts_of(person)))
    _empty_mails(person)
    _empty_names(person)
    DraftSection.objects.filter(proposal__in=drafts_of(person)).delete()
    drafts_of(person).update(title="")
    SavedSearch.objects.filter(pk__in=[search.pk for search in searches_about(person)]).delete()
    for kind in (Look, BodyUserObjectPermission):
        kind._default_manager.filter(user=person).delete()
    _forget_notes_of_administration(person)
    _end_sessions(person)
    PersonalDatum.objects.filter(person=key).delete()
    exports.give_up_failed()
    _empty_account(person)
    record(
        verb=Verb.PERSON_ERASED,
        subject=key,
        actor=actor.as_actor(),
        after={"person": key, "authority": authority.strip(), "emptied": plan.emptied.as_json()},
        reason=reason.strip(),
    )
    outbox.queue_all([*_parcels_for(files), Parcel("auditing.leave_no_copies", f"erased:{key}", {})])
    return plan


def _empty_names(person: User) -> None:
    Event.objects.filter(actor=person.record_key).exclude(actor_name="").update(actor_name="")
    Decision.objects.filter(by=person).exclude(by_name="").update(by_name="", by_title="")
    Revision.objects.filter(submitted_by=person).exclude(submitted_by_name="").update(submitted_by_name="")
    Comment.objects.filter(author=person).exclude(author_name="").update(author_name="", author_title="")


def _empty_mails(person: User) -> None:
    """Empty mails to a person, and mails to others that name them. What waits to be sent to them is not sent."""
    to_them, to_others = mails_about(person)
    for mail in [*to_them, *to_others]:
        to = "" if mail in to_them else mail.payload["to"]
        mail.payload = {"key": mail.payload["key"], "to": to, "subject": "", "text": ""}
        # One that was given up is over too: trying it again would send a mail without a word.
        mail.last_error, mail.leased_until, mail.failed_at = "", None, None
        mail.done_at = mail.done_at or clock.now()
        mail.save(update_fields=["payload", "last_error", "leased_until", "failed_at", "done_at"])
        Delivery.objects.filter(outbox=mail).update(to=to, subject="")


def _forget_notes_of_administration(person: User) -> None:
    """Django's administration keeps a note of each change, with the name of what was changed."""
    mandates = [str(pk) for pk in Mandate.objects.filter(user=person).values_list("pk", flat=True)]
    kinds = ContentType.objects.get_for_models(User, Mandate)
    about = Q(content_type=kinds[User], object_id=str(person.pk))
    LogEntry.objects.filter(about | Q(content_type=kinds[Mandate], object_id__in=mandates)).delete()


def _end_sessions(person: User) -> None:
    for session in Session.objects.all().iterator():
        if session.get_decoded().get("_auth_user_id") == str(person.pk):
            session.delete()


def _empty_account(person: User) -> None:
    person.name = person.title = ""
    person.email = NOBODY.format(key=person.pk)
    person.unit = None
    person.salt = b""
    person.is_active = person.is_staff = person.is_superuser = False
    person.last_login = None
    person.erased_at = clock.now()
    person.set_unusable_password()
    person.save()


def _check_names_nobody(person: User, said: dict[str, str]) -> None:
    """What is recorded of an erasure stays for good, so it must not say whom it erased."""
    known = words_for(person)
    gaps = {
        field: _("Leave out their name and address: these words stay in the record")
        for field, words in said.items()
        if names_them(known, words)
    }
    if gaps:
        raise Incomplete(_("The record of an erasure must not name whom it erased."), gaps)


# ---- disposing of a proposal whose time is over


@transaction.atomic
def dispose(*, actor: User, proposal: Proposal, authority: str, reason: str, plan_digest: str) -> DisposalPlan:
    """Empty what an ended proposal said: submissions, notes, comments and draft; its files are deleted.

    Decisions with their reasons and conditions, memos and every event stay: they are the record, and they still verify.

    Raises NotPermitted to all but administrators; NotPossible for the first of the plan's hindrances; Stale when the
    plan of now is not the one of that digest; Incomplete without authority and reason.
    """
    one_at_a_time()
    proposal = locked(proposal)
    _check_administers(actor)
    # A hold on its author is placed under the lock of that row.
    User.objects.select_for_update(no_key=True, of=("self",)).get(pk=proposal.author_id)
    plan = disposal_plan(proposal)
    if plan.hindrances:
        raise NotPossible(plan.hindrances[0])
    if plan.digest != plan_digest:
        raise Stale(_("Something of the proposal changed since you looked, so nothing was disposed of. Look again."))
    _check_said(
        {
            "authority": (authority, _("Say under which rule or on whose request")),
            "reason": (reason, _("Say why it is disposed of")),
        }
    )
    _overwrite_what_is_deleted()
    Revision.objects.filter(proposal=proposal).update(content_text="", note="")
    Comment.objects.filter(proposal=proposal).update(text="")
    DraftSection.objects.filter(proposal=proposal).delete()
    exports.give_up_failed()
    assert proposal.policy_version is not None and proposal.current_revision is not None
    event = record(
        verb=Verb.PROPOSAL_DISPOSED_OF,
        subject=proposal.subject,
        actor=actor.as_actor(),
        policy_version=proposal.policy_version.label,
        revision=proposal.current_revision.mark,
        after={"authority": authority.strip(), "emptied": plan.contents.as_json()},
        reason=reason.strip(),
        sequence=proposal.version + 1,
    )
    proposal.version, proposal.disposed_at = event.sequence, event.at
    proposal.save(update_fields=["version", "disposed_at"])
    outbox.queue_all(
        [
            *_parcels_for(digests_of([proposal])),
            Parcel("auditing.leave_no_copies", f"disposed:{proposal.reference}", {}),
        ]
    )
    return plan


# ---- what is left to do once it is committed


@transaction.atomic
def discard_file(*, digest: str) -> bool:
    """Delete an attached file, unless a proposal that still has its contents holds the same one. Safe to repeat.

    Returns whether it is gone. Whoever attaches the same file locks the same rows, and finds it there or puts it back.
    """
    attached = Attachment.objects.filter(digest=digest)
    list(attached.select_for_update())
    # Read after the lock: somebody may have attached it while we waited.
    attached = attached.select_related("proposal__author")
    if any(_still_holds(each) for each in attached):
        return False
    if attached:
        default_storage.delete(attached[0].stored_name)
    return True


def _still_holds(file: Attachment) -> bool:
    proposal = file.proposal
    never_sent_and_erased = not proposal.revision_number and proposal.author.erased_at is not None
    return proposal.disposed_at is None and not never_sent_and_erased


@transaction.atomic
def empty_names_again() -> None:
    """Empty the names of erased people where an act of theirs that was under way wrote them since. Safe to repeat."""
    for person in User.objects.exclude(erased_at=None):
        _empty_names(person)


def leave_no_copies() -> None:
    """Remove exports that are kept, which hold what was erased, and see that no page of SQLite's files does.

    Run by the worker, and safe to repeat.

    PostgreSQL clears dead rows by its own VACUUM. Raises CopiesLeft where others were reading, and OperationalError
    where they were writing: the outbox then tries again.
    """
    empty_names_again()
    exports.remove_copies()
    if connection.vendor != "sqlite":
        return
    _overwrite_what_is_deleted()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        busy, _log, _done = cursor.fetchone()
    if busy:
        raise CopiesLeft("others were reading the database, so its log could not be cut off")


def _overwrite_what_is_deleted() -> None:
    """Let SQLite write zeros over what this connection deletes."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA secure_delete = ON")


def _parcels_for(digests: list[str]) -> list[Parcel]:
    return [
        Parcel("auditing.discard_file", f"discard:{digest[:32]}:{clock.now().isoformat()}", {"digest": digest})
        for digest in digests
    ]


# ---- asking


def _check_administers(actor: User) -> None:
    if not (actor.is_active and actor.is_staff):
        raise NotPermitted(_("Only an administrator may do this."))


def _check_said(said: dict[str, tuple[str, str]]) -> None:
    """Raises Incomplete with the sentence beside each field that is empty."""
    gaps = {field: sentence for field, (words, sentence) in said.items() if not words.strip()}
    if gaps:
        raise Incomplete(_("Something is missing."), gaps)
