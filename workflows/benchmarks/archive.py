"""The archive of the benchmark, written in bulk as the acts would have left it: a million proposals through the actions
would take a day.

What was sent in the archive is a summary alone, so that a million fit on a small disk; what waits has its full text.
"""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat
from typing import Any, Final

from django.core.management.color import no_style
from django.db import connection, models, transaction

from governance import clock
from governance.audit import columns
from governance.audit.actions import ASSENT
from governance.audit.canonical import digest
from governance.audit.models import Event, Pending, Serial
from governance.audit.personal import hidden
from governance.audit.verbs import Verb
from governance.audit.verifier import leaf_hash
from governance.people.models import Body, Unit, User
from governance.policies.queries import place_of
from governance.policies.resolve import Route, RouteStage, resolve
from governance.policies.vocabulary import Kind, Level, Outcome
from workflows.benchmarks.institution import AUTHORS_OF_A_FACULTY, COUNCIL, Institution
from workflows.notices.models import Outbox
from workflows.proposals.content import Content
from workflows.proposals.models import Audience, Comment, Look, Proposal, Revision
from workflows.proposals.states import ENDED, State
from workflows.review.models import Closing, Decision, WorkItem

# Fewer would leave a page of the queue or the archive without proposals.
FEWEST: Final = 80
MORE_THAN_A_PAGE: Final = 55
ROUTE: Final = ("associate-dean", "teaching-centre", COUNCIL, "senate")

FIRST_WORDS: Final = ("Applied", "Practical", "Advanced", "Community", "Digital", "Foundations of", "Leading")
SUBJECTS: Final = (
    "watershed",
    "battery",
    "stewardship",
    "mediation",
    "grant",
    "archive",
    "payroll",
    "orchard",
    "triage",
)
LAST_WORDS: Final = ("methods", "practice", "analysis", "safety", "literacy", "planning", "design", "records")
# A word that stands in one title of nine: common enough to fill a page of the queue, rare enough to have to be found.
WORD_TO_FIND: Final = "stewardship"


