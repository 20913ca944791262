"""A mail backend that keeps each mail it is given as one file, in the order of their coming."""

import os
import time
from collections.abc import Sequence

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from tests.workflows.notices.world.steps import step


class Mailbox(BaseEmailBackend):
    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        folder = settings.WORLD_DIR / "mail"
        folder.mkdir(exist_ok=True)
        for message in email_messages:
            step()
            unfinished = folder / f"{os.getpid()}.part"
            unfinished.write_bytes(message.message().as_bytes(linesep="\r\n"))
            unfinished.rename(folder / f"{time.time_ns()}-{os.getpid()}.eml")
            step()
        return len(email_messages)
