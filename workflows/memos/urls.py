"""Addresses of memos: /memos/SENATE-2026-014.pdf."""

from django.urls import path

from workflows.memos import views

urlpatterns = [path("<slug:number>.pdf", views.memo, name="memo")]
