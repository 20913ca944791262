"""Issuing a memo: number, PDF, seal, row and event. Safe to repeat and to interrupt; a decision has one memo."""

import hashlib
import logging
from collections.abc import Callable
from functools import partial
from typing import Final

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import override

from governance import clock
from governance.audit.actions import ASSENT, checkpoint_over, record, take_number
from governance.audit.canonical import digest
from governance.audit.models import Checkpoint, Event
from governance.audit.verbs import Verb
from workflows.memos.facts import MemoFacts
from workflows.memos.gathering import gather
from workflows.memos.models import Memo, MemoNumber, stored_name
from workflows.memos.render import TEMPLATE_VERSION, render
from workflows.notices.mail import queue_mail
from workflows.notices.models import Outbox
from workflows.proposals.actions import locked
from workflows.review.models import Decision

logger = logging.getLogger("assent.memos")

LONGEST_TITLE: Final = 400
LONGEST_NAME: Final = 300


class FileNotKept(OSError):
    """The store did not keep the bytes it was given."""


def issue(*, decision_id: int) -> Memo:
    """The memo of a decision, made now unless it exists.

    Three steps, of which only the first and the last lock the proposal, each for some milliseconds: set a number aside;
    make the PDF, sign it and keep it under its digest; write the row, the event and the mail to the author. Killed in
    between, the next try goes on with the same number and the same signed file. Of two at once, the second finds the
    first one's row.
    """
    decision = Decision.objects.select_related("body", "proposal", "revision", "policy_version__policy").get(
        pk=decision_id
    )
    memo = Memo.objects.filter(decision=decision).first()
    if memo is None:
        # pyHanko takes half a second to import, and the web process never needs it.
        from workflows.memos import sealing

        set_number_aside(decision)
        checkpoint = checkpoint_over(Event.objects.get(pk=decision.event_number))
        seal = sealing.load()
        facts = gather(decision, checkpoint=checkpoint, certificate=seal.certificate if seal else None)
        unsigned = render(facts)
        pdf = _signed_once(facts.number, unsigned, partial(sealing.sign, unsigned, seal)) if seal else unsigned
        keep_file(pdf)
        memo = _issue(decision, facts, unsigned, pdf, checkpoint)
        _take_away_unless_named(pdf)
    default_storage.delete(draft_name(memo.number))
    _no_longer_given_up(decision)
    return memo


@transaction.atomic
def set_number_aside(decision: Decision) -> MemoNumber:
    """The number of the decision's memo: the body's next one of the year in which it decided."""
    locked(decision.proposal)
    taken = MemoNumber.objects.filter(decision=decision).first()
    if taken is not None:
        return taken
    series = f"{decision.body.code}-{localtime(decision.at).year}"
    serial = take_number(f"memo/{series}")
    return MemoNumber.objects.create(decision=decision, number=f"{series}-{serial:03d}", taken_at=clock.now())


@transaction.atomic
def _issue(decision: Decision, facts: MemoFacts, unsigned: bytes, pdf: bytes, checkpoint: Checkpoint) -> Memo:
    proposal = locked(decision.proposal)
    issued = Memo.objects.filter(decision=decision).first()
    if issued is not None:
        return issued
    memo = Memo.objects.create(
        number=facts.number,
        decision=decision,
        title=facts.title[:LONGEST_TITLE],
        issued_at=clock.now(),
        digest=digest(pdf),
        unsigned_digest=digest(unsigned),
        signed_by=facts.certificate.name[:LONGEST_NAME] if facts.certificate else "",
        checkpoint=checkpoint,
        size=len(pdf),
        template_version=TEMPLATE_VERSION,
    )
    event = record(
        verb=Verb.MEMO_ISSUED,
        subject=proposal.subject,
        actor=ASSENT,
        on_behalf_of=decision.body_name,
        policy_version=decision.policy_version.label,
        revision=decision.revision.mark,
        after={
            "memo": memo.number,
            "digest": memo.digest,
            "unsigned_digest": memo.unsigned_digest,
            "size": memo.size,
            "outcome": decision.outcome,
            "decision_event": decision.event_number,
            "seat": decision.body.code,
        },
        sequence=proposal.version + 1,
    )
    proposal.version = event.sequence
    proposal.save(update_fields=["version"])
    _tell_author(memo)
    return memo


def draft_name(number: str) -> str:
    """Where a signed PDF is kept until its memo is issued."""
    return f"memos/making/{number}"


def _signed_once(number: str, unsigned: bytes, sign: Callable[[], bytes]) -> bytes:
    """The signed PDF, the same on every try: two signatures give two files, and the record names one.

    It is kept under the memo's number with its digest behind it, so that half a draft, left by a worker that was
    killed, is known as such.
    """
    name = draft_name(number)
    try:
        with default_storage.open(name) as file:
            draft: bytes = file.read()
    except FileNotFoundError:
        draft = b""
    signed, mark = draft[:-32], draft[-32:]
    if hashlib.sha256(signed).digest() == mark and signed.startswith(unsigned):
        return signed
    signed = sign()
    default_storage.delete(name)
    saved = default_storage.save(name, ContentFile(signed + hashlib.sha256(signed).digest()))
    if saved != name:
        # Another worker is at the same memo. Whichever is first to write the row has issued it.
        default_storage.delete(saved)
    return signed


def _take_away_unless_named(pdf: bytes) -> None:
    """Delete a file that this process kept in vain, because another worker issued the memo with its own."""
    if not Memo.objects.filter(digest=digest(pdf)).exists():
        default_storage.delete(stored_name(digest(pdf)))


def keep_file(pdf: bytes) -> str:
    """Keep a PDF under its digest and answer where. Raises FileNotKept, or what the store raises.

    A process killed while it wrote may have left half a file under the whole one's name, so what is there is read, not
    trusted. More than one try, because another worker may be writing, or replacing, the same file at this moment.
    """
    name = stored_name(digest(pdf))
    for _attempt in range(3):
        if is_intact(name, digest(pdf)):
            return name
        if default_storage.exists(name):
            logger.warning("%s is damaged or half written; it is written anew", name)
            default_storage.delete(name)
        saved = default_storage.save(name, ContentFile(pdf))
        if saved != name:
            # Somebody else's came first, so the store gave ours another name.
            default_storage.delete(saved)
    if not is_intact(name, digest(pdf)):
        raise FileNotKept(f"the store did not keep {name} as it was given")
    return name


def is_intact(name: str, wanted: str) -> bool:
    """Whether the stored file is there and has the digest `wanted`."""
    try:
        with default_storage.open(name) as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == wanted
    except FileNotFoundError:
        return False


def _tell_author(memo: Memo) -> None:
    """Queue a mail to the author, in the institution's language."""
    decision = memo.decision
    words = {
        "memo": memo.number,
        "body": decision.body_name,
        "title": memo.title,
        "reference": decision.proposal.reference,
        "link": settings.BASE_URL + memo.get_absolute_url(),
    }
    with override(settings.LANGUAGE_CODE):
        queue_mail(
            key=f"memo-issued:{memo.pk}",
            to=decision.proposal.author.email,
            subject=_("%(reference)s: memo %(memo)s of %(body)s") % words,
            text=_("The memo %(memo)s of %(body)s on %(title)s (%(reference)s) was issued:\n\n%(link)s\n") % words,
        )


def _no_longer_given_up(decision: Decision) -> None:
    """A memo issued by hand after its delivery was given up leaves nothing for an administrator to look at."""
    given_up = Outbox.objects.given_up().filter(task="memos.render", key=f"memo:{decision.pk}")
    given_up.update(failed_at=None, done_at=clock.now())
