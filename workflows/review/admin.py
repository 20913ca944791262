"""Decisions and work items in the administration pages: where each stands and who answered, to read.

What was said, in reasons and checklists, is for those who may see the proposal; here it is not shown.
"""

from django.contrib import admin

from governance.audit.admin import ReadOnly
from workflows.review.models import Decision, WorkItem


@admin.register(WorkItem)
class WorkItemAdmin(ReadOnly):
    list_display = ["proposal", "stage_label", "body", "opened_at", "due_on", "closed_at", "closing"]
    list_filter = ["closing", "body"]
    list_select_related = ["proposal", "body"]
    search_fields = ["proposal__reference"]
    show_full_result_count = False
    fields = ["proposal", "stage_label", "effect", "body", "opened_at", "due_on", "closed_at", "closing"]


@admin.register(Decision)
class DecisionAdmin(ReadOnly):
    list_display = ["proposal", "stage_label", "outcome", "body_name", "by_name", "at"]
    list_filter = ["outcome", "body"]
    list_select_related = ["proposal"]
    search_fields = ["proposal__reference", "by_name"]
    show_full_result_count = False
    fields = ["proposal", "policy_version", "stage_label", "effect", "outcome", "body_name", "by_name", "at"]
