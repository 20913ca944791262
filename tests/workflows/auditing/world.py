"""An institution's record made by the real acts, which a test may tamper with in every way that a database's owner
could, and how the verifier looks at it."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Model
from django.test import override_settings

from governance import clock
from governance.audit.actions import record, seal_and_sign
from governance.audit.canonical import Json, canonical_bytes
from governance.audit.columns import body_code, policy_version
from governance.audit.keys import SigningKey
from governance.audit.merkle import WIDTH, Tree, complete_root
from governance.audit.models import Checkpoint, Event, Leaf, Tile
from governance.audit.queries import read_tile
from governance.audit.verbs import Verb
from governance.audit.verifier import checkpoint_text, leaf_hash
from governance.people.actions import end_mandate
from governance.people.queries import find_body
from governance.policies.queries import place_of
from tests.conftest import Institution, drop_triggers, make_institution
from tests.samples import complete_content
from tests.versions import adopted, stage_of
from workflows.memos.actions import issue
from workflows.proposals.actions import attach, save_section
from workflows.proposals.models import Audience, Proposal
from workflows.review import actions as review
from workflows.review.actions import NewCondition
from workflows.review.models import Decision, WorkItem
from workflows.review.moving import plan

PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj<<>>endobj\n%%EOF\n"


@dataclass
class World:
    """The institution and the proposals that went through it, each named by how it ended."""

    place: Institution
    folder: Path
    proposals: dict[str, str] = field(default_factory=dict)
    earlier: str = ""

    def proposal(self, name: str) -> Proposal:
        return Proposal.objects.get(reference=self.proposals[name])


def make_world(folder: Path) -> World:
    """Everything that a record holds, in a few proposals. Files and keys lie in the folder."""
    place = make_institution()
    world = World(place, folder)
    _approved(world)
    _read_by_many(world)
    seal_and_sign(now=True)
    world.earlier = Checkpoint.objects.latest("size").note
    _returned_and_sent_again(world)
    _under_the_second_version(world)
    _declined(world)
    mandate = place.person("member").mandates.get()
    end_mandate(actor=place.person("administrator").as_actor(), mandate=mandate, ends_on=clock.today(), reason="Term.")
    seal_and_sign(now=True)
    # The first signature introduced the key in an event of its own.
    seal_and_sign(now=True)
    return world


def _approved(world: World) -> None:
    """All the way, with a file, comments, conditions, and the memo of the last decision."""
    place = world.place
    draft = place.draft()
    attach(actor=place.person("author"), proposal=draft, name="letter.pdf", file=BytesIO(PDF))
    draft.refresh_from_db()
    review.submit(actor=draft.author, proposal=draft, seen=draft.version, note_to_reviewers="The letter is attached.")
    decisions = [
        _approve(place, draft, conditions=[NewCondition("Name a second instructor.", date(2027, 5, 1), "HSCI")])
    ]
    _say(place, draft, "ctl", Audience.REVIEWERS, "Outcome 3 reads well.")
    _say(place, draft, "author", Audience.EVERYONE, "Thank you.")
    decisions += [_approve(place, draft, reasons="Sound.") for _ in range(3)]
    issue(decision_id=decisions[-1].pk)
    world.proposals["approved"] = draft.reference


def _read_by_many(world: World) -> None:
    """So many readings of a file that the log has a full tile."""
    actor, subject = world.place.person("observer").as_actor(), f"access/{world.proposals['approved']}"
    for number in range(1, 231):
        after: dict[str, Json] = {"name": "letter.pdf", "digest": "0" * 64}
        record(verb=Verb.ATTACHMENT_READ, subject=subject, actor=actor, after=after, sequence=number)


def _returned_and_sent_again(world: World) -> None:
    """Returned by the teaching centre, changed, sent again; and sent back by the council to the Associate Dean."""
    place = world.place
    proposal = place.at_stage("teaching-centre")
    place.return_for_changes(proposal)
    content = complete_content()["resources"] | {"fee": 700}
    proposal.refresh_from_db()
    draft = proposal.draft_sections.get(key="resources")
    author = place.person("author")
    save_section(actor=author, proposal=proposal, section="resources", data=content, seen=draft.version)
    proposal.refresh_from_db()
    review.submit(actor=author, proposal=proposal, seen=proposal.version, note_to_reviewers="The fee changed.")
    _approve(place, proposal)
    place.return_for_changes(proposal, to_stage="teaching-centre")
    _approve(place, proposal)
    world.proposals["returned"] = proposal.reference


def _declined(world: World) -> None:
    place = world.place
    proposal = place.submitted(author="author-eng", unit="ENG")
    item = place.item(proposal)
    decision = review.decline(
        actor=place.reviewer_of(item), item=item, seen=proposal.version, reasons="The faculty offers it already."
    )
    issue(decision_id=decision.pk)
    world.proposals["declined"] = proposal.reference
    proposal = place.submitted()
    review.withdraw(actor=proposal.author, proposal=proposal, seen=proposal.version, reason="It is too early.")
    world.proposals["withdrawn"] = proposal.reference
    world.proposals["draft"] = place.draft().reference
    world.proposals["open"] = place.submitted().reference


def _under_the_second_version(world: World) -> None:
    """A version under which the council only receives; one proposal is sent under it, one moved to it."""
    place = world.place
    moving = place.at_stage("teaching-centre")

    def change(rules: dict[str, Any]) -> None:
        stage_of(rules, "undergraduate-council")["effect"] = "receive"
        rules["reopens"] = [{"fields": ["resources.fee"], "stages": ["associate-dean"], "clause": "7.6"}]
        rules["retention"] = [{"ending": "declined", "years": 6, "clause": "9.9"}]

    version = adopted(place, change)
    proposal = place.submitted()
    for _ in range(3):
        _approve(place, proposal)
    world.proposals["second"] = proposal.reference
    chosen = list(Proposal.objects.filter(pk=moving.pk))
    review.move(
        actor=place.person("administrator"),
        proposals=chosen,
        version=version,
        plan_digest=plan(chosen, version).digest,
        reason="The fee rule applies to it.",
    )
    world.proposals["moved"] = moving.reference


def _approve(place: Institution, proposal: Proposal, **given: Any) -> Decision:
    decision = place.approve(proposal, **given)
    proposal.refresh_from_db()
    return decision


def _say(place: Institution, proposal: Proposal, who: str, audience: str, text: str) -> None:
    review.comment(actor=place.person(who), proposal=proposal, audience=audience, text=text, section="outcomes")
    proposal.refresh_from_db()


@contextmanager
def rolled_back() -> Iterator[None]:
    """A transaction that is rolled back at the end, and in which the log can be sealed nevertheless."""
    block = transaction.atomic()
    # As Django's own TestCase marks it: sealing asks to be committed for good.
    block._from_testcase = True  # type: ignore[attr-defined]
    with block:
        yield
        transaction.set_rollback(True)


@contextmanager
def world_in(folder: Path) -> Iterator[World]:
    """The world, with no trigger in the way of an owner, until the block ends."""
    files = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(folder / "files")}}
    with rolled_back():
        with override_settings(STORAGES={**settings.STORAGES, "default": files}, KEY_FOLDER=str(folder / "keys")):
            world = make_world(folder)
        drop_triggers()
        yield world


@contextmanager
def tampering(world: World, folder: Path) -> Iterator[World]:
    """A copy of the world: what is done to it is undone afterwards. `folder` is where the test's files and keys lie."""
    for name in ("files", "keys"):
        shutil.copytree(world.folder / name, folder / name, dirs_exist_ok=True)
    with rolled_back():
        yield world


