"""Replays of a policy version over past proposals, and the proposals that would have fared otherwise."""

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from pydantic import TypeAdapter

from governance.audit.append_only import AppendOnly
from governance.people.models import Unit, User
from governance.policies.models import PolicyVersion
from governance.policies.rules import Rules
from governance.policies.vocabulary import Kind
from workflows.insights.replay import Reason, Result, Tally, Time
from workflows.proposals.models import Proposal

_TIMES = TypeAdapter(dict[str, Time])
_REASONS = TypeAdapter(tuple[Reason, ...])


class Standing(models.TextChoices):
    """How a replay stands."""

    WAITING = "waiting", pgettext_lazy("replay", "Waiting for its turn")
    RUNNING = "running", pgettext_lazy("replay", "Running")
    DONE = "done", pgettext_lazy("replay", "Done")
    STOPPED = "stopped", pgettext_lazy("replay", "Stopped")
    FAILED = "failed", pgettext_lazy("replay", "Could not go on")


class Replay(models.Model):
    """A version tried on the past: what exactly was run, how far it has come, and what it found.

    The rules are kept as they were run, because a draft goes on changing. Once finished it never changes.
    """

    append_only: ClassVar = AppendOnly(frozen_when="OLD.finished_at IS NOT NULL")

    version = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="replays")
    digest = models.CharField(_("digest"), max_length=64, help_text=_("Of the version’s text and rules as they were"))
    rules = models.TextField(_("rules"), help_text=_("Canonical JSON, as they were run"))
    compared = models.JSONField(
        default=list, help_text=_("The versions that governed: key, number, digest and how many proposals")
    )
    ended_from = models.DateField(_("ended from"), null=True)
    ended_to = models.DateField(_("ended to"), null=True)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("faculty"))
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices, blank=True)
    last_event = models.BigIntegerField(default=0, help_text=_("Number of the last event of the data it read"))
    started_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField(_("started"))
    begun_at = models.DateTimeField(null=True, help_text=_("When a worker took it up"))
    moved_at = models.DateTimeField(null=True, help_text=_("When it last came further"))
    finished_at = models.DateTimeField(_("finished"), null=True)
    stopped_at = models.DateTimeField(_("stopped"), null=True)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    position = models.BigIntegerField(default=0, help_text=_("Key of the last proposal that was looked at"))
    times = models.TextField(default="{}", help_text=_("Median time in each stage, JSON"))
    result = models.TextField(default="{}", help_text=_("What it found so far, JSON"))
    error = models.TextField(blank=True)
    failed_on = models.ForeignKey(Proposal, on_delete=models.PROTECT, null=True, related_name="+")
    left_out = models.JSONField(default=list, help_text=_("Keys of proposals that it was told to go on without"))

    class Meta:
        ordering = ["-id"]
        verbose_name = _("replay")
        verbose_name_plural = _("replays")
        constraints = [
            models.CheckConstraint(
                condition=Q(finished_at=None) | Q(stopped_at=None, error=""),
                name="a_finished_replay_was_not_stopped",
            )
        ]

    def __str__(self) -> str:
        return f"{self.version}: {self.get_standing().label}"

    def get_absolute_url(self) -> str:
        return reverse("policy-replay", args=[self.version.policy.key, self.version.number, self.pk])

    def get_standing(self) -> Standing:
        if self.finished_at is not None:
            return Standing.DONE
        if self.stopped_at is not None:
            return Standing.STOPPED
        if self.error:
            return Standing.FAILED
        return Standing.RUNNING if self.begun_at is not None else Standing.WAITING

    @property
    def goes_on(self) -> bool:
        """Whether a worker has it or will have it."""
        return self.get_standing() in (Standing.WAITING, Standing.RUNNING)

    @property
    def is_of_other_words(self) -> bool:
        """Whether the version's text or rules were changed since."""
        return self.version.digest != self.digest

    def is_out_of_date(self, last_event: int) -> bool:
        """Whether what it found may not hold any more, given the last event of the data that replays read."""
        return self.is_of_other_words or self.last_event != last_event

    @property
    def typed_rules(self) -> Rules:
        return Rules.model_validate_json(self.rules)

    @property
    def tally(self) -> Tally:
        return Tally.model_validate_json(self.result)

    @property
    def typed_times(self) -> dict[str, Time]:
        return _TIMES.validate_json(self.times)

    @property
    def took(self) -> timedelta | None:
        """From when a worker took it up until it came as far as it is."""
        if self.begun_at is None or self.moved_at is None:
            return None
        return self.moved_at - self.begun_at

    def left(self) -> timedelta | None:
        """How long it will go on at its pace so far; None while nothing is known of that."""
        if self.took is None or not self.done:
            return None
        return self.took * max(0, self.total - self.done) / self.done


def times_as_json(times: Mapping[str, Time]) -> str:
    return _TIMES.dump_json(dict(times)).decode()


class Finding(models.Model):
    """A past proposal that would have fared otherwise, and why."""

    append_only: ClassVar = AppendOnly(unique=(("replay_id", "proposal_id"),))

    replay = models.ForeignKey(Replay, on_delete=models.PROTECT, related_name="findings")
    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="+")
    result = models.CharField(max_length=20, choices=[(result.value, result.value) for result in Result])
    number = models.PositiveIntegerField(help_text=_("Of the version that governed it"))
    before = models.JSONField(help_text=_("The stages it came to, and how it ended"))
    after = models.JSONField(help_text=_("The stages it would have come to, and how it would have ended"))
    reasons = models.JSONField()
    marks = models.TextField(help_text=_("What a list of findings can be narrowed down by"))
    halves = models.IntegerField(help_text=_("Expected change in half working days"))

    class Meta:
        ordering = ["id"]
        verbose_name = _("finding of a replay")
        verbose_name_plural = _("findings of a replay")
        constraints = [models.UniqueConstraint(fields=["replay", "proposal"], name="one_finding_of_a_proposal")]
        indexes = [models.Index(fields=["replay", "result", "id"])]

    def __str__(self) -> str:
        return f"{self.replay_id} {self.proposal_id}: {self.result}"


def reasons_of(data: object) -> tuple[Reason, ...]:
    return _REASONS.validate_python(data)


def reasons_as_data(reasons: tuple[Reason, ...]) -> object:
    return _REASONS.dump_python(reasons, mode="json")
