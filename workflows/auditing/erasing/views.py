"""The administrator's pages of personal data: find a person, erase them, dispose of what is kept no longer, hold.

Whatever destroys something takes two steps: what it would do and why, then the same once more to confirm.
Administrators have no right to see what proposals say, so these pages show references, states and days.
"""

from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from governance.people.models import User
from governance.refusals import Incomplete, NotPermitted, Refusal
from workflows.auditing.actions import erasure
from workflows.auditing.erasing.forms import DestructionForm, HoldForm, ReasonForm
from workflows.auditing.erasing.plans import DisposalPlan, ErasurePlan, disposal_plan, erasure_plan
from workflows.auditing.erasing.queries import (
    find_subject,
    kept,
    names_of_subjects,
    open_hold_on,
    open_holds,
    people_like,
    term_for,
    whose_time_is_over,
)
from workflows.auditing.models import Hold
from workflows.proposals.models import Proposal
from workflows.proposals.states import ENDED
from workflows.review.paging import Key, page_of

INVALID = HTTPStatus.UNPROCESSABLE_ENTITY
PAGE = 50


@require_safe
def entry(request: HttpRequest) -> HttpResponse:
    """Find a person; go to the holds and to retention."""
    _administrator(request)
    words = request.GET.get("q", "").strip()
    context: dict[str, Any] = {"nav": "audit", "q": words, "holds": open_holds().count()}
    if words:
        columns = ("id", "name", "email", "title", "unit__short_name", "is_active", "erased_at")
        order = (Key("name", read=str), Key("id"))
        page = page_of(people_like(words).values(*columns), order, request.GET.get("page", ""), size=PAGE)
        context |= {"rows": page.rows, "newer": _again(words, page.newer), "older": _again(words, page.older)}
    return render(request, "auditing/personal.html", context)


# ---- a person


@require_http_methods(["GET", "HEAD", "POST"])
def person(request: HttpRequest, pk: int) -> HttpResponse:
    """What erasing a person's data would do. Posted with authority and reason, the same once more, to confirm."""
    actor = _administrator(request)
    plan = erasure_plan(get_object_or_404(User.objects.select_related("unit"), pk=pk))
    if request.method != "POST":
        return _show_person(request, actor, plan, _erasure_form())
    form = _erasure_form(request.POST)
    if not form.is_valid() or plan.hindrances:
        return _show_person(request, actor, plan, form, INVALID)
    return render(request, "auditing/erase.html", {"nav": "audit", "plan": plan, "form": form})


