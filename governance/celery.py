"""The Celery application.

With BROKER_URL set, workers run its tasks; without, `manage.py deliver` runs them in place.
"""

import os

from celery import Celery
from celery.schedules import crontab

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "governance.settings")

app = Celery("assent")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# Seconds between runs. With a broker Celery's beat keeps these; without, `manage.py deliver --forever` does. What
# expires is not made up for when workers come back: the next run does it all.
app.conf.beat_schedule = {
    "deliver what is due": {"task": "notices.sweep", "schedule": 60.0},
    "events to seal": {"task": "audit.seal", "schedule": 5.0, "options": {"expires": 60.0}},
    "checkpoints to lodge outside": {"task": "auditing.lodge", "schedule": 3600.0},
    "mandates that began or ended": {"task": "people.refresh_grants", "schedule": 3600.0},
    "policy versions that begin": {"task": "policies.turn_the_day", "schedule": 3600.0},
    "the record to check": {"task": "auditing.verify", "schedule": crontab(hour=2, minute=30)},
    "exports that are old": {"task": "auditing.tidy_exports", "schedule": 3600.0},
}
