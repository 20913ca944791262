"""What happens around every page: signing in comes first, and an action's "no" becomes a page that says why.

Example: somebody presses Approve on a proposal that was withdrawn a minute ago; the page says so, with status 409.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render, resolve_url
from django.utils.cache import add_never_cache_headers
from django.utils.http import urlencode

from governance.refusals import Refusal, Stale
from governance.site import parked


class SignInRequired(LoginRequiredMiddleware):
    """Every page wants a signed-in person, unless its view says `login_not_required`.

    A POST by somebody whose session has ended is not thrown away: it travels through the sign-in page (see `parked`).
    """

    # Django only ever redirects here; a page of our own is what keeps the words.
    def handle_no_permission(  # type: ignore[override]
        self, request: HttpRequest, view_func: Callable[..., Any]
    ) -> HttpResponseBase:
        fragment = bool(getattr(request, "htmx", False))
        if request.method == "POST":
            return self._sign_in_without_losing(request, fragment)
        if fragment:
            back_to = request.htmx.current_url_abs_path or "/"  # type: ignore[attr-defined]
            response = HttpResponse(status=401)
            response["HX-Redirect"] = f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': back_to})}"
            return response
        return super().handle_no_permission(request, view_func)

    def _sign_in_without_losing(self, request: HttpRequest, fragment: bool) -> HttpResponse:
        # Imported here because the forms need the user model, and middleware loads before models may be asked for.
        from governance.site.forms import SignInForm

        context = {"form": SignInForm(request), parked.FIELD: parked.park(request), "interrupted": True}
        response = render(request, "people/sign_in.html", context, status=401 if fragment else 200)
        add_never_cache_headers(response)
        if fragment:
            response["HX-Retarget"] = "#main > .wrap"
            response["HX-Reswap"] = "innerHTML"
            response["HX-Reselect"] = "#sign-in"
        return response


class Refusals:
    """Turns a `Refusal` that a view let through into a page, or into a notice on the page that asked with htmx."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, Refusal):
            return None
        context = {
            "refusal": exception,
            "status": int(exception.status),
            "changed": exception.changed if isinstance(exception, Stale) else (),
            "gaps": getattr(exception, "gaps", {}),
            "back_to": _page_asked_from(request),
        }
        if not getattr(request, "htmx", False):
            return render(request, "site/refused.html", context, status=exception.status)
        response = render(request, "parts/refusal.html", context, status=exception.status)
        response["HX-Retarget"] = "#refusal"
        response["HX-Reswap"] = "innerHTML"
        return response


def _page_asked_from(request: HttpRequest) -> str:
    """The page of ours that the person pressed the button on, or none."""
    referrer = request.META.get("HTTP_REFERER", "")
    ours = f"{request.scheme}://{request.get_host()}/"
    return referrer.removeprefix(ours[:-1]) if referrer.startswith(ours) else ""
