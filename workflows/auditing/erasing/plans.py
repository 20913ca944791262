"""What an erasure or a disposal would empty, what stays, and what stands in its way, before anybody does it.

The act works out the same plan again, so that only what was shown is done.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from governance import clock
from governance.audit.canonical import Json, digest_of
from governance.audit.models import Event, PersonalDatum
from governance.audit.queries import events_of, open_together, people_called
from governance.audit.verbs import Verb
from governance.people.models import Mandate, User
from governance.site.templatetags.assent import day
from workflows.auditing.erasing.queries import held_by, open_hold_on, open_holds, term_for
from workflows.auditing.models import Export, SavedSearch
from workflows.memos.models import Memo
from workflows.notices.models import Outbox
from workflows.proposals.models import Attachment, Comment, DraftSection, Look, Proposal, Revision
from workflows.proposals.states import ENDED, State
from workflows.review.models import Decision

MAIL: Final = "notices.send_mail"
# Acts that look after the record itself: they decide nothing about the person it speaks of.
HOUSEKEEPING: Final = (Verb.HOLD_PLACED, Verb.HOLD_LIFTED, Verb.PROPOSAL_DISPOSED_OF)
# A plan lists so many of the proposals whose words stay; the rest are counted.
MOST_LISTED: Final = 50


@dataclass(frozen=True)
class Emptied:
    """How many of each would be emptied or taken away: the record of an erasure holds these numbers and no words."""

    events: int
    decisions: int
    submissions: int
    comments: int
    mails: int
    drafts: int
    searches: int
    looks: int

    def as_json(self) -> dict[str, Json]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True)
class ErasurePlan:
    """What erasing a person's data would do, and why it cannot be done now where it cannot."""

    person: User
    emptied: Emptied
    hindrances: tuple[str, ...]
    proposals: tuple[str, ...]
    proposals_in_all: int
    memos: int

    @property
    def digest(self) -> str:
        """Two plans of one digest do the same."""
        return digest_of({"person": self.person.record_key, "emptied": self.emptied.as_json()})


def erasure_plan(person: User) -> ErasurePlan:
    """What erasing this person's data would do today."""
    sent = Proposal.objects.filter(author=person, revision_number__gt=0, disposed_at=None).order_by("id")
    mails = mails_about(person)
    memos = Memo.objects.filter(Q(decision__by=person) | Q(decision__proposal__author=person))
    return ErasurePlan(
        person=person,
        emptied=Emptied(
            events=Event.objects.filter(actor=person.record_key).exclude(actor_name="").count(),
            decisions=Decision.objects.filter(by=person).exclude(by_name="").count(),
            submissions=Revision.objects.filter(submitted_by=person).exclude(submitted_by_name="").count(),
            comments=Comment.objects.filter(author=person).exclude(author_name="").count(),
            mails=sum(map(len, mails)),
            drafts=drafts_of(person).count(),
            searches=len(searches_about(person)),
            looks=Look.objects.filter(user=person).count(),
        ),
        hindrances=tuple(_why_not_erased(person, mails[1])),
        proposals=tuple(sent.values_list("reference", flat=True)[:MOST_LISTED]),
        proposals_in_all=sent.count(),
        memos=memos.count(),
    )


def drafts_of(person: User) -> QuerySet[Proposal]:
    """What a person began and never sent. Nobody else ever saw it."""
    return Proposal.objects.filter(author=person, revision_number=0, state__in=[State.DRAFT, State.WITHDRAWN])


def words_for(person: User) -> set[str]:
    """Every name and address that a person has or had, as far as the record knows them. A title is shared by many."""
    values = PersonalDatum.objects.filter(person=person.record_key).values_list("value", flat=True)
    titles = {person.title}
    for event in open_together(events_of(person.record_key)):
        sides = (event.facts["before"] or {}, event.facts["after"] or {})
        titles |= {str(event.opened(side["title"])) for side in sides if "title" in side}
    return {person.name, person.email, *values}.difference(titles) | {person.name, person.email} - {""}


def names_them(words: Iterable[str], text: str) -> bool:
    """Whether one of these words stands in the text as a whole word: "Lee" does not stand in "fleet"."""
    return any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE) for word in words)


def searches_about(person: User) -> list[SavedSearch]:
    """Searches that a person saved, and those of others that name them or find nobody else."""
    words = words_for(person)
    found = []
    for search in SavedSearch.objects.order_by("pk"):
        asked = QueryDict(search.query)
        said = "\n".join([search.name, *(value for _name, values in asked.lists() for value in values)])
        who = asked.get("who", "").strip()
        finds_them_alone = bool(who) and people_called(who) == [person.record_key]
        if search.user_id == person.pk or finds_them_alone or names_them(words, said):
            found.append(search)
    return found


def mails_about(person: User) -> tuple[list[Outbox], list[Outbox]]:
    """Mails to a person, at any address that they had; and mails to others that name them."""
    words = words_for(person)
    found = Q(pk__in=())
    for word in words:
        found |= Q(payload__to__iexact=word)
        found |= Q(payload__subject__icontains=word) | Q(payload__text__icontains=word)
    to_them, to_others = [], []
    addresses = {word.casefold() for word in words}
    for mail in Outbox.objects.filter(found, task=MAIL).order_by("id"):
        if mail.payload["to"].casefold() in addresses:
            to_them.append(mail)
        elif names_them(words, f"{mail.payload['subject']}\n{mail.payload['text']}"):
            to_others.append(mail)
    return to_them, to_others


