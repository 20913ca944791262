"""The proposal's page, and the acts on it.

Each view of an act reads the form, makes one call and answers. A "no" comes back as the same page with its sentence,
what changed meanwhile, and everything that was typed.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from governance.audit.models import named
from governance.people.models import User
from governance.people.requests import person_of
from governance.policies.vocabulary import Kind
from governance.refusals import Incomplete, NotPossible, Refusal, Stale
from workflows.proposals.actions import look
from workflows.proposals.display import label_of
from workflows.proposals.models import Audience, Proposal
from workflows.proposals.states import State
from workflows.proposals.views import check
from workflows.review import actions
from workflows.review.context import how_many_wait
from workflows.review.forms import (
    CommentForm,
    DecisionForm,
    SubmitForm,
    WithdrawForm,
    local_path,
)
from workflows.review.models import Decision, WorkItem
from workflows.review.page import PageOptions, ProposalPage, audience_options, audiences_of
from workflows.review.panel import decision_form
from workflows.review.permits import Act
from workflows.review.queries import may_audit
from workflows.review.reader import NoAccess, Reader, reader_of

# ---- the proposal's page


@require_safe
def proposal(request: HttpRequest, reference: str) -> HttpResponseBase:
    """The proposal as this person may see it. Its author's draft opens in the editor."""
    try:
        reader = reader_of(person_of(request), reference)
    except NoAccess as no:
        return _no_access(request, reference, no)
    if reader.is_author and reader.proposal.state == State.DRAFT:
        return redirect("proposal-edit", reference)
    page = ProposalPage(reader, _options(request))
    response = _show(request, page)
    seen = page.look
    if seen is None or (seen.version, seen.revision_number) != (
        reader.proposal.version,
        reader.proposal.revision_number,
    ):
        look(user=reader.user, proposal=reader.proposal)
    return response


def _show(request: HttpRequest, page: ProposalPage, status: int = HTTPStatus.OK, **context: Any) -> HttpResponse:
    is_mine = page.reader.is_author
    back = local_path(request, "")
    context = {
        "nav": "proposals" if is_mine else "queue",
        "page": page,
        "proposal": page.proposal,
        "back": back or reverse("proposals" if is_mine else "queue"),
        "back_given": bool(back),
        "and_next": f"&{urlencode({'next': back})}" if back else "",
        "withdraw_form": WithdrawForm(seen=page.proposal.version),
        "waiting_count": SimpleLazyObject(lambda: how_many_wait(page.reader.user, page.reader.held)),
        "may_audit": may_audit(page.reader.user, page.reader.held),
        "kind_label": Kind(page.proposal.kind).label if page.proposal.kind else "",
        **context,
    }
    return render(request, "review/proposal.html", context, status=status)


def _again(request: HttpRequest, reference: str, no: Refusal, **context: Any) -> HttpResponse:
    """The proposal's page as it is now, with why the act was not done."""
    page = ProposalPage(reader_of(person_of(request), reference))
    changed = no.changed if isinstance(no, Stale) else ()
    return _show(request, page, status=no.status, refusal=no, changed=changed, **context)


def _no_access(request: HttpRequest, reference: str, no: NoAccess) -> HttpResponse:
    """Why this person may not see the proposal; what they had typed while they still could is not taken from them."""
    kept = [*DecisionForm(request.POST).typed, *WithdrawForm(request.POST).typed]
    if text := request.POST.get("text", "").strip():
        kept.append((_("Comment"), text))
    context = {"reference": reference, "sentence": no.sentence, "kept": kept}
    return render(request, "review/no_access.html", context, status=HTTPStatus.FORBIDDEN)


# ---- the acts of those who decide


def approve(request: HttpRequest, reference: str) -> HttpResponseBase:
    """Approve at the stage that the form names, with its conditions."""

    def act(actor: User, item: WorkItem, form: DecisionForm) -> Decision:
        return actions.approve(
            actor=actor,
            item=item,
            seen=form.cleaned_data["seen"],
            confirmed=form.confirmed,
            reasons=form.cleaned_data["reasons"],
            conditions=form.new_conditions,
        )

    return _decide(request, reference, act)


def return_(request: HttpRequest, reference: str) -> HttpResponseBase:
    """Return to the author, or to the earlier stage chosen."""

    def act(actor: User, item: WorkItem, form: DecisionForm) -> Decision:
        return actions.return_for_changes(
            actor=actor,
            item=item,
            seen=form.cleaned_data["seen"],
            reasons=form.cleaned_data["reasons"],
            to_stage=form.cleaned_data["to_stage"],
            confirmed=form.confirmed,
        )

    return _decide(request, reference, act)


