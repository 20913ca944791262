"""What the pages of personal data read: people, legal holds, and proposals whose time is over."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.db.models import Q, QuerySet
from django.utils import timezone

from governance import clock
from governance.audit.models import named
from governance.dates import midnight
from governance.people.models import User
from governance.policies.models import PolicyVersion
from governance.policies.states import LAW
from workflows.auditing.erasing.retention import Term, term_of, years_after
from workflows.auditing.models import Hold
from workflows.proposals.models import Proposal
from workflows.proposals.states import ENDED

# How long before its day a proposal is listed already.
SOON: Final = timedelta(days=90)


def people_like(words: str) -> QuerySet[User]:
    """People by a part of their name or address."""
    return User.objects.filter(Q(name__icontains=words) | Q(email__icontains=words)).select_related("unit")


# ---- legal holds


def open_holds() -> QuerySet[Hold]:
    return Hold.objects.filter(lifted_at=None)


def open_hold_on(*subjects: str) -> Hold | None:
    """A legal hold that stands on one of these subjects."""
    return open_holds().filter(subject__in=subjects).select_related("placed_by").order_by("id").first()


def names_of_subjects(subjects: Iterable[str]) -> dict[str, str]:
    """How a page names what is held: a person by name, a proposal by its reference. One query."""
    wanted = list(subjects)
    keys = [int(each.removeprefix("person/")) for each in wanted if each.startswith("person/")]
    people = dict(User.objects.filter(pk__in=keys).values_list("pk", "name"))
    known = {f"person/{pk}": named(name) for pk, name in people.items()}
    return {each: known.get(each) or each.removeprefix("proposal/") for each in wanted}


# ---- retention


@dataclass(frozen=True)
class Kept:
    """An ended proposal as the list of retention shows it: how long it is kept, and the hold on it if there is one."""

    proposal: Proposal
    term: Term
    is_over: bool
    hold: Hold | None = None


def term_for(proposal: Proposal) -> Term:
    """How long an ended proposal is kept, as the policy version says under which it was sent."""
    assert proposal.ended_at is not None
    if proposal.policy_version is None:
        return Term()
    ended_on = timezone.localdate(proposal.ended_at)
    return term_of(proposal.policy_version.typed_rules.retention, proposal.state, ended_on)


def whose_time_is_over() -> QuerySet[Proposal]:
    """Ended proposals that are kept no longer, or not much longer, under their policy version; asked in SQL, because an
    archive is large and this list is short."""
    last = clock.today() + SOON
    due = Q(pk__in=())
    for version in PolicyVersion.objects.filter(status__in=LAW):
        for rule in version.typed_rules.retention:
            if rule.years is not None:
                # Whole days in our time zone; the list itself asks each proposal's term.
                cutoff = midnight(years_after(last, -rule.years) + timedelta(days=1))
                due |= Q(policy_version=version, state=rule.ending.value, ended_at__lt=cutoff)
    return Proposal.objects.filter(due, state__in=ENDED, disposed_at=None).select_related(
        "policy_version__policy", "unit"
    )


def kept(proposals: Iterable[Proposal]) -> list[Kept]:
    """The rows of the list of retention. One query, for the holds."""
    wanted, today = list(proposals), clock.today()
    subjects = {subject for each in wanted for subject in held_by(each)}
    holds = {hold.subject: hold for hold in open_holds().filter(subject__in=subjects)}
    rows = []
    for each in wanted:
        term = term_for(each)
        hold = next((holds[subject] for subject in held_by(each) if subject in holds), None)
        rows.append(Kept(each, term, is_over=term.is_over(today), hold=hold))
    return rows


def held_by(proposal: Proposal) -> tuple[str, str]:
    """What a legal hold may stand on that keeps a proposal: the proposal itself, and its author."""
    return proposal.subject, f"person/{proposal.author_id}"


def find_subject(words: str) -> Proposal | User | None:
    """What somebody means who types a proposal's reference, a person's address or the key of either's stream."""
    words = words.strip()
    kind, _slash, rest = words.partition("/")
    if kind == "person" and rest.isdecimal() and len(rest) < 10:
        return User.objects.filter(pk=int(rest)).first()
    found: Any = Proposal.objects.filter(reference__iexact=words.removeprefix("proposal/")).first()
    return found or User.objects.filter(email__iexact=words).first()
