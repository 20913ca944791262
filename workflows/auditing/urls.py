"""Addresses under /audit/, and the public /verify/."""

from django.urls import include, path

urlpatterns = [
    path("audit/log/", include("workflows.auditing.heads.urls")),
    path("audit/exports/", include("workflows.auditing.exporting.urls")),
    path("audit/personal-data/", include("workflows.auditing.erasing.urls")),
    path("audit/", include("workflows.auditing.explorer.urls")),
    path("verify/", include("workflows.auditing.public.urls")),
]
