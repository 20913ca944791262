"""The address of an attached file, under its proposal's attachments."""

from django.urls import path

from workflows.review import file_views

urlpatterns = [path("", file_views.attachment, name="attachment")]
