"""Tasks that leave a trace in a file, so that a test in another process can see when they began and ended."""

import os
import time

from celery import shared_task
from django.conf import settings


def _note(word: str, name: str) -> None:
    with (settings.WORLD_DIR / "notes").open("a") as notes:
        notes.write(f"{word} {name} {os.getpid()} {time.monotonic_ns()}\n")


@shared_task(name="world.note")
def note(*, name: str, seconds: float = 0) -> None:
    """Note the beginning, take some time, note the end."""
    _note("began", name)
    time.sleep(seconds)
    _note("ended", name)


@shared_task(name="world.hold")
def hold(*, name: str) -> None:
    """Note the beginning, stay at it for as long as there is a file named `hold`, note the end."""
    _note("began", name)
    while (settings.WORLD_DIR / "hold").exists():
        time.sleep(0.02)
    _note("ended", name)