# ---- what an owner of the database can do


def sql(statement: str, *values: Any) -> int:
    """Run a statement as the database's owner; returns how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)


def change(row: Model, **values: Any) -> None:
    """Change columns of a row behind Assent's back."""
    columns = ", ".join(f'"{column}" = %s' for column in values)
    statement = f'UPDATE {row._meta.db_table} SET {columns} WHERE "{row._meta.pk.column}" = %s'
    assert sql(statement, *values.values(), row.pk) == 1


def remove(*rows: Model) -> None:
    """Delete rows behind Assent's back."""
    for row in rows:
        assert sql(f'DELETE FROM {row._meta.db_table} WHERE "{row._meta.pk.column}" = %s', row.pk) == 1


def rewrite(event: Event, **changes: Any) -> None:
    """Write an event's body anew with other facts, and its leaf and columns with it."""
    facts = json.loads(bytes(event.body)) | changes
    body = canonical_bytes(facts)
    change(
        event,
        body=body,
        leaf=leaf_hash(body),
        subject=facts["subject"],
        sequence=facts["sequence"],
        verb=facts["verb"],
        at=datetime.fromisoformat(facts["at"]),
        actor=facts["actor"]["key"],
        body_code=body_code(facts),
        policy_version=policy_version(facts),
    )


