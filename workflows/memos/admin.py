"""Memos in the administration pages: to read, never to change."""

from django.contrib import admin

from governance.audit.admin import ReadOnly
from workflows.memos.models import Memo


@admin.register(Memo)
class MemoAdmin(ReadOnly):
    list_display = ["number", "title", "issued_at", "size", "digest"]
    search_fields = ["number", "title", "digest"]
    fields = ["number", "title", "decision", "issued_at", "digest", "size", "template_version"]
    show_full_result_count = False
