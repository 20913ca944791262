"""The kinds of unit that an institution has, such as a faculty. Conditions of rules read them."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class UnitKind(TextChoices):
    UNIVERSITY = "university", _("University")
    FACULTY = "faculty", _("Faculty")
    INSTITUTE = "institute", _("Institute")
    CONTINUING = "continuing-education", _("Continuing education")
    OFFICE = "office", _("Office")
