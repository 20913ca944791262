"""Settings of the processes that the outbox tests start: the tests' own, with a mailbox of files and tasks to hold."""

import os
from importlib import import_module
from pathlib import Path

_base = import_module(os.environ["WORLD_BASE_SETTINGS"])
globals().update({name: getattr(_base, name) for name in dir(_base) if name.isupper()})

WORLD_DIR = Path(os.environ["WORLD_DIR"])
OUTBOX_LEASE_SECONDS = float(os.environ["WORLD_LEASE"])
EMAIL_BACKEND = "tests.workflows.notices.world.mailbox.Mailbox"
INSTALLED_APPS = [*_base.INSTALLED_APPS, "tests.workflows.notices.world"]
CELERY_TASK_DEFAULT_QUEUE = os.environ["WORLD_QUEUE"]
DATABASES = {**_base.DATABASES}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {**DATABASES["default"]["OPTIONS"], "timeout": float(os.environ["WORLD_TIMEOUT"])}
