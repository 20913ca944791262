"""The demonstration app. It has no data of its own."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DemonstrationConfig(AppConfig):
    name = "workflows.demonstration"
    label = "demonstration"
    verbose_name = _("Demonstration")
