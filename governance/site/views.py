"""The pages that belong to no subject: signing in and out, finding, help, accessibility, keyboard shortcuts."""

import re
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.views import i18n
from django.views.decorators.http import require_safe

from governance.site import parked
from governance.site.forms import SignInForm

SHORTCUTS_COOKIE = "shortcuts"
_REFERENCE = re.compile(r"\s*([A-Za-z]{2,4})[-\s–]*(\d{4})[-\s–]*(\d{1,6})\s*")

set_language = login_not_required(i18n.set_language)


class SignIn(LoginView):
    """Signing in; afterwards, what a session that ended had interrupted is handed back to be sent again."""

    template_name = "people/sign_in.html"
    authentication_form = SignInForm

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            return redirect(self.get_success_url())
        return super().get(request, *args, **kwargs)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        # Read before signing in, which makes a new CSRF token and leaves the rest of the request as it was.
        note = parked.take_up(self.request)
        login(self.request, form.get_user())
        if note:
            return render(self.request, "site/parked.html", {"parked": note})
        if self.request.POST.get(parked.FIELD):
            messages.warning(self.request, _("What you typed before you were signed out could not be kept."))
        return redirect(self.get_success_url())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        note = self.request.POST.get(parked.FIELD, "")
        return super().get_context_data(**kwargs) | {parked.FIELD: note, "interrupted": bool(note)}


@method_decorator(login_not_required, name="dispatch")
class SignOut(LogoutView):
    """Signing out, also for somebody whose session has ended already."""

    next_page = settings.LOGIN_URL


@require_safe
def administration(request: HttpRequest) -> HttpResponseBase:
    """Where Django's administration sends whoever it does not let in: visitors sign in as everywhere else first."""
    if not request.user.is_staff:
        raise PermissionDenied
    wanted = request.GET.get("next", "")
    return redirect(wanted if url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) else "admin:index")


@require_safe
def find(request: HttpRequest) -> HttpResponseBase:
    """From the box at the top: a reference opens its proposal, other words search all proposals."""
    words = request.GET.get("q", "").strip()
    if reference := _REFERENCE.fullmatch(words):
        series, year, number = reference.groups()
        return redirect("proposal", reference=f"{series.upper()}-{year}-{int(number):04}")
    page = redirect("proposals-all")
    if words:
        page["Location"] += "?" + urlencode({"q": words})
    return page


@login_not_required
@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """What to do, and whom to ask."""
    return render(request, "site/help.html")


@login_not_required
@require_safe
def accessibility(request: HttpRequest) -> HttpResponse:
    """What we promise about accessibility and where to say that something is in the way."""
    return render(request, "site/accessibility.html")


@login_not_required
def shortcuts(request: HttpRequest) -> HttpResponse:
    """The list of keyboard shortcuts, and the switch that turns single keys off for this browser."""
    if request.method != "POST":
        return render(request, "site/shortcuts.html")
    response = redirect("shortcuts")
    response.set_cookie(
        SHORTCUTS_COOKIE,
        "off" if request.POST.get("turn") == "off" else "on",
        max_age=365 * 24 * 60 * 60,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response
