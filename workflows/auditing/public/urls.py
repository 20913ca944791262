"""Addresses under /verify/, of which every memo carries its own: /verify/SENATE-2026-014/."""

from django.urls import path

from workflows.auditing.public import views

urlpatterns = [
    path("", views.verify, name="verify"),
    path("<slug:number>/", views.verify_memo, name="verify-memo"),
]
