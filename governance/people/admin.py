"""People, units, bodies and mandates in the administration pages. Every change goes through `actions.py`, so that it is
on the record; nothing can be deleted, and a mandate can only be given or ended."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin  # noqa: F401 (importing it registers what is taken out below)
from django.contrib.auth.forms import ReadOnlyPasswordHashField
from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from governance.audit.admin import ModelAdmin
from governance.people import actions
from governance.people.duties import Duty
from governance.people.models import Body, Mandate, Unit, User
from governance.refusals import Refusal

# Nobody's rights come from a group: a mandate on a body is the only way.
admin.site.unregister(Group)


class Kept(ModelAdmin):
    """Nothing can be deleted here: governance needs to know who and what there was."""

    actions = None

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class Reasoned(forms.ModelForm):  # type: ignore[type-arg]
    """A change of something that is there already: who makes it says why, and the reason goes into the record."""

    reason = forms.CharField(label=_("Reason"), max_length=500, help_text=_("It stands in the record for good."))


class Change(Kept):
    """Adding asks for no reason; changing does."""

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **{"form": Reasoned if obj else self.form} | kwargs)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and getattr(obj, "erased_at", None) is None


def _fields_changed(form: Any) -> list[str]:
    return [name for name in form.changed_data if name != "reason"]


class NewPerson(forms.ModelForm):  # type: ignore[type-arg]
    """A person to be added, with a first password or none when they sign in otherwise."""

    password = forms.CharField(
        label=_("First password"), required=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )

    class Meta:
        model = User
        fields = ["email", "name", "title", "unit", "is_staff"]


class Person(Reasoned):
    password = ReadOnlyPasswordHashField(label=_("Password"))

    class Meta:
        model = User
        fields = ["email", "name", "title", "unit", "is_active", "is_staff", "password"]


@admin.register(User)
class UserAdmin(Change):
    list_display = ["name", "email", "title", "unit", "is_active", "is_staff"]
    list_filter = ["is_active", "is_staff", "unit"]
    search_fields = ["name", "email"]
    list_select_related = ["unit"]

    def get_form(self, request: HttpRequest, obj: User | None = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, form=Person if obj else NewPerson, **kwargs)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if change:
            actions.change_person(
                actor=_actor(request),
                person=obj,
                fields=_fields_changed(form),
                reason=form.cleaned_data["reason"],
            )
            return
        data = form.cleaned_data
        person = actions.add_person(
            actor=_actor(request),
            email=data["email"],
            name=data["name"],
            title=data["title"],
            unit=data["unit"],
            password=data["password"] or None,
            is_staff=data["is_staff"],
        )
        obj.pk = person.pk


@admin.register(Unit)
class UnitAdmin(Change):
    list_display = ["name", "code", "kind", "parent"]
    list_filter = ["kind"]
    search_fields = ["name", "code"]
    list_select_related = ["parent"]

    def get_readonly_fields(self, request: HttpRequest, obj: Unit | None = None) -> list[str]:
        return ["code"] if obj else []

    def save_model(self, request: HttpRequest, obj: Unit, form: Any, change: bool) -> None:
        if change:
            actions.change_unit(
                actor=_actor(request), unit=obj, fields=_fields_changed(form), reason=form.cleaned_data["reason"]
            )
            return
        obj.pk = actions.add_unit(actor=_actor(request), **form.cleaned_data).pk


@admin.register(Body)
class BodyAdmin(Change):
    list_display = ["name", "code", "kind", "unit"]
    list_filter = ["kind"]
    search_fields = ["name", "code"]
    list_select_related = ["unit"]

    def get_readonly_fields(self, request: HttpRequest, obj: Body | None = None) -> list[str]:
        return ["code", "kind", "unit"] if obj else []

    def save_model(self, request: HttpRequest, obj: Body, form: Any, change: bool) -> None:
        if change:
            actions.change_body(
                actor=_actor(request), body=obj, fields=_fields_changed(form), reason=form.cleaned_data["reason"]
            )
            return
        obj.pk = actions.create_body(actor=_actor(request), **form.cleaned_data).pk


class NewMandate(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Mandate
        fields = ["user", "body", "duty", "starts_on", "ends_on"]


class EndOfMandate(forms.ModelForm):  # type: ignore[type-arg]
    """The only change a mandate knows: its last day, with the reason."""

    reason = forms.CharField(label=_("Reason"), max_length=500)

    class Meta:
        model = Mandate
        fields = ["ends_on"]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        last = cleaned.get("ends_on")
        if last is None:
            self.add_error("ends_on", _("Give the last day of the mandate."))
        elif last < self.instance.starts_on:
            self.add_error("ends_on", _("The last day of a mandate cannot be before its first day."))
        return cleaned


@admin.register(Mandate)
class MandateAdmin(Kept):
    list_display = ["user", "duty", "body", "starts_on", "ends_on"]
    list_filter = ["duty", "body__kind"]
    search_fields = ["user__name", "user__email", "body__name"]
    autocomplete_fields = ["user", "body"]
    list_select_related = ["user", "body"]

    def get_form(self, request: HttpRequest, obj: Mandate | None = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, form=EndOfMandate if obj else NewMandate, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Mandate | None = None) -> Any:
        if obj:
            return ["user", "body", "duty", "starts_on", "ends_on", "reason"]
        return ["user", "body", "duty", "starts_on", "ends_on"]

    def get_readonly_fields(self, request: HttpRequest, obj: Mandate | None = None) -> list[str]:
        return ["user", "body", "duty", "starts_on"] if obj else []

    def save_model(self, request: HttpRequest, obj: Mandate, form: Any, change: bool) -> None:
        data = form.cleaned_data
        try:
            if change:
                actions.end_mandate(actor=_actor(request), mandate=obj, ends_on=data["ends_on"], reason=data["reason"])
            else:
                mandate = actions.give_mandate(
                    actor=_actor(request),
                    person=data["user"],
                    body=data["body"],
                    duty=Duty(data["duty"]),
                    starts_on=data["starts_on"],
                    ends_on=data["ends_on"],
                )
                obj.pk = mandate.pk
        except Refusal as refusal:
            messages.error(request, str(refusal))


def _actor(request: HttpRequest) -> Any:
    assert isinstance(request.user, User)
    return request.user.as_actor()
