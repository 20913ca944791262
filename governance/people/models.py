"""People, the unit tree, bodies, and the dated mandates that let a person act on a body."""

import secrets
from datetime import date
from typing import Any, ClassVar, Self

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from guardian.models import UserObjectPermissionBase

from governance import clock
from governance.audit.actions import ASSENT, Actor, keep_openings
from governance.audit.append_only import AppendOnly
from governance.audit.canonical import Json
from governance.audit.models import named
from governance.audit.personal import hidden
from governance.people.duties import Duty, Right
from governance.people.kinds import UnitKind as UnitKind


def new_salt() -> bytes:
    """Bytes that hide a person's data in the record, so long that nobody can try them all."""
    return secrets.token_bytes(32)


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, name: str = "", password: str | None = None, **fields: Any) -> "User":
        """A person who signs in with `email`, kept in lower case; without a password they cannot sign in by one."""
        if not email:
            raise ValueError("a person needs an e-mail address to sign in with")
        user = self.model(email=email.lower(), name=name or email, **fields)
        user.set_password(password)
        user.save(using=self._db)
        user.keep_openings()
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """An administrator of the installation, on the record. It gives no right on any body: only a mandate does."""
        # The actions need the models of this file.
        from governance.people.actions import add_person

        name = fields.pop("name", "") or email
        return add_person(actor=ASSENT, email=email, name=name, password=password, is_staff=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person. Their e-mail address is their login; nobody is ever deleted, only made inactive."""

    email = models.EmailField(_("e-mail address"), unique=True)
    name = models.CharField(_("name"), max_length=200)
    title = models.CharField(_("title"), max_length=200, blank=True, help_text=_("As on a memo: Associate Professor"))
    unit = models.ForeignKey("Unit", on_delete=models.PROTECT, null=True, blank=True, verbose_name=_("unit"))
    is_active = models.BooleanField(_("may sign in"), default=True)
    is_staff = models.BooleanField(_("administrator"), default=False)
    joined = models.DateTimeField(_("joined"), default=clock.now)
    salt = models.BinaryField(default=new_salt, help_text=_("Hides their data in the record; erased with them"))
    erased_at = models.DateTimeField(_("data erased"), null=True, blank=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        ordering = ["name"]
        verbose_name = _("person")
        verbose_name_plural = _("people")

    def __str__(self) -> str:
        return named(self.name)

    def get_full_name(self) -> str:
        return named(self.name)

    @property
    def record_key(self) -> str:
        return f"person/{self.pk}"

    def as_actor(self) -> Actor:
        """This person as the record names them."""
        return Actor(key=self.record_key, name=self.name, title=self.title, salt=bytes(self.salt))

    def hidden(self, value: str) -> Json:
        """Something about this person as an event holds it."""
        return hidden(bytes(self.salt), value)

    def keep_openings(self) -> None:
        """Remember what commitments to this person's name, title and address say; after every change of one."""
        keep_openings(person=self.record_key, salt=bytes(self.salt), values=[self.name, self.title, self.email])


class Unit(models.Model):
    """A faculty, institute or office of the institution, in a tree under the university."""

    code = models.SlugField(_("code"), max_length=20, unique=True)
    name = models.CharField(_("name"), max_length=200)
    short_name = models.CharField(_("short name"), max_length=80, help_text=_("As in a list: Health Sciences"))
    kind = models.CharField(_("kind"), max_length=30, choices=UnitKind.choices)
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("part of")
    )

    class Meta:
        ordering = ["name"]
        verbose_name = _("unit")
        verbose_name_plural = _("units")

    def __str__(self) -> str:
        return self.name

    def lineage(self) -> list["Unit"]:
        """This unit and those it is part of, nearest first."""
        units: list[Unit] = []
        unit: Unit | None = self
        while unit is not None and unit not in units:
            units.append(unit)
            unit = unit.parent
        return units


class Body(models.Model):
    """Who sits at a stage: an office held by one person, or a committee."""

    code = models.SlugField(_("code"), max_length=30, unique=True, help_text=_("Begins the numbers of its memos"))
    kind = models.SlugField(_("kind"), max_length=40, help_text=_("What a policy's stage asks for: associate-dean"))
    name = models.CharField(_("name"), max_length=200)
    short_name = models.CharField(_("short name"), max_length=80)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="bodies", verbose_name=_("of"))
    address = models.TextField(_("letterhead lines"), blank=True)
    email = models.EmailField(_("e-mail address"), blank=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("body")
        verbose_name_plural = _("bodies")
        constraints = [models.UniqueConstraint(fields=["kind", "unit"], name="one_body_of_a_kind_in_a_unit")]
        default_permissions = ("add", "change", "delete")
        permissions = [(right.value, f"May {right.value} on this body") for right in Right]

    def __str__(self) -> str:
        return self.name


class MandateQuerySet(models.QuerySet["Mandate"]):
    def in_force(self, day: date | None = None) -> Self:
        """Mandates in force on a day (today where none is given), first and last day included."""
        day = day or clock.today()
        return self.filter(Q(ends_on=None) | Q(ends_on__gte=day), starts_on__lte=day)


class Mandate(models.Model):
    """A person's dated duty on a body. It is never changed or deleted, only given an end."""

    append_only: ClassVar = AppendOnly(frozen=("user_id", "body_id", "duty", "starts_on"))

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="mandates", verbose_name=_("person"))
    body = models.ForeignKey(Body, on_delete=models.PROTECT, related_name="mandates", verbose_name=_("body"))
    duty = models.CharField(_("duty"), max_length=20, choices=Duty.choices)
    starts_on = models.DateField(_("first day"))
    ends_on = models.DateField(_("last day"), null=True, blank=True)

    objects = MandateQuerySet.as_manager()

    class Meta:
        ordering = ["body__name", "user__name", "starts_on"]
        verbose_name = _("mandate")
        verbose_name_plural = _("mandates")
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")), name="mandate_ends_after_it_starts"
            ),
            models.UniqueConstraint(fields=["user", "body", "duty", "starts_on"], name="one_mandate_from_a_day"),
        ]
        indexes = [models.Index(fields=["user", "body"])]

    def __str__(self) -> str:
        return f"{self.user}, {self.get_duty_display()}, {self.body}"


class BodyUserObjectPermission(UserObjectPermissionBase):
    """django-guardian's direct table: which person holds which right on which body. It follows the mandates."""

    content_object = models.ForeignKey(Body, on_delete=models.CASCADE, related_name="grants")

    class Meta(UserObjectPermissionBase.Meta):
        abstract = False
        indexes = [models.Index(fields=["user", "permission", "content_object"], name="grant_by_person")]
