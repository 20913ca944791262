"""Proposals in the administration pages: to read, and only what an administrator needs to know of each.

An administrator has no right to see what a proposal says, least of all a draft: no title, no content, no submission.
"""

from django.contrib import admin

from governance.audit.admin import ReadOnly
from workflows.proposals.models import Proposal


@admin.register(Proposal)
class ProposalAdmin(ReadOnly):
    list_display = ["reference", "state", "unit", "since", "ended_at"]
    list_filter = ["state", "unit"]
    list_select_related = ["unit"]
    search_fields = ["reference"]
    show_full_result_count = False
    fields = [
        "reference",
        "action",
        "state",
        "unit",
        "policy_version",
        "revision_number",
        "version",
        "since",
        "created_at",
        "submitted_at",
        "ended_at",
        "disposed_at",
    ]
