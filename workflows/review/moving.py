"""The proposals that can be moved to another policy version, and the plan of a move, read in a fixed number of queries.

Example: an administrator chooses three proposals that are in flight under version 1 and looks at what version 2 would
do to each. The plan's digest is what they confirm; if anything changed meanwhile, it is another one.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from governance import clock
from governance.audit.models import Event, named
from governance.policies.institution import institution_on
from governance.policies.models import PolicyVersion
from governance.policies.queries import place_of
from governance.policies.vocabulary import Effect, Outcome
from governance.refusals import NotPossible, Stale
from workflows.proposals.content import Content
from workflows.proposals.models import Proposal, Revision
from workflows.proposals.states import State
from workflows.review.models import Closing, Decision, WorkItem
from workflows.review.moves import Approval, Case, Held, Law, Plan, plan_of
from workflows.review.progress import APPROVALS, Answer, Changes

# So many that a person can still read what happens to each of them.
MOST_AT_ONCE: Final = 25
IN_FLIGHT: Final = (State.IN_REVIEW, State.RETURNED)


def in_flight(version: PolicyVersion) -> QuerySet[Proposal]:
    """The proposals that other versions of the same policy govern and that have not ended."""
    return Proposal.objects.filter(state__in=IN_FLIGHT, policy_version__policy=version.policy_id).exclude(
        policy_version=version
    )


def proposals_named(references: Collection[str]) -> list[Proposal]:
    """The proposals of these references, with what a plan reads of each."""
    known = [reference for reference in references if "\0" not in reference]  # which no database looks for
    return list(
        Proposal.objects.filter(reference__in=known).select_related(
            "author", "unit__parent__parent", "policy_version__policy"
        )
    )


def check_version(version: PolicyVersion) -> None:
    """Raises NotPossible for a version that does not govern yet, or never will."""
    if not version.is_law or version.effective_from > clock.today():
        raise NotPossible(_("Proposals can only be moved to a version that is in force or was."))


def plan(proposals: Iterable[Proposal], version: PolicyVersion) -> Plan:
    """What moving these proposals to the version would do, in the order of their references."""
    chosen = sorted(proposals, key=lambda proposal: proposal.reference)
    return plan_of(_cases(chosen), _law(version), institution_on(clock.today()))


def check_same_plan(fresh: Plan, digest: str, seen: Mapping[str, int]) -> None:
    """Raises Stale, with the events since, when the plan of now is not the one of that digest.

    `seen` gives the lock version of each proposal in the plan that the person was shown.
    """
    if fresh.digest == digest:
        return
    later = Q()
    for reference, version in fresh.seen.items():
        if seen.get(reference, version) < version:
            later |= Q(subject=f"proposal/{reference}", sequence__gt=seen[reference])
    if later:
        changed = list(Event.objects.filter(later).order_by("id"))
        raise Stale(_("These proposals changed since you looked at the plan, so none was moved."), changed)
    raise Stale(_("People, bodies or rules changed since you looked at the plan, so no proposal was moved."))


# ---- reading what the plan depends on


def _law(version: PolicyVersion) -> Law:
    return Law(version.policy.key, version.number, version.label, version.digest, version.typed_rules)


def _cases(proposals: Sequence[Proposal]) -> list[Case]:
    """Four queries, whatever the number of proposals."""
    keys = [proposal.pk for proposal in proposals]
    content, changes = _submissions(keys)
    answers, approvals = _decisions(keys)
    held, received = _stays(keys)
    return [
        Case(
            reference=proposal.reference,
            title=proposal.title,
            unit=proposal.unit.name,
            place=place_of(proposal.unit),
            author=proposal.author_id,
            action=proposal.action,
            state=State(proposal.state),
            version=proposal.version,
            law=_law(proposal.policy_version) if proposal.policy_version is not None else None,
            content=content.get(proposal.pk, Content()),
            answers=tuple(answers[proposal.pk]),
            changes=changes.get(proposal.pk, {}),
            approvals=approvals[proposal.pk],
            held=tuple(held[proposal.pk]),
            # Sent again, a returned proposal is received anew.
            received=frozenset(received[proposal.pk] if proposal.state == State.IN_REVIEW else ()),
        )
        for proposal in proposals
    ]


def _submissions(proposals: list[int]) -> tuple[dict[int, Content], dict[int, Changes]]:
    """What was sent last, and what changed in every submission."""
    current = Revision.objects.filter(proposal__in=proposals, number=F("proposal__revision_number"))
    changes: dict[int, dict[int, Collection[str]]] = defaultdict(dict)
    for proposal, number, changed in Revision.objects.filter(proposal__in=proposals).values_list(
        "proposal_id", "number", "changed_fields"
    ):
        changes[proposal][number] = changed
    return {revision.proposal_id: revision.content for revision in current}, dict(changes)


def _decisions(proposals: list[int]) -> tuple[dict[int, list[Answer]], dict[int, dict[str, Approval]]]:
    """Every answer in the order made, and the latest approval of each stage."""
    answers: dict[int, list[Answer]] = defaultdict(list)
    approvals: dict[int, dict[str, Approval]] = defaultdict(dict)
    for made in Decision.objects.filter(proposal__in=proposals).select_related("revision").order_by("id"):
        outcome, number = Outcome(made.outcome), made.revision.number
        answers[made.proposal_id].append(
            Answer(
                made.stage_key,
                outcome,
                revision=number,
                to_stage=made.to_stage,
                by=made.by_id,
                effect=Effect(made.effect),
            )
        )
        if outcome in APPROVALS:
            approvals[made.proposal_id][made.stage_key] = Approval(
                made.stage_key, made.stage_label, made.body_name, named(made.by_name), f"person/{made.by_id}", number
            )
    return answers, approvals


def _stays(proposals: list[int]) -> tuple[dict[int, list[Held]], dict[int, set[str]]]:
    """The open work items, and the stages that received the current submission for information."""
    held: dict[int, list[Held]] = defaultdict(list)
    received: dict[int, set[str]] = defaultdict(set)
    now = Q(closed_at=None) | Q(closing=Closing.RECEIVED, revision__number=F("proposal__revision_number"))
    for item in WorkItem.objects.filter(now, proposal__in=proposals).select_related("body__unit").order_by("id"):
        if item.closed_at is not None:
            received[item.proposal_id].add(item.stage_key)
            continue
        seat = (item.body.kind, item.body.unit.code)
        held[item.proposal_id].append(
            Held(item.pk, item.stage_key, item.stage_label, Effect(item.effect), item.body.name, seat)
        )
    return held, received
