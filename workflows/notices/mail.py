"""Mail: queued by an action, sent by the worker. A mail sent twice is the same mail, byte for byte."""

import hashlib
from datetime import UTC
from email.utils import format_datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction

from workflows.notices.models import Delivery, Outbox
from workflows.notices.outbox import queue

# smtplib waits for ever by default. A server that hangs must give up well before the row's lease does.
SECONDS_TO_WAIT = 30


class NotSent(Exception):
    """The mail backend took no mail and gave no reason."""


def queue_mail(*, key: str, to: str, subject: str, text: str) -> Outbox:
    """Queue one plain-text mail to one address, as part of the caller's transaction."""
    # A title that somebody pasted with a line break in it must not end the header.
    subject = " ".join(subject.split())
    return queue(task="notices.send_mail", key=key, payload={"key": key, "to": to, "subject": subject, "text": text})


def message_id(row: Outbox) -> str:
    """The Message-ID of a row's mail, the same each time it is asked for.

    The moment of queueing is part of it because keys begin anew with a new database: a demonstration that was set up
    twice sends two mails, and a mail program that has seen the first would hide the second.
    """
    mark = hashlib.sha256(f"{row.key}\n{row.queued_at.astimezone(UTC).isoformat()}".encode()).hexdigest()
    return f"<{mark[:40]}@{urlsplit(settings.BASE_URL).hostname or 'localhost'}>"


def compose(row: Outbox, *, to: str, subject: str, text: str) -> EmailMessage:
    """The mail, made of the row and nothing else: no present moment, no random mark."""
    return EmailMessage(
        subject=subject,
        body=text,
        to=[to],
        headers={
            "Message-ID": message_id(row),
            "Date": format_datetime(row.queued_at.astimezone(UTC)),
            "Auto-Submitted": "auto-generated",
        },
        connection=get_connection(timeout=settings.EMAIL_TIMEOUT or SECONDS_TO_WAIT),
    )


def send(*, key: str, to: str, subject: str, text: str) -> Delivery:
    """Send the mail queued under `key` and note that it left. Does nothing where it is noted already.

    Killed between the mail server's yes and our note, the next try sends it again: with the same Message-ID and Date,
    so that whoever receives it has one mail.
    """
    row = Outbox.objects.get(task="notices.send_mail", key=key)
    left = Delivery.objects.filter(message_id=message_id(row)).first()
    if left is not None:
        return left
    if not to.strip():
        raise NotSent("there is no address to send this mail to")
    if compose(row, to=to, subject=subject, text=text).send() != 1:
        raise NotSent(f"{settings.EMAIL_BACKEND} took no mail and gave no reason")
    with transaction.atomic():
        # Read again under its lock: an erasure may have emptied the row while the mail was leaving.
        said = Outbox.objects.select_for_update().get(pk=row.pk).payload
        left, _ = Delivery.objects.get_or_create(
            message_id=message_id(row), defaults={"outbox": row, "to": said["to"], "subject": said["subject"]}
        )
    return left
