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
from governance.policies.states import LAW, VersionStatus
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


class PolicyVersion(models.Model):
    """One version: the text that people read, the rules that the system follows, and the digest of both."""

    append_only: ClassVar = AppendOnly(
        unique=(("policy_id", "number"),),
        frozen=("policy_id", "number", "text", "rules", "source", "digest", "effective_from"),
        frozen_when="OLD.status <> 'draft'",
        # What was adopted goes forward only, and how it was adopted stays.
        refused_when=(
            "OLD.status IN ('adopted', 'in-force', 'superseded', 'withdrawn') AND (NEW.motion <> OLD.motion"
            " OR NEW.adopted_at <> OLD.adopted_at OR NEW.adopted_by_id <> OLD.adopted_by_id OR NOT ("
            "NEW.status = OLD.status"
            " OR OLD.status = 'adopted' AND NEW.status IN ('in-force', 'superseded', 'withdrawn')"
            " OR OLD.status = 'in-force' AND NEW.status = 'superseded'))"
        ),
    )

    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField(_("version"))
    text = models.TextField(_("text"), help_text=_("Markdown with numbered clauses"))
    rules = models.TextField(_("rules"), help_text=_("Canonical JSON; of a draft, as far as it has come"))
    source = models.TextField(_("rules as imported"), blank=True, help_text=_("The YAML file, while it says the same"))
    digest = models.CharField(_("digest"), max_length=64)
    status = models.CharField(_("status"), max_length=20, choices=VersionStatus.choices, default=VersionStatus.DRAFT)
    effective_from = models.DateField(_("in force from"))
    saves = models.PositiveIntegerField(default=0, help_text=_("How often the draft was saved"))
    saved_at = models.DateTimeField(_("last saved"), null=True)
    drafted_by = models.ForeignKey(
        "people.User", on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("drafted by")
    )
    drafters = models.ManyToManyField(
        "people.User", related_name="+", verbose_name=_("everybody who wrote in it"), blank=True
    )
    proposed_at = models.DateTimeField(_("proposed"), null=True)
    adopted_by = models.ForeignKey(
        "people.User", on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("adoption recorded by")
    )
    adopted_at = models.DateTimeField(_("adopted"), null=True)
    motion = models.TextField(_("motion or minute"), blank=True)
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True)

    class Meta:
        ordering = ["policy", "-number"]
        verbose_name = _("policy version")
        verbose_name_plural = _("policy versions")
        constraints = [
            models.UniqueConstraint(fields=["policy", "number"], name="one_version_of_a_number"),
            models.CheckConstraint(
                condition=models.Q(status__in=["draft", "proposed"], adopted_at=None)
                | models.Q(status="withdrawn")
                | models.Q(status__in=LAW, adopted_at__isnull=False, adopted_by__isnull=False),
                name="an_adopted_version_says_by_whom_and_when",
            ),
            models.CheckConstraint(
                condition=models.Q(status="withdrawn", withdrawn_at__isnull=False)
                | (~models.Q(status="withdrawn") & models.Q(withdrawn_at=None)),
                name="a_withdrawn_version_says_when",
            ),
            models.UniqueConstraint(
                fields=["policy", "effective_from"],
                condition=models.Q(status__in=LAW),
                name="one_version_begins_on_a_day",
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
        """The rules. Raises pydantic's ValidationError for a draft that cannot be proposed yet."""
        return _typed(self.rules)

    @property
    def is_law(self) -> bool:
        """Whether it was adopted, and not withdrawn before its first day."""
        return self.status in LAW

    @cached_property
    def clauses(self) -> list[TextClause]:
        return clauses(self.text)

    def clause_text(self, number: str) -> str:
        return next((clause.text for clause in self.clauses if clause.number == number), "")
