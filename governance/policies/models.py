"""Policies and their versions.

An adopted version is immutable in the database: text and rules are one unit with one digest.
"""

from functools import cached_property, lru_cache
from typing import ClassVar

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from governance.audit.append_only import AppendOnly
from governance.policies.rules import Rules
from governance.policies.text import TextClause, clauses


@lru_cache(maxsize=64)
def _typed(rules: str) -> Rules:
    return Rules.model_validate_json(rules)


class Policy(models.Model):
    """A written rule of the institution, through all its versions."""

    key = models.SlugField(_("key"), max_length=60, unique=True)
    title = models.CharField(_("title"), max_length=200)

    class Meta:
        ordering = ["title"]
        verbose_name = _("policy")
        verbose_name_plural = _("policies")

    def __str__(self) -> str:
        return self.title


class VersionStatus(models.TextChoices):
    DRAFT = "draft", _("Draft")
    ADOPTED = "adopted", _("Adopted")


class PolicyVersion(models.Model):
    """One version: the text that people read, the rules that the system follows, and the digest of both."""

    append_only: ClassVar = AppendOnly(
        unique=(("policy_id", "number"),),
        frozen=("policy_id", "number", "text", "rules", "digest", "effective_from", "status", "motion"),
        frozen_when="OLD.status <> 'draft'",
        deletable_when="OLD.status = 'draft'",
    )

    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField(_("version"))
    text = models.TextField(_("text"), help_text=_("Markdown with numbered clauses"))
    rules = models.TextField(_("rules"), help_text=_("Canonical JSON"))
    digest = models.CharField(_("digest"), max_length=64)
    status = models.CharField(_("status"), max_length=20, choices=VersionStatus.choices, default=VersionStatus.DRAFT)
    effective_from = models.DateField(_("in force from"))
    drafted_by = models.ForeignKey(
        "people.User", on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("drafted by")
    )
    adopted_by = models.ForeignKey(
        "people.User", on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("adoption recorded by")
    )
    adopted_at = models.DateTimeField(_("adopted"), null=True)
    motion = models.TextField(_("motion or minute"), blank=True)

    class Meta:
        ordering = ["policy", "-number"]
        verbose_name = _("policy version")
        verbose_name_plural = _("policy versions")
        constraints = [
            models.UniqueConstraint(fields=["policy", "number"], name="one_version_of_a_number"),
            models.CheckConstraint(
                condition=models.Q(status="draft", adopted_at=None)
                | models.Q(status="adopted", adopted_at__isnull=False, adopted_by__isnull=False),
                name="an_adopted_version_says_by_whom_and_when",
            ),
        ]

    def __str__(self) -> str:
        return self.label

    def get_absolute_url(self) -> str:
        return reverse("policy", args=[self.policy.key, self.number])

    @property
    def label(self) -> str:
        """As the record and memos name it: "Micro-credential approval policy, version 1"."""
        return f"{self.policy.title}, version {self.number}"

    @property
    def typed_rules(self) -> Rules:
        return _typed(self.rules)

    @cached_property
    def clauses(self) -> list[TextClause]:
        return clauses(self.text)

    def clause_text(self, number: str) -> str:
        return next((clause.text for clause in self.clauses if clause.number == number), "")
