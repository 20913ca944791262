"""The author's pages: start a proposal, write its sections, attach files, check it before it is sent.

A view reads what came, makes one call and answers; autosave and the Add and Remove buttons of the script get fragments
of the same page (`autosave.html`) from the same address.
"""

import json
from dataclasses import replace
from http import HTTPStatus
from typing import Any, BinaryIO, cast

from django.conf import settings
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from pydantic import ValidationError

from governance.forms import row_count, with_row, without_row
from governance.people.requests import person_of
from governance.policies.queries import in_force
from governance.policies.vocabulary import Action
from governance.refusals import Incomplete, NotPossible, Stale
from workflows.proposals import actions
from workflows.proposals.attachments import NAMES
from workflows.proposals.completeness import by_section, outcomes_not_assessed, total_weight
from workflows.proposals.conflict import chosen, differences
from workflows.proposals.content import SECTIONS, Content, Part
from workflows.proposals.editor import FILES, Guide, remark_on
from workflows.proposals.forms import (
    NewProposalForm,
    NoteForm,
    SectionForm,
    UploadForm,
    anchor_of,
)
from workflows.proposals.models import Proposal
from workflows.proposals.queries import (
    administrators,
    draft_of,
    guide_for,
    readings_of,
    section_of,
    units_to_propose_for,
)

