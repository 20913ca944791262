"""The pages on which anyone signed in reads the rules: each clause with what the system does because of it."""

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from governance.people.models import Unit, UnitKind
from governance.policies.models import PolicyVersion, VersionStatus
from governance.policies.page import clauses_with_rules
from governance.policies.queries import approval_matrix, in_force, place_of
from governance.refusals import NotPermitted


def policies(request: HttpRequest) -> HttpResponse:
    """The version in force, or the list of policies where there is more than one."""
    versions = list(_readable(request))
    keys = {version.policy.key for version in versions}
    if len(keys) == 1 and (current := in_force(keys.pop())):
        return redirect(current)
    return render(request, "policies/list.html", {"nav": "policy", "versions": versions})


def policy(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """One version: its route, its approval matrix, and its clauses with the rules that rest on them."""
    version = get_object_or_404(
        PolicyVersion.objects.select_related("policy", "drafted_by", "adopted_by"), policy__key=key, number=number
    )
    if version.status == VersionStatus.DRAFT and not request.user.is_staff:
        raise NotPermitted(_("This version is a draft; administrators can read it."))
    rules = version.typed_rules
    example = Unit.objects.filter(kind=UnitKind.FACULTY).select_related("parent__parent").first()
    return render(
        request,
        "policies/version.html",
        {
            "nav": "policy",
            "version": version,
            "versions": _readable(request).filter(policy=version.policy),
            "current": in_force(key),
            "rules": rules,
            "matrix": approval_matrix(rules, place_of(example)) if example else [],
            "clauses": clauses_with_rules(rules, version.clauses),
        },
    )


def _readable(request: HttpRequest) -> QuerySet[PolicyVersion]:
    versions = PolicyVersion.objects.select_related("policy").order_by("policy__title", "-number")
    return versions if request.user.is_staff else versions.exclude(status=VersionStatus.DRAFT)
