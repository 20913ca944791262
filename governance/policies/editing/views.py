"""The pages on which an administrator writes a version: each section, and each item of a list, saves by itself.

Autosave and the Add and Remove buttons of the script get fragments of the same page (`edit_autosave.html`) from the
same address.
"""

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from governance.forms import row_count, with_row, without_row
from governance.people.requests import person_of
from governance.policies.editing.drafts import Found, find, items, moved, place_now, token, with_item, without_item
from governance.policies.editing.pages import Spot, clauses_said, clauses_used, label_of, listed, route_beside, tasks
from governance.policies.editing.part import Part, PartForm
from governance.policies.editing.queries import Draft, draft_for
from governance.policies.editing.saving import save
from governance.policies.editing.sections import SECTIONS, Section
from governance.policies.editing.shown import differences, text_differences
from governance.policies.models import PolicyVersion
from governance.refusals import Stale

INVALID = HTTPStatus.UNPROCESSABLE_ENTITY
# What a page carries in place of a token when there is nothing there (any more) that could be written over.
NOTHING = "nothing"
# What a form posts beside what somebody typed.
NOT_TYPED = {"csrfmiddlewaretoken", "version", "save", "add", "remove", "compare", "choose"}
# How often a save is tried again when somebody saved another part in the same instant.
TRIES = 3


@require_safe
def edit_next(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """Go to the first section in which something is to be mended, else to the first one."""
    draft = draft_for(person_of(request), key, number)
    first = draft.to_mend[0].section if draft.to_mend else next(iter(SECTIONS))
    return redirect("policy-edit", key, number, first)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, key: str, number: int, section: str) -> HttpResponse:
    """A section that is one form, or the list of what stands in it."""
    spot = Spot(draft_for(person_of(request), key, number), _section_of(section))
    return _list(request, spot) if spot.section.is_list else _form(request, spot)


@require_http_methods(["GET", "HEAD", "POST"])
def edit_item(request: HttpRequest, key: str, number: int, section: str, place: int) -> HttpResponse:
    """One item of a list, at its place counted from 1."""
    draft, kind = draft_for(person_of(request), key, number), _list_section_of(section)
    at = place - 1
    if request.method == "POST" and "restore" not in request.POST:
        at = place_now(draft.data, section, at, request.POST.get("version", ""), request.POST.get("key", ""))
    spot = Spot(draft, kind, at)
    if place < 1 or (request.method != "POST" and spot.stored is None):
        raise Http404(f"{section} {place}")
    return _form(request, spot)


@require_http_methods(["GET", "HEAD", "POST"])
def add_item(request: HttpRequest, key: str, number: int, section: str) -> HttpResponse:
    """A new item for the end of a list; nothing of it is kept before it can be saved."""
    return _form(request, Spot(draft_for(person_of(request), key, number), _list_section_of(section)))


# ---- a form


def _form(request: HttpRequest, spot: Spot) -> HttpResponse:
    if request.method != "POST":
        return _page(request, spot, spot.form())
    data, name, row = with_rows_as_asked(request.POST, spot.form(request.POST))
    form = spot.form(data)
    if name:
        form.focus(name, row)
    if "restore" in request.POST:
        return _restored(request, spot, form)
    if name and spot.is_new:
        return _page(request, spot, form)
    if not form.is_valid():
        return _page(request, spot, form, status=INVALID)
    return _save(request, spot, form)


def _save(request: HttpRequest, spot: Spot, form: PartForm) -> HttpResponse:
    """Save what was typed, unless somebody saved the same part since the page was opened."""
    for _try in range(TRIES):
        found = _where(request, spot, form)
        if not found.unchanged:
            return _conflict(request, spot, form, found)
        try:
            version = _store(request, spot, form, found)
        except Stale:
            spot = replace(spot, draft=draft_for(person_of(request), *spot.draft.address))
            continue
        saved = replace(spot, draft=Draft(version), place=_place_after(spot, found, version))
        if is_fragment(request) or ({"add", "remove", "save"} & request.POST.keys() and not spot.is_new):
            return _page(request, saved, form)
        return _go_on(request, saved, form)
    raise Stale(_("Several people are saving this draft right now. Go back and save again."))


def _where(request: HttpRequest, spot: Spot, form: PartForm) -> Found:
    seen = request.POST.get("version", "")
    if not spot.section.is_list:
        return Found(None, unchanged=token(spot.stored) == seen)
    if spot.is_new or seen == NOTHING:
        return Found(None, unchanged=True)
    assert spot.place is not None
    return find(spot.draft.data, spot.section.key, spot.place, seen, form.result())


def _store(request: HttpRequest, spot: Spot, form: PartForm, found: Found) -> PolicyVersion:
    draft, typed, actor = spot.draft, form.result(), person_of(request)
    if spot.section.key == "text":
        return save(draft, actor=actor, text=typed["text"])
    if spot.section.is_list:
        return save(draft, actor=actor, rules=with_item(draft.data, spot.section.key, found.place, typed))
    return save(draft, actor=actor, rules={**draft.data, **typed})


def _place_after(spot: Spot, found: Found, version: PolicyVersion) -> int | None:
    if not spot.section.is_list or found.place is not None:
        return found.place
    return len(items(Draft(version).data, spot.section.key)) - 1


def _go_on(request: HttpRequest, saved: Spot, form: PartForm) -> HttpResponse:
    """After the button that goes on: from an item to its list, from a section to the next one; after a choice between
    two versions, back to the page."""
    key, number = saved.draft.address
    if "choose" in request.POST and request.POST.get("version") != NOTHING:
        messages.success(request, _("Your choice is saved."))
        return redirect(f"{request.path}?settled")
    if saved.section.is_list:
        messages.success(request, _("It is saved."))
        return redirect("policy-edit", key, number, saved.section.key)
    after = saved.context()["after"]
    return redirect("policy-edit", key, number, after.key) if after else redirect("policy-check", key, number)


