"""The benchmarks app. It has no data of its own."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BenchmarksConfig(AppConfig):
    name = "workflows.benchmarks"
    label = "benchmarks"
    verbose_name = _("Benchmarks")
