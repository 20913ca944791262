"""Addresses of a policy's history, of what was decided under each version, and of replays, below those of policies."""

from django.urls import path

from workflows.insights import replay_views, views

urlpatterns = [
    path("<slug:key>/", views.history_page, name="policy-history"),
    path("<slug:key>/<int:number>/decided/", views.decided, name="policy-decided"),
    path("<slug:key>/<int:number>/decided.csv", views.decided_csv, name="policy-decided-csv"),
    path("<slug:key>/<int:number>/replay/", replay_views.start, name="policy-replays"),
    path("<slug:key>/<int:number>/replay/<int:pk>/", replay_views.replay, name="policy-replay"),
    path("<slug:key>/<int:number>/replay/<int:pk>/stop/", replay_views.stop, name="policy-replay-stop"),
    path("<slug:key>/<int:number>/replay/<int:pk>/go-on/", replay_views.go_on, name="policy-replay-go-on"),
    path("<slug:key>/<int:number>/replay/<int:pk>/findings.csv", replay_views.findings_csv, name="policy-replay-csv"),
]
