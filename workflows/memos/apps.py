"""The memos app."""

from django.apps import AppConfig


class MemosConfig(AppConfig):
    name = "workflows.memos"
    verbose_name = "Memos"
