"""Memos in the administration pages: to read, never to change."""

from django.contrib import admin

from governance.audit.admin import ReadOnly
from workflows.memos.models import Memo


@admin.register(Memo)
class MemoAdmin(ReadOnly):
    # Without the title, which says what was proposed.
    list_display = ["number", "issued_at", "size", "digest"]
    search_fields = ["number", "digest"]
    fields = ["number", "decision", "issued_at", "digest", "size", "template_version"]
    show_full_result_count = False
