"""Exports of the record, searches that people saved, and legal holds."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from governance import clock
from governance.audit.append_only import AppendOnly
from governance.people.models import User


class Export(models.Model):
    """A package for an auditor that somebody asked for, and how far it has come."""

    class State(models.TextChoices):
        WAITING = "waiting", pgettext_lazy("export", "Waiting")
        RUNNING = "running", pgettext_lazy("export", "Being made")
        DONE = "done", pgettext_lazy("export", "Ready")
        STOPPED = "stopped", pgettext_lazy("export", "Stopped")
        FAILED = "failed", pgettext_lazy("export", "Failed")

    scope = models.JSONField(help_text=_("What it holds: everything, a proposal, or a period"))
    reason = models.TextField(_("for whom or what"))
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("asked for by"))
    requested_at = models.DateTimeField(_("asked for"), default=clock.now)
    state = models.CharField(_("state"), max_length=20, choices=State.choices, default=State.WAITING)
    done = models.PositiveBigIntegerField(_("events written"), default=0)
    total = models.PositiveBigIntegerField(_("events"), default=0)
    size = models.PositiveBigIntegerField(_("size in bytes"), default=0)
    digest = models.CharField(_("digest"), max_length=64, blank=True, help_text=_("SHA-256 of the packed file"))
    error = models.TextField(_("what went wrong"), blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("export")
        verbose_name_plural = _("exports")

    def __str__(self) -> str:
        return f"{self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("export", args=[self.pk])

    @property
    def stored_name(self) -> str:
        """Where the packed file lies in the store."""
        return f"exports/{self.pk}.zip"


class SavedSearch(models.Model):
    """A search of the record that a person wants to make again."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(_("name"), max_length=80)
    query = models.TextField(help_text=_("The address's query, such as verb=policy.adopted"))
    saved_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="one_search_of_a_name")]
        verbose_name = _("saved search")
        verbose_name_plural = _("saved searches")

    def __str__(self) -> str:
        return self.name


class Hold(models.Model):
    """A legal hold: nothing of this person or proposal is erased or disposed of until it is lifted."""

    append_only: ClassVar = AppendOnly(frozen=("subject", "name", "reason", "placed_by_id", "placed_at"))

    subject = models.CharField(max_length=120, help_text=_("Such as proposal/MC-2026-0014 or person/17"))
    name = models.CharField(_("on"), max_length=300)
    reason = models.TextField(_("reason"))
    placed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    placed_at = models.DateTimeField(_("placed"), default=clock.now)
    lifted_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", null=True)
    lifted_at = models.DateTimeField(_("lifted"), null=True)
    reason_lifted = models.TextField(_("why it was lifted"), blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["subject"], condition=Q(lifted_at=None), name="one_hold_on_a_subject_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(lifted_at=None, lifted_by=None) | Q(lifted_at__isnull=False, lifted_by__isnull=False),
                name="a_lifted_hold_says_by_whom",
            ),
        ]
        verbose_name = _("legal hold")
        verbose_name_plural = _("legal holds")

    def __str__(self) -> str:
        return self.subject


class Verification(models.Model):
    """What one check of the record found, so that a page can say when it was checked and what does not hold."""

    at = models.DateTimeField(_("begun"), default=clock.now)
    whole = models.BooleanField(_("from the beginning"))
    size = models.PositiveBigIntegerField(_("events in the log"), default=0)
    checked = models.PositiveBigIntegerField(_("events checked"), default=0)
    seconds = models.FloatField(_("seconds"), default=0)
    holds = models.BooleanField(_("everything holds"))
    findings = models.JSONField(default=list, help_text=_("What was checked, and what does not hold, in sentences"))
    frontier = models.JSONField(default=dict, help_text=_("Where the next check may go on"))

    class Meta:
        ordering = ["-id"]
        verbose_name = _("check of the record")
        verbose_name_plural = _("checks of the record")

    def __str__(self) -> str:
        return f"{self.at} {self.size}"
