"""How a policy version stands."""

from typing import Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class VersionStatus(TextChoices):
    """The life of one version. Which version is in force on a day is asked of the dates, never of this column alone."""

    DRAFT = "draft", pgettext_lazy("policy version", "Draft")
    PROPOSED = "proposed", pgettext_lazy("policy version", "Proposed")
    ADOPTED = "adopted", _("Adopted")
    IN_FORCE = "in-force", _("In force")
    SUPERSEDED = "superseded", _("Superseded")
    WITHDRAWN = "withdrawn", pgettext_lazy("policy version", "Withdrawn")


# Adopted and not withdrawn: one of these governs every day from its first on, until the next one's first.
LAW: Final = (VersionStatus.ADOPTED, VersionStatus.IN_FORCE, VersionStatus.SUPERSEDED)
