"""The only place that changes policies: a version is drafted from its files, then adopted by somebody else with a
motion."""

import json

from django.db import transaction
from django.utils.translation import gettext as _

from governance import clock
from governance.audit.actions import record
from governance.audit.canonical import canonical_bytes, digest_of
from governance.audit.verbs import Verb
from governance.people.models import User
from governance.policies.loading import PolicyFile
from governance.policies.models import Policy, PolicyVersion, VersionStatus
from governance.refusals import NotPermitted, NotPossible


@transaction.atomic
def draft(*, actor: User, source: PolicyFile) -> PolicyVersion:
    """Store a version as a draft. Raises NotPossible when the policy has one of that number already."""
    rules = json.loads(source.rules.model_dump_json(by_alias=True, exclude_defaults=False))
    policy, _created = Policy.objects.select_for_update().get_or_create(
        key=source.rules.policy, defaults={"title": source.rules.title}
    )
    if policy.versions.filter(number=source.rules.version).exists():
        raise NotPossible(_("There is a version %(number)s already.") % {"number": source.rules.version})
    version = PolicyVersion.objects.create(
        policy=policy,
        number=source.rules.version,
        text=source.text,
        rules=canonical_bytes(rules).decode(),
        digest=digest_of({"text": source.text, "rules": rules}),
        effective_from=source.rules.effective_from,
        drafted_by=actor,
    )
    record(
        verb=Verb.POLICY_DRAFTED,
        subject=f"policy/{policy.key}",
        actor=actor.as_actor(),
        after={"policy": version.label, "digest": version.digest},
    )
    return version


@transaction.atomic
def adopt(*, actor: User, version: PolicyVersion, motion: str) -> PolicyVersion:
    """Record that a version was adopted, and by which motion or minute. From then on nothing in it can change.

    Raises NotPermitted when the person who drafted it would adopt it, NotPossible when it is no longer a draft.
    """
    version = PolicyVersion.objects.select_for_update().select_related("policy").get(pk=version.pk)
    if version.status != VersionStatus.DRAFT:
        raise NotPossible(_("Version %(number)s was adopted already.") % {"number": version.number})
    if version.drafted_by_id == actor.pk:
        raise NotPermitted(_("A version is adopted by somebody other than the person who drafted it."))
    version.status = VersionStatus.ADOPTED
    version.adopted_by, version.adopted_at, version.motion = actor, clock.now(), motion
    version.save(update_fields=["status", "adopted_by", "adopted_at", "motion"])
    record(
        verb=Verb.POLICY_ADOPTED,
        subject=f"policy/{version.policy.key}",
        actor=actor.as_actor(),
        policy_version=version.label,
        after={
            "policy": version.label,
            "digest": version.digest,
            "effective_from": version.effective_from.isoformat(),
            "motion": motion,
        },
    )
    return version