def seal_anew(key: SigningKey) -> None:
    """Make tiles and checkpoints anew over the events as they are, signed with a key, with the times of before."""
    leaves = [bytes(leaf) for leaf in Leaf.objects.order_by("index").values_list("event__leaf", flat=True)]
    for tile in Tile.objects.filter(level=0):
        row = leaves[tile.index * WIDTH : (tile.index + 1) * WIDTH]
        change(tile, hashes=b"".join(row), root=complete_root(row))
    for each in Checkpoint.objects.order_by("size"):
        root = Tree(each.size, read_tile).root()
        change(each, root=root, note=str(key.sign(checkpoint_text(key.name, each.size, root), moment=each.at)))


def forge(world: World, proposal: Proposal, *, stage: str, by: str, **otherwise: Any) -> Decision:
    """A decision that nobody was allowed to make, with its event and its rows as the act itself would have written
    them, and sealed. `otherwise` are facts of the event to be other than an approval that leaves it in review."""
    actor, version, revision = world.place.person(by), proposal.policy_version, proposal.current_revision
    assert version is not None and revision is not None
    rule = version.typed_rules.stage(stage)
    body = find_body(rule.body.kind, proposal.unit if rule.body.of else None)
    effect = rule.effect_for(revision.content.facts(proposal.action), place_of(proposal.unit))
    assert body is not None and effect is not None
    confirmed = sorted(item.key for item in rule.checklist)
    after = {
        "state": "in_review",
        "outcome": "approve",
        "stage": stage,
        "stage_label": rule.label,
        "effect": effect.value,
        "to_stage": None,
        "confirmed": confirmed,
        "seat": body.code,
        "conditions": [],
    } | otherwise
    event = record(
        verb=Verb.DECISION_APPROVED,
        subject=proposal.subject,
        actor=actor.as_actor(),
        on_behalf_of=body.name,
        policy_version=version.label,
        revision=revision.mark,
        before={"state": proposal.state, "stage": stage},
        after=after,
        sequence=proposal.version + 1,
    )
    named = {"stage_key": stage, "stage_label": rule.label, "effect": effect, "body": body}
    about = {"proposal": proposal, "revision": revision}
    item = WorkItem.objects.create(
        **named, **about, opened_at=event.at, due_on=event.at.date(), closed_at=event.at, closing="approve"
    )
    asked = [
        {name: getattr(item, name) for name in ("key", "text", "clause", "required")}
        | {"confirmed": item.key in after["confirmed"]}
        for item in rule.checklist
    ]
    decision = Decision.objects.create(
        **named,
        **about,
        item=item,
        policy_version=version,
        outcome="approve",
        body_name=body.name,
        by=actor,
        by_name=actor.name,
        by_title=actor.title,
        checklist=asked,
        at=event.at,
        event_number=event.pk,
    )
    ended_at = event.at if after["state"] == "approved" else None
    change(proposal, state=after["state"], version=event.sequence, ended_at=ended_at)
    seal_and_sign(now=True)
    return decision
