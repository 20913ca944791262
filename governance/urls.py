"""Every address of Assent, put together from the apps."""

from django.contrib import admin
from django.urls import include, path

from governance.site.views import administration

urlpatterns = [
    path("", include("governance.site.urls")),
    path("policies/", include("governance.policies.urls")),
    path("policies/", include("workflows.insights.urls")),
    path("", include("workflows.review.urls")),
    path("proposals/", include("workflows.proposals.urls")),
    path("memos/", include("workflows.memos.urls")),
    path("", include("workflows.auditing.urls")),
    # Before Django's own, which would sign people in past ours.
    path("admin/login/", administration),
    path("admin/", admin.site.urls),
]
