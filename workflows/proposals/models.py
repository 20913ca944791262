"""Proposals, their drafts and immutable revisions, attachments, comments, and what each person last looked at."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from governance import clock
from governance.audit.actions import RevisionMark
from governance.audit.append_only import AppendOnly
from governance.audit.canonical import Json
from governance.people.models import Body, Unit, User, new_salt
from governance.policies.models import PolicyVersion
from governance.policies.vocabulary import Action, Kind, Level
from workflows.proposals.content import Content, changed_fields
from workflows.proposals.states import WITH_AUTHOR, State


class Proposal(models.Model):
    """One request to create, change or retire a micro-credential.

    Its state is changed by `workflows.review.actions` alone.
    """

    append_only: ClassVar = AppendOnly(
        unique=(("reference",),), frozen=("reference", "author_id", "created_at", "action")
    )

    reference = models.CharField(_("reference"), max_length=20, unique=True)
    action = models.CharField(_("asks to"), max_length=20, choices=Action.choices, default=Action.NEW)
    title = models.CharField(_("title"), max_length=300, blank=True)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices, blank=True)
    level = models.CharField(_("level"), max_length=20, choices=Level.choices, blank=True)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="proposals", verbose_name=_("unit"))
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="proposals", verbose_name=_("author"))
    state = models.CharField(_("state"), max_length=20, choices=State.choices, default=State.DRAFT)
    since = models.DateTimeField(_("with its holder since"), help_text=_("When state or holder last changed"))
    policy_version = models.ForeignKey(
        PolicyVersion, on_delete=models.PROTECT, null=True, related_name="proposals", verbose_name=_("policy version")
    )
    revision_number = models.PositiveIntegerField(_("submission"), default=0)
    version = models.PositiveIntegerField(_("lock version"), default=0, help_text=_("Last event in its stream"))
    created_at = models.DateTimeField(_("created"))
    submitted_at = models.DateTimeField(_("first submitted"), null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)
    disposed_at = models.DateTimeField(_("contents disposed of"), null=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("proposal")
        verbose_name_plural = _("proposals")
        constraints = [
            models.CheckConstraint(
                condition=Q(state="draft")
                | Q(state="withdrawn")
                | Q(revision_number__gt=0, policy_version__isnull=False, submitted_at__isnull=False),
                name="a_proposal_past_draft_was_submitted_under_a_policy",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["approved", "declined", "withdrawn"], ended_at__isnull=False)
                | Q(state__in=["draft", "in_review", "returned"], ended_at=None),
                name="an_ended_proposal_says_when",
            ),
        ]
        indexes = [
            models.Index(fields=["author", "-id"]),
            models.Index(fields=["unit", "-id"]),
            models.Index(fields=["state", "-id"]),
        ]

    def __str__(self) -> str:
        # Without the title, which only the people on the proposal may read.
        return self.reference

    @property
    def subject(self) -> str:
        """Its stream in the record."""
        return f"proposal/{self.reference}"

    @property
    def with_author(self) -> bool:
        return self.state in WITH_AUTHOR

    @cached_property
    def current_revision(self) -> "Revision | None":
        """The submission that reviewers decide on; None before the first."""
        if not self.revision_number:
            return None
        return self.revisions.get(number=self.revision_number)

    def draft_content(self) -> Content:
        """What the author has written so far."""
        return Content.model_validate({part.key: part.data for part in self.draft_sections.all()})

    def draft_files(self) -> list[dict[str, Json]]:
        """The files attached to the draft, as a submission keeps them."""
        files = self.attachments.filter(removed_at=None)
        return [file.as_json() for file in files]


class DraftSection(models.Model):
    """One section of the draft, saved by itself.

    `version` counts its saves, so that a second tab cannot overwrite unseen words.
    """

    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="draft_sections")
    key = models.CharField(max_length=30)
    version = models.PositiveIntegerField(default=0)
    data = models.JSONField(default=dict)
    saved_at = models.DateTimeField(null=True)
    saved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["proposal", "key"], name="one_draft_of_a_section")]
        verbose_name = _("draft section")
        verbose_name_plural = _("draft sections")

    def __str__(self) -> str:
        return f"{self.proposal_id} {self.key} {self.version}"


class Revision(models.Model):
    """What was submitted, word for word: an immutable numbered snapshot with the digest of its canonical bytes."""

    append_only: ClassVar = AppendOnly(
        unique=(("proposal_id", "number"),), erasable=("content_text", "note", "submitted_by_name")
    )

    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField(_("submission"))
    content_text = models.TextField(help_text=_("Canonical JSON"))
    digest = models.CharField(max_length=64)
    changed_fields = models.JSONField(
        default=list, help_text=_("Paths of fields that differ from the one before, such as resources.fee; also files")
    )
    changed_sections = models.JSONField(default=list, help_text=_("Keys of sections that differ from the one before"))
    attachments = models.JSONField(default=list, help_text=_("Name, digest and size of every file"))
    note = models.TextField(_("What changed, in the author’s words"), blank=True)
    submitted_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    submitted_by_name = models.CharField(max_length=200)
    submitted_at = models.DateTimeField()

    class Meta:
        ordering = ["proposal", "number"]
        constraints = [models.UniqueConstraint(fields=["proposal", "number"], name="one_revision_of_a_number")]
        verbose_name = _("submission")
        verbose_name_plural = _("submissions")

    def __str__(self) -> str:
        return f"{self.proposal.reference} submission {self.number}"

    @cached_property
    def content(self) -> Content:
        """What was submitted; nothing once the proposal was disposed of."""
        return Content.model_validate_json(self.content_text) if self.content_text else Content()

    def changes_to(self, content: Content, files: Sequence[Mapping[str, Json]]) -> list[str]:
        """The paths of the fields that differ in a later content, and "files" where its files do."""
        changed = changed_fields(self.content, content)
        return [*changed, "files"] if list(files) != self.attachments else changed

    @property
    def mark(self) -> RevisionMark:
        return RevisionMark(number=self.number, digest=self.digest)


class Attachment(models.Model):
    """A file attached to a proposal, kept by its digest. A file of a submitted revision stays for good."""

    append_only: ClassVar = AppendOnly(
        frozen=("proposal_id", "digest", "name", "size", "media_type", "confidential", "added_at")
    )

    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="attachments")
    digest = models.CharField(max_length=64)
    name = models.CharField(_("file name"), max_length=255)
    size = models.PositiveBigIntegerField(_("size in bytes"))
    media_type = models.CharField(max_length=100)
    confidential = models.BooleanField(
        _("confidential"),
        default=False,
        help_text=_("Every reading of it by somebody else than its author is recorded"),
    )
    added_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, help_text=_("Taken out of the draft; earlier submissions keep it"))

    class Meta:
        ordering = ["added_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["proposal", "digest"], condition=Q(removed_at=None), name="one_file_of_a_digest_in_a_draft"
            )
        ]
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")

    def __str__(self) -> str:
        return self.name

    def as_json(self) -> dict[str, Json]:
        """As a submission keeps it; only a confidential one says of which kind it is."""
        said: dict[str, Json] = {"name": self.name, "digest": self.digest, "size": self.size}
        return said | {"confidential": True} if self.confidential else said

    @property
    def stored_name(self) -> str:
        """Where the file lies in the store: under its digest, so that the same bytes are kept once."""
        return f"attachments/{self.digest[:2]}/{self.digest}"


class Audience(models.TextChoices):
    BODY = "body", _("the body that is reviewing")
    REVIEWERS = "reviewers", _("all reviewers")
    EVERYONE = "everyone", _("everyone on the proposal")


class Comment(models.Model):
    """A remark on a proposal, for a named audience. It is never edited or deleted."""

    append_only: ClassVar = AppendOnly(erasable=("author_name", "author_title", "text"))

    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="comments")
    section = models.CharField(max_length=30, blank=True)
    revision_number = models.PositiveIntegerField()
    audience = models.CharField(_("who may read it"), max_length=20, choices=Audience.choices)
    body = models.ForeignKey(Body, on_delete=models.PROTECT, null=True, related_name="+")
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    author_name = models.CharField(max_length=200)
    author_title = models.CharField(max_length=200, blank=True)
    text = models.TextField(_("comment"), max_length=5_000)
    salt = models.BinaryField(default=new_salt, help_text=_("Hides the words in the record, which others may read"))
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(audience="body") | Q(body__isnull=False), name="a_comment_for_a_body_names_it"
            )
        ]
        verbose_name = _("comment")
        verbose_name_plural = _("comments")

    def __str__(self) -> str:
        return self.text[:60]


class Look(models.Model):
    """What a person had seen of a proposal when they last looked, so that a page can show what changed since."""

    proposal = models.ForeignKey(Proposal, on_delete=models.CASCADE, related_name="looks")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    revision_number = models.PositiveIntegerField()
    version = models.PositiveIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["proposal", "user"], name="one_look_of_a_person")]
        verbose_name = _("look")
        verbose_name_plural = _("looks")

    def __str__(self) -> str:
        return f"{self.user_id} {self.proposal_id}"
