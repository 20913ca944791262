"""The pages on which administrators replay a version over past proposals, watch it, and read what came of it."""

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from governance.people.requests import person_of
from governance.policies.models import PolicyVersion
from governance.refusals import Incomplete
from workflows.insights import actions
from workflows.insights.cases import last_event
from workflows.insights.findings import OTHERWISE, Findings, Names
from workflows.insights.forms import ReplayForm
from workflows.insights.history import readable_version
from workflows.insights.models import Replay
from workflows.insights.page import ReplayPage
from workflows.insights.views import csv_response
from workflows.review.lists import capped_counts
from workflows.review.paging import address, count_in_words

REPLAYS_LISTED = 20


def start(request: HttpRequest, key: str, number: int) -> HttpResponseBase:
    """The replays of a version, and the form that starts another."""
    version = _version(request, key, number)
    form = ReplayForm(request.POST if request.method == "POST" else None)
    status, problems = HTTPStatus.OK, {}
    if request.method == "POST":
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        if form.is_valid():
            try:
                return redirect(actions.start(actor=person_of(request), version=version, **form.given))
            except Incomplete as no:
                status, problems = no.status, no.gaps
    else:
        try:
            actions.usable_rules(version)
        except Incomplete as no:
            problems = no.gaps
    replays = Replay.objects.filter(version=version).select_related("started_by", "unit", "version__policy")
    seen = last_event()
    context = {
        "nav": "policy",
        "version": version,
        "form": form,
        "problems": problems,
        "replays": [(one, one.is_out_of_date(seen)) for one in replays.defer("rules", "times")[:REPLAYS_LISTED]],
    }
    return render(request, "insights/start.html", context, status=status)


@require_safe
def replay(request: HttpRequest, key: str, number: int, pk: int) -> HttpResponse:
    """How far a replay has come, or what came of it; the script asks for the first alone."""
    shown = _replay(request, key, number, pk)
    names = Names(shown)
    page = ReplayPage(shown, names)
    context: dict[str, Any] = {"nav": "policy", "version": shown.version, "replay": shown, "page": page}
    if getattr(request, "htmx", False):
        return render(request, "insights/progress.html", context)
    if shown.finished_at is not None:
        context |= _findings(request, page, names)
        context["is_out_of_date"] = shown.is_out_of_date(last_event())
    return render(request, "insights/replay.html", context)


def _findings(request: HttpRequest, summary: ReplayPage, names: Names) -> dict[str, Any]:
    """One page of the proposals that would have fared otherwise, as the address narrows them down."""
    result, mark = request.GET.get("result", ""), request.GET.get("because", "")
    findings = Findings(summary.replay, person_of(request), names)
    wanted = findings.of(result, mark)
    page, lines = findings.page(wanted, request.GET.get("page", ""))
    (found,) = capped_counts(wanted)
    rows = (*summary.routes, *summary.gaps, *summary.barred)
    return {
        "lines": lines,
        "found": count_in_words(found),
        "hidden": sum(not line.title for line in lines),
        "result": result if result in OTHERWISE else "",
        "chosen": next((row for row in rows if row.mark == mark), None),
        "newer": address(request, page=page.newer) if page.newer else "",
        "older": address(request, page=page.older) if page.older else "",
        "as_file": address(request, page=""),
    }


@require_POST
def stop(request: HttpRequest, key: str, number: int, pk: int) -> HttpResponseBase:
    """Stop a replay."""
    shown = _replay(request, key, number, pk)
    actions.stop(actor=person_of(request), replay=shown)
    messages.success(request, _("Stopped. Nothing on record was changed."))
    return redirect(shown)


@require_POST
def go_on(request: HttpRequest, key: str, number: int, pk: int) -> HttpResponseBase:
    """Go on without the proposal that could not be read."""
    return redirect(actions.go_on_without(actor=person_of(request), replay=_replay(request, key, number, pk)))


@require_safe
def findings_csv(request: HttpRequest, key: str, number: int, pk: int) -> StreamingHttpResponse:
    """The proposals that would have fared otherwise, as a file."""
    shown = _replay(request, key, number, pk)
    findings = Findings(shown, person_of(request), Names(shown))
    wanted = findings.of(request.GET.get("result", ""), request.GET.get("because", ""))
    return csv_response(f"{key}-v{number}-replay-{pk}.csv", *findings.as_file(wanted))


def _version(request: HttpRequest, key: str, number: int) -> PolicyVersion:
    """The version, for an administrator."""
    actions.check_administrator(person_of(request))
    return readable_version(person_of(request), key, number)


def _replay(request: HttpRequest, key: str, number: int, pk: int) -> Replay:
    version = _version(request, key, number)
    shown = get_object_or_404(Replay.objects.select_related("started_by", "unit", "failed_on"), pk=pk, version=version)
    shown.version = version
    return shown
