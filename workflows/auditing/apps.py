"""The app's name."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AuditingConfig(AppConfig):
    name = "workflows.auditing"
    verbose_name = _("Auditing")
