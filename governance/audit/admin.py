"""The record in the administration pages: who did what to what and when, to read and never to change.

What events say in full is under /audit/, for those who look through the record.
"""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

from governance.audit.models import Event

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin


class ReadOnly(ModelAdmin):
    """Nothing can be added, changed or deleted here; the database would refuse it too."""

    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_active and request.user.is_staff)


@admin.register(Event)
class EventAdmin(ReadOnly):
    list_display = ["id", "at", "actor_name", "verb", "subject", "sequence"]
    list_filter = ["verb"]
    search_fields = ["subject", "actor_name"]
    fields = ["id", "at", "subject", "sequence", "verb", "actor_name", "seal"]
    readonly_fields = ["seal"]
    show_full_result_count = False

    @admin.display(description="Leaf hash")
    def seal(self, event: Event) -> str:
        return bytes(event.leaf).hex()