@require_POST
def erase(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Erase what was confirmed."""
    actor = _administrator(request)
    someone = get_object_or_404(User, pk=pk)
    form = _erasure_form(request.POST)
    if not form.is_valid():
        return _show_person(request, actor, erasure_plan(someone), form, INVALID)
    said = form.cleaned_data
    try:
        erasure.erase(
            actor=actor, person=someone, authority=said["authority"], reason=said["reason"], plan_digest=said["plan"]
        )
    except Refusal as no:
        _say_beside_the_fields(form, no)
        return _show_person(request, actor, erasure_plan(someone), form, no.status, refusal=no)
    messages.success(
        request, _("The data was erased. The last copies in the database’s files are cleared in a moment.")
    )
    return redirect("personal-data-person", pk)


def _show_person(
    request: HttpRequest,
    actor: User,
    plan: ErasurePlan,
    form: DestructionForm,
    status: int = HTTPStatus.OK,
    **more: Any,
) -> HttpResponse:
    context = {
        "nav": "audit",
        "plan": plan,
        "person": plan.person,
        "is_self": plan.person.pk == actor.pk,
        "hold": open_hold_on(plan.person.record_key),
        "form": form,
        **more,
    }
    return render(request, "auditing/personal_person.html", context, status=status)


def _erasure_form(data: Any = None) -> DestructionForm:
    return DestructionForm(
        data,
        authority=_("Under which law or on whose request"),
        no_authority=_("Say under which law or on whose request"),
        label=_("Why it is erased"),
        missing=_("Say why it is erased"),
        hint=_("It stays in the record, so leave out their name and address."),
    )


# ---- retention


@require_safe
def retention(request: HttpRequest) -> HttpResponse:
    """The proposals whose time is over, or soon will be, in the order in which they were made."""
    _administrator(request)
    order = (Key("id"),)
    page = page_of(whose_time_is_over().values("id"), order, request.GET.get("page", ""), size=PAGE)
    proposals = whose_time_is_over().filter(pk__in=[row["id"] for row in page.rows]).order_by("id")
    context = {
        "nav": "audit",
        "rows": kept(proposals),
        "newer": _again("", page.newer),
        "older": _again("", page.older),
    }
    return render(request, "auditing/retention.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def proposal(request: HttpRequest, reference: str) -> HttpResponse:
    """What disposing of a proposal would do. Posted with authority and reason, the same once more, to confirm."""
    _administrator(request)
    plan = disposal_plan(_proposal(reference))
    if request.method != "POST":
        return _show_disposal(request, plan, _disposal_form())
    form = _disposal_form(request.POST)
    if not form.is_valid() or plan.hindrances:
        return _show_disposal(request, plan, form, INVALID)
    return render(request, "auditing/retention_confirm.html", {"nav": "audit", "plan": plan, "form": form})


@require_POST
def dispose(request: HttpRequest, reference: str) -> HttpResponseBase:
    """Dispose of what was confirmed."""
    actor = _administrator(request)
    form = _disposal_form(request.POST)
    if not form.is_valid():
        return _show_disposal(request, disposal_plan(_proposal(reference)), form, INVALID)
    said = form.cleaned_data
    try:
        erasure.dispose(
            actor=actor,
            proposal=_proposal(reference),
            authority=said["authority"],
            reason=said["reason"],
            plan_digest=said["plan"],
        )
    except Refusal as no:
        return _show_disposal(request, disposal_plan(_proposal(reference)), form, no.status, refusal=no)
    messages.success(request, _("The contents of %(reference)s were disposed of.") % {"reference": reference})
    return redirect("retention-proposal", reference)


def _show_disposal(
    request: HttpRequest, plan: DisposalPlan, form: DestructionForm, status: int = HTTPStatus.OK, **more: Any
) -> HttpResponse:
    ended = plan.proposal.state in ENDED
    context = {
        "nav": "audit",
        "plan": plan,
        "proposal": plan.proposal,
        "term": term_for(plan.proposal) if ended else None,
        "hold": open_hold_on(plan.proposal.subject),
        "form": form,
        **more,
    }
    return render(request, "auditing/retention_proposal.html", context, status=status)


def _disposal_form(data: Any = None) -> DestructionForm:
    return DestructionForm(
        data,
        authority=_("Under which rule or on whose request"),
        no_authority=_("Say under which rule or on whose request"),
        label=_("Why it is disposed of"),
        missing=_("Say why it is disposed of"),
    )


def _proposal(reference: str) -> Proposal:
    """A proposal that was sent at least once: one that was not is its author's alone, so here there is none."""
    found = Proposal.objects.select_related("policy_version__policy", "unit").filter(revision_number__gt=0)
    return get_object_or_404(found, reference=reference)


# ---- legal holds


@require_safe
def holds(request: HttpRequest) -> HttpResponse:
    """Every legal hold, those that stand first."""
    _administrator(request)
    columns = (
        "id",
        "subject",
        "reason",
        "placed_at",
        "placed_by__name",
        "lifted_at",
        "lifted_by__name",
        "reason_lifted",
    )
    everything = "all" in request.GET
    wanted = Hold.objects.all() if everything else open_holds()
    page = page_of(wanted.values(*columns), (Key("id", largest_first=True),), request.GET.get("page", ""), size=PAGE)
    names = names_of_subjects(row["subject"] for row in page.rows)
    context = {
        "nav": "audit",
        "rows": [row | {"name": names[row["subject"]]} for row in page.rows],
        "everything": everything,
        "newer": _again("", page.newer, everything),
        "older": _again("", page.older, everything),
    }
    return render(request, "auditing/holds.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def place_hold(request: HttpRequest) -> HttpResponseBase:
    """Place a legal hold on a proposal or a person."""
    actor = _administrator(request)
    given: dict[str, Any] = {
        "label": _("Why it is held"),
        "missing": _("Say why it is held"),
        "hint": _("It stays in the record, and administrators and auditors read it."),
    }
    form = HoldForm(request.POST if request.method == "POST" else None, initial={"on": request.GET.get("on")}, **given)
    if form.is_valid():
        on = find_subject(form.cleaned_data["on"])
        if on is None:
            form.add_error("on", _("There is no such proposal or person"))
        else:
            erasure.place_hold(actor=actor, on=on, reason=form.cleaned_data["reason"])
            messages.success(request, _("The legal hold stands."))
            return redirect("holds")
    status = INVALID if form.errors else HTTPStatus.OK
    return render(request, "auditing/holds_place.html", {"nav": "audit", "form": form}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def lift_hold(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Lift a legal hold, with the reason."""
    actor = _administrator(request)
    hold = get_object_or_404(Hold.objects.select_related("placed_by"), pk=pk)
    form = ReasonForm(
        request.POST if request.method == "POST" else None,
        label=_("Why it is lifted"),
        missing=_("Say why it is lifted"),
    )
    if form.is_valid():
        erasure.lift_hold(actor=actor, hold=hold, reason=form.cleaned_data["reason"])
        messages.success(request, _("The legal hold is lifted."))
        return redirect("holds")
    name = names_of_subjects([hold.subject])[hold.subject]
    context = {"nav": "audit", "hold": hold, "name": name, "form": form}
    return render(request, "auditing/holds_lift.html", context, status=INVALID if form.errors else HTTPStatus.OK)


# ---- reading the request


def _administrator(request: HttpRequest) -> User:
    """Raises NotPermitted to all but administrators."""
    assert isinstance(request.user, User)
    if not request.user.is_staff:
        raise NotPermitted(_("Only an administrator looks after personal data, retention and legal holds."))
    return request.user


def _say_beside_the_fields(form: DestructionForm, no: Refusal) -> None:
    if isinstance(no, Incomplete):
        for field, sentence in no.gaps.items():
            form.add_error(field, str(sentence))


def _again(words: str, cursor: str, everything: bool = False) -> str:
    """The address of this list further on; empty where it does not go on."""
    given = {"q": words, "all": "1" if everything else "", "page": cursor}
    return "?" + urlencode({name: value for name, value in given.items() if value}) if cursor else ""
