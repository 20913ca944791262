"""What the worker runs every few seconds: sealing the record."""

import logging
import time
from typing import Final

from celery import shared_task

from governance.audit import actions
from governance.audit.keys import NoKey

logger = logging.getLogger("assent.audit")

# Seconds after which a worker that cannot sign says so again.
SAY_IT_AGAIN: Final = 3600.0
_said: dict[type[Exception], float] = {}


@shared_task(name="audit.seal")
def seal() -> None:
    """Move new events into the log; sign a checkpoint at least every minute while there are any.

    A log that cannot be signed is for a person to mend, which may take a while; events are sealed all the same.
    """
    try:
        actions.seal_and_sign()
    except (actions.LogWouldFork, NoKey) as error:
        _say(error)


def _say(error: Exception) -> None:
    """Log it once an hour, not every few seconds."""
    last = _said.get(type(error))
    if last is None or time.monotonic() - last >= SAY_IT_AGAIN:
        _said[type(error)] = time.monotonic()
        logger.error(str(error))
