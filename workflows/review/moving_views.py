"""The administrator's pages for moving proposals to another policy version: choose them, look at what it would do, give
a reason, confirm.

Administrators have no right to see what proposals say, so these pages show reference, title, unit, state and stage.
"""

from collections import defaultdict
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from governance.people.requests import person_of
from governance.policies.models import PolicyVersion
from governance.refusals import NotPermitted, Refusal, Stale
from workflows.proposals.models import Proposal
from workflows.review import actions
from workflows.review.forms import MoveForm
from workflows.review.models import WorkItem
from workflows.review.moves import Plan
from workflows.review.moving import (
    MOST_AT_ONCE,
    check_same_plan,
    check_version,
    in_flight,
    plan,
    proposals_named,
)
from workflows.review.paging import Key, page_of

LATEST_FIRST: Final = (Key("id", largest_first=True),)


@require_safe
def choose(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """The proposals in flight under other versions, to choose from."""
    version = _version(request, key, number)
    wanted = in_flight(version)
    others = list(wanted.order_by("policy_version__number").values_list("policy_version__number").annotate(Count("pk")))
    under = request.GET.get("under", "")
    if under.isdecimal() and len(under) < 9:
        wanted = wanted.filter(policy_version__number=int(under))
    columns = ("id", "reference", "title", "state", "unit__short_name", "policy_version__number")
    page = page_of(wanted.values(*columns), LATEST_FIRST, request.GET.get("page", ""), size=MOST_AT_ONCE)
    stages = _stages(row["id"] for row in page.rows)
    rows = [row | {"stages": stages[row["id"]], "plan": _plan_of(version, [row["reference"]])} for row in page.rows]
    context = {
        "nav": "policy",
        "version": version,
        "rows": rows,
        "others": others,
        "under": under,
        "plan_of_all": _plan_of(version, [row["reference"] for row in rows]),
        "newer": _again(under, page.newer),
        "older": _again(under, page.older),
    }
    return render(request, "review/moving.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def look(request: HttpRequest, key: str, number: int) -> HttpResponseBase:
    """What moving the chosen proposals would do to each; a reason that was typed already stays."""
    version = _version(request, key, number)
    typed = request.POST if request.method == "POST" else request.GET
    references = typed.getlist("p")[:MOST_AT_ONCE]
    if not references:
        messages.warning(request, _("Choose the proposals to move first."))
        return redirect("policy-move", key, number)
    form = MoveForm(initial={"reason": typed.get("reason", "")})
    return _show_plan(request, plan(_proposals(references), version), version, form)


def confirm(request: HttpRequest, key: str, number: int) -> HttpResponseBase:
    """The second confirmation: what will be done and why, once more, before it is."""
    if request.method != "POST":
        return redirect("policy-move", key, number)
    version = _version(request, key, number)
    form = MoveForm(request.POST)
    fresh = plan(_proposals(request.POST.getlist("p")), version)
    if not form.is_valid():
        return _show_plan(request, fresh, version, form, HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        check_same_plan(fresh, *form.confirmed)
    except Stale as no:
        return _refused(request, fresh, version, form, no)
    return render(
        request, "review/moving_confirm.html", {"nav": "policy", "version": version, "plan": fresh, "form": form}
    )


def move(request: HttpRequest, key: str, number: int) -> HttpResponseBase:
    """Move what was confirmed."""
    if request.method != "POST":
        return redirect("policy-move", key, number)
    version = _version(request, key, number)
    form, chosen = MoveForm(request.POST), _proposals(request.POST.getlist("p"))
    if not form.is_valid():
        return _show_plan(request, plan(chosen, version), version, form, HTTPStatus.UNPROCESSABLE_ENTITY)
    digest, seen = form.confirmed
    try:
        moved = actions.move(
            actor=person_of(request),
            proposals=chosen,
            version=version,
            plan_digest=digest,
            reason=form.reason_given,
            seen=seen,
        )
    except Refusal as no:
        return _refused(request, plan(_proposals(request.POST.getlist("p")), version), version, form, no)
    said = ngettext("%(n)s proposal was moved to %(policy)s.", "%(n)s proposals were moved to %(policy)s.", len(moved))
    messages.success(request, said % {"n": len(moved), "policy": version.label})
    return redirect("policy-move", key, number)


# ---- what the views share


def _version(request: HttpRequest, key: str, number: int) -> PolicyVersion:
    """The version to move to. Raises NotPermitted to all but administrators, and NotPossible before it governs."""
    if not person_of(request).is_staff:
        raise NotPermitted(_("Only an administrator may move proposals to another policy version."))
    version = get_object_or_404(PolicyVersion.objects.select_related("policy"), policy__key=key, number=number)
    check_version(version)
    return version


def _proposals(references: list[str]) -> list[Proposal]:
    """The proposals of these references. One that was never sent is its author's alone, so here there is none."""
    found = [proposal for proposal in proposals_named(references[:MOST_AT_ONCE]) if proposal.revision_number]
    if not found or len(found) < len(set(references)):
        raise Http404(", ".join(references))
    return found


def _stages(proposals: Iterable[int]) -> dict[int, list[str]]:
    """The stages that hold each proposal now."""
    found: dict[int, list[str]] = defaultdict(list)
    items = WorkItem.objects.filter(proposal__in=list(proposals), closed_at=None).order_by("id")
    for proposal, label in items.values_list("proposal_id", "stage_label"):
        found[proposal].append(label)
    return found


def _plan_of(version: PolicyVersion, references: list[str]) -> str:
    address = reverse("policy-move-plan", args=[version.policy.key, version.number])
    return f"{address}?{urlencode({'p': references}, doseq=True)}"


def _again(under: str, cursor: str) -> str:
    """The address of this list further on; empty where it does not go on."""
    words = {"under": under, "page": cursor}
    return "?" + urlencode({name: value for name, value in words.items() if value}) if cursor else ""


def _show_plan(
    request: HttpRequest, fresh: Plan, version: PolicyVersion, form: MoveForm, status: int = HTTPStatus.OK, **more: Any
) -> HttpResponse:
    context = {
        "nav": "policy",
        "version": version,
        "plan": fresh,
        "form": form,
        "plan_of_movable": _plan_of(version, [move.case.reference for move in fresh.movable]),
        **more,
    }
    return render(request, "review/moving_plan.html", context, status=status)


def _refused(request: HttpRequest, fresh: Plan, version: PolicyVersion, form: MoveForm, no: Refusal) -> HttpResponse:
    """The plan as it is now, with why nothing was moved, and the reason that was typed."""
    kept = MoveForm(initial={"reason": form.reason_given})
    changed = no.changed if isinstance(no, Stale) else ()
    return _show_plan(request, fresh, version, kept, no.status, refusal=no, changed=changed)
