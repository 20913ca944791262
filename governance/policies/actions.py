"""The only place that changes policies: a version is drafted, proposed, adopted by somebody else with a motion, and
comes into force on its day.

Every act locks the policy first, so that two administrators who adopt two versions for one day come one after the
other.
"""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from governance import clock
from governance.audit.actions import ASSENT, Actor, record
from governance.audit.canonical import Json, canonical_bytes, digest_of
from governance.audit.verbs import Verb
from governance.people.models import User
from governance.policies.checking import check
from governance.policies.institution import soundness_of
from governance.policies.loading import PolicyFile
from governance.policies.machine import VersionLifecycle
from governance.policies.models import Policy, PolicyVersion
from governance.policies.permits import VersionAct
from governance.policies.queries import refusal_for, refusal_of_first_day
from governance.policies.rules import Rules
from governance.policies.states import LAW, VersionStatus
from governance.refusals import Incomplete, NotPossible, Stale


@transaction.atomic
def draft(*, actor: User, source: PolicyFile) -> PolicyVersion:
    """Store a version from its files as a draft. Raises NotPossible when the policy has one of that number already."""
    policy, _created = Policy.objects.select_for_update().get_or_create(
        key=source.rules.policy, defaults={"title": source.rules.title}
    )
    if policy.versions.filter(number=source.rules.version).exists():
        raise NotPossible(_("There is a version %(number)s already.") % {"number": source.rules.version})
    return _new_draft(
        actor, policy, number=source.rules.version, text=source.text, rules=source.rules, source=source.source
    )


@transaction.atomic
def begin_draft(*, actor: User, like: PolicyVersion, effective_from: date) -> PolicyVersion:
    """Begin the next version of a policy with the words and rules of one that exists.

    Who wrote in one that was never adopted drafted this one too: its words are theirs, and nobody else adopted them.
    """
    policy = _locked_policy(like)
    number = (policy.versions.aggregate(last=Max("number"))["last"] or 0) + 1
    rules = like.typed_rules.model_copy(update={"version": number, "effective_from": effective_from})
    version = _new_draft(actor, policy, number=number, text=like.text, rules=rules)
    if not like.is_law:
        version.drafters.add(*like.drafters.all())
    return version


@transaction.atomic
def save_draft(
    *,
    actor: User,
    version: PolicyVersion,
    seen: int,
    text: str | None = None,
    rules: Mapping[str, Json] | None = None,
    source: str = "",
) -> PolicyVersion:
    """Save the words or the rules of a draft as far as they have come; they need not be usable yet.

    `seen` is how often the draft had been saved when the person was shown it; raises Stale when somebody saved it since
    (the caller still has what was typed). `source` is the YAML that the rules were read from, kept to be given back as
    it is. A policy's key and a version's number are not for its rules to change.
    """
    version = _locked(version)
    _check_allowed(VersionAct.EDIT, actor, version)
    if version.saves != seen:
        raise Stale(_("This draft was saved elsewhere since you opened it."))
    if text is not None:
        version.text = text
    if rules is not None:
        fixed: dict[str, Json] = {"policy": version.policy.key, "version": version.number}
        version.rules = canonical_bytes({**rules, **fixed}).decode()
        version.source = source
        version.effective_from = _date_in(rules.get("effective_from")) or version.effective_from
    version.digest = digest_of({"text": version.text, "rules": json.loads(version.rules)})
    version.saves, version.saved_at = version.saves + 1, clock.now()
    version.save(update_fields=["text", "rules", "source", "effective_from", "digest", "saves", "saved_at"])
    version.drafters.add(actor)
    return version


@transaction.atomic
def propose(*, actor: User, version: PolicyVersion, seen: int | None = None) -> PolicyVersion:
    """Put a draft to the body that adopts it. Its words stand still until it is adopted, taken back or withdrawn.

    Raises Incomplete with every problem that keeps the rules from being used, or every fault of them in this
    institution, and Stale when it was saved more often than the `seen` times that the person knows of.
    """
    version = _locked(version)
    _check_allowed(VersionAct.PROPOSE, actor, version)
    if seen is not None and version.saves != seen:
        raise Stale(_("This draft was saved elsewhere since you opened it."))
    rules = _usable(version)
    _check_sound(rules)
    version.rules = canonical_bytes(_as_data(rules)).decode()
    version.digest = digest_of({"text": version.text, "rules": _as_data(rules)})
    version.effective_from = rules.effective_from
    VersionLifecycle(version).propose()
    version.proposed_at = clock.now()
    version.save(update_fields=["rules", "digest", "effective_from", "status", "proposed_at"])
    _record(Verb.POLICY_PROPOSED, version, actor.as_actor())
    return version


@transaction.atomic
def take_back(*, actor: User, version: PolicyVersion, reason: str) -> PolicyVersion:
    """Take a proposed version back to draft it further, with the reason."""
    version = _locked(version)
    _check_allowed(VersionAct.TAKE_BACK, actor, version)
    _check_reason(reason, _("Say why it is taken back"))
    VersionLifecycle(version).take_back()
    version.proposed_at = None
    version.save(update_fields=["status", "proposed_at"])
    _record(Verb.POLICY_TAKEN_BACK, version, actor.as_actor(), reason=reason)
    return version


