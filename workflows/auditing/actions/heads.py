"""Lodging each day's last checkpoint outside, so that a record that is cut short or written anew is noticed there."""

from datetime import date

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import override

from governance import clock
from governance.audit.models import Checkpoint
from governance.audit.queries import noted
from governance.dates import in_full
from workflows.auditing.heads.queries import last_of_days_before
from workflows.notices.mail import queue_mail
from workflows.notices.models import Outbox

KEY = "lodged"


@transaction.atomic
def lodge() -> list[Outbox]:
    """Queue a mail with the last checkpoint of each day that is over to everybody it is lodged with, once.

    Days on which this did not run are made up for; who is new on the list begins with the latest day. Returns the mails
    queued now. Safe to run as often as wanted, and twice at once.
    """
    return [
        row
        for address in settings.LODGE_WITH
        for checkpoint in reversed(_due(address))
        for row in [_mail(checkpoint, address)]
    ]


def _due(address: str) -> list[Checkpoint]:
    """The checkpoints that this address has not been sent yet, newest first."""
    lodged = _last_lodged(address)
    due: list[Checkpoint] = []
    for checkpoint in last_of_days_before(clock.today()):
        if lodged is not None and localdate(checkpoint.at) <= lodged:
            break
        due.append(checkpoint)
        if lodged is None:
            break
    return due


def _last_lodged(address: str) -> date | None:
    mails = Outbox.objects.filter(task="notices.send_mail", key__startswith=f"{KEY}:", key__endswith=f":{address}")
    # The day stands in the key as 2026-10-16, so the largest key is that of the latest day.
    last = mails.order_by("-key").values_list("key", flat=True).first()
    return date.fromisoformat(last.split(":")[1]) if last else None


def _mail(checkpoint: Checkpoint, address: str) -> Outbox:
    day = localdate(checkpoint.at)
    with override(settings.LANGUAGE_CODE):
        words = {
            "institution": settings.INSTITUTION,
            "day": in_full(day),
            "size": checkpoint.size,
            "name": f"checkpoint-{day.isoformat()}.txt",
            "log": settings.BASE_URL + reverse("log"),
        }
        text = _(
            "This is the last checkpoint of %(day)s over the record of %(institution)s, which held %(size)s events.\n"
            "\n"
            "Keep it where nobody at the institution can change it. It says nothing of what was decided. Should anybody"
            " later shorten the record or write it anew, this checkpoint will not fit it, and that can be shown.\n"
            "\n"
            "To check the record against it, copy everything below the line, from the log's name to the end, into a"
            " file named %(name)s, ask the institution for an export of its record, and run:\n"
            "\n"
            "    python3 verify.py PACKAGE --since %(name)s\n"
            "\n"
            "About the log: %(log)s\n"
        )
        return queue_mail(
            key=f"{KEY}:{day.isoformat()}:{address}",
            to=address,
            subject=_("Checkpoint of the record of %(institution)s, %(day)s") % words,
            text=f"{text % words}\n{'-' * 64}\n{noted(checkpoint)}",
        )