def _why_not_erased(person: User, mails_to_others: Iterable[Outbox]) -> Iterator[str]:
    if person.erased_at is not None:
        yield _("The data of this person was erased on %(day)s.") % {"day": day(person.erased_at)}
        return
    today = clock.today()
    mandate = Mandate.objects.filter(Q(ends_on=None) | Q(ends_on__gte=today), user=person).select_related("body")
    for each in mandate.order_by("body__name"):
        said = {"duty": each.get_duty_display(), "body": each.body.name}
        yield _("They hold the duty “%(duty)s” on %(body)s. End it first.") % said
    flying = Proposal.objects.filter(author=person, state__in=[State.IN_REVIEW, State.RETURNED])
    for reference in flying.order_by("id").values_list("reference", flat=True):
        yield _("Their proposal %(reference)s is in flight. It must end first.") % {"reference": reference}
    yield from _why_too_early(person)
    yield from _why_held(person)
    yield from _why_not_yet(Decision.objects.filter(Q(by=person) | Q(proposal__author=person)))
    if any(mail.done_at is None and mail.failed_at is None for mail in mails_to_others):
        yield _("Mail that names them waits to leave. Try again when it has left.")


def _why_too_early(person: User) -> Iterator[str]:
    """Privacy law keeps what was used to decide about somebody, so that they can still ask to see it."""
    days = settings.MINIMUM_RETENTION_DAYS
    start, today = clock.now() - timedelta(days=days), clock.today()
    theirs = [person.record_key, *(f"proposal/{each}" for each in person.proposals.values_list("reference", flat=True))]
    recent = Event.objects.filter(Q(actor=person.record_key) | Q(subject__in=theirs), at__gt=start)
    last = recent.exclude(verb__in=HOUSEKEEPING).order_by("-at").first()
    mandates = Mandate.objects.filter(user=person, ends_on__gt=today - timedelta(days=days), ends_on__lt=today)
    moments = [mandate.ends_on for mandate in mandates if mandate.ends_on]
    moments += [localdate(last.at)] if last else []
    if moments:
        said = {"day": day(max(moments)), "days": days, "until": day(max(moments) + timedelta(days=days))}
        yield (
            _(
                "Something was done by them or with them on %(day)s."
                " The law keeps that for %(days)s days, until %(until)s."
            )
            % said
        )


def _why_held(person: User) -> Iterator[str]:
    own = open_hold_on(person.record_key)
    if own is not None:
        yield _("A legal hold stands on them since %(day)s.") % {"day": day(own.placed_at)}
    held = open_holds().filter(subject__startswith="proposal/").order_by("id").values_list("subject", flat=True)
    subjects = list(held)
    part = set(Event.objects.filter(subject__in=subjects, actor=person.record_key).values_list("subject", flat=True))
    for subject in subjects:
        if subject in part:
            said = {"reference": subject.removeprefix("proposal/")}
            yield _("A legal hold stands on %(reference)s, in which they took part.") % said


def _why_not_yet(decisions: QuerySet[Decision]) -> Iterator[str]:
    """What is being written now, and still needs the words or the names."""
    for reference in decisions.filter(memo=None).order_by("id").values_list("proposal__reference", flat=True)[:1]:
        yield _("A decision memo on %(reference)s is still to be issued.") % {"reference": reference}
    if Export.objects.filter(state__in=[Export.State.WAITING, Export.State.RUNNING]).exists():
        yield _("An export of the record is being made. Try again when it is ready.")


# ---- disposal


@dataclass(frozen=True)
class Contents:
    """How much of a proposal would be emptied or deleted."""

    submissions: int
    comments: int
    sections: int
    files: int

    def as_json(self) -> dict[str, Json]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True)
class DisposalPlan:
    """What disposing of an ended proposal's contents would do, and why it cannot be done now where it cannot."""

    proposal: Proposal
    contents: Contents
    hindrances: tuple[str, ...]

    @property
    def digest(self) -> str:
        return digest_of({"proposal": self.proposal.reference, "contents": self.contents.as_json()})


def disposal_plan(proposal: Proposal) -> DisposalPlan:
    """What disposing of this proposal's contents would do today."""
    return DisposalPlan(
        proposal=proposal,
        contents=Contents(
            submissions=Revision.objects.filter(proposal=proposal).exclude(content_text="").count(),
            comments=Comment.objects.filter(proposal=proposal).exclude(text="").count(),
            sections=DraftSection.objects.filter(proposal=proposal).count(),
            files=len(digests_of([proposal])),
        ),
        hindrances=tuple(_why_not_disposed_of(proposal)),
    )


def digests_of(proposals: list[Proposal]) -> list[str]:
    """The digests of every file ever attached to these proposals."""
    found = Attachment.objects.filter(proposal__in=proposals).order_by("digest")
    return list(found.values_list("digest", flat=True).distinct())


def _why_not_disposed_of(proposal: Proposal) -> Iterator[str]:
    if proposal.disposed_at is not None:
        yield _("The contents of this proposal were disposed of on %(day)s.") % {"day": day(proposal.disposed_at)}
        return
    if proposal.state not in ENDED:
        yield _("This proposal has not ended.")
        return
    term = term_for(proposal)
    if term.until is None and term.clause:
        yield _("The policy keeps it for good (clause %(clause)s).") % {"clause": term.clause}
    elif term.until is None:
        yield _("The policy does not say how long it is kept, so it is kept for good.")
    elif not term.is_over(clock.today()):
        said = {"day": day(term.until), "clause": term.clause}
        yield _("The policy keeps it until %(day)s (clause %(clause)s).") % said
    yield from _why_not_yet(Decision.objects.filter(proposal=proposal))
    hold = open_hold_on(*held_by(proposal))
    if hold is not None and hold.subject == proposal.subject:
        yield _("A legal hold stands on it since %(day)s.") % {"day": day(hold.placed_at)}
    elif hold is not None:
        yield _("A legal hold stands on its author since %(day)s.") % {"day": day(hold.placed_at)}
