"""Addresses of packages, below /audit/exports/."""

from django.urls import path

from workflows.auditing.exporting import views

urlpatterns = [
    path("", views.exports_page, name="exports"),
    path("<int:pk>/", views.export, name="export"),
    path("<int:pk>/stop/", views.stop, name="export-stop"),
    path("<int:pk>/go-on/", views.go_on, name="export-go-on"),
    path("<int:pk>/record.zip", views.export_file, name="export-file"),
]
