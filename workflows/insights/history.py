"""The history of one policy: its versions on a time line, what changed with each, and what was decided under each.

Each proposal counts once, under the version that it is bound to. The number of queries is the same whatever the number
of versions and proposals.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from django.db.models import Count, QuerySet
from django.http import Http404
from django.utils.formats import number_format
from django.utils.timezone import localdate

from governance import clock
from governance.audit.canonical import digest_of
from governance.people.models import User
from governance.policies.checking import check
from governance.policies.compare import Side, compare_versions
from governance.policies.models import Policy, PolicyVersion
from governance.policies.permits import PUBLIC, VersionAct
from governance.policies.queries import refusal_for
from workflows.insights.cases import last_event, working_days
from workflows.insights.models import Replay
from workflows.insights.replay import median_time
from workflows.proposals.models import Proposal
from workflows.proposals.states import State

IN_FLIGHT: Final = (State.IN_REVIEW, State.RETURNED)
DECIDED: Final = (State.APPROVED, State.DECLINED)


class Changes(NamedTuple):
    """How much of a version is not as in the one before it."""

    clauses: int
    of_clauses: int
    rules: int | None


@dataclass(frozen=True)
class Era:
    """One version in the history: when it governed, what changed with it, and what became of the proposals under it."""

    version: PolicyVersion
    first: date
    last: date | None
    is_current: bool
    before: PolicyVersion | None
    counts: Mapping[str, int]
    median_halves: int | None
    replay: Replay | None = None
    replay_is_old: bool = False

    @property
    def changes(self) -> Changes | None:
        """What changed from the version before it, which was law."""
        if self.before is None:
            return None
        return changes_between((self.before.rules, self.before.text), (self.version.rules, self.version.text))

    @property
    def is_sealed(self) -> bool:
        """Whether text and rules still are what the digest was made of."""
        return digest_of({"text": self.version.text, "rules": json.loads(self.version.rules)}) == self.version.digest

    @property
    def approved(self) -> int:
        return self.counts.get(State.APPROVED, 0)

    @property
    def declined(self) -> int:
        return self.counts.get(State.DECLINED, 0)

    @property
    def withdrawn(self) -> int:
        return self.counts.get(State.WITHDRAWN, 0)

    @property
    def decided(self) -> int:
        return self.approved + self.declined

    @property
    def open(self) -> int:
        return sum(self.counts.get(state, 0) for state in IN_FLIGHT)

    @property
    def median(self) -> str:
        """The median working days from the first submission to the end, such as "31" or "31.5"."""
        return halves_in_words(self.median_halves) if self.median_halves is not None else ""


def halves_in_words(halves: int) -> str:
    """Half working days as a number of days: 63 reads "31.5", in French "31,5"."""
    return number_format(f"{halves // 2}.5" if halves % 2 else halves // 2)


def readable(user: User) -> QuerySet[PolicyVersion]:
    """The versions that a person may read."""
    versions = PolicyVersion.objects.select_related("policy", "drafted_by", "adopted_by")
    return versions if user.is_staff and user.is_active else versions.filter(status__in=PUBLIC)


def readable_version(user: User, key: str, number: int) -> PolicyVersion:
    """One version for a person. Raises Http404 where there is none, and the refusal where they may not read it."""
    version = (
        PolicyVersion.objects.select_related("policy", "drafted_by", "adopted_by")
        .filter(policy__key=key, number=number)
        .first()
    )
    if version is None:
        raise Http404(key)
    no = None if version.status in PUBLIC else refusal_for(VersionAct.READ, user, version)
    if no is not None:
        raise no
    return version


def history(user: User, key: str) -> list[Era]:
    """Every version of a policy that a person may read, the latest first. Raises Http404 where there is none."""
    versions = list(readable(user).filter(policy__key=key).order_by("-number"))
    if not versions:
        raise Http404(key)
    policy = versions[0].policy
    law = sorted((version for version in versions if version.is_law), key=lambda version: version.effective_from)
    begun = [version for version in law if version.effective_from <= clock.today()]
    counts, medians = _counts(policy), _medians(policy)
    replays = _latest_replays(policy) if user.is_staff else {}
    seen = last_event() if replays else 0
    return [
        Era(
            version=version,
            first=version.effective_from,
            last=_last_day(version, law),
            is_current=bool(begun) and version == begun[-1],
            before=max((one for one in law if one.number < version.number), key=lambda one: one.number, default=None),
            counts=counts.get(version.pk, {}),
            median_halves=medians.get(version.pk),
            replay=replays.get(version.pk),
            replay_is_old=version.pk in replays and replays[version.pk].is_out_of_date(seen),
        )
        for version in versions
    ]


def _last_day(version: PolicyVersion, law: list[PolicyVersion]) -> date | None:
    """The day before the next version's first; None for a version that is followed by none, or never was law."""
    if not version.is_law:
        return None
    later = (other.effective_from for other in law if other.effective_from > version.effective_from)
    following = next(later, None)
    return following - timedelta(days=1) if following is not None else None


def _counts(policy: Policy) -> dict[int, dict[str, int]]:
    found: defaultdict[int, dict[str, int]] = defaultdict(dict)
    rows = Proposal.objects.filter(policy_version__policy=policy).order_by().values_list("policy_version", "state")
    for version, state, count in rows.annotate(count=Count("pk")):
        found[version][state] = count
    return found


def _medians(policy: Policy) -> dict[int, int]:
    """The median time from the first submission to the decision under each version, in half working days."""
    days: defaultdict[int, Counter[int]] = defaultdict(Counter)
    decided = Proposal.objects.filter(policy_version__policy=policy, state__in=DECIDED).order_by()
    for version, sent, ended in decided.values_list("policy_version", "submitted_at", "ended_at").iterator(5_000):
        days[version][working_days(localdate(sent), localdate(ended))] += 1
    return {version: median_time(counts).halves for version, counts in days.items()}


def _latest_replays(policy: Policy) -> dict[int, Replay]:
    """The latest replay of each version."""
    replays = Replay.objects.filter(version__policy=policy).select_related("version__policy")
    return {replay.version_id: replay for replay in replays.defer("rules", "times").order_by("pk")}


@lru_cache(maxsize=256)
def changes_between(before: tuple[str, str], after: tuple[str, str]) -> Changes:
    """How much differs between two versions, each given by its rules as JSON and its text."""
    found = compare_versions(_side(*before), _side(*after))
    rules = None if found.general is None else len(found.differences)
    return Changes(clauses=found.changed_count, of_clauses=found.clause_count, rules=rules)


def _side(rules: str, text: str) -> Side:
    return Side(check(json.loads(rules), text).rules, text)
