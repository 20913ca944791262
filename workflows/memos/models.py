"""Issued memos, and the numbers that are set aside for them before they are made."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Length
from django.db.models.lookups import Exact
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from governance import clock
from governance.audit.append_only import AppendOnly
from governance.audit.models import Checkpoint
from workflows.review.models import Decision


class MemoNumber(models.Model):
    """A number set aside for a decision's memo, such as SENATE-2026-014.

    It is printed inside the PDF, so it must be known before the PDF can be made. It stays with its decision for good: a
    worker that is killed in between leaves no gap, because the next one takes up the same number.
    """

    append_only: ClassVar = AppendOnly(unique=(("decision_id",), ("number",)))

    decision = models.OneToOneField(Decision, on_delete=models.PROTECT, related_name="memo_number")
    number = models.CharField(_("number"), max_length=60, unique=True)
    taken_at = models.DateTimeField(_("set aside"), default=clock.now)

    class Meta:
        ordering = ["id"]
        verbose_name = _("memo number")
        verbose_name_plural = _("memo numbers")

    def __str__(self) -> str:
        return self.number


class Memo(models.Model):
    """An issued memo. The row exists only once its PDF does, names it by digest, and is never changed or deleted."""

    append_only: ClassVar = AppendOnly(unique=(("decision_id",), ("number",)))

    number = models.CharField(_("number"), max_length=60, unique=True)
    decision = models.OneToOneField(Decision, on_delete=models.PROTECT, related_name="memo", verbose_name=_("decision"))
    title = models.CharField(_("title"), max_length=400)
    issued_at = models.DateTimeField(_("issued"), default=clock.now)
    digest = models.CharField(_("digest"), max_length=64, db_index=True, help_text=_("SHA-256 of the PDF"))
    unsigned_digest = models.CharField(
        _("digest before signing"),
        max_length=64,
        help_text=_("SHA-256 of the PDF under the signature, made of facts alone"),
    )
    signed_by = models.CharField(
        _("signed by"),
        max_length=300,
        blank=True,
        help_text=_("Subject of the certificate; empty for an unsigned memo"),
    )
    checkpoint = models.ForeignKey(
        Checkpoint, on_delete=models.PROTECT, related_name="memos", verbose_name=_("checkpoint printed in it")
    )
    size = models.PositiveIntegerField(_("size in bytes"))
    template_version = models.PositiveSmallIntegerField(_("template version"))

    class Meta:
        ordering = ["-id"]
        verbose_name = _("memo")
        verbose_name_plural = _("memos")
        constraints = [
            models.CheckConstraint(condition=Exact(Length("digest"), 64), name="a_memo_has_its_pdfs_digest"),
            models.CheckConstraint(condition=Q(size__gt=0), name="a_memos_pdf_is_not_empty"),
            models.CheckConstraint(condition=~Q(number="") & ~Q(title=""), name="a_memo_has_number_and_title"),
        ]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return reverse("memo", args=[self.number])

    @property
    def stored_name(self) -> str:
        """Where the PDF lies in the store."""
        return stored_name(self.digest)

    @property
    def file_name(self) -> str:
        """What the PDF is called when somebody saves it."""
        return f"{self.number}.pdf"


def stored_name(digest: str) -> str:
    """Where a PDF of this digest is kept."""
    return f"memos/{digest[:2]}/{digest}.pdf"
