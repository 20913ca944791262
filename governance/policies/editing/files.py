"""A version as files: given out byte for byte as they came in, and read into a draft.

Example: a file whose line 12 names a clause that the text does not have changes nothing; the page says line and field.
"""

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from governance.people.requests import person_of
from governance.policies import actions
from governance.policies.checking import Problem, check
from governance.policies.editing.pages import around
from governance.policies.editing.queries import Draft, draft_for, version_for
from governance.policies.editing.views import INVALID
from governance.policies.loading import BadYaml, line_of, parse_yaml
from governance.policies.permits import VersionAct
from governance.policies.rules import Rules
from governance.policies.schema import schema_text
from governance.policies.yaml_text import exported
from governance.refusals import Stale

MOST_BYTES = 1_000_000
MOST_PROBLEMS = 20


class FilesForm(forms.Form):
    """The rules as a YAML file and, if it changes too, the text as a Markdown file."""

    use_required_attribute = False

    rules = forms.FileField(
        label=gettext_lazy("Rules, a YAML file"),
        error_messages={
            "required": gettext_lazy("Choose the YAML file of the rules"),
            "empty": gettext_lazy("The file is empty"),
        },
        widget=forms.FileInput({"accept": ".yaml,.yml"}),
    )
    text = forms.FileField(
        label=gettext_lazy("Text, a Markdown file"),
        help_text=gettext_lazy("Without one, the text of the draft stays as it is."),
        required=False,
        error_messages={"empty": gettext_lazy("The file is empty")},
        widget=forms.FileInput({"accept": ".md,.markdown,.txt"}),
    )

    def clean_rules(self) -> str:
        return _words_of(self.cleaned_data["rules"])

    def clean_text(self) -> str | None:
        file = self.cleaned_data["text"]
        return _words_of(file) if file else None


@dataclass(frozen=True)
class Read:
    """What a file holds: rules that the draft can take, or the sentences that say why it cannot."""

    rules: Rules | None = None
    wrong: list[str] = field(default_factory=list)


@require_http_methods(["GET", "HEAD", "POST"])
def files(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """Give the draft out as files, and read files into it; what is wrong with one stands beside its field."""
    draft = draft_for(person_of(request), key, number)
    form = FilesForm(request.POST or None, request.FILES or None) if request.method == "POST" else FilesForm()
    status = HTTPStatus.OK
    if request.method == "POST" and form.is_valid():
        source, text = form.cleaned_data["rules"], form.cleaned_data["text"]
        read = read_rules(draft, source, text if text is not None else draft.text)
        if read.rules is not None:
            try:
                _import(request, draft, read.rules, source, text)
            except Stale:
                status = HTTPStatus.CONFLICT
            else:
                messages.success(request, _("The file is in the draft."))
                return redirect("policy-edit", key, number)
        else:
            form.add_error("rules", read.wrong)
    if form.errors:
        status = INVALID
    context = around(draft, "files") | {
        "form": form,
        "seen": draft.version.saves,
        "stale": status == HTTPStatus.CONFLICT,
    }
    return render(request, "policies/edit_files.html", context, status=status)


def read_rules(draft: Draft, source: str, text: str) -> Read:
    """The rules in a file, beside a text, if they can be those of this draft."""
    try:
        data, root = parse_yaml(source)
    except BadYaml as error:
        return Read(wrong=[str(error)])
    if not isinstance(data, dict):
        return Read(wrong=[_("The file does not hold the rules of a policy")])
    checked = check(data, text)
    wrong = [*_not_this_draft(draft, data), *(_with_line(problem, root) for problem in checked.problems)]
    if wrong or checked.rules is None:
        more = len(wrong) - MOST_PROBLEMS
        shown = wrong[:MOST_PROBLEMS] + ([_("And %(n)s more.") % {"n": more}] if more > 0 else [])
        return Read(wrong=shown)
    return Read(rules=checked.rules)


def _not_this_draft(draft: Draft, data: dict[str, Any]) -> list[str]:
    key, number = draft.address
    wrong = []
    if data.get("policy") != key:
        said = {"theirs": data.get("policy"), "ours": key}
        wrong.append(_("The file is for the policy “%(theirs)s”, and this draft is of “%(ours)s”.") % said)
    if data.get("version") != number:
        said = {"theirs": data.get("version"), "ours": number}
        wrong.append(_("The file is for version %(theirs)s, and this draft is version %(ours)s.") % said)
    return wrong


def _with_line(problem: Problem, root: Any) -> str:
    said = {"line": line_of(root, problem.place), "field": problem.path, "sentence": problem.sentence}
    if not problem.place:
        return problem.sentence
    return _("Line %(line)s, %(field)s: %(sentence)s") % said


def _import(request: HttpRequest, draft: Draft, rules: Rules, source: str, text: str | None) -> None:
    """Everything is replaced, so nothing may have been saved since the page was opened."""
    seen = request.POST.get("version", "")
    actions.save_draft(
        actor=person_of(request),
        version=draft.version,
        seen=int(seen) if seen.isdecimal() and len(seen) < 10 else -1,
        text=text,
        rules=json.loads(rules.model_dump_json(by_alias=True)),
        source=source,
    )


def _words_of(file: UploadedFile) -> str:
    if (file.size or 0) > MOST_BYTES:
        raise forms.ValidationError(_("The file is too large; up to 1 MB fits"))
    try:
        words = bytes(file.read()).decode("utf-8")
    except UnicodeDecodeError as error:
        raise forms.ValidationError(_("The file is not UTF-8 text")) from error
    if "\0" in words:  # which UTF-8 allows, and no database keeps
        raise forms.ValidationError(_("The file is not UTF-8 text"))
    return words


# ---- given out


@require_safe
def rules_yaml(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """The rules of a version as a YAML file."""
    version = version_for(person_of(request), VersionAct.READ, key, number)
    return _download(exported(json.loads(version.rules), version.source), f"{key}-v{number}.yaml", "application/yaml")


@require_safe
def text_md(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """The text of a version as a Markdown file."""
    version = version_for(person_of(request), VersionAct.READ, key, number)
    return _download(version.text, f"{key}-v{number}.md", "text/markdown; charset=utf-8")


@login_not_required
@require_safe
def schema_json(request: HttpRequest) -> HttpResponse:
    """The JSON Schema of the rules, for everybody's editor."""
    return HttpResponse(schema_text(), content_type="application/schema+json")


def _download(words: str, name: str, content_type: str) -> HttpResponse:
    return HttpResponse(
        words, content_type=content_type, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
