"""Addresses of the log's checkpoints, keys and proofs, which anybody may read without signing in."""

from django.urls import path

from workflows.auditing.heads import views

urlpatterns = [
    path("", views.log, name="log"),
    path("checkpoint", views.latest, name="log-checkpoint"),
    path("checkpoint/<int:size>", views.of_size, name="log-checkpoint-of-size"),
    path("checkpoints/<str:day>", views.of_day, name="log-checkpoint-of-day"),
    path("keys", views.keys, name="log-keys"),
    path("consistency", views.consistency, name="log-consistency"),
]