@transaction.atomic
def adopt(*, actor: User, version: PolicyVersion, motion: str, seen: str | None = None) -> PolicyVersion:
    """Record that a version was adopted, and by which motion or minute. From then on nothing in it can change.

    Raises NotPermitted when a person who drafted it would adopt it, NotPossible when it would begin in the past of a
    policy that is in force, or not after every version adopted before it, and Incomplete with every fault of its rules
    in this institution as it will be on its first day. `seen` is the digest of what the person was shown; raises Stale
    when it was taken back and proposed with other words since.
    """
    version = _locked(version)
    _check_allowed(VersionAct.ADOPT, actor, version)
    if seen is not None and version.digest != seen:
        raise Stale(_("This version was changed since you opened it. Read it again before you record its adoption."))
    if not motion.strip():
        raise Incomplete(_("Name the motion or minute."), {"motion": _("Name the motion or minute that adopted it")})
    _check_first_day(version)
    _check_sound(version.typed_rules)
    VersionLifecycle(version).adopt()
    version.adopted_by, version.adopted_at, version.motion = actor, clock.now(), motion.strip()
    version.save(update_fields=["status", "adopted_by", "adopted_at", "motion"])
    _record(Verb.POLICY_ADOPTED, version, actor.as_actor(), motion=version.motion)
    return version


@transaction.atomic
def withdraw(*, actor: User, version: PolicyVersion, reason: str) -> PolicyVersion:
    """End a version that will never be in force, with the reason. It stays to be read; its number is not used again."""
    version = _locked(version)
    _check_allowed(VersionAct.WITHDRAW, actor, version)
    _check_reason(reason, _("Say why it is withdrawn"))
    VersionLifecycle(version).withdraw()
    version.withdrawn_at = clock.now()
    version.save(update_fields=["status", "withdrawn_at"])
    _record(Verb.POLICY_WITHDRAWN, version, actor.as_actor(), reason=reason)
    return version


@transaction.atomic
def turn_the_day() -> list[PolicyVersion]:
    """Write down which versions came into force and which were superseded by today; returns those that changed.

    Which version governs a day follows from the dates alone, so nothing waits for this; run again it does nothing.
    """
    changed = []
    for policy in Policy.objects.select_for_update().order_by("pk"):
        begun = policy.versions.filter(status__in=LAW, effective_from__lte=clock.today()).select_related("policy")
        *earlier, current = begun.order_by("effective_from") or [None]
        for version in earlier:
            if version is not None and version.status != VersionStatus.SUPERSEDED:
                VersionLifecycle(version).supersede()
                changed.append(_turned(version, Verb.POLICY_SUPERSEDED))
        if current is not None and current.status == VersionStatus.ADOPTED:
            VersionLifecycle(current).enter_into_force()
            changed.append(_turned(current, Verb.POLICY_IN_FORCE))
    return changed


def _turned(version: PolicyVersion, verb: Verb) -> PolicyVersion:
    version.save(update_fields=["status"])
    _record(verb, version, ASSENT)
    return version


# ---- what the acts share


def _new_draft(actor: User, policy: Policy, *, number: int, text: str, rules: Rules, source: str = "") -> PolicyVersion:
    data = _as_data(rules)
    version = PolicyVersion(
        policy=policy,
        number=number,
        text=text,
        rules=canonical_bytes(data).decode(),
        source=source,
        digest=digest_of({"text": text, "rules": data}),
        effective_from=rules.effective_from,
        drafted_by=actor,
        saved_at=clock.now(),
    )
    _check_allowed(VersionAct.EDIT, actor, version)
    version.save()
    version.drafters.add(actor)
    _record(Verb.POLICY_DRAFTED, version, actor.as_actor())
    return version


def _locked_policy(version: PolicyVersion) -> Policy:
    return Policy.objects.select_for_update().get(pk=version.policy_id)


def _locked(version: PolicyVersion) -> PolicyVersion:
    policy = _locked_policy(version)
    version = PolicyVersion.objects.select_for_update(of=("self",)).get(pk=version.pk)
    version.policy = policy
    return version


def _check_allowed(act: VersionAct, actor: User, version: PolicyVersion) -> None:
    no = refusal_for(act, actor, version)
    if no is not None:
        raise no


def _check_reason(reason: str, sentence: str) -> None:
    if not reason.strip():
        raise Incomplete(_("Give the reason."), {"reason": sentence})


def _usable(version: PolicyVersion) -> Rules:
    checked = check(json.loads(version.rules), version.text)
    if checked.rules is None:
        gaps = {problem.path: problem.sentence for problem in checked.problems}
        raise Incomplete(_("The rules cannot be used yet."), gaps)
    return checked.rules


def _check_sound(rules: Rules) -> None:
    faults = soundness_of(rules).faults
    if faults:
        sentence = ngettext(
            "This version cannot be adopted: %(n)s thing does not hold in this institution.",
            "This version cannot be adopted: %(n)s things do not hold in this institution.",
            len(faults),
        )
        gaps = {f"soundness.{number}": str(fault) for number, fault in enumerate(faults)}
        raise Incomplete(sentence % {"n": len(faults)}, gaps)


def _check_first_day(version: PolicyVersion) -> None:
    no = refusal_of_first_day(version)
    if no is not None:
        raise no


def _as_data(rules: Rules) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(rules.model_dump_json(by_alias=True))
    return data


def _date_in(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None


def _record(verb: Verb, version: PolicyVersion, actor: Actor, *, motion: str = "", reason: str = "") -> None:
    after: dict[str, Json] = {
        "policy": version.label,
        "digest": version.digest,
        "effective_from": version.effective_from.isoformat(),
    }
    record(
        verb=verb,
        subject=f"policy/{version.policy.key}",
        actor=actor,
        policy_version=version.label if version.is_law else "",
        after=after | ({"motion": motion} if motion else {}),
        reason=reason.strip(),
    )
