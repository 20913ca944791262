"""The life of a version on its pages: begin the next one, check, propose, take back, record the adoption, withdraw.

Each act has a page that says what it does before it is done; what the act itself refuses stands there beside the field.
"""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from governance import clock
from governance.people.requests import person_of
from governance.policies import actions
from governance.policies.editing.fields import Day, Words
from governance.policies.editing.pages import around
from governance.policies.editing.queries import Draft, draft_for, version_for
from governance.policies.editing.views import INVALID
from governance.policies.institution import soundness_of
from governance.policies.models import PolicyVersion
from governance.policies.permits import PUBLIC, VersionAct
from governance.policies.queries import refusal_of_first_day
from governance.policies.states import VersionStatus
from governance.refusals import Incomplete, NotPermitted, NotPossible, Refusal, Stale

Sentence = str | Promise


class FirstDayForm(forms.Form):
    use_required_attribute = False
    effective_from = Day(
        gettext_lazy("First day"),
        missing=gettext_lazy("Say from which day it would be in force"),
        hint=gettext_lazy("You can change it until the version is proposed."),
    )


class MotionForm(forms.Form):
    use_required_attribute = False
    motion = Words(
        gettext_lazy("Motion or minute"),
        missing=gettext_lazy("Name the motion or minute that adopted it"),
        hint=gettext_lazy("As people look it up: “Senate minute 2026-06-11, item 4”."),
        limit=500,
    )


class TakeBackForm(forms.Form):
    use_required_attribute = False
    reason = Words(
        gettext_lazy("Why it is taken back"), missing=gettext_lazy("Say why it is taken back"), limit=2_000, long=True
    )


class WithdrawForm(forms.Form):
    use_required_attribute = False
    reason = Words(
        gettext_lazy("Why it is withdrawn"), missing=gettext_lazy("Say why it is withdrawn"), limit=2_000, long=True
    )


# Compared by identity: to hash its lazy words would translate them while the apps are still loading.
@dataclass(frozen=True, eq=False)
class Act:
    """An act as its page shows it: what it is called, what follows from it, what it asks, and who carries it out."""

    title: Sentence
    follows: tuple[Sentence, ...]
    form: type[forms.Form]
    action: Callable[..., PolicyVersion]
    button: Sentence
    done: Sentence
    kind: str = "primary"


ACTS: Final = {
    VersionAct.TAKE_BACK: Act(
        title=gettext_lazy("Take version %(number)s back"),
        follows=(
            gettext_lazy("It becomes a draft again that only administrators can read, and is written further."),
            gettext_lazy("Its number stays. Your reason is kept in the record."),
        ),
        form=TakeBackForm,
        action=actions.take_back,
        button=gettext_lazy("Take it back"),
        done=gettext_lazy("It is a draft again."),
    ),
    VersionAct.ADOPT: Act(
        title=gettext_lazy("Record that version %(number)s was adopted"),
        follows=(
            gettext_lazy("It is in force from %(day)s: proposals that are sent from then on follow it."),
            gettext_lazy("Nothing in it can be changed from now on, neither its text nor its rules."),
            gettext_lazy("Proposals that were sent before stay under the version they were sent under."),
        ),
        form=MotionForm,
        action=actions.adopt,
        button=gettext_lazy("Record its adoption"),
        done=gettext_lazy("Its adoption is recorded."),
    ),
    VersionAct.WITHDRAW: Act(
        title=gettext_lazy("Withdraw version %(number)s"),
        follows=(
            gettext_lazy("It will never be in force, and cannot be taken up again."),
            gettext_lazy("It stays in the record with your reason, and its number is not used again."),
        ),
        form=WithdrawForm,
        action=actions.withdraw,
        button=gettext_lazy("Withdraw it"),
        done=gettext_lazy("It is withdrawn."),
        kind="decline",
    ),
}


