"""The pages on which anyone signed in reads what was decided under which version of a policy."""

from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.functional import SimpleLazyObject
from django.views.decorators.http import require_safe

from governance.csv_cells import csv_lines
from governance.people.requests import person_of
from workflows.insights.decided import Decided
from workflows.insights.forms import DecidedForm
from workflows.insights.history import history, readable_version
from workflows.review.context import how_many_wait
from workflows.review.lists import scope_of
from workflows.review.paging import COUNT_UP_TO, address, count_in_words
from workflows.review.queries import may_audit, oversees

TABS = ("proposals", "decisions")


@require_safe
def history_page(request: HttpRequest, key: str) -> HttpResponse:
    """The versions of a policy on a time line, and what was decided under each."""
    user = person_of(request)
    eras = history(user, key)
    return render(
        request,
        "insights/history.html",
        {
            "nav": "policy",
            "policy": eras[0].version.policy,
            "eras": eras,
            "current": next((era for era in eras if era.is_current), None),
            "compared": [era for era in eras if era.before is not None],
        },
    )


@require_safe
def decided(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """The proposals bound to a version, or the decisions made under it, as far as the person may see them."""
    user = person_of(request)
    version = readable_version(user, key, number)
    scope = scope_of(user)
    tab = _tab(request)
    form = DecidedForm(request, scope.units, decisions=tab == "decisions")
    wanted = form.wanted()
    under = Decided(version, user, scope.held)
    list_of = under.decisions if tab == "decisions" else under.proposals
    shown = list_of(wanted, request.GET.get("page", ""))
    # Beyond what is counted, only who oversees everything sees all.
    whole = oversees(scope.held) or (shown.in_all == shown.found and shown.found <= COUNT_UP_TO)
    return render(
        request,
        "insights/decided.html",
        {
            "nav": "policy",
            "version": version,
            "tab": tab,
            "form": form,
            "wanted": wanted,
            "list": shown,
            "found": count_in_words(shown.found),
            "in_all": count_in_words(shown.in_all) if shown.in_all is not None else "",
            "is_part": shown.in_all is not None and not whole,
            "newer": address(request, page=shown.page.newer) if shown.page.newer else "",
            "older": address(request, page=shown.page.older) if shown.page.older else "",
            "clear": address(request, keep=("tab",)) if tab == "decisions" else "?",
            "as_file": address(request, page=""),
            "waiting_count": SimpleLazyObject(lambda: how_many_wait(user, scope.held)),
            "may_audit": may_audit(user, scope.held),
        },
    )


@require_safe
def decided_csv(request: HttpRequest, key: str, number: int) -> StreamingHttpResponse:
    """The same list as a file, whole."""
    user = person_of(request)
    version = readable_version(user, key, number)
    scope = scope_of(user)
    tab = _tab(request)
    wanted = DecidedForm(request, scope.units, decisions=tab == "decisions").wanted()
    under = Decided(version, user, scope.held)
    as_file = under.decisions_as_file if tab == "decisions" else under.proposals_as_file
    return csv_response(f"{key}-v{number}-{tab}.csv", *as_file(wanted))


def csv_response(name: str, head: Any, rows: Any) -> StreamingHttpResponse:
    """A file to be kept, sent as it is read."""
    response = StreamingHttpResponse(csv_lines(head, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


def _tab(request: HttpRequest) -> str:
    tab = request.GET.get("tab", "")
    return tab if tab in TABS else TABS[0]