def waiting_for_the_council(proposals: int) -> int:
    """How many wait for the body whose queue is measured: more than a page, and never more than 400."""
    return max(MORE_THAN_A_PAGE, min(400, proposals * 2 // 5))


@dataclass(frozen=True)
class _Fate:
    """How far a proposal came: so many stages approved it, and how it stands."""

    approved: int
    state: State


def _fates(proposals: int) -> Iterator[_Fate]:
    """The archive first, then what waits: the council's queue, and those of the other bodies."""
    council = waiting_for_the_council(proposals)
    others = {0: min(800, proposals // 10), 1: min(300, proposals // 20), 3: min(200, proposals // 20)}
    open_ones = [_Fate(ROUTE.index(COUNCIL), State.IN_REVIEW)] * council
    for stage, count in others.items():
        open_ones += [_Fate(stage, State.IN_REVIEW)] * count
    open_ones = open_ones[:proposals]
    random.Random(1).shuffle(open_ones)  # noqa: S311 - no secret hangs on it; the same filling every time does
    of_twenty = (
        *repeat(_Fate(len(ROUTE), State.APPROVED), 12),
        *(_Fate(stage, State.DECLINED) for stage in (0, 3)),
        *(_Fate(stage, State.WITHDRAWN) for stage in (0, 2)),
        *(_Fate(stage, State.RETURNED) for stage in (1, 2)),
        *repeat(_Fate(0, State.DRAFT), 2),
    )
    archived = (of_twenty[number % len(of_twenty)] for number in range(proposals - len(open_ones)))
    return chain(archived, open_ones)


ENDINGS: Final = {
    State.DECLINED: (Outcome.DECLINE, Closing.DECLINE, Verb.DECISION_DECLINED),
    State.RETURNED: (Outcome.RETURN, Closing.RETURN, Verb.DECISION_RETURNED),
}


@dataclass
class _Rows:
    """Rows that wait to be written together, in the order in which they refer to each other. Keys are given here."""

    kinds: tuple[type[models.Model], ...] = (
        Proposal,
        Revision,
        WorkItem,
        Event,
        Decision,
        Comment,
        Look,
        Outbox,
    )
    last: dict[type[models.Model], int] = field(default_factory=dict)
    rows: dict[type[models.Model], list[models.Model]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for kind in self.kinds:
            self.last[kind] = kind._default_manager.aggregate(last=models.Max("pk"))["last"] or 0
            self.rows[kind] = []

    def add(self, row: models.Model) -> None:
        self.last[type(row)] += 1
        row.pk = self.last[type(row)]
        self.rows[type(row)].append(row)

    def flush(self) -> None:
        with transaction.atomic():
            for kind, rows in self.rows.items():
                kind._default_manager.bulk_create(rows, batch_size=2_000)
                if kind is Event:
                    Pending.objects.bulk_create([Pending(event_id=event.pk) for event in rows], batch_size=2_000)
                rows.clear()

    def finish(self) -> None:
        """The next row written one by one gets a key of its own."""
        self.flush()
        with connection.cursor() as cursor:
            for statement in connection.ops.sequence_reset_sql(no_style(), list(self.kinds)):
                cursor.execute(statement)


@dataclass
class Archive:
    """Writes proposals as their whole life would have left them."""

    institution: Institution
    content: Content
    rows: _Rows = field(default_factory=_Rows)
    actors: dict[int, tuple[str, dict[str, Any]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        summary = self.content.summary.model_copy(update={"title": "TITLE"})
        self.full = self.content.model_copy(update={"summary": summary}).canonical().decode()
        self.short = Content(summary=summary).canonical().decode()
        rules, facts = self.institution.policy.typed_rules, self.content.facts()
        self.routes: dict[int, Route] = {
            unit.pk: resolve(rules, facts, place_of(unit)) for unit in self.institution.units
        }
        self.label = self.institution.policy.label
        self.now = clock.now()
        self.reviewer = self.institution.officers[self.institution.bodies[COUNCIL, None].pk]

    def named(self, actor: User | None) -> tuple[str, dict[str, Any]]:
        """Somebody's name, and who they are as an event says it."""
        key = actor.pk if actor else 0
        if key not in self.actors:
            who = actor.as_actor() if actor else ASSENT
            self.actors[key] = (
                who.name,
                {"key": who.key, "name": hidden(who.salt, who.name), "title": hidden(who.salt, who.title)},
            )
        return self.actors[key]

    def write(self, proposals: int, say: Callable[[str], object]) -> None:
        year = self.now.year - 1
        for number, fate in enumerate(_fates(proposals), start=1):
            self.one(number, f"MC-{year}-{number:04d}", fate)
            if number % 1_000 == 0:
                self.rows.flush()
            if number % 10_000 == 0:
                say(f"  {number:,} of {proposals:,} proposals")
        self.rows.finish()
        with transaction.atomic():
            Serial.objects.create(key=f"MC-{year}", last=proposals)

    def one(self, number: int, reference: str, fate: _Fate) -> None:
        authors = self.institution.authors
        author = authors[number % len(authors)]
        unit = self.institution.units[number % len(authors) // AUTHORS_OF_A_FACULTY]
        is_open = fate.state is State.IN_REVIEW
        # What waits came in the last weeks, one in four of them is late; the archive reaches back over a year.
        begun = self.now - timedelta(days=10 * fate.approved + (number % 27 if is_open else 60 + number % 400), hours=9)
        title = (
            " ".join(
                words[number // step % len(words)] for words, step in ((FIRST_WORDS, 3), (SUBJECTS, 1), (LAST_WORDS, 5))
            )
            + f" {number}"
        )
        life = _Life(self, author, unit, begun, reference)
        proposal = Proposal(
            reference=reference,
            title=title,
            kind=Kind.ACADEMIC,
            level=Level.UNDERGRADUATE,
            unit_id=unit.pk,
            author_id=author.pk,
            state=fate.state,
            since=begun,
            created_at=begun,
            policy_version_id=self.institution.policy.pk,
        )
        self.rows.add(proposal)
        life.live(proposal, fate, (self.full if is_open else self.short).replace("TITLE", title))
        if is_open:
            life.talk(number)


@dataclass
class _Life:
    """One proposal's rows, in the order in which its acts would have written them."""

    archive: Archive
    author: User
    unit: Unit
    at: datetime
    reference: str
    sequence: int = 0
    revision: Revision | None = None

    def live(self, proposal: Proposal, fate: _Fate, text: str) -> None:
        created = {"title": proposal.title, "unit": self.unit.code, "action": proposal.action}
        self.event(Verb.PROPOSAL_CREATED, self.author, created)
        if fate.state is not State.DRAFT:
            self.submit(proposal, text)
            for stage in ROUTE[: fate.approved]:
                item, state = self.open(proposal, stage), State.APPROVED if stage == ROUTE[-1] else State.IN_REVIEW
                self.decide(proposal, item, state, Outcome.APPROVE, Closing.APPROVE, Verb.DECISION_APPROVED)
            if fate.state is not State.APPROVED:
                self.end(proposal, self.open(proposal, ROUTE[fate.approved]), fate.state)
        else:
            proposal.policy_version_id = None
        proposal.version, proposal.since = self.sequence, self.at
        proposal.ended_at = self.at if fate.state in ENDED else None

    def end(self, proposal: Proposal, item: WorkItem, state: State) -> None:
        if state in ENDINGS:
            self.decide(proposal, item, state, *ENDINGS[state])
        elif state is State.WITHDRAWN:
            item.closed_at, item.closing = self.later(), Closing.WITHDRAWN
            was = {"state": State.IN_REVIEW.value}
            self.event(Verb.PROPOSAL_WITHDRAWN, self.author, {"state": state.value}, before=was, reason="Put off.")

    def later(self) -> datetime:
        self.at += timedelta(days=10)
        return min(self.at, self.archive.now)

    def submit(self, proposal: Proposal, text: str) -> None:
        self.revision = Revision(
            proposal_id=proposal.pk,
            number=1,
            content_text=text,
            digest=digest(text.encode()),
            submitted_by_id=self.author.pk,
            submitted_by_name=self.author.name,
            submitted_at=self.at,
        )
        self.archive.rows.add(self.revision)
        proposal.revision_number, proposal.submitted_at = 1, self.at
        after: dict[str, Any] = {
            "state": State.IN_REVIEW.value,
            "title": proposal.title,
            "holder": self.body(ROUTE[0]).name,
            "stages": [ROUTE[0]],
            "changed_sections": [],
            "reopened": [],
            "attachments": [],
        }
        self.event(Verb.PROPOSAL_SUBMITTED, self.author, after)

    def stage(self, key: str) -> RouteStage:
        return self.archive.routes[self.unit.pk][key]

    def body(self, key: str) -> Body:
        return self.archive.institution.body(self.stage(key).stage, self.unit)

    def open(self, proposal: Proposal, key: str) -> WorkItem:
        stage = self.stage(key)
        assert self.revision is not None
        item = WorkItem(
            proposal_id=proposal.pk,
            revision_id=self.revision.pk,
            stage_key=key,
            stage_label=stage.label,
            effect=stage.effect,
            body_id=self.body(key).pk,
            opened_at=self.at,
            due_on=(self.at + timedelta(days=20)).date(),
        )
        self.archive.rows.add(item)
        return item

    def decide(
        self, proposal: Proposal, item: WorkItem, state: State, outcome: Outcome, closing: Closing, verb: Verb
    ) -> None:
        stage, body = self.stage(item.stage_key), self.body(item.stage_key)
        officer = self.archive.institution.officers[body.pk]
        item.closed_at, item.closing = self.later(), closing
        checklist: list[dict[str, Any]] = [
            {"key": one.key, "text": one.text, "clause": one.clause, "required": one.required, "confirmed": True}
            for one in stage.stage.checklist
        ]
        reasons = "" if outcome is Outcome.APPROVE else "Say how each outcome is assessed."
        before = {"state": State.IN_REVIEW.value, "stage": stage.key, "opened_at": item.opened_at.isoformat()}
        after: dict[str, Any] = {
            "state": state.value,
            "outcome": outcome.value,
            "stage": stage.key,
            "stage_label": stage.label,
            "effect": stage.effect.value,
            "to_stage": None,
            "confirmed": sorted(one.key for one in stage.stage.checklist),
            "seat": body.code,
            "conditions": [],
        }
        number = self.event(verb, officer, after, before=before, on_behalf_of=body.name, reason=reasons)
        decision = Decision(
            item_id=item.pk,
            proposal_id=proposal.pk,
            revision_id=item.revision_id,
            policy_version_id=self.archive.institution.policy.pk,
            stage_key=stage.key,
            stage_label=stage.label,
            effect=stage.effect,
            outcome=outcome,
            body_id=body.pk,
            body_name=body.name,
            by_id=officer.pk,
            by_name=officer.name,
            by_title=officer.title,
            reasons=reasons,
            checklist=checklist,
            at=item.closed_at,
            event_number=number,
        )
        self.archive.rows.add(decision)
        for task, key in (("memos.render", f"memo:{decision.pk}"), ("review.letters", f"letter:decided:{decision.pk}")):
            self.archive.rows.add(
                Outbox(task=task, key=key, payload={"about": decision.pk}, due_at=self.at, done_at=self.at)
            )
        memo: dict[str, Any] = {
            "memo": f"{body.code}-{decision.pk}",
            "digest": digest(str(decision.pk).encode()),
            "size": 60_000,
            "outcome": outcome.value,
            "decision_event": number,
        }
        self.event(Verb.MEMO_ISSUED, None, memo, on_behalf_of=body.name)

    def talk(self, number: int) -> None:
        """Remarks, and how far the reviewer had seen it: a third new to them, a third seen, a third changed since."""
        assert self.revision is not None
        proposal = self.revision.proposal_id
        for count in range(number % 3):
            remark = Comment(
                proposal_id=proposal,
                section="need",
                revision_number=1,
                audience=Audience.EVERYONE,
                author_id=self.author.pk,
                author_name=self.author.name,
                text=f"Remark {count} of the author on what was asked.",
                at=self.at,
            )
            self.archive.rows.add(remark)
            after = {
                "audience": remark.audience,
                "comment": remark.pk,
                "section": remark.section,
                "words": hidden(bytes(remark.salt), remark.text),
            }
            self.event(Verb.COMMENT_ADDED, self.author, after)
        row = self.archive.rows.rows[Proposal][-1]
        assert isinstance(row, Proposal)
        row.version = self.sequence
        if number % 3:
            seen = self.sequence - (number % 3 - 1)
            self.archive.rows.add(
                Look(
                    proposal_id=proposal,
                    user_id=self.archive.reviewer.pk,
                    revision_number=1,
                    version=seen,
                    at=self.at,
                )
            )

    def event(
        self,
        verb: Verb,
        actor: User | None,
        after: dict[str, Any],
        *,
        before: dict[str, Any] | None = None,
        on_behalf_of: str = "",
        reason: str = "",
    ) -> int:
        """One event, with the canonical bytes that the record would have: all keys are ASCII and nothing is a float, so
        the standard library's sorted JSON is the same, at a fifth of the time."""
        self.sequence += 1
        name, who = self.archive.named(actor)
        moment = min(self.at, self.archive.now).astimezone(UTC)
        facts = {
            "version": 1,
            "subject": f"proposal/{self.reference}",
            "sequence": self.sequence,
            "verb": verb.value,
            "at": moment.isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "actor": who,
            "on_behalf_of": on_behalf_of or None,
            "policy_version": self.archive.label if self.revision else None,
            "revision": {"number": 1, "digest": self.revision.digest} if self.revision else None,
            "before": before,
            "after": after,
            "reason": reason or None,
        }
        body = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        event = Event(
            subject=f"proposal/{self.reference}",
            sequence=self.sequence,
            verb=verb,
            at=moment,
            actor=who["key"],
            actor_name=name,
            body_code=columns.body_code(facts),
            policy_version=columns.policy_version(facts),
            body=body,
            leaf=leaf_hash(body),
        )
        self.archive.rows.add(event)
        number: int = event.pk
        return number
