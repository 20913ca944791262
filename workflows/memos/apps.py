"""The memos app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MemosConfig(AppConfig):
    name = "workflows.memos"
    verbose_name = _("Memos")

    def ready(self) -> None:
        from workflows.memos import checks  # noqa: F401  # registers them
