"""The pages on which anyone signed in reads the rules: each clause with what the system does because of it."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from governance.people.models import Unit, UnitKind, User
from governance.policies.compare import Side, compare_versions
from governance.policies.drawing import drawing_of
from governance.policies.example import ExampleForm
from governance.policies.institution import soundness_of
from governance.policies.models import PolicyVersion
from governance.policies.page import clauses_with_rules
from governance.policies.permits import PUBLIC, VersionAct
from governance.policies.queries import approval_matrix, in_force, place_of, refusal_for, rules_of
from governance.policies.states import VersionStatus

# Those that govern or may come to: an administrator sees on their page what does not hold.
TO_KEEP_SOUND = (VersionStatus.PROPOSED, VersionStatus.ADOPTED, VersionStatus.IN_FORCE)


def policies(request: HttpRequest) -> HttpResponse:
    """The version in force, or the list of policies where there is more than one."""
    versions = list(_readable(request))
    keys = {version.policy.key for version in versions}
    if len(keys) == 1 and (current := in_force(keys.pop())):
        return redirect(current)
    return render(request, "policies/list.html", {"nav": "policy", "versions": versions})


def policy(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """One version: its route, its approval matrix, and its clauses with the rules that rest on them."""
    version = _version(request, key, number)
    rules = rules_of(version)
    shown: dict[str, Any] = {}
    if rules is not None:
        units = list(Unit.objects.exclude(kind=UnitKind.UNIVERSITY).select_related("parent__parent"))
        example = ExampleForm(request.GET if "kind" in request.GET else None, rules=rules, units=units)
        faculty = next((unit for unit in units if unit.kind == UnitKind.FACULTY), None)
        shown = {
            "drawing": drawing_of(rules, example.route()),
            "example": example if units else None,
            "matrix": approval_matrix(rules, place_of(faculty)) if faculty else [],
            "soundness": soundness_of(rules) if request.user.is_staff and version.status in TO_KEEP_SOUND else None,
        }
    return render(
        request,
        "policies/version.html",
        {
            "nav": "policy",
            "version": version,
            "versions": _readable(request).filter(policy=version.policy),
            "current": in_force(key),
            "rules": rules,
            "clauses": clauses_with_rules(rules, version.clauses),
        }
        | shown,
    )


def compare(request: HttpRequest, key: str) -> HttpResponse:
    """Two versions side by side; the last two where the address names none."""
    versions = list(_readable(request).filter(policy__key=key))
    before, after = (_chosen(request, key, name, versions) for name in ("from", "to"))
    sides = [(version, rules_of(version)) for version in (before, after)]
    return render(
        request,
        "policies/compare.html",
        {
            "nav": "policy",
            "versions": versions,
            "before": before,
            "after": after,
            "comparison": compare_versions(*(Side(rules, version.text) for version, rules in sides)),
            "drawings": [(version, drawing_of(rules) if rules is not None else None) for version, rules in sides],
            "all": "all" in request.GET,
        },
    )


def _chosen(request: HttpRequest, key: str, name: str, versions: list[PolicyVersion]) -> PolicyVersion:
    """The version that the address names; without one the latest, or for `from` the one before it."""
    said = request.GET.get(name, "")
    if said:
        return _version(request, key, int(said) if said.isascii() and said.isdecimal() and len(said) < 7 else 0)
    if not versions:
        raise Http404
    return versions[1] if name == "from" and len(versions) > 1 else versions[0]


def _version(request: HttpRequest, key: str, number: int) -> PolicyVersion:
    """The version, if this person may read it."""
    version = get_object_or_404(
        PolicyVersion.objects.select_related("policy", "drafted_by", "adopted_by"), policy__key=key, number=number
    )
    assert isinstance(request.user, User)
    no = refusal_for(VersionAct.READ, request.user, version)
    if no is not None:
        raise no
    return version


def _readable(request: HttpRequest) -> QuerySet[PolicyVersion]:
    versions = PolicyVersion.objects.select_related("policy").order_by("policy__title", "-number")
    return versions if request.user.is_staff else versions.filter(status__in=PUBLIC)