@require_http_methods(["GET", "HEAD", "POST"])
def begin(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """Begin the next version with the words and rules of this one."""
    person = person_of(request)
    like = version_for(person, VersionAct.READ, key, number)
    if not person.is_staff:
        raise NotPermitted(_("Only an administrator may do this to a policy."))
    if like.status not in PUBLIC:
        raise NotPossible(_("The next version begins from one that was proposed or adopted."))
    form = FirstDayForm(request.POST if request.method == "POST" else None, initial={"effective_from": None})
    if form.is_valid():
        begun = actions.begin_draft(actor=person, like=like, effective_from=form.cleaned_data["effective_from"])
        messages.success(request, _("Version %(number)s is begun as a draft.") % {"number": begun.number})
        return redirect("policy-edit", key, begun.number)
    context = {
        "nav": "policy",
        "version": like,
        "form": form,
        "drafts": PolicyVersion.objects.filter(policy=like.policy, status=VersionStatus.DRAFT),
        "today": clock.today(),
    }
    return render(request, "policies/begin.html", context, status=INVALID if form.errors else HTTPStatus.OK)


@require_safe
def check(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """Everything that keeps a draft from being proposed, and the button that proposes it."""
    return _check_page(request, draft_for(person_of(request), key, number))


@require_http_methods(["POST"])
def propose(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """Put the draft to the body that adopts it; if something is in the way, say what."""
    draft = Draft(version_for(person_of(request), VersionAct.PROPOSE, key, number))
    try:
        version = actions.propose(actor=person_of(request), version=draft.version, seen=_saves_seen(request))
    except (Incomplete, Stale) as refused:
        return _check_page(request, draft, refused)
    messages.success(request, _("Version %(number)s is proposed.") % {"number": version.number})
    return redirect(version)


def _saves_seen(request: HttpRequest) -> int | None:
    """How often the draft had been saved when the page with the button was opened."""
    seen = request.POST.get("version", "")
    return int(seen) if seen.isdecimal() and len(seen) < 10 else None


def _check_page(request: HttpRequest, draft: Draft, refused: Refusal | None = None) -> HttpResponse:
    rules = draft.checked.rules
    context = around(draft, "check") | {
        "refused": refused,
        "soundness": soundness_of(rules) if rules is not None else None,
        "day_refused": refusal_of_first_day(draft.version) if rules is not None else None,
    }
    return render(request, "policies/edit_check.html", context, status=refused.status if refused else HTTPStatus.OK)


@require_http_methods(["GET", "HEAD", "POST"])
def take_back(request: HttpRequest, key: str, number: int) -> HttpResponse:
    return _act(request, VersionAct.TAKE_BACK, key, number)


@require_http_methods(["GET", "HEAD", "POST"])
def adopt(request: HttpRequest, key: str, number: int) -> HttpResponse:
    return _act(request, VersionAct.ADOPT, key, number)


@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest, key: str, number: int) -> HttpResponse:
    return _act(request, VersionAct.WITHDRAW, key, number)


def _act(request: HttpRequest, name: VersionAct, key: str, number: int) -> HttpResponse:
    """The page of an act: what follows from it and what it asks; pressing its button does it."""
    person, act = person_of(request), ACTS[name]
    version = version_for(person, name, key, number)
    form = act.form(request.POST if request.method == "POST" else None)
    gaps: dict[str, Any] = {}
    status = HTTPStatus.OK
    # Only what is adopted must be word for word what the person was shown.
    seen = {"seen": request.POST.get("seen")} if name is VersionAct.ADOPT else {}
    if form.is_valid():
        try:
            done = act.action(actor=person, version=version, **form.cleaned_data, **seen)
        except Incomplete as refused:
            for field, sentence in refused.gaps.items():
                if field in form.fields:
                    form.add_error(field, str(sentence))
                else:
                    gaps[field] = sentence
        except Stale as refused:
            gaps, status = {"seen": refused.sentence}, refused.status
        else:
            messages.success(request, str(act.done))
            return redirect(done)
    context = {
        "nav": "policy",
        "version": version,
        "act": act,
        "form": form,
        "gaps": gaps,
    }
    if status == HTTPStatus.OK and (form.errors or gaps):
        status = INVALID
    return render(request, "policies/act.html", context, status=status)
