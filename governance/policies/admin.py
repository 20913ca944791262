"""Policies in the administration pages: to read. Versions are drafted and adopted by their own actions."""

from django.contrib import admin

from governance.audit.admin import ReadOnly
from governance.policies.models import PolicyVersion


@admin.register(PolicyVersion)
class PolicyVersionAdmin(ReadOnly):
    list_display = ["policy", "number", "status", "effective_from", "adopted_by", "digest"]
    list_select_related = ["policy", "adopted_by"]
    search_fields = ["policy__title"]