def _restored(request: HttpRequest, spot: Spot, form: PartForm) -> HttpResponse:
    """Words that were kept on a device, in the form again; not when another item stands there by now."""
    seen = request.POST.get("version", "")
    if spot.section.is_list and not (spot.stored and is_same(spot.stored, seen, form.main)):
        return HttpResponse(status=HTTPStatus.CONFLICT)
    form.is_valid()
    return render(request, "policies/edit/body.html", {"form": form, "section": spot.section})


def _conflict(request: HttpRequest, spot: Spot, form: PartForm, found: Found) -> HttpResponse:
    """Both versions beside each other; the page carries what was typed, so that it can be chosen with one press."""
    there = replace(spot, place=found.place) if spot.section.is_list else spot
    saved = there.stored if found.place is not None or not spot.section.is_list else None
    compared = (
        text_differences(form.result()["text"], spot.draft.text)
        if spot.section.key == "text"
        else differences(form, there.form() if saved is not None else None)
    )
    context = there.context() | {
        "label": label_of(spot.section.key, form.result()) if spot.section.is_list else spot.section.label,
        "differences": compared,
        "typed": [
            (name, value) for name in request.POST if name not in NOT_TYPED for value in request.POST.getlist(name)
        ],
        "seen": token(saved) if saved is not None else NOTHING,
        "gone": saved is None,
        "action": request.path,
    }
    template = "policies/edit_conflict_state.html" if is_fragment(request) else "policies/edit_conflict.html"
    return render(request, template, context, status=HTTPStatus.CONFLICT)


def _page(request: HttpRequest, spot: Spot, form: PartForm, status: int = HTTPStatus.OK) -> HttpResponse:
    stored = spot.stored
    seen = token(stored) if stored is not None else NOTHING
    context = spot.context() | {
        "form": form,
        "seen": request.POST.get("version", seen) if status != HTTPStatus.OK else seen,
        "said": clauses_said(spot, stored) if stored is not None else [],
        "settled": "settled" in request.GET,
        "changed_list": bool({"add", "remove"} & request.POST.keys()),
    }
    if form.errors:
        context |= {"tasks": tasks(spot.draft, spot.section.key, len(form.errors))}
        context["to_fix"] += len(form.errors)
    if spot.section.key == "text":
        context["clauses"] = clauses_used(spot.draft)
    if spot.section.key == "route":
        context |= route_beside(spot.draft, request.GET)
    template = "policies/edit_autosave.html" if is_fragment(request) else "policies/edit.html"
    return render(request, template, context, status=status)


# ---- a list


def _list(request: HttpRequest, spot: Spot) -> HttpResponse:
    if request.method != "POST":
        return _list_page(request, spot)
    draft, section = spot.draft, spot.section.key
    if request.POST.get("version") != token(items(draft.data, section)):
        return _list_page(request, spot, changed=True)
    for act, by in (("up", -1), ("down", 1), ("remove", 0)):
        place = _number(request.POST.get(act, ""))
        if 0 < place <= len(items(draft.data, section)):
            rules = moved(draft.data, section, place - 1, by) if by else without_item(draft.data, section, place - 1)
            save(draft, actor=person_of(request), rules=rules)
            messages.success(request, _("It is moved.") if by else _("It is removed."))
            address = reverse("policy-edit", args=[*draft.address, section])
            return redirect(f"{address}?{act}={place + by}#item-{place + by}" if by else address)
    raise Http404("no such item")


def _list_page(request: HttpRequest, spot: Spot, *, changed: bool = False) -> HttpResponse:
    context = spot.context() | {
        "items": listed(spot.draft, spot.section),
        "seen": token(items(spot.draft.data, spot.section.key)),
        "changed": changed,
        # The numbers of the item that is about to be taken out, and of the one that was just moved.
        **{act: _number(request.GET.get(act, "")) for act in ("remove", "up", "down")},
    }
    if spot.section.key == "route":
        context |= route_beside(spot.draft, request.GET)
    return render(request, "policies/edit_list.html", context, status=HTTPStatus.CONFLICT if changed else HTTPStatus.OK)


# ---- reading the request


def with_rows_as_asked(typed: QueryDict, form: PartForm) -> tuple[QueryDict, str, int | None]:
    """What was typed after its Add or Remove button was heeded, the list it concerned, and the row to go to."""
    add = typed.get("add", "")
    name, _dash, number = typed.get("remove", "").rpartition("-")
    if form.list_named(add) is not None:
        data = with_row(typed, add)
        return data, add, row_count(data, add) - 1
    if form.list_named(name) is not None and number.isdecimal():
        return without_row(typed, name, int(number[:4])), name, None
    return typed, "", None


def is_fragment(request: HttpRequest) -> bool:
    return bool(getattr(request, "htmx", False))


def _number(words: str) -> int:
    """A place in a list, counted from 1; 0 when it is none."""
    return int(words) if words.isdecimal() and len(words) < 5 else 0


def is_same(stored: Mapping[str, Any], seen: str, typed: Part) -> bool:
    """Whether the item at a place is the one that words were typed for, though somebody may have changed it since."""
    named = {name: typed[name].value() for name in ("key", "field", "check") if name in typed.fields}
    return token(stored) == seen or (bool(named) and all(stored.get(name) == value for name, value in named.items()))


def _section_of(key: str) -> Section:
    if key not in SECTIONS:
        raise Http404(key)
    return SECTIONS[key]


def _list_section_of(key: str) -> Section:
    section = _section_of(key)
    if not section.is_list:
        raise Http404(key)
    return section