def decline(request: HttpRequest, reference: str) -> HttpResponseBase:
    """Decline with reasons."""

    def act(actor: User, item: WorkItem, form: DecisionForm) -> Decision:
        return actions.decline(
            actor=actor,
            item=item,
            seen=form.cleaned_data["seen"],
            reasons=form.cleaned_data["reasons"],
            confirmed=form.confirmed,
        )

    return _decide(request, reference, act)


def _decide(
    request: HttpRequest, reference: str, act: Callable[[User, WorkItem, DecisionForm], Decision]
) -> HttpResponseBase:
    """Read the decision form, make the one call, answer; a "no" keeps everything that was typed."""
    if request.method != "POST":
        return redirect("proposal", reference)
    item = request.POST.get("item", "")
    try:
        reader = reader_of(person_of(request), reference, int(item) if item.isdecimal() and len(item) < 19 else None)
    except NoAccess as no:
        return _no_access(request, reference, no)
    form = decision_form(reader, request.POST)
    if "more" in request.POST:
        return _show(request, ProposalPage(reader, decision_form=form.with_more_rows()))
    if not form.is_valid():
        return _with_form(request, reader, form, HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        made = act(reader.user, _item_named(reader, form.cleaned_data["item"]), form)
    except Refusal as no:
        return _refused_decision(request, reference, form, no)
    messages.success(request, _what_happened(made))
    return redirect(local_path(request, reverse("queue")))


def _item_named(reader: Reader, pk: int) -> WorkItem:
    """The work item that the form was about, open or not: the act says what happened to one that is closed."""
    items = reader.history.items if reader.history is not None else ()
    item = next((item for item in items if item.pk == pk), None)
    if item is None:
        raise NotPossible(_("This stage is no longer waiting for a decision."))
    return item


def _refused_decision(request: HttpRequest, reference: str, form: DecisionForm, no: Refusal) -> HttpResponse:
    """The page as it is now with the typed form in it, ready to be sent knowingly; or the typed words alone."""
    reader = reader_of(person_of(request), reference)
    data = request.POST.copy()
    if isinstance(no, Incomplete):
        for name, sentence in no.gaps.items():
            if name in form.fields:
                form.add_error(name, str(sentence))
        return _with_form(request, reader, form, no.status)
    data["seen"] = str(reader.proposal.version)
    data["item"] = str(reader.item.pk) if reader.item is not None else ""
    fresh = decision_form(reader, data)
    changed = no.changed if isinstance(no, Stale) else ()
    page = ProposalPage(reader, decision_form=fresh)
    kept = [] if page.panel is not None else form.typed
    return _show(request, page, status=no.status, refusal=no, changed=changed, kept=kept)


def _with_form(request: HttpRequest, reader: Reader, form: DecisionForm, status: int) -> HttpResponse:
    page = ProposalPage(reader, decision_form=form)
    return _show(request, page, status=status, errors=form.to_fix)


def _what_happened(decision: Decision) -> str:
    """The sentence after a decision: what was decided and who holds the proposal now."""
    proposal = Proposal.objects.select_related("author").get(pk=decision.proposal_id)
    holders = ", ".join(proposal.work_items.filter(closed_at=None).values_list("body__name", flat=True))
    said = {"reference": proposal.reference, "holders": holders, "author": named(proposal.author.name)}
    match State(proposal.state):
        case State.APPROVED:
            return _("Approved. %(reference)s has passed its last stage.") % said
        case State.DECLINED:
            return _("Declined. %(reference)s has ended; its author gets your reasons.") % said
        case State.RETURNED:
            return _("Returned. %(reference)s is back with %(author)s.") % said
    if decision.to_stage:
        return _("Returned. %(reference)s is with %(holders)s again.") % said
    return _("Approved. %(reference)s is with %(holders)s.") % said


# ---- the acts of the author, and comments


def submit(request: HttpRequest, reference: str) -> HttpResponseBase:
    """Send the draft; what is missing is shown where the author checks it."""
    if request.method != "POST":
        return redirect("proposal-check", reference)
    reader = reader_of(person_of(request), reference)
    form = SubmitForm(request.POST)
    if not form.is_valid():
        return check(request, reference)
    try:
        actions.submit(
            actor=reader.user,
            proposal=reader.proposal,
            seen=form.cleaned_data["seen"],
            note_to_reviewers=form.cleaned_data["note"],
        )
    except Incomplete:
        return check(request, reference)
    holders = ", ".join(reader.proposal.work_items.filter(closed_at=None).values_list("body__name", flat=True))
    messages.success(
        request, _("Sent. %(reference)s is with %(holders)s.") % {"reference": reference, "holders": holders}
    )
    return redirect("proposal", reference)


def withdraw(request: HttpRequest, reference: str) -> HttpResponseBase:
    """The author ends the proposal, with a reason."""
    if request.method != "POST":
        return redirect("proposal", reference)
    try:
        reader = reader_of(person_of(request), reference)
    except NoAccess as no:
        return _no_access(request, reference, no)
    form = WithdrawForm(request.POST)
    try:
        if not form.is_valid():
            raise NotPossible(_("The form did not arrive whole. Try again."))
        actions.withdraw(
            actor=reader.user,
            proposal=reader.proposal,
            seen=form.cleaned_data["seen"],
            reason=form.cleaned_data["reason"],
        )
    except Incomplete as no:
        form.add_error("reason", str(no.gaps["reason"]))
        page = ProposalPage(reader)
        return _show(
            request,
            page,
            status=no.status,
            withdraw_form=form,
            errors=[("w-reason", str(no.gaps["reason"]))],
            opened="withdraw",
        )
    except Refusal as no:
        data = request.POST.copy()
        data["seen"] = str(Proposal.objects.values_list("version", flat=True).get(reference=reference))
        kept = [] if reader_of(reader.user, reference).may(Act.WITHDRAW) else form.typed
        return _again(request, reference, no, withdraw_form=WithdrawForm(data), opened="withdraw", kept=kept)
    messages.success(
        request, _("Withdrawn. %(reference)s has ended and stays in the record.") % {"reference": reference}
    )
    return redirect("proposals")


def comment(request: HttpRequest, reference: str) -> HttpResponseBase:
    """Say something about a section or the whole; the script gets the thread back, everybody else the page."""
    if request.method != "POST":
        return redirect("proposal", reference)
    try:
        reader = reader_of(person_of(request), reference)
    except NoAccess as no:
        return _no_access(request, reference, no)
    audiences = audiences_of(reader) or [(Audience.EVERYONE.value, "")]
    form = CommentForm(request.POST, audiences=audiences)
    chosen = audience_options(audiences, request.POST.get("audience", ""))
    typed = {"text": request.POST.get("text", ""), "options": chosen, "error": ""}
    section = request.POST.get("section", "")
    try:
        if not form.is_valid():
            raise Incomplete(str(next(iter(form.errors.values()))[0]), {})
        section = form.cleaned_data["section"]
        actions.comment(
            actor=reader.user,
            proposal=reader.proposal,
            audience=form.cleaned_data["audience"],
            text=form.cleaned_data["text"],
            section=section,
        )
    except Incomplete as no:
        typed["error"] = str(no.gaps.get("text", no.sentence))
        return _thread(request, reader, section, typed, no.status)
    except Refusal as no:
        kept = [(str(form.fields["text"].label), typed["text"])] if typed["text"] else []
        return _again(request, reference, no, kept=kept)
    said = _("Your comment on %(what)s is there.") % {"what": _about(section)}
    if getattr(request, "htmx", False):
        return _thread(request, reader_of(reader.user, reference), section, said=said)
    messages.success(request, said)
    return redirect(f"{reverse('proposal', args=[reference])}#thread-{section or 'whole'}")


def _thread(
    request: HttpRequest,
    reader: Reader,
    section: str,
    typed: dict[str, str] | None = None,
    status: int = HTTPStatus.OK,
    said: str = "",
) -> HttpResponse:
    """The thread of one section with its form: alone for the script, else in its page."""
    page = ProposalPage(reader, _options(request))
    context: dict[str, Any] = {"typed": typed, "typed_section": section}
    if not getattr(request, "htmx", False):
        errors = [(f"c-{section or 'whole'}-text", typed["error"])] if typed else []
        return _show(request, page, status=status, errors=errors, **context)
    remarks = page.remarks_on(section) if section else page.remarks_on_all
    context |= {
        "page": page,
        "proposal": page.proposal,
        "remarks": remarks,
        "section": section,
        "label": _about(section),
        "said": said,
    }
    return render(request, "review/thread.html", context, status=status)


def _about(section: str) -> str:
    return label_of(section) if section else _("the whole proposal")


# ---- reading requests


def _options(request: HttpRequest) -> PageOptions:
    base = request.GET.get("with", "")
    return PageOptions(
        show="clean" if request.GET.get("show") == "clean" else "changes",
        base=int(base) if base.isdecimal() and len(base) < 9 else None,
        all_history=request.GET.get("history") == "all",
    )
