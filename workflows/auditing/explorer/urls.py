"""Addresses of the record's explorer, under /audit/."""

from django.urls import path

from workflows.auditing.explorer import views
from workflows.proposals import converters  # noqa: F401 (the converter is registered on import)

urlpatterns = [
    path("", views.explorer, name="audit"),
    path("events.csv", views.list_as_csv, name="audit-csv"),
    path("events.json", views.list_as_json, name="audit-json"),
    path("events/<int:pk>/", views.event, name="audit-event"),
    path("events/<int:pk>/record.json", views.event_record, name="audit-event-record"),
    path("events/<int:pk>/record.tlog-proof", views.event_proof, name="audit-event-proof"),
    path("proposals/<reference:reference>/as-of/", views.proposal_as_of, name="audit-as-of"),
    path("searches/save/", views.search_save, name="audit-search-save"),
    path("searches/<int:pk>/delete/", views.search_delete, name="audit-search-delete"),
]
