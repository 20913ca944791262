"""Memos for the pages of other apps: `{% load memos %}{% memos_of proposal as memos %}`."""

from django import template

from governance import dates
from workflows.memos import queries
from workflows.memos.queries import MemoLine
from workflows.proposals.models import Proposal

register = template.Library()
register.filter("in_full", dates.in_full)


@register.simple_tag
def memos_of(proposal: Proposal) -> list[MemoLine]:
    """The memos of a proposal, those that are being made included; one query."""
    return queries.memos_of(proposal)
