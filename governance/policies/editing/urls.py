"""Addresses of the pages on which versions are written and live, below those of the versions themselves."""

from django.urls import path

from governance.policies.editing import files, life, views

urlpatterns = [
    path("schema.json", files.schema_json, name="policy-schema"),
    path("<slug:key>/<int:number>/rules.yaml", files.rules_yaml, name="policy-rules"),
    path("<slug:key>/<int:number>/text.md", files.text_md, name="policy-text"),
    path("<slug:key>/<int:number>/next/", life.begin, name="policy-next"),
    path("<slug:key>/<int:number>/propose/", life.propose, name="policy-propose"),
    path("<slug:key>/<int:number>/take-back/", life.take_back, name="policy-take-back"),
    path("<slug:key>/<int:number>/adopt/", life.adopt, name="policy-adopt"),
    path("<slug:key>/<int:number>/withdraw/", life.withdraw, name="policy-withdraw"),
    path("<slug:key>/<int:number>/edit/", views.edit_next, name="policy-edit"),
    path("<slug:key>/<int:number>/edit/check/", life.check, name="policy-check"),
    path("<slug:key>/<int:number>/edit/files/", files.files, name="policy-files"),
    path("<slug:key>/<int:number>/edit/<slug:section>/", views.edit, name="policy-edit"),
    path("<slug:key>/<int:number>/edit/<slug:section>/new/", views.add_item, name="policy-add-item"),
    path("<slug:key>/<int:number>/edit/<slug:section>/<int:place>/", views.edit_item, name="policy-edit-item"),
]