INVALID = HTTPStatus.UNPROCESSABLE_ENTITY


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Start a proposal for a unit that the person may propose for; without one, say who gives that duty."""
    actor = person_of(request)
    units = units_to_propose_for(actor)
    if not units:
        nobody = {"nav": "proposals", "administrators": administrators()}
        return render(request, "proposals/may_not_propose.html", nobody, status=HTTPStatus.FORBIDDEN)
    policy = in_force(settings.APPROVAL_POLICY)
    governed = list(policy.typed_rules.governs) if policy else [Action.NEW]
    form = NewProposalForm(
        request.POST if request.method == "POST" else None,
        units=units,
        actions=governed,
        initial={"unit": request.GET.get("unit")} if request.GET.get("unit") else None,
    )
    if form.is_valid():
        proposal = actions.create_proposal(
            actor=actor,
            unit=form.cleaned_data["unit"],
            action=form.cleaned_data["action"],
            title=form.cleaned_data["title"],
        )
        return redirect("proposal-edit", proposal.reference, next(iter(SECTIONS)))
    context = {"nav": "proposals", "form": form, "policy": policy, "only_unit": units[0] if len(units) == 1 else None}
    return render(request, "proposals/new.html", context, status=INVALID if form.errors else HTTPStatus.OK)


@require_safe
def edit_next(request: HttpRequest, reference: str) -> HttpResponse:
    """Go to the first section that is not done."""
    proposal = draft_of(author=person_of(request), reference=reference)
    tasks = guide_for(proposal).tasks(_saves(proposal), files=0)
    section = next((task.key for task in tasks if task.status not in {"done", FILES}), next(iter(SECTIONS)))
    return redirect("proposal-edit", proposal.reference, section)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, reference: str, section: str) -> HttpResponse:
    """One section: show it, save it, or add and remove rows of its lists, which saves it too."""
    proposal = draft_of(author=person_of(request), reference=reference)
    if section == FILES:
        return _files(request, proposal, UploadForm(limit_mb=_limit_mb()))
    guide = guide_for(proposal)
    if section not in guide.sections:
        raise Http404(section)
    if request.method != "POST":
        return _section(request, proposal, guide, _form(guide, section))
    if "choose" in request.POST:
        return _choose(request, proposal, guide, section)
    data, name, row = _with_rows_as_asked(request.POST, section)
    form = _form(guide, section, data)
    if name:
        form.focus(name, row)
    if "restore" in request.POST:
        form.is_valid()
        return render(request, "proposals/body.html", _shown(proposal, guide, form, seen=_seen(request)))
    if not form.is_valid():
        return _section(request, proposal, guide, form, status=INVALID)
    return _save(request, proposal, guide, form)


@require_http_methods(["GET", "HEAD", "POST"])
def check(request: HttpRequest, reference: str) -> HttpResponse:
    """Everything that is still missing, the way the proposal will take, and the button that sends it.

    The button of a proposal that is not complete posts here and gets the list of what is missing, with the note kept.
    """
    proposal = draft_of(author=person_of(request), reference=reference)
    guide = guide_for(proposal)
    missing = by_section(guide.gaps)
    pressed = request.method == "POST"
    form = NoteForm(request.POST if pressed else None, again=proposal.revision_number > 0)
    context = _around(proposal, guide, None) | {
        "form": form,
        "pressed": pressed,
        "missing": [
            (key, label, [(gap, anchor_of(gap.field)) for gap in missing[key]])
            for key, label in guide.sections.items()
            if key in missing
        ],
        "missing_count": sum(map(len, missing.values())),
        "complete": guide.version is not None and not missing,
    }
    return render(request, "proposals/check.html", context, status=INVALID if pressed and missing else HTTPStatus.OK)


@require_POST
def attachment_add(request: HttpRequest, reference: str) -> HttpResponse:
    """Attach a file to the draft; one that cannot be kept is refused with the sentence beside the field."""
    actor = person_of(request)
    proposal = draft_of(author=actor, reference=reference)
    form = UploadForm(request.POST, request.FILES, limit_mb=_limit_mb())
    if form.is_valid():
        file: UploadedFile = form.cleaned_data["file"]
        try:
            kept = actions.attach(
                actor=actor,
                proposal=proposal,
                name=file.name or "",
                file=cast(BinaryIO, file.file),
                confidential=form.cleaned_data["confidential"],
            )
        except Incomplete as refused:
            form.add_error("file", str(refused))
        else:
            messages.success(request, _("“%(name)s” is attached.") % {"name": kept.name})
            return redirect("proposal-edit", proposal.reference, FILES)
    return _files(request, proposal, form)


@require_POST
def attachment_remove(request: HttpRequest, reference: str, digest: str) -> HttpResponse:
    """Take a file out of the draft; submissions that hold it keep it."""
    actor = person_of(request)
    proposal = draft_of(author=actor, reference=reference)
    actions.remove_attachment(actor=actor, proposal=proposal, digest=digest)
    messages.success(request, _("The file is out of the draft."))
    return redirect("proposal-edit", proposal.reference, FILES)


# ---- saving a section


def _save(request: HttpRequest, proposal: Proposal, guide: Guide, form: SectionForm) -> HttpResponse:
    section, typed = form.section, form.part()
    try:
        actions.save_section(
            actor=person_of(request),
            proposal=proposal,
            section=section,
            data=typed.model_dump(mode="json"),
            seen=_seen(request),
        )
    except Stale:
        return _conflict(request, proposal, section, typed)
    if _is_fragment(request) or {"add", "remove", "save"} & request.POST.keys():
        proposal = draft_of(author=person_of(request), reference=proposal.reference)
        return _section(request, proposal, guide_for(proposal), form)
    _before, after = guide.neighbours(section)
    assert after is not None
    return redirect("proposal-edit", proposal.reference, after[0])


def _conflict(request: HttpRequest, proposal: Proposal, section: str, typed: Part) -> HttpResponse:
    """Both versions beside each other; the form there carries what was typed, so that a choice can be made of them."""
    proposal = draft_of(author=person_of(request), reference=proposal.reference)
    stored = section_of(proposal, section)
    content = proposal.draft_content()
    context: dict[str, Any] = {
        "nav": "proposals",
        "proposal": proposal,
        "section": section,
        "label": SECTIONS[section][0],
        "stored": stored,
        "typed": json.dumps(typed.model_dump(mode="json"), ensure_ascii=False),
        "differences": differences(section, content, content.section(section), typed),
        "by_me": stored.saved_by_id == person_of(request).pk,
    }
    template = "proposals/conflict_state.html" if _is_fragment(request) else "proposals/conflict.html"
    return render(request, template, context, status=HTTPStatus.CONFLICT)


def _choose(request: HttpRequest, proposal: Proposal, guide: Guide, section: str) -> HttpResponse:
    """Save what was chosen of two versions; if a third came in between, show that one beside the choice."""
    part = SECTIONS[section][1]
    saved = guide.content.section(section)
    try:
        typed = part.model_validate_json(request.POST.get("typed", ""))
    except ValidationError as error:
        raise NotPossible(_("What you had typed did not arrive whole. Go back and try again.")) from error
    choices: dict[str, Any] = {name: request.POST.get(f"choice-{name}", "typed") for name in part.model_fields}
    if request.POST["choose"] in {"typed", "saved"}:
        choices = dict.fromkeys(part.model_fields, request.POST["choose"])
    if section_of(proposal, section).version != _seen(request):
        return _conflict(request, proposal, section, typed)
    try:
        data = chosen(section, saved, typed, choices)
        actions.save_section(
            actor=person_of(request), proposal=proposal, section=section, data=data, seen=_seen(request)
        )
    except Stale:
        return _conflict(request, proposal, section, typed)
    messages.success(request, _("Your choice is saved."))
    return redirect(reverse("proposal-edit", args=[proposal.reference, section]) + "?settled")


def _with_rows_as_asked(typed: QueryDict, section: str) -> tuple[QueryDict, str, int | None]:
    """What was typed after its Add or Remove button was heeded, the list it concerned, and the row to go to."""
    lists = SECTIONS[section][1].model_fields
    add = typed.get("add", "")
    name, _dash, number = typed.get("remove", "").rpartition("-")
    if add in lists:
        data = with_row(typed, add)
        return data, add, row_count(data, add) - 1
    if name in lists and number.isdecimal():
        return without_row(typed, name, int(number[:4])), name, None
    return typed, "", None


# ---- what the pages show


def _form(guide: Guide, section: str, data: QueryDict | None = None) -> SectionForm:
    return SectionForm(section, guide.content, asked=guide.asked_fields, questions=guide.questions, data=data)


def _section(
    request: HttpRequest, proposal: Proposal, guide: Guide, form: SectionForm, status: int = HTTPStatus.OK
) -> HttpResponse:
    seen = _seen(request) if status != HTTPStatus.OK else section_of(proposal, form.section).version
    context = _shown(proposal, guide, form, seen=seen)
    context["settled"] = "settled" in request.GET
    context["changed_list"] = {"add", "remove"} & request.POST.keys()
    return render(
        request, "proposals/autosave.html" if _is_fragment(request) else "proposals/edit.html", context, status=status
    )


def _shown(proposal: Proposal, guide: Guide, form: SectionForm, *, seen: int) -> dict[str, Any]:
    """The section's page, or the parts of it that an autosave brings up to date."""
    stored = section_of(proposal, form.section)
    content = form.as_typed()
    before, after = guide.neighbours(form.section)
    keys = list(guide.sections)
    around = _around(proposal, guide, form.section)
    if form.errors:
        around["tasks"] = [
            replace(task, status="fix", count=len(form.errors)) if task.key == form.section else task
            for task in around["tasks"]
        ]
    return around | {
        "form": form,
        "label": SECTIONS[form.section][0],
        "number": keys.index(form.section) + 1,
        "of": len(keys),
        "seen": seen,
        "stored": stored,
        "clauses": guide.clauses(form.section),
        "before": before,
        "after": after,
        "total_weight": total_weight(content),
        "not_assessed": outcomes_not_assessed(content),
        "has_outcomes": bool(form.matrix and form.matrix.lines),
        "remarks": _remarks(form, content),
    }


