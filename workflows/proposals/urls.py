"""Addresses of the author's pages, under /proposals/."""

from django.urls import include, path

from workflows.proposals import converters, views  # noqa: F401 (the converter is registered on import)

urlpatterns = [
    path("new/", views.new, name="proposal-new"),
    path("<reference:reference>/edit/", views.edit_next, name="proposal-edit"),
    path("<reference:reference>/edit/<slug:section>/", views.edit, name="proposal-edit"),
    path("<reference:reference>/check/", views.check, name="proposal-check"),
    path("<reference:reference>/attachments/add/", views.attachment_add, name="attachment-add"),
    # Who may have a file is the review's to say, which stands above this app; so it is named, not imported.
    path("<reference:reference>/attachments/<slug:digest>/", include("workflows.review.file_urls")),
    path("<reference:reference>/attachments/<slug:digest>/remove/", views.attachment_remove, name="attachment-remove"),
]
