"""Replays: an administrator asks for one, a worker takes it further batch by batch, anybody of them may stop it.

A batch is worked out outside any lock and kept in one short transaction that goes on only from where the batch began.
Run twice at once, or killed anywhere, each proposal counts once.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override
from pydantic import ValidationError

from governance import clock
from governance.people.models import Unit, User
from governance.policies.checking import check
from governance.policies.models import PolicyVersion
from governance.policies.rules import Rules
from governance.policies.vocabulary import UnitPlace
from governance.refusals import Incomplete, NotPermitted, NotPossible
from workflows.insights.cases import (
    COLUMNS,
    Period,
    last_event,
    past_proposals,
    read_cases,
    times_in_stage,
    units_by_key,
)
from workflows.insights.models import Finding, Replay, reasons_as_data, times_as_json
from workflows.insights.replay import Comparison, Difference, Result, Tally
from workflows.insights.walk import Case, Walk
from workflows.notices import outbox
from workflows.notices.mail import queue_mail

BATCH: Final = 250
# Then the worker's other work has its turn: where there is one worker, mail must not wait for a long replay.
SECONDS_AT_A_TIME: Final = 20.0


# ---- what an administrator does


@transaction.atomic
def start(
    *, actor: User, version: PolicyVersion, ended: Period | None = None, unit: Unit | None = None, kind: str = ""
) -> Replay:
    """Ask for a replay of a version, as its text and rules are now, over the past proposals of its policy.

    Raises Incomplete when its rules cannot be used yet, and NotPossible when there is nothing to replay it over.
    """
    check_administrator(actor)
    ended = ended or Period()
    version = PolicyVersion.objects.select_related("policy").get(pk=version.pk)
    usable_rules(version)
    total = past_proposals(version.policy, ended=ended, unit=unit, kind=kind).count()
    if not total:
        raise NotPossible(_("No past proposal is like that, so there is nothing to replay the version over."))
    replay = Replay.objects.create(
        version=version,
        digest=version.digest,
        rules=version.rules,
        ended_from=ended.first,
        ended_to=ended.last,
        unit=unit,
        kind=kind,
        started_by=actor,
        started_at=clock.now(),
        total=total,
    )
    _ask_for_more(replay)
    return replay


@transaction.atomic
def stop(*, actor: User, replay: Replay) -> Replay:
    """Stop a replay that has not come to its end. What it found so far stays to be read."""
    check_administrator(actor)
    replay = _locked(replay.pk)
    if not replay.goes_on:
        raise NotPossible(_("This replay is over already."))
    replay.stopped_at = clock.now()
    replay.save(update_fields=["stopped_at"])
    return replay


@transaction.atomic
def go_on_without(*, actor: User, replay: Replay) -> Replay:
    """Go on with a replay, and leave out the proposal that it could not read."""
    check_administrator(actor)
    replay = _locked(replay.pk)
    if not replay.error or replay.failed_on_id is None:
        raise NotPossible(_("This replay has not come to a proposal that it cannot read."))
    replay.left_out = [*replay.left_out, replay.failed_on_id]
    replay.error, replay.failed_on = "", None
    replay.save(update_fields=["left_out", "error", "failed_on"])
    _ask_for_more(replay)
    return replay


def check_administrator(actor: User) -> None:
    if not (actor.is_active and actor.is_staff):
        raise NotPermitted(_("Only an administrator may replay a policy over past proposals."))


def usable_rules(version: PolicyVersion) -> Rules:
    """The version's rules. Raises Incomplete with every problem of a draft that cannot be used yet."""
    checked = check(json.loads(version.rules), version.text)
    if checked.rules is None:
        gaps = {problem.path: problem.sentence for problem in checked.problems}
        raise Incomplete(_("The rules of this draft cannot be used yet, so they cannot be replayed."), gaps)
    return checked.rules


# ---- what the worker does


def run(*, replay_id: int, seconds: float = SECONDS_AT_A_TIME) -> None:
    """Take a replay further for so many seconds; where more is left, ask for another turn. Safe to repeat."""
    until = time.monotonic() + seconds
    work: _Work | None = None
    while (replay := _to_be_run(replay_id)) is not None:
        work = work or _Work(replay)
        try:
            batch = work.batch_after(replay)
        except CannotRead as error:
            _fail(replay, error)
            return
        _keep(replay, batch)
        if time.monotonic() > until:
            with transaction.atomic():
                _ask_for_more(Replay.objects.get(pk=replay_id))
            return


class CannotRead(Exception):
    """A past proposal whose words or rules are no longer understood."""

    def __init__(self, proposal: int, words: str) -> None:
        super().__init__(words)
        self.proposal = proposal


@dataclass
class _Batch:
    """The next proposals, looked at."""

    tally: Tally
    compared: list[dict[str, Any]]
    position: int
    size: int
    findings: list[Finding] = field(default_factory=list)