def _around(proposal: Proposal, guide: Guide, section: str | None) -> dict[str, Any]:
    """What every page of the editor shows: the proposal, its task list, the policy."""
    files = proposal.attachments.filter(removed_at=None).count()
    tasks = guide.tasks(_saves(proposal), files)
    done = sum(task.status == "done" for task in tasks)
    last = max((part.saved_at for part in proposal.draft_sections.all() if part.saved_at), default=None)
    return {
        "nav": "proposals",
        "proposal": proposal,
        "section": section,
        "tasks": tasks,
        "done": done,
        "of": len(guide.sections),
        "percent": 100 * done // len(guide.sections),
        "policy": guide.version,
        "last_saved": last,
    }


def _files(request: HttpRequest, proposal: Proposal, form: UploadForm) -> HttpResponse:
    guide = guide_for(proposal)
    before, _after = guide.neighbours(FILES)
    files = list(proposal.attachments.filter(removed_at=None))
    readings = readings_of(proposal) if any(file.confidential for file in files) else {}
    context = _around(proposal, guide, FILES) | {
        "form": form,
        "files": [(file, NAMES[file.media_type], readings.get(file.digest, [])) for file in files],
        "before": before,
    }
    status = INVALID if form.errors else HTTPStatus.OK
    return render(request, "proposals/files.html", context, status=status)


def _remarks(form: SectionForm, content: Content) -> dict[str, str]:
    """Remarks on the learning outcomes, under the name of each field."""
    block = form.lists.get("outcomes")
    return {row.form["text"].auto_id: remark_on(row.form.typed) for row in block.rows} if block else {}


# ---- reading the request


def _seen(request: HttpRequest) -> int:
    """The version of the section that the page showed; none at all counts as older than every one."""
    seen = request.POST.get("version", "")
    return int(seen) if seen.isdecimal() and len(seen) < 10 else -1


def _is_fragment(request: HttpRequest) -> bool:
    return bool(getattr(request, "htmx", False))


def _saves(proposal: Proposal) -> dict[str, int]:
    return {part.key: part.version for part in proposal.draft_sections.all()}


def _limit_mb() -> int:
    limit: int = settings.ATTACHMENT_MAX_BYTES // (1024 * 1024)
    return limit
