"""The review app."""

from django.apps import AppConfig


class ReviewConfig(AppConfig):
    name = "workflows.review"
    verbose_name = "Review"