class _Work:
    """One worker's way through a replay: what stays the same from batch to batch."""

    def __init__(self, replay: Replay) -> None:
        self.draft, self.times = replay.typed_rules, replay.typed_times
        self.places: dict[int, UnitPlace] = units_by_key()
        self.versions: dict[int, PolicyVersion] = {}
        self.comparisons: dict[int, Comparison] = {}

    def batch_after(self, replay: Replay) -> _Batch:
        """The next batch, on top of what was found before. Raises CannotRead."""
        ended = Period(replay.ended_from, replay.ended_to)
        past = past_proposals(replay.version.policy, ended=ended, unit=replay.unit, kind=replay.kind)
        past = past.filter(pk__gt=replay.position).exclude(pk__in=replay.left_out)
        rows = list(past.order_by("pk").values(*COLUMNS)[:BATCH])
        batch = _Batch(replay.tally, list(replay.compared), rows[-1]["id"] if rows else replay.position, len(rows))
        counts: dict[int, int] = {}
        for row, case in self._cases(rows):
            key = row["policy_version_id"]
            counts[key] = counts.get(key, 0) + 1
            found = self._comparison(key, row["id"]).of(case)
            batch.tally.add(found)
            if found.result is not Result.SAME:
                batch.findings.append(_finding(replay, row["id"], self.versions[key].number, found))
        batch.compared = _counted(batch.compared, {self.versions[key]: count for key, count in counts.items()})
        return batch

    def _cases(self, rows: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], Case]]:
        try:
            yield from zip(rows, read_cases(rows, self.places), strict=True)
        except ValidationError:
            # One of them cannot be read: find out which.
            for row in rows:
                try:
                    _one = read_cases([row], self.places)
                except ValidationError as error:
                    raise CannotRead(row["id"], _what_is_wrong(error)) from error
            raise

    def _comparison(self, version: int, proposal: int) -> Comparison:
        if version not in self.comparisons:
            found = self.versions[version] = PolicyVersion.objects.get(pk=version)
            try:
                self.comparisons[version] = Comparison(found.typed_rules, self.draft, self.times)
            except ValidationError as error:
                raise CannotRead(proposal, _what_is_wrong(error)) from error
        return self.comparisons[version]


def _what_is_wrong(error: ValidationError) -> str:
    """Which fields cannot be read and why, without the words in them: who replays may not see the proposal."""
    found = error.errors(include_input=False, include_url=False, include_context=False)
    return "\n".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in found)


def _finding(replay: Replay, proposal: int, number: int, found: Difference) -> Finding:
    reasons = tuple(dict.fromkeys(found.reasons))
    return Finding(
        replay=replay,
        proposal_id=proposal,
        result=found.result.value,
        number=number,
        before=_way_as_data(found.before),
        after=_way_as_data(found.after),
        reasons=reasons_as_data(reasons),
        marks="".join(f"|{reason.mark}|" for reason in reasons),
        halves=found.halves,
    )


def _way_as_data(way: Walk) -> dict[str, Any]:
    return {"stages": [opening.stage.label for opening in way.acting], "ended": way.ended.value}


def _counted(compared: list[dict[str, Any]], counts: dict[PolicyVersion, int]) -> list[dict[str, Any]]:
    """The versions that governed, with so many more proposals each."""
    by_number = {one["number"]: dict(one) for one in compared}
    for version, count in counts.items():
        one = by_number.setdefault(
            version.number, {"key": version.pk, "number": version.number, "digest": version.digest, "proposals": 0}
        )
        one["proposals"] += count
    return [by_number[number] for number in sorted(by_number)]


def _to_be_run(replay_id: int) -> Replay | None:
    """The replay as it is now, begun; None when it is over."""
    replay = Replay.objects.select_related("version__policy", "unit").get(pk=replay_id)
    if not replay.goes_on:
        return None
    return replay if replay.begun_at is not None else _begun(replay)


def _begun(replay: Replay) -> Replay | None:
    seen, times = last_event(), times_as_json(times_in_stage(replay.version.policy))
    with transaction.atomic():
        locked = _locked(replay.pk)
        if locked.goes_on and locked.begun_at is None:
            locked.begun_at, locked.last_event, locked.times = clock.now(), seen, times
            locked.save(update_fields=["begun_at", "last_event", "times"])
    return _to_be_run(replay.pk)


@transaction.atomic
def _keep(replay: Replay, batch: _Batch) -> None:
    """Add a batch to what was found, unless another worker came further or somebody stopped it meanwhile."""
    locked = _locked(replay.pk)
    if not locked.goes_on or locked.position != replay.position:
        return
    Finding.objects.bulk_create(batch.findings)
    locked.position, locked.compared = batch.position, batch.compared
    locked.result = batch.tally.model_dump_json()
    locked.done, locked.moved_at = locked.done + batch.size, clock.now()
    locked.total = max(locked.total, locked.done)
    if batch.size < BATCH:
        locked.total, locked.finished_at = locked.done, locked.moved_at
        _tell(locked)
    locked.save(
        update_fields=["position", "compared", "result", "done", "total", "moved_at", "finished_at"],
    )


@transaction.atomic
def _fail(replay: Replay, error: CannotRead) -> None:
    locked = _locked(replay.pk)
    if locked.goes_on and locked.position == replay.position:
        locked.error, locked.failed_on_id = str(error), error.proposal
        locked.save(update_fields=["error", "failed_on"])


def _locked(replay_id: int) -> Replay:
    return (
        Replay.objects.select_for_update(of=("self",)).select_related("version__policy", "started_by").get(pk=replay_id)
    )


def _ask_for_more(replay: Replay) -> None:
    """Queue the next turn. Each has a key of its own: how far it is, and how many proposals it goes without."""
    key = f"replay:{replay.pk}:{replay.position}:{len(replay.left_out)}"
    outbox.queue(task="insights.replay", key=key, payload={"replay_id": replay.pk})


def _tell(replay: Replay) -> None:
    """Queue the notice to whoever asked for it, in the institution's language."""
    words = {
        "policy": replay.version.policy.title,
        "number": replay.version.number,
        "total": replay.done,
        "link": settings.BASE_URL + replay.get_absolute_url(),
    }
    with override(settings.LANGUAGE_CODE):
        queue_mail(
            key=f"replay-done:{replay.pk}",
            to=replay.started_by.email,
            subject=_("Replay of %(policy)s, version %(number)s, is done") % words,
            text=_("The replay of %(policy)s, version %(number)s, over %(total)s past proposals is done:\n\n%(link)s\n")
            % words,
        )
