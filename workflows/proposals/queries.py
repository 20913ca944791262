"""What the author's pages read: the draft and who may open it, its policy, the units to propose for."""

from collections import defaultdict

from django.conf import settings
from django.http import Http404
from django.utils.translation import gettext as _

from governance.audit.models import Event
from governance.audit.queries import events_of
from governance.audit.verbs import Verb
from governance.people.duties import Right
from governance.people.models import Unit, User
from governance.people.queries import bodies_where
from governance.policies.models import PolicyVersion
from governance.policies.queries import in_force, place_of
from governance.refusals import NotPermitted, NotPossible
from workflows.proposals.editor import Guide
from workflows.proposals.models import DraftSection, Proposal

_WITH_UNIT = "unit__parent__parent"


def draft_of(*, author: User, reference: str) -> Proposal:
    """The proposal that its author writes in now, with its sections. Raises Http404, NotPermitted, NotPossible."""
    proposal = (
        Proposal.objects.filter(reference=reference)
        .select_related("author", _WITH_UNIT, "policy_version__policy")
        .prefetch_related("draft_sections__saved_by")
        .first()
    )
    if proposal is None:
        raise Http404(reference)
    if proposal.author_id != author.pk:
        raise NotPermitted(_("Only the author of a proposal may write in it."))
    if not proposal.with_author:
        raise NotPossible(
            _("A proposal that is %(state)s cannot be edited.") % {"state": proposal.get_state_display().lower()}
        )
    return proposal


def section_of(proposal: Proposal, key: str) -> DraftSection:
    """One section of a draft that was read with its sections."""
    return next(section for section in proposal.draft_sections.all() if section.key == key)


def policy_for(proposal: Proposal) -> PolicyVersion | None:
    """The policy version that the proposal is bound to, or would be if it were sent today."""
    return proposal.policy_version or in_force(settings.APPROVAL_POLICY)


def guide_for(proposal: Proposal) -> Guide:
    """What the editor says about the draft as it is stored."""
    return Guide(
        version=policy_for(proposal),
        content=proposal.draft_content(),
        unit=place_of(proposal.unit),
        action=proposal.action,
    )


def units_to_propose_for(user: User) -> list[Unit]:
    """The units for which a person holds the duty to propose today."""
    return list(Unit.objects.filter(bodies__in=bodies_where(user, Right.PROPOSE)).distinct())


def access_subject(proposal: Proposal) -> str:
    """The stream of the record that says who read the confidential files of a proposal."""
    return f"access/{proposal.reference}"


def readings_of(proposal: Proposal) -> dict[str, list[Event]]:
    """Who read each confidential file of a proposal, and when, latest first, by the file's digest. One query."""
    readings: defaultdict[str, list[Event]] = defaultdict(list)
    for event in events_of(access_subject(proposal), verbs=[Verb.ATTACHMENT_READ]).order_by("-sequence"):
        readings[event.facts["after"]["digest"]].append(event)
    return dict(readings)


def administrators() -> list[User]:
    """The people who can give somebody a duty."""
    return list(User.objects.filter(is_staff=True, is_active=True).order_by("name")[:5])
