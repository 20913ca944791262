"""The demonstration app. It has no data of its own."""

from django.apps import AppConfig


class DemonstrationConfig(AppConfig):
    name = "workflows.demonstration"
    label = "demonstration"
    verbose_name = "Demonstration"
