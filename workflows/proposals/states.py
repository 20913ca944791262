"""The states of a proposal's life, the same under every policy."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class State(TextChoices):
    DRAFT = "draft", _("Draft")
    IN_REVIEW = "in_review", _("In review")
    RETURNED = "returned", _("Returned for changes")
    APPROVED = "approved", _("Approved")
    DECLINED = "declined", _("Declined")
    WITHDRAWN = "withdrawn", _("Withdrawn")


WITH_AUTHOR = (State.DRAFT, State.RETURNED)
ENDED = (State.APPROVED, State.DECLINED, State.WITHDRAWN)
