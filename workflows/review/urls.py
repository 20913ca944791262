"""Addresses of the queue, the lists, the proposal's page and the acts on it."""

from django.urls import path

from workflows.proposals import converters  # noqa: F401 (registers "reference")
from workflows.review import file_views, list_views, moving_views, views

urlpatterns = [
    path("", list_views.home, name="home"),
    path("queue/", list_views.queue_page, name="queue"),
    path("queue/peek/<reference:reference>/", list_views.queue_peek, name="queue-peek"),
    path("proposals/", list_views.proposals, name="proposals"),
    path("proposals/all/", list_views.proposals_all, name="proposals-all"),
    path("proposals/<reference:reference>/", views.proposal, name="proposal"),
    path("proposals/<reference:reference>/submit/", views.submit, name="proposal-submit"),
    path("proposals/<reference:reference>/approve/", views.approve, name="proposal-approve"),
    path("proposals/<reference:reference>/return/", views.return_, name="proposal-return"),
    path("proposals/<reference:reference>/decline/", views.decline, name="proposal-decline"),
    path("proposals/<reference:reference>/withdraw/", views.withdraw, name="proposal-withdraw"),
    path("proposals/<reference:reference>/comment/", views.comment, name="proposal-comment"),
    path("proposals/<reference:reference>/readings/", file_views.readings, name="proposal-readings"),
    path("policies/<slug:key>/<int:number>/move/", moving_views.choose, name="policy-move"),
    path("policies/<slug:key>/<int:number>/move/plan/", moving_views.look, name="policy-move-plan"),
    path("policies/<slug:key>/<int:number>/move/confirm/", moving_views.confirm, name="policy-move-confirm"),
    path("policies/<slug:key>/<int:number>/move/done/", moving_views.move, name="policy-move-done"),
]
