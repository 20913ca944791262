"""The memos app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MemosConfig(AppConfig):
    name = "workflows.memos"
    verbose_name = _("Memos")
