"""The explorer's pages: the record's events, one event, a proposal as of a moment, and searches that people keep."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from governance import clock
from governance.audit.queries import latest_checkpoint
from governance.csv_cells import csv_lines
from governance.people.models import Body
from governance.policies.models import PolicyVersion
from governance.refusals import Refusal
from workflows.auditing.actions.searches import delete_search, save_search
from workflows.auditing.actions.taking_out import take_list_away
from workflows.auditing.explorer.access import auditor
from workflows.auditing.explorer.comparing import as_of
from workflows.auditing.explorer.forms import AuditForm, SearchForm
from workflows.auditing.explorer.listing import as_cells, as_json, head, listing
from workflows.auditing.explorer.one_event import event_of, one_event, proof_as_text
from workflows.auditing.explorer.state_of_log import state_of_log
from workflows.auditing.models import SavedSearch
from workflows.review.paging import count_in_words

WRONG_MOMENT: Final = gettext_lazy("Write a moment such as 2026-03-04T10:00")

# ---- the list


@require_safe
def explorer(request: HttpRequest) -> HttpResponse:
    """How the log stands, the filters, and a page of events, newest first."""
    return _explorer(request)


def _explorer(
    request: HttpRequest, search_form: SearchForm | None = None, refusal: Refusal | None = None
) -> HttpResponse:
    """The page of events; after a search that was not kept, with why."""
    user = auditor(request)
    asked = request.GET if request.method != "POST" else QueryDict(request.POST.get("query", ""))
    versions = _versions()
    form = AuditForm(asked, Body.objects.order_by("name"), versions)
    log = state_of_log()
    found = listing(form.narrowing(), log.checkpoint, versions, asked.get("page", "")) if form.is_valid() else None
    query = form.query
    context: dict[str, Any] = {
        "nav": "audit",
        "form": form,
        "log": log,
        "list": found,
        "found": count_in_words(found.found) if found else "",
        "newer": _address(query, found.page.newer) if found else "",
        "older": _address(query, found.page.older) if found else "",
        "query": urlencode(query),
        "searches": SavedSearch.objects.filter(user=user).order_by("name"),
        "search_form": search_form or SearchForm(auto_id="s-%s"),
        "refusal": refusal,
    }
    status = HTTPStatus.OK if found and search_form is None else HTTPStatus.UNPROCESSABLE_ENTITY
    return render(request, "auditing/explorer.html", context, status=refusal.status if refusal else status)


def _address(query: dict[str, str], cursor: str) -> str:
    return "?" + urlencode(query | {"page": cursor}) if cursor else ""


def _versions() -> list[PolicyVersion]:
    versions = PolicyVersion.objects.select_related("policy").defer("text", "rules", "source")
    return list(versions.order_by("policy__title", "-number"))


# ---- the list as a file; both are put on record before a byte is sent


@require_safe
def list_as_csv(request: HttpRequest) -> HttpResponseBase:
    """The whole list as a CSV file, sent as it is read."""
    form = _wanted(request)
    if not form.is_valid():
        return redirect(f"{reverse('audit')}?{urlencode(form.query)}")
    checkpoint = latest_checkpoint()
    lines = csv_lines(head(), as_cells(form.narrowing(), checkpoint))
    return _file(request, form, lines, "csv", "text/csv; charset=utf-8")


@require_safe
def list_as_json(request: HttpRequest) -> HttpResponseBase:
    """The whole list as JSON, each event with the bytes that were hashed, sent as it is read."""
    form = _wanted(request)
    if not form.is_valid():
        return redirect(f"{reverse('audit')}?{urlencode(form.query)}")
    return _file(request, form, as_json(form.narrowing(), latest_checkpoint()), "json", "application/json")


def _wanted(request: HttpRequest) -> AuditForm:
    auditor(request)
    return AuditForm(request.GET, Body.objects.order_by("name"), _versions())


def _file(
    request: HttpRequest, form: AuditForm, parts: Iterable[str] | Iterable[bytes], kind: str, media_type: str
) -> StreamingHttpResponse:
    if request.method == "GET":
        take_list_away(actor=auditor(request), scope=form.said or _("every event"), form=kind)
    response = StreamingHttpResponse(parts, content_type=media_type)
    response["Content-Disposition"] = f'attachment; filename="record-{clock.today().isoformat()}.{kind}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


# ---- one event


@require_safe
def event(request: HttpRequest, pk: int) -> HttpResponse:
    """An event in words, what it changed, the sealed record, its proof, and the right to act."""
    auditor(request)
    return render(request, "auditing/event.html", {"nav": "audit", "page": one_event(pk)})


@require_safe
def event_record(request: HttpRequest, pk: int) -> HttpResponse:
    """The bytes of an event as they were hashed."""
    auditor(request)
    response = HttpResponse(bytes(event_of(pk).body), content_type="application/json")
    response["Content-Disposition"] = 'attachment; filename="record.json"'
    return response


@require_safe
def event_proof(request: HttpRequest, pk: int) -> HttpResponse:
    """The proof that the event is in the log, under the latest checkpoint."""
    auditor(request)
    response = HttpResponse(proof_as_text(event_of(pk)), content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="record.tlog-proof"'
    return response


# ---- a proposal as of a moment


class MomentForm(forms.Form):
    """Which moment to look at, where the institution is."""

    at = forms.DateTimeField(
        label=gettext_lazy("Moment"),
        widget=forms.DateTimeInput(
            format="%Y-%m-%dT%H:%M:%S", attrs={"type": "datetime-local", "step": "1", "class": "input"}
        ),
        error_messages={"invalid": WRONG_MOMENT, "required": WRONG_MOMENT},
    )


@require_safe
def proposal_as_of(request: HttpRequest, reference: str) -> HttpResponse:
    """The state of a proposal at a moment or after an event, beside what it is now."""
    auditor(request)
    form = MomentForm(request.GET if "at" in request.GET else None, auto_id="f-%s")
    place = request.GET.get("event", "")
    if form.is_valid():
        page = as_of(reference, at=form.cleaned_data["at"])
    else:
        page = as_of(reference, event=int(place) if place.isdecimal() and len(place) < 10 else None)
        form.initial = {"at": page.moment}
    context = {"nav": "audit", "page": page, "form": form}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "auditing/as_of.html", context, status=status)


# ---- searches that people keep


@require_POST
def search_save(request: HttpRequest) -> HttpResponseBase:
    """Keep the search that the form carries under the name it gives."""
    user = auditor(request)
    form = SearchForm(request.POST, auto_id="s-%s")
    # What is kept is what the filters understand of it, so that it can be run again.
    asked = AuditForm(QueryDict(request.POST.get("query", "")), (), ())
    query = urlencode(asked.query)
    if not form.is_valid():
        return _explorer(request, search_form=form)
    try:
        save_search(actor=user, name=form.cleaned_data["name"], query=query)
    except Refusal as no:
        return _explorer(request, search_form=form, refusal=no)
    messages.success(request, _("The search “%(name)s” is kept.") % {"name": form.cleaned_data["name"]})
    return redirect(f"{reverse('audit')}?{query}")


@require_POST
def search_delete(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Forget a search of one's own."""
    user = auditor(request)
    search = get_object_or_404(SavedSearch, pk=pk, user=user)
    delete_search(actor=user, search=search)
    messages.success(request, _("The search “%(name)s” is deleted.") % {"name": search.name})
    return redirect("audit")
