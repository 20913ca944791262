"""Addresses of the policies and their versions."""

from django.urls import path

from governance.policies import views

urlpatterns = [
    path("", views.policies, name="policies"),
    path("<slug:key>/<int:number>/", views.policy, name="policy"),
]
