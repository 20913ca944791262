"""The outbox in the administration pages: to read, and to try again what was given up."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from governance.audit.admin import ReadOnly
from governance.people.models import User
from governance.refusals import Refusal
from workflows.notices import actions
from workflows.notices.models import Delivery, Outbox


class ReasonedActionForm(ActionForm):
    """Why what was given up is tried again: it goes into the record."""

    reason = forms.CharField(label=_("Reason"), max_length=500, required=False)


class StateFilter(admin.SimpleListFilter):
    """Waiting, delivered or given up."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("given-up", gettext("Given up")), ("waiting", gettext("Waiting")), ("done", gettext("Delivered"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Outbox]) -> QuerySet[Outbox]:
        match self.value():
            case "waiting":
                return queryset.filter(done_at=None, failed_at=None)
            case "done":
                return queryset.filter(done_at__isnull=False)
            case "given-up":
                return queryset.filter(failed_at__isnull=False)
            case _:
                return queryset


@admin.register(Outbox)
class OutboxAdmin(ReadOnly):
    # Not what is sent: mails carry titles, reasons and comments, which an administrator has no right to see.
    fields = [
        "task",
        "key",
        "queued_at",
        "due_at",
        "attempts",
        "leased_until",
        "done_at",
        "failed_at",
        "last_error",
    ]
    list_display = ["id", "task", "key", "state", "queued_at", "due_at", "attempts", "last_error"]
    list_filter = [StateFilter, "task"]
    search_fields = ["key"]
    show_full_result_count = False
    action_form = ReasonedActionForm
    actions = ["try_again"]  # type: ignore[assignment]  # the one thing that may be done here

    @admin.display(description=_("state"))
    def state(self, row: Outbox) -> Promise:
        if row.done_at is not None:
            return _("Delivered")
        if row.failed_at is not None:
            return _("Given up")
        return _("Waiting") if row.leased_until is None else _("Under way")

    @admin.action(description=_("Try again"))
    def try_again(self, request: HttpRequest, queryset: QuerySet[Outbox]) -> None:
        """Give each chosen row its tries again, and say in a sentence which could not be."""
        revived = 0
        for row in queryset:
            try:
                actions.try_again(actor=cast(User, request.user), row=row, reason=request.POST.get("reason", ""))
            except Refusal as refusal:
                self.message_user(
                    request, _("%(label)s: %(words)s") % {"label": row, "words": refusal}, messages.WARNING
                )
            else:
                revived += 1
        if revived:
            sentence = ngettext(
                "%(count)d delivery will be tried again now.", "%(count)d deliveries will be tried again now.", revived
            )
            self.message_user(request, sentence % {"count": revived}, messages.SUCCESS)


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly):
    # Without the subject, which names people and titles.
    fields = ["outbox", "to", "sent_at", "message_id"]
    list_display = ["id", "sent_at", "to", "message_id"]
    search_fields = ["to", "message_id"]
    show_full_result_count = False
