"""Addresses of the policies and their versions."""

from django.urls import include, path

from governance.policies import at_a_date_views, views

urlpatterns = [
    path("", views.policies, name="policies"),
    path("on/", at_a_date_views.on, name="policies-on"),
    path("on/<str:day>/", at_a_date_views.on_day, name="policies-on-day"),
    path("<slug:key>/compare/", views.compare, name="policy-compare"),
    path("<slug:key>/<int:number>/", views.policy, name="policy"),
    path("", include("governance.policies.editing.urls")),
]
