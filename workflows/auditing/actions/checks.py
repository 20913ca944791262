"""Keeping what a check of the record found, and telling the administrators when something does not hold."""

import logging
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import override

from governance import clock
from governance.audit.canonical import digest
from governance.audit.verifier import UNTIED
from governance.dates import in_full
from governance.people.models import User
from workflows.auditing.checking import Checked, check_database
from workflows.auditing.models import Verification
from workflows.notices.mail import queue_mail

logger = logging.getLogger("assent.record")

# The nightly check is not made again by a worker that starts in the morning, and one from the beginning comes weekly.
NIGHTLY: Final = timedelta(hours=12)
WEEKLY: Final = timedelta(days=6, hours=12)


def check_if_due() -> Verification | None:
    """Check what came since the last check, once a night; once a week from the beginning. Safe to run at any time."""
    last, now = Verification.objects.first(), clock.now()
    if last is not None and last.at > now - NIGHTLY:
        return None
    whole = not Verification.objects.filter(whole=True, at__gt=now - WEEKLY).exists()
    return keep(checked=check_database(whole=whole))


@transaction.atomic
def keep(*, checked: Checked) -> Verification:
    """Keep what a check of the database found. If anything does not hold, every administrator is mailed, once a day and
    finding."""
    report, holds = checked.report, not checked.report.failed
    kept = Verification.objects.create(
        at=checked.begun,
        whole=checked.whole,
        size=checked.check.size,
        checked=checked.check.events,
        seconds=checked.seconds,
        holds=holds,
        findings=_findings(checked),
        frontier=checked.check.reached().as_json() if holds else {},
    )
    if report.first is not None:
        logger.error("the record does not hold (%s failures): %s", report.failed, report.first.sentence)
        _tell(kept, report.first.sentence)
    elif checked.code == UNTIED:
        logger.warning("the record was checked without the key that signs it")
    return kept


def _findings(checked: Checked) -> list[dict[str, Any]]:
    """What does not hold, then what was checked and holds, then what else a reader should know."""
    report = checked.report
    failed = [{"holds": False, "check": each.check, "sentence": each.sentence} for each in report.failures]
    held = [{"holds": True, "sentence": each} for each in report.held]
    return [*failed, *held, *({"holds": None, "sentence": each} for each in report.remarks)]


def _tell(kept: Verification, sentence: str) -> None:
    day, mark = localdate(kept.at), digest(sentence.encode())[:16]
    with override(settings.LANGUAGE_CODE):
        words = {
            "institution": settings.INSTITUTION,
            "day": in_full(day),
            "finding": sentence,
            "address": settings.BASE_URL + reverse("audit"),
        }
        text = _(
            "The check of the record on %(day)s found something that does not hold:\n"
            "\n"
            "%(finding)s\n"
            "\n"
            "Change nothing. Keep the database, the key folder and the last copies as they are, and look at what was"
            " found: %(address)s\n"
            "\n"
            "To check again from the beginning: manage.py audit verify --whole\n"
        )
        for person in User.objects.filter(is_staff=True, is_active=True).exclude(email="").order_by("pk"):
            queue_mail(
                key=f"record-check:{day.isoformat()}:{mark}:{person.pk}",
                to=person.email,
                subject=_("The record of %(institution)s does not hold") % words,
                text=text % words,
            )
