"""What anybody may ask about a memo without signing in: is it ours, is it unaltered, is it still in force.

A number alone tells nothing that a number does not: neither title nor outcome nor names. Nothing sent here is kept. The
pages want no session and no token against forged requests, because they change nothing; so a file that is too large can
be refused before any of it is read.
"""

from typing import Any, Final

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from governance.audit.queries import keys_of_log
from workflows.auditing.public.forms import FileForm, NumberForm, too_large
from workflows.memos import issued
from workflows.memos.checking import LARGEST_FILE, check

# What a form adds to the file that it carries.
ROOM_FOR_THE_FORM: Final = 64 * 1024


@login_not_required
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: HttpRequest) -> HttpResponse:
    """Ask for a number or a file; answer about the file."""
    if request.method == "POST":
        return _about_file(request)
    if "number" not in request.GET:
        return _page(request, NumberForm(), FileForm())
    typed = NumberForm({"number": request.GET["number"].strip()})
    if not typed.is_valid():
        return _page(request, typed, FileForm(), status=422)
    return redirect("verify-memo", typed.cleaned_data["number"])


@login_not_required
@never_cache
@require_safe
def verify_memo(request: HttpRequest, number: str) -> HttpResponse:
    """Answer about a number: the address that every memo carries."""
    found = issued.of_number(number)
    answer = {"number": found.memo.number if found else number, "issued": found, "by_number": True}
    return _page(request, NumberForm(), FileForm(), answer, status=200 if found else 404)


def _about_file(request: HttpRequest) -> HttpResponse:
    if _announced(request) > LARGEST_FILE + ROOM_FOR_THE_FORM:
        refused = FileForm({})
        refused.errors["file"] = refused.error_class([too_large()])
        return _page(request, NumberForm(), refused, status=413)
    sent = FileForm({}, request.FILES)
    if not sent.is_valid():
        return _page(request, NumberForm(), sent, status=422)
    checked = check(
        sent.cleaned_data["file"].read(),
        keys=keys_of_log(),
        certificates=issued.certificates(),
        institution=settings.INSTITUTION,
        apart=True,
    )
    found = issued.of_digest(checked.digest)
    claimed = None if found else issued.claimed_by(checked)
    answer = {"checked": checked, "issued": found, "claimed": claimed}
    return _page(request, NumberForm(), FileForm(), answer)


def _announced(request: HttpRequest) -> int:
    """How many bytes are said to come; what is no number counts as none, as it does where they are read."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def _page(
    request: HttpRequest, number: Form, file: Form, answer: dict[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    context = {"number_form": number, "file_form": file, "answer": answer}
    response = render(request, "auditing/verify.html", context, status=status)
    response["X-Robots-Tag"] = "noindex"
    return response
