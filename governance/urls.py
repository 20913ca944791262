"""Every address of Assent, put together from the apps."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("governance.site.urls")),
    path("policies/", include("governance.policies.urls")),
    path("", include("workflows.review.urls")),
    path("proposals/", include("workflows.proposals.urls")),
    path("memos/", include("workflows.memos.urls")),
    path("admin/", admin.site.urls),
]
