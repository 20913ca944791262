"""The addresses of the pages that belong to no subject."""

from django.urls import path

from governance.site import views

urlpatterns = [
    path("sign-in/", views.SignIn.as_view(), name="sign-in"),
    path("sign-out/", views.SignOut.as_view(), name="sign-out"),
    path("language/", views.set_language, name="set-language"),
    path("find/", views.find, name="find"),
    path("help/", views.help_page, name="help"),
    path("accessibility/", views.accessibility, name="accessibility"),
    path("shortcuts/", views.shortcuts, name="shortcuts"),
]
