"""Work items that bodies hold, the decisions that close them, and the conditions that decisions set."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from governance.audit.append_only import AppendOnly
from governance.people.models import Body, User
from governance.policies.models import PolicyVersion
from governance.policies.vocabulary import Effect, Outcome
from workflows.proposals.models import Proposal, Revision


class Closing(models.TextChoices):
    """How a work item ended: with a decision, or because it was no longer its body's to decide."""

    APPROVE = Outcome.APPROVE.value, Outcome.APPROVE.label
    APPROVE_WITH_CONDITIONS = Outcome.APPROVE_WITH_CONDITIONS.value, Outcome.APPROVE_WITH_CONDITIONS.label
    RETURN = Outcome.RETURN.value, Outcome.RETURN.label
    DECLINE = Outcome.DECLINE.value, Outcome.DECLINE.label
    RECEIVED = "received", _("Received for information")
    SUPERSEDED = "superseded", pgettext_lazy("work item", "Ended by another stage’s decision")
    WITHDRAWN = "withdrawn", pgettext_lazy("work item", "Ended by withdrawal")
    MOVED = "moved", pgettext_lazy("work item", "Ended by a move to another policy version")


class WorkItem(models.Model):
    """One stage of one proposal waiting on one body. Rows stay when closed: each is the history of a stay."""

    append_only: ClassVar = AppendOnly(frozen_when="OLD.closed_at IS NOT NULL")

    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="work_items")
    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="work_items")
    stage_key = models.CharField(max_length=60)
    stage_label = models.CharField(max_length=200)
    effect = models.CharField(max_length=20, choices=Effect.choices)
    body = models.ForeignKey(Body, on_delete=models.PROTECT, related_name="work_items")
    opened_at = models.DateTimeField()
    due_on = models.DateField()
    closed_at = models.DateTimeField(null=True)
    closing = models.CharField(max_length=30, choices=Closing.choices, blank=True)

    class Meta:
        ordering = ["opened_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["proposal", "stage_key"], condition=Q(closed_at=None), name="a_stage_is_open_once"
            ),
            models.CheckConstraint(
                condition=Q(closed_at=None, closing="") | (Q(closed_at__isnull=False) & ~Q(closing="")),
                name="a_closed_work_item_says_how",
            ),
        ]
        indexes = [
            models.Index(fields=["body", "due_on", "id"], condition=Q(closed_at=None), name="queue_of_a_body"),
            models.Index(fields=["proposal", "body"]),
        ]
        verbose_name = _("work item")
        verbose_name_plural = _("work items")

    def __str__(self) -> str:
        return f"{self.proposal.reference}: {self.stage_label}"


class Decision(models.Model):
    """What a body answered at a stage: outcome, reasons, checklist and the exact revision. Never changed, never
    deleted."""

    append_only: ClassVar = AppendOnly(unique=(("item_id",), ("event_number",)), erasable=("by_name", "by_title"))

    item = models.OneToOneField(WorkItem, on_delete=models.PROTECT, related_name="decision")
    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="decisions")
    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="decisions")
    policy_version = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="decisions")
    stage_key = models.CharField(max_length=60)
    stage_label = models.CharField(max_length=200)
    effect = models.CharField(max_length=20, choices=Effect.choices)
    outcome = models.CharField(_("outcome"), max_length=30, choices=Outcome.choices)
    to_stage = models.CharField(max_length=60, blank=True, help_text=_("Key of the earlier stage it was returned to"))
    to_stage_label = models.CharField(max_length=200, blank=True)
    body = models.ForeignKey(Body, on_delete=models.PROTECT, related_name="decisions")
    body_name = models.CharField(max_length=200)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="decisions")
    by_name = models.CharField(max_length=200)
    by_title = models.CharField(max_length=200, blank=True)
    reasons = models.TextField(_("reasons"), blank=True)
    checklist = models.JSONField(
        default=list, help_text=_("Every question with its clause and whether it was confirmed")
    )
    at = models.DateTimeField()
    event_number = models.BigIntegerField(unique=True)

    class Meta:
        ordering = ["at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(outcome__in=["return", "decline"]) | ~Q(reasons=""), name="a_return_or_refusal_has_reasons"
            )
        ]
        indexes = [
            models.Index(fields=["by", "-id"]),
            models.Index(fields=["body", "-id"], condition=Q(outcome="return", to_stage=""), name="returns_of_a_body"),
        ]
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")

    def __str__(self) -> str:
        return f"{self.proposal.reference}, {self.stage_label}: {self.get_outcome_display()}"

    @property
    def answers(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.checklist
        return items


class Condition(models.Model):
    """Something that an approval asks to be done."""

    append_only: ClassVar = AppendOnly(
        unique=(("decision_id", "number"),), frozen=("decision_id", "number", "text", "due_on", "owner")
    )

    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="conditions")
    number = models.PositiveIntegerField()
    text = models.TextField(_("condition"), max_length=2_000)
    due_on = models.DateField(_("to be met by"), null=True, blank=True)
    owner = models.CharField(_("by whom"), max_length=200, blank=True)

    class Meta:
        ordering = ["decision", "number"]
        constraints = [models.UniqueConstraint(fields=["decision", "number"], name="one_condition_of_a_number")]
        verbose_name = _("condition")
        verbose_name_plural = _("conditions")

    def __str__(self) -> str:
        return self.text[:80]
