"""Addresses of personal data, retention and legal holds, under /audit/personal-data/."""

from django.urls import path

from workflows.auditing.erasing import views
from workflows.proposals import converters  # noqa: F401 (registers "reference")

urlpatterns = [
    path("", views.entry, name="personal-data"),
    path("people/<int:pk>/", views.person, name="personal-data-person"),
    path("people/<int:pk>/erase/", views.erase, name="personal-data-erase"),
    path("retention/", views.retention, name="retention"),
    path("retention/<reference:reference>/", views.proposal, name="retention-proposal"),
    path("retention/<reference:reference>/dispose/", views.dispose, name="retention-dispose"),
    path("holds/", views.holds, name="holds"),
    path("holds/place/", views.place_hold, name="hold-place"),
    path("holds/<int:pk>/lift/", views.lift_hold, name="hold-lift"),
]
