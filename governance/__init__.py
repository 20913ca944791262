"""The institution, its rules and its record; knows nothing of proposals. The wiring of the whole project lives here
too."""

from governance.celery import app as celery_app

__all__ = ["celery_app"]
