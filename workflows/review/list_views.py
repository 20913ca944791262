"""The queue with its tabs and preview, and the lists of proposals."""

from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.views.decorators.http import require_safe

from governance.people.queries import holdings
from governance.people.requests import person_of
from workflows.review.context import how_many_wait
from workflows.review.forms import (
    NarrowForm,
    ProposalsForm,
    QueueForm,
    local_path,
)
from workflows.review.lists import decisions, everything, mine, scope_of, seats_of
from workflows.review.paging import Page, address, count_in_words
from workflows.review.peek import peek
from workflows.review.queries import may_audit
from workflows.review.queue import queue

TABS = ("waiting", "returned", "decided")


@require_safe
def home(request: HttpRequest) -> HttpResponseBase:
    """The queue for whoever sits on a body today, else their own proposals."""
    return redirect("queue" if seats_of(holdings(person_of(request))) else "proposals")


@require_safe
def queue_page(request: HttpRequest) -> HttpResponse:
    """What waits for all bodies on which the person sits, with a preview of one; or the other tabs."""
    tab = request.GET.get("tab", "")
    if tab not in TABS:
        tab = TABS[0]
    scope = scope_of(person_of(request))
    form = QueueForm(request, scope, waiting=tab == TABS[0])
    narrow, cursor = form.narrow(), request.GET.get("page", "")
    context: dict[str, Any] = {"nav": "queue", "tab": tab, "scope": scope, "form": form, "narrow": narrow}
    if tab == TABS[0]:
        shown = queue(scope, narrow, cursor)
        rows = shown.rows
        wanted = request.GET.get("row", "")
        current = next((row for row in rows if row["reference"] == wanted), rows[0] if rows else None)
        context |= {
            "queue": shown,
            "rows": rows,
            "current": current,
            "peek": peek(scope, Q(pk=current["id"])) if current else None,
        }
    else:
        shown_decisions = decisions(scope, narrow, tab, cursor)
        context |= {"decided": shown_decisions, "rows": shown_decisions.rows}
        shown = shown_decisions  # type: ignore[assignment]
    context |= {
        "counts": {name: count_in_words(count) for name, count in shown.counts.items()},
        "waiting_count": count_in_words(shown.counts["waiting"]) if shown.counts["waiting"] else "",
        "may_audit": may_audit(scope.user, scope.held),
        "found": count_in_words(shown.found),
        "link_suffix": _suffix(request),
        "row_link": f"{link}&row=" if (link := address(request, row="")) != "?" else "?row=",
        **_pager(request, shown.page),
    }
    return render(request, "review/queue.html", context)


@require_safe
def queue_peek(request: HttpRequest, reference: str) -> HttpResponseBase:
    """The preview of one row, for the script; without it, the queue with that row chosen."""
    if not getattr(request, "htmx", False):
        return redirect(f"{reverse('queue')}?{urlencode({'row': reference})}")
    scope = scope_of(person_of(request))
    found = peek(scope, Q(proposal__reference=reference))
    suffix = _suffix_of(local_path(request, reverse("queue")))
    return render(request, "review/peek.html", {"peek": found, "scope": scope, "link_suffix": suffix})


@require_safe
def proposals(request: HttpRequest) -> HttpResponse:
    """The person's own proposals, those that wait for them first."""
    narrow_form = ProposalsForm(request, ())
    shown = mine(person_of(request), narrow_form.narrow(), request.GET.get("page", ""))
    return render(
        request, "review/mine.html", {"list": shown} | _list_context(request, narrow_form, shown.page, shown.found)
    )


@require_safe
def proposals_all(request: HttpRequest) -> HttpResponse:
    """Every proposal that the person may see."""
    scope = scope_of(person_of(request))
    narrow_form = ProposalsForm(request, scope.units)
    shown = everything(scope, narrow_form.narrow(), request.GET.get("page", ""))
    context = _list_context(request, narrow_form, shown.page, shown.found)
    context |= {
        "list": shown,
        "waiting_count": SimpleLazyObject(lambda: how_many_wait(scope.user, scope.held)),
        "may_audit": may_audit(scope.user, scope.held),
    }
    return render(request, "review/all.html", context)


# ---- what the lists share


def _pager(request: HttpRequest, page: Page) -> dict[str, str]:
    return {
        "newer": address(request, page=page.newer, row="") if page.newer else "",
        "older": address(request, page=page.older, row="") if page.older else "",
        "clear": address(request, keep=("tab",)),
    }


def _suffix(request: HttpRequest) -> str:
    """What a row's link adds so that the person comes back to the list as they had narrowed it down."""
    path = request.path + address(request, row="")
    return _suffix_of(path.removesuffix("?"))


def _suffix_of(path: str) -> str:
    return "" if path == reverse("queue") else "?" + urlencode({"next": path})


def _list_context(request: HttpRequest, form: NarrowForm, page: Page, found: int) -> dict[str, Any]:
    return {
        "nav": "proposals",
        "form": form,
        "narrow": form.narrow(),
        "found": count_in_words(found),
        "link_suffix": "",
        **_pager(request, page),
    }
