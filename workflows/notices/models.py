"""What waits to leave the house, and the mail that left. Example: the mail that tells an author of an approval."""

from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from governance import clock

KEY_LENGTH = 200


class OutboxQuerySet(models.QuerySet["Outbox"]):
    def waiting(self) -> Self:
        """Neither done nor given up."""
        return self.filter(done_at=None, failed_at=None)

    def due(self, moment: datetime) -> Self:
        """Those that may be taken up at `moment`: waiting, due, and held by nobody whose lease still runs."""
        return self.waiting().filter(Q(leased_until=None) | Q(leased_until__lte=moment), due_at__lte=moment)

    def given_up(self) -> Self:
        """Those that an administrator must look at."""
        return self.filter(failed_at__isnull=False)


class Outbox(models.Model):
    """One piece of work that an action asked for in its own transaction: a task's name and its arguments.

    `queued_at`, `done_at` and `failed_at` are the record's time. `due_at` and `leased_until` are the wall clock's (see
    `workflows.notices.outbox.wall_clock`).
    """

    task = models.CharField(_("task"), max_length=100, help_text=_("Name of the Celery task, such as memos.render"))
    key = models.CharField(
        _("key"), max_length=KEY_LENGTH, help_text=_("A task is never queued twice under the same key")
    )
    payload = models.JSONField(_("arguments"), help_text=_("The task's keyword arguments"))
    queued_at = models.DateTimeField(_("queued"), default=clock.now)
    due_at = models.DateTimeField(_("next try"))
    attempts = models.PositiveSmallIntegerField(_("tries"), default=0)
    leased_until = models.DateTimeField(_("held until"), null=True, blank=True)
    done_at = models.DateTimeField(_("done"), null=True, blank=True)
    failed_at = models.DateTimeField(_("given up"), null=True, blank=True)
    last_error = models.TextField(_("last error"), blank=True)

    objects: ClassVar = OutboxQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("outbox row")
        verbose_name_plural = _("outbox")
        constraints = [
            models.UniqueConstraint(fields=["key", "task"], name="outbox_once_under_a_key"),
            models.CheckConstraint(
                condition=Q(done_at=None) | Q(failed_at=None), name="outbox_done_or_given_up_not_both"
            ),
            models.CheckConstraint(
                condition=Q(leased_until=None) | Q(done_at=None, failed_at=None), name="outbox_only_waiting_is_held"
            ),
        ]
        indexes = [
            # What the worker asks every second, and the banner on every page of an administrator: both stay as small as
            # what is unfinished, however long the archive of finished rows grows.
            models.Index(fields=["due_at", "id"], condition=Q(done_at=None, failed_at=None), name="outbox_waiting"),
            models.Index(fields=["failed_at"], condition=Q(failed_at__isnull=False), name="outbox_given_up"),
        ]

    def __str__(self) -> str:
        return f"{self.task} {self.key}"


class Delivery(models.Model):
    """A mail that left, with its address and subject as they were. The outbox row holds its text."""

    outbox = models.ForeignKey(
        Outbox, on_delete=models.PROTECT, related_name="deliveries", verbose_name=_("outbox row")
    )
    message_id = models.CharField(_("message ID"), max_length=300, unique=True)
    # Text without a limit: a mail that has left must never fail to be written down for the length of its subject.
    to = models.TextField(_("to"))
    subject = models.TextField(_("subject"))
    sent_at = models.DateTimeField(_("sent"), default=clock.now)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")

    def __str__(self) -> str:
        # Without the subject, which only whoever it went to may read.
        return f"{self.to}: {self.message_id}"
