"""Proposals and what was submitted, in the administration pages: to read, never to change."""

from django.contrib import admin

from governance.audit.admin import ReadOnly
from workflows.proposals.models import Proposal, Revision


@admin.register(Proposal)
class ProposalAdmin(ReadOnly):
    list_display = ["reference", "title", "state", "unit", "author", "since"]
    list_filter = ["state", "kind", "unit"]
    list_select_related = ["unit", "author"]
    search_fields = ["reference", "title", "author__name"]
    show_full_result_count = False


@admin.register(Revision)
class RevisionAdmin(ReadOnly):
    list_display = ["proposal", "number", "submitted_by_name", "submitted_at", "digest"]
    list_select_related = ["proposal"]
    search_fields = ["proposal__reference"]
    show_full_result_count = False
