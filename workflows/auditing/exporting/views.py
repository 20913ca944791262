"""The pages on which a package is asked for, watched while it is made, and fetched."""

from datetime import timedelta
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.core.files.storage import default_storage
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from governance import clock
from governance.refusals import NotPossible
from workflows.auditing.actions import exports
from workflows.auditing.explorer.access import auditor
from workflows.auditing.exporting.forms import PROPOSALS, ExportForm
from workflows.auditing.exporting.selection import Selection
from workflows.auditing.models import Export
from workflows.review.paging import Key, page_of

COLUMNS = ("id", "scope", "reason", "requested_by__name", "requested_at", "state", "size")


@require_http_methods(["GET", "HEAD", "POST"])
def exports_page(request: HttpRequest) -> HttpResponseBase:
    """The packages that were asked for, newest first, and the form that asks for another."""
    actor = auditor(request)
    status = HTTPStatus.OK
    if request.method == "POST":
        form = ExportForm(request.POST)
        if form.is_valid():
            return redirect(exports.ask_for(actor=actor, selection=form.selection, reason=form.reason_given))
        status = HTTPStatus.UNPROCESSABLE_ENTITY
    else:
        named = request.GET.get("proposal", "")
        form = ExportForm(initial={"kind": PROPOSALS, "references": named} if named else None)
    page = page_of(Export.objects.values(*COLUMNS), (Key("id", largest_first=True),), request.GET.get("page", ""))
    for row in page.rows:
        row["words"] = Selection.from_data(row["scope"]).words
        row["state"] = Export.State(row["state"])
    context = {
        "nav": "audit",
        "form": form,
        "page": page,
        "newer": f"?page={page.newer}" if page.newer else "",
        "older": f"?page={page.older}" if page.older else "",
        "days_kept": exports.KEPT_FOR.days,
    }
    return render(request, "auditing/exports.html", context, status=status)


@require_safe
def export(request: HttpRequest, pk: int) -> HttpResponse:
    """How far a package has come, or what came of it; the script asks for that part of the page alone."""
    auditor(request)
    shown = get_object_or_404(Export.objects.select_related("requested_by"), pk=pk)
    context: dict[str, Any] = {
        "nav": "audit",
        "export": shown,
        "words": Selection.from_data(shown.scope).words,
        "goes_on": shown.state in (Export.State.WAITING, Export.State.RUNNING),
        "is_kept": exports.is_kept(shown),
        "kept_until": shown.finished_at and shown.finished_at + exports.KEPT_FOR,
        "days_kept": exports.KEPT_FOR.days,
        "minutes_left": _minutes_left(shown),
    }
    part = getattr(request, "htmx", False)
    return render(request, "auditing/export_progress.html" if part else "auditing/export.html", context)


@require_POST
def stop(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Stop a package that is being made."""
    stopped = exports.stop(actor=auditor(request), export=get_object_or_404(Export, pk=pk))
    messages.success(request, _("Stopped. What was written so far is removed; that it was asked for stays on record."))
    return redirect(stopped)


@require_POST
def go_on(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Try again where the writing failed."""
    return redirect(exports.go_on(actor=auditor(request), export=get_object_or_404(Export, pk=pk)))


@require_safe
def export_file(request: HttpRequest, pk: int) -> FileResponse:
    """The packed file, streamed; that somebody fetches it is recorded before.

    Raises NotPossible for one that is not ready, or no longer kept.
    """
    actor = auditor(request)
    shown = get_object_or_404(Export, pk=pk)
    if not exports.is_kept(shown):
        raise NotPossible(
            _("The file of this export is not there: it is not ready, or it was removed when it was old.")
        )
    if request.method == "GET":
        exports.note_fetching(actor=actor, export=shown)
    response = FileResponse(
        default_storage.open(shown.stored_name),
        as_attachment=True,
        filename=f"record-{shown.pk}.zip",
        content_type="application/zip",
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


def _minutes_left(export: Export) -> int | None:
    """How long it will go on at its pace so far; None while nothing is known of that."""
    if not export.done or export.done == export.total:
        return None
    left: timedelta = (clock.now() - export.requested_at) * (export.total - export.done) / export.done
    return max(1, round(left.total_seconds() / 60))
