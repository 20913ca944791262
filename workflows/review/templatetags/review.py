"""What the author's pages show of the review: why a proposal came back, and the way it takes when it is sent."""

from typing import Any

from django import template

from governance.policies.models import PolicyVersion
from governance.policies.vocabulary import Outcome
from workflows.proposals.models import Comment, Proposal
from workflows.proposals.states import State
from workflows.review import ahead
from workflows.review.models import Decision
from workflows.review.queries import comments_for

register = template.Library()


@register.inclusion_tag("review/returned_reasons.html", takes_context=True)
def returned_reasons(context: dict[str, Any], proposal: Proposal, section: str = "") -> dict[str, Any]:
    """Who returned the proposal to its author, when and why, with the remarks on one section of what was sent last."""
    if proposal.state != State.RETURNED:
        return {}
    decision = Decision.objects.filter(proposal=proposal, outcome=Outcome.RETURN, to_stage="").order_by("-id").first()
    remarks: list[Comment] = []
    if section:
        reader = context["request"].user
        remarks = list(
            comments_for(reader, proposal)
            .filter(section=section, revision_number=proposal.revision_number)
            .exclude(author=reader)
        )
    return {"decision": decision, "remarks": remarks}


@register.simple_tag
def route_ahead(proposal: Proposal, version: PolicyVersion | None) -> ahead.Ahead:
    """The route of a draft under a policy version."""
    return ahead.route_ahead(proposal, version)
