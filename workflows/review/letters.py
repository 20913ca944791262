"""The mails that acts send: who is told what, in whole sentences.

An act queues one letter in its own transaction; the worker then writes it to everyone who should have it. What a letter
says is taken from rows that never change, so it says the same whenever it is written.
"""

from collections.abc import Callable
from typing import Final, Literal

from django.conf import settings
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import override

from governance.audit.models import Event
from governance.people.duties import Right
from governance.people.queries import holders
from governance.policies.vocabulary import Outcome
from workflows.notices import outbox
from workflows.notices.mail import queue_mail
from workflows.notices.outbox import Parcel
from workflows.proposals.models import Audience, Comment, Proposal
from workflows.review.models import Decision, WorkItem

Letter = Literal["waits", "decided", "withdrawn", "commented", "moved", "left"]


def queue(letter: Letter, *about: int) -> None:
    """Queue a letter about each of these rows, as part of the caller's transaction."""
    outbox.queue_all(parcel(letter, row) for row in about)


def parcel(letter: Letter, about: int) -> Parcel:
    """A letter about a row, to be queued together with something else."""
    return Parcel("review.letters", f"letter:{letter}:{about}", {"letter": letter, "about": about})


def write(letter: Letter, about: int) -> None:
    """Queue the mails of a letter, in the institution's language, as part of the caller's transaction."""
    with override(settings.LANGUAGE_CODE):
        LETTERS[letter](about)


def _waits(item_id: int) -> None:
    """Tell everyone who may decide for the body that a proposal waits for it."""
    item = WorkItem.objects.select_related("proposal", "body", "revision").get(pk=item_id)
    for person in holders(item.body, Right.DECIDE):
        _send(
            key=f"waits:{item.pk}:{person.pk}",
            to=person.email,
            subject=_("%(reference)s waits for you: %(title)s"),
            text=_(
                "%(title)s (%(reference)s, submission %(revision)s) came to %(body)s and waits for your decision.\n"
                "It is due on %(due)s."
            ),
            proposal=item.proposal,
            body=item.body.name,
            due=date_format(item.due_on, "l j F Y"),
            revision=item.revision.number,
        )


def _decided(decision_id: int) -> None:
    """Tell the author what a body answered, with its reasons."""
    decision = Decision.objects.select_related("proposal__author").get(pk=decision_id)
    said = {
        Outcome.APPROVE: _("%(body)s approved %(title)s."),
        Outcome.APPROVE_WITH_CONDITIONS: _("%(body)s approved %(title)s with conditions."),
        Outcome.RETURN: _("%(body)s returned %(title)s for changes."),
        Outcome.DECLINE: _("%(body)s declined %(title)s."),
    }[Outcome(decision.outcome)]
    if decision.to_stage:
        said = _("%(body)s returned %(title)s to the stage “%(stage)s”.")
    _send(
        key=f"decided:{decision.pk}",
        to=decision.proposal.author.email,
        subject=_("%(label)s: %(words)s") % {"label": "%(reference)s", "words": said},
        text=said + ("\n\n%(reasons)s" if decision.reasons else ""),
        proposal=decision.proposal,
        body=decision.body_name,
        stage=decision.to_stage_label,
        reasons=decision.reasons,
    )


def _withdrawn(item_id: int) -> None:
    """Tell a body that held a proposal that it no longer waits for it."""
    item = WorkItem.objects.select_related("proposal__author", "body").get(pk=item_id)
    for person in holders(item.body, Right.DECIDE):
        _send(
            key=f"withdrawn:{item.pk}:{person.pk}",
            to=person.email,
            subject=_("%(reference)s was withdrawn"),
            text=_("%(author)s withdrew %(title)s. It no longer waits for %(body)s."),
            proposal=item.proposal,
            author=item.proposal.author.name,
            body=item.body.name,
        )


def _commented(comment_id: int) -> None:
    """Tell the author of a proposal about a comment that is for everyone on it."""
    comment = Comment.objects.select_related("proposal__author").get(pk=comment_id)
    author = comment.proposal.author
    if comment.audience == Audience.EVERYONE and comment.author_id != author.pk:
        _send(
            key=f"commented:{comment.pk}",
            to=author.email,
            subject=_("%(reference)s: a comment by %(name)s"),
            text=_("%(name)s commented on %(title)s:\n\n%(words)s"),
            proposal=comment.proposal,
            name=comment.author_name,
            words=comment.text,
        )


def _moved(event_id: int) -> None:
    """Tell the author of a proposal that another policy version governs it now, and why."""
    event = Event.objects.get(pk=event_id)
    proposal = Proposal.objects.select_related("author").get(reference=event.subject.removeprefix("proposal/"))
    after = event.facts["after"]
    if after["holder"]:
        text = _("%(name)s moved %(title)s to %(policy)s. It is with %(holder)s now.\n\n%(reason)s")
    else:
        text = _("%(name)s moved %(title)s to %(policy)s. It stays with you until you send it again.\n\n%(reason)s")
    _send(
        key=f"moved:{event.pk}",
        to=proposal.author.email,
        subject=_("%(reference)s was moved to another policy version"),
        text=text,
        proposal=proposal,
        name=event.actor_name,
        policy=after["policy"],
        holder=after["holder"],
        reason=event.reason,
    )


def _left(item_id: int) -> None:
    """Tell a body that held a proposal that it was moved to a policy version under which another body answers now."""
    item = WorkItem.objects.select_related("proposal", "body").get(pk=item_id)
    for person in holders(item.body, Right.DECIDE):
        _send(
            key=f"left:{item.pk}:{person.pk}",
            to=person.email,
            subject=_("%(reference)s does not wait for you any more"),
            text=_("%(title)s was moved to another policy version. It no longer waits for %(body)s."),
            proposal=item.proposal,
            body=item.body.name,
        )


LETTERS: Final[dict[Letter, Callable[[int], None]]] = {
    "waits": _waits,
    "decided": _decided,
    "withdrawn": _withdrawn,
    "commented": _commented,
    "moved": _moved,
    "left": _left,
}


def _send(*, key: str, to: str, subject: str, text: str, proposal: Proposal, **words: object) -> None:
    words |= {"reference": proposal.reference, "title": proposal.title}
    link = settings.BASE_URL + reverse("proposal", args=[proposal.reference])
    queue_mail(key=key, to=to, subject=subject % words, text=f"{text % words}\n\n{link}\n")
