"""What an owner of the database can do to a record, past every trigger: the verifier names the thing that was touched.

Each kind of tampering is done to a copy of one record with raw statements, and must be found by the check of its kind
in a sentence that names what was tampered with; for a good part of them, in an export of the tampered database as well.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from governance import clock
from governance.audit import keys
from governance.audit.actions import Actor, new_key, record, seal_and_sign
from governance.audit.keys import SigningKey
from governance.audit.models import Checkpoint, Event, Leaf, Pending, PersonalDatum, Tile
from governance.audit.verbs import Verb
from governance.audit.verifier import Checkpoint as SignedCheckpoint
from governance.audit.verifier import Report, Rows, VerifierKey, check_package, to_base64
from governance.people.actions import end_mandate, give_mandate
from governance.people.duties import Duty
from governance.people.models import Body, Mandate, Unit, User
from governance.policies.actions import begin_draft, propose
from governance.policies.models import PolicyVersion
from tests.workflows.auditing.world import World, change, forge, remove, rewrite, seal_anew, sql, tampering, world_in
from workflows.auditing.actions.erasure import dispose, erase
from workflows.auditing.checking import check_database
from workflows.auditing.erasing.plans import disposal_plan, erasure_plan
from workflows.auditing.exporting.package import Package
from workflows.auditing.exporting.selection import Selection
from workflows.memos.models import Memo
from workflows.proposals.models import Attachment, Comment, Revision
from workflows.review.models import Condition, Decision

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with django_db_blocker.unblock(), world_in(tmp_path_factory.mktemp("world")) as made:
        yield made


@pytest.fixture
def copy(world: World, db: None, tmp_path: Path) -> Iterator[World]:
    with tampering(world, tmp_path):
        yield world


def checked() -> Report:
    return check_database(whole=True).report


def exported(folder: Path, *references: str) -> Report:
    """What a stranger with the institution's key finds in an export of some proposals, or of everything."""
    package = Package(folder, Selection(references))
    package.begin(Checkpoint.objects.latest("size"))
    for _progress in package.write():
        pass
    key = keys.load()
    assert key is not None
    report = Report()
    check_package(folder, report, keys=[key.public], observers=[Rows()])
    return report


@dataclass(frozen=True)
class Kind:
    """A way to tamper. `check` finds it, in a sentence with what `act` returns; `outside` where an export shows it."""

    act: Callable[[World], str]
    check: str
    outside: bool


KINDS: dict[str, Kind] = {}


def found_by(check: str, *, outside: bool = False) -> Callable[[Callable[[World], str]], Callable[[World], str]]:
    def kept(act: Callable[[World], str]) -> Callable[[World], str]:
        KINDS[act.__name__.replace("_", " ")] = Kind(act, check, outside)
        return act

    return kept


# ---- events and the log


def event_of(verb: Verb, number: int = 0) -> Event:
    return Event.objects.filter(verb=verb).order_by("pk")[number]


def place_of_event(event: Event) -> int:
    return Leaf.objects.get(event=event).index


@found_by("columns")
def an_events_body_alone(world: World) -> str:
    event = event_of(Verb.DECISION_DECLINED)
    change(event, body=bytes(event.body).replace(b"already", b"alreadY"))
    return f"Event {place_of_event(event)}: the column “leaf”"


@found_by("tree", outside=True)
def an_events_body_in_an_export(world: World) -> str:
    event = event_of(Verb.DECISION_DECLINED)
    change(event, body=bytes(event.body).replace(b"already", b"alreadY"))
    return "was changed"


@found_by("tree")
def an_events_body_with_its_leaf(world: World) -> str:
    rewrite(event_of(Verb.DECISION_DECLINED), reason="Another reason.")
    return "was changed"


@found_by("event")
def an_events_bytes_that_are_not_canonical(world: World) -> str:
    event = event_of(Verb.COMMENT_ADDED)
    change(event, body=bytes(event.body).replace(b'":', b'": ', 1))
    return f"Event {place_of_event(event)} is not right"


@found_by("columns")
def a_column_that_lists_show(world: World) -> str:
    event = event_of(Verb.DECISION_DECLINED)
    change(event, verb="decision.approved")
    return f"Event {place_of_event(event)}: the column “verb”"


@found_by("columns")
def the_name_of_who_acted(world: World) -> str:
    event = event_of(Verb.DECISION_DECLINED)
    change(event, actor_name="Somebody Else")
    return f"Event {place_of_event(event)}: the column “actor_name”"


@found_by("columns")
def the_time_of_an_event(world: World) -> str:
    event = event_of(Verb.DECISION_DECLINED)
    change(event, at=event.at - timedelta(days=30))
    return f"Event {place_of_event(event)}: the column “at”"


@found_by("tree")
def two_events_swapped(world: World) -> str:
    one, other = event_of(Verb.DECISION_APPROVED, 0), event_of(Verb.DECISION_APPROVED, 2)
    first, second = place_of_event(one), place_of_event(other)
    for old, new in ((first, -1), (second, first), (-1, second)):
        sql('UPDATE audit_leaf SET "index" = %s WHERE "index" = %s', new, old)
    return "was changed"


@found_by("order")
def a_leaf_moved_away(world: World) -> str:
    place = place_of_event(event_of(Verb.DECISION_APPROVED))
    sql('UPDATE audit_leaf SET "index" = %s WHERE "index" = %s', 1_000_000, place)
    return f"Event {place} is missing"


@found_by("order")
def the_last_event_deleted(world: World) -> str:
    leaf = Leaf.objects.latest("index")
    remove(leaf, leaf.event)
    return f"Event {leaf.index} is missing"


@found_by("order", outside=True)
def an_event_in_the_middle_deleted(world: World) -> str:
    event = event_of(Verb.DECISION_APPROVED_WITH_CONDITIONS)
    leaf = Leaf.objects.get(event=event)
    remove(leaf, event)
    return f"Event {leaf.index} is missing"


@found_by("order")
def events_moved_up_over_a_deleted_one(world: World) -> str:
    event = event_of(Verb.DECISION_APPROVED_WITH_CONDITIONS)
    leaf = Leaf.objects.get(event=event)
    remove(leaf, event)
    for later in Leaf.objects.filter(index__gt=leaf.index).order_by("index"):
        sql('UPDATE audit_leaf SET "index" = %s WHERE "index" = %s', later.index - 1, later.index)
    return f"Event {Checkpoint.objects.latest('size').size - 1} is missing"


def an_event_put_in(world: World, **given: Any) -> Event:
    proposal = world.proposal("withdrawn")
    after = {"audience": "everyone", "comment": 999, "section": None, "words": {"commitment": "0" * 64}}
    who = world.place.person("ctl").as_actor()
    return record(verb=Verb.COMMENT_ADDED, subject=proposal.subject, actor=who, after=after, **given)


@found_by("stray")
def an_event_put_into_the_table(world: World) -> str:
    event = an_event_put_in(world)
    sql("DELETE FROM audit_pending WHERE event_id = %s", event.pk)
    return str(event)


@found_by("comments", outside=True)
def an_event_put_in_and_sealed(world: World) -> str:
    event = an_event_put_in(world)
    seal_and_sign(now=True)
    return f"{world.proposals['withdrawn']}: the comment 999 of {event.at:%Y-%m-%d}"


@found_by("time")
def an_event_put_in_with_an_earlier_date(world: World) -> str:
    with clock.at(clock.now() - timedelta(days=400)):
        event = an_event_put_in(world)
    seal_and_sign(now=True)
    return f"Event {place_of_event(event)}"


@found_by("stray")
def an_act_kept_from_being_sealed(world: World) -> str:
    event = an_event_put_in(world)
    assert Pending.objects.filter(event=event).delete()[0] == 1
    return str(event)


@found_by("tree", outside=True)
def a_checkpoints_root(world: World) -> str:
    latest = Checkpoint.objects.latest("size")
    root = to_base64(bytes(latest.root))
    change(latest, note=latest.note.replace(root, to_base64(bytes(32))))
    return f"the checkpoint over {latest.size} has another root"


@found_by("columns")
def a_checkpoints_root_beside_its_note(world: World) -> str:
    latest = Checkpoint.objects.latest("size")
    change(latest, root=bytes(32))
    return f"The checkpoint over {latest.size} events: the column “root”"


@found_by("checkpoint", outside=True)
def a_checkpoints_signature(world: World) -> str:
    first = Checkpoint.objects.earliest("size")
    head, _, last = first.note.rpartition(" ")
    change(first, note=f"{head} {last[:40]}{'A' if last[40] != 'A' else 'B'}{last[41:]}")
    return f"The checkpoint over {first.size} events"


@found_by("head")
def the_latest_checkpoints_deleted(world: World) -> str:
    remove(*Checkpoint.objects.filter(pk__gt=Checkpoint.objects.earliest("size").pk))
    first = Checkpoint.objects.get()
    for leaf in Leaf.objects.filter(index__gte=first.size):
        remove(leaf)
    return "The log was longer once"


@found_by("tiles")
def a_tile(world: World) -> str:
    tile = Tile.objects.earliest("index")
    hashes = bytearray(tile.hashes)
    hashes[5] ^= 1
    change(tile, hashes=bytes(hashes))
    return "kept hashes of level 0 at 0"


@found_by("tiles")
def a_tile_deleted(world: World) -> str:
    remove(Tile.objects.earliest("index"))
    return "level 0 have none at 0"


@found_by("key", outside=True)
def a_foreign_key_introduced(world: World) -> str:
    """Somebody puts a key of their own into the log and signs with it from then on."""
    mallory = SigningKey.new(settings.LOG_NAME)
    event = record(verb=Verb.KEY_INTRODUCED, subject="log", actor=Actor("system", "Assent"), after=after_of(mallory))
    Leaf.objects.create(index=Leaf.objects.latest("index").index + 1, event=event)
    sql("DELETE FROM audit_pending WHERE event_id = %s", event.pk)
    latest = Checkpoint.objects.latest("size")
    forged = Checkpoint.objects.create(size=latest.size + 1, root=b"", note="", at=clock.now())
    seal_only(forged, mallory)
    return str(mallory.public)


def after_of(key: SigningKey) -> dict[str, Any]:
    return {"key": str(key.public), "previous": None}


def seal_only(checkpoint: Checkpoint, key: SigningKey) -> None:
    notes = {each.pk: each.note for each in Checkpoint.objects.exclude(pk=checkpoint.pk)}
    seal_anew(key)
    for pk, note in notes.items():
        sql("UPDATE audit_checkpoint SET note = %s WHERE id = %s", note, pk)


@found_by("key", outside=True)
def history_rewritten_and_sealed_with_another_key(world: World) -> str:
    mallory = SigningKey.new(settings.LOG_NAME)
    rewrite(event_of(Verb.DECISION_DECLINED), reason="Another reason.")
    introduced = event_of(Verb.KEY_INTRODUCED)
    rewrite(introduced, after=after_of(mallory))
    seal_anew(mallory)
    return f"signed by {mallory.public}"


@found_by("head")
def history_rewritten_and_sealed_with_the_key(world: World) -> str:
    key = keys.load()
    assert key is not None
    rewrite(event_of(Verb.POLICY_ADOPTED), reason="A motion that nobody made.")
    seal_anew(key)
    return "it forked"


# ---- the institution


@found_by("units", outside=True)
def the_name_of_a_unit(world: World) -> str:
    change(Unit.objects.get(code="HSCI"), name="Faculty of Medicine")
    return "unit HSCI: as its name"


@found_by("bodies")
def the_kind_of_a_body(world: World) -> str:
    change(Body.objects.get(code="GC"), kind="graduate-senate")
    return "body GC: as its kind"


@found_by("people", outside=True)
def the_name_of_a_person(world: World) -> str:
    person = world.place.person("senate")
    change(person, name="Somebody Else")
    return f"{person.record_key} is called “Somebody Else”"


@found_by("people")
def what_a_commitment_is_said_to_open_to(world: World) -> str:
    person = world.place.person("senate")
    datum = PersonalDatum.objects.filter(person=person.record_key, value=person.title).get()
    change(datum, value="Vice-Chancellor")
    return f"What is kept of {person.record_key}"


@found_by("people")
def an_administrator_made(world: World) -> str:
    person = world.place.person("stranger")
    change(person, is_staff=True)
    return f"{person.record_key}: “administrator” is True"


@found_by("people")
def a_name_that_a_commitment_is_said_to_open_to(world: World) -> str:
    person = world.place.person("senate")
    change(PersonalDatum.objects.get(person=person.record_key, value=person.name), value="Somebody Else")
    return f"What is kept of {person.record_key} as “Somebody Else”"


@found_by("people", outside=True)
def the_title_of_a_person(world: World) -> str:
    person = world.place.person("senate")
    change(person, title="Vice-Chancellor")
    return f"{person.record_key} has the title “Vice-Chancellor”"


@found_by("people")
def all_rights_given_past_the_record(world: World) -> str:
    person = world.place.person("stranger")
    change(person, is_superuser=True)
    return f"{person.record_key}: “administrator” is True"


@found_by("columns")
def when_a_checkpoint_was_signed(world: World) -> str:
    checkpoint = Checkpoint.objects.earliest("size")
    change(checkpoint, at=checkpoint.at - timedelta(days=1))
    return f"The checkpoint over {checkpoint.size} events: the column “at”"


@found_by("proposals", outside=True)
def the_title_of_a_proposal_in_review(world: World) -> str:
    proposal = world.proposal("open")
    change(proposal, title="Something Else")
    return f"{proposal.reference}: title is “Something Else”"


@found_by("proposals", outside=True)
def who_holds_a_proposal(world: World) -> str:
    proposal = world.proposal("open")
    change(proposal.work_items.filter(closed_at=None)[0], stage_key="elsewhere")
    return f"{proposal.reference}: stages is “['elsewhere']”"


@found_by("decisions", outside=True)
def a_decision_put_on_another_proposals_submission(world: World) -> str:
    decision = Decision.objects.filter(revision__number=1).select_related("proposal").earliest("pk")
    other = Revision.objects.filter(number=1).exclude(digest=decision.revision.digest)[0]
    change(decision, revision_id=other.pk)
    return f"{decision.proposal.reference}, the decision of the stage “{decision.stage_key}”"


@found_by("decisions", outside=True)
def the_name_of_the_body_that_decided(world: World) -> str:
    decision = Decision.objects.select_related("proposal").earliest("pk")
    change(decision, body_name="Another Council")
    return "body_name is “Another Council”"


@found_by("comments", outside=True)
def the_title_of_who_commented(world: World) -> str:
    comment = Comment.objects.earliest("pk")
    change(comment, author_title="Vice-Chancellor")
    return "the table has the title “Vice-Chancellor”"


@found_by("memos", outside=True)
def the_digest_of_a_memo_before_it_was_signed(world: World) -> str:
    memo = Memo.objects.earliest("pk")
    change(memo, unsigned_digest="0" * 64)
    return f"memo {memo.number}: unsigned_digest"


@found_by("attachments")
def a_file_made_confidential_past_the_record(world: World) -> str:
    file = Attachment.objects.filter(confidential=False).earliest("pk")
    change(file, confidential=True)
    return f"the file “{file.name}”"


@found_by("attachments")
def a_file_taken_away_past_the_record(world: World) -> str:
    file = Attachment.objects.filter(removed_at=None).earliest("pk")
    change(file, removed_at=clock.now())
    return f"the file “{file.name}” ({file.digest[:16]}…) was removed by the table"


@found_by("people")
def a_person_put_in(world: World) -> str:
    person = User.objects.create_user("mallory@kawartha.example", name="Mallory")
    return f"{person.record_key} is among the people"


def mandate_of(world: World, key: str) -> Mandate:
    return Mandate.objects.select_related("body").get(user=world.place.person(key))


@found_by("mandates", outside=True)
def the_last_day_of_a_mandate(world: World) -> str:
    mandate = mandate_of(world, "member")
    change(mandate, ends_on=None)
    return f"{mandate.user.record_key} as member on SENATE from 2020-01-01 ends on no day in the table"


@found_by("mandates")
def the_first_day_of_a_mandate(world: World) -> str:
    mandate = mandate_of(world, "ctl")
    change(mandate, starts_on=date(2019, 1, 1))
    return f"{mandate.user.record_key} as reviewer on CTL from 2019-01-01 is in the table"


@found_by("mandates")
def whose_a_mandate_is(world: World) -> str:
    mandate, stranger = mandate_of(world, "ctl"), world.place.person("stranger")
    change(mandate, user_id=stranger.pk)
    return f"{stranger.record_key} as reviewer on CTL"


@found_by("mandates", outside=True)
def a_mandate_put_in(world: World) -> str:
    stranger = world.place.person("stranger")
    Mandate.objects.create(user=stranger, body=world.place.bodies["senate"], duty="chair", starts_on=date(2020, 1, 1))
    return f"{stranger.record_key} as chair on SENATE from 2020-01-01 is in the table, and no event gave it"


@found_by("mandates")
def a_mandate_deleted(world: World) -> str:
    mandate = mandate_of(world, "observer")
    remove(mandate)
    return f"{mandate.user.record_key} as observer on SECRETARIAT from 2020-01-01 is in the events and missing"


# ---- policies


def version_of(number: int) -> PolicyVersion:
    return PolicyVersion.objects.select_related("policy").get(number=number)


@found_by("policies")
def the_rules_of_a_policy(world: World) -> str:
    version = version_of(1)
    change(version, rules=version.rules.replace('"allowed":false', '"allowed":true'))
    return f"{version.label}: its text or its rules"


@found_by("policies", outside=True)
def the_rules_of_a_policy_with_its_digest(world: World) -> str:
    version = version_of(1)
    rules = version.rules.replace('"allowed":false', '"allowed":true')
    change(version, rules=rules, digest=hashlib.sha256(rules.encode()).hexdigest())
    return f"{version.label}: its digest or its first day"


@found_by("policies")
def the_text_of_a_policy(world: World) -> str:
    version = version_of(2)
    change(version, text=version.text.replace("shall", "may") + "\n")
    return f"{version.label}: its text or its rules"


@found_by("policies")
def the_first_day_of_a_policy(world: World) -> str:
    version = version_of(1)
    change(version, effective_from=date(2024, 7, 1))
    return f"{version.label}: its digest or its first day"


@found_by("policies", outside=True)
def the_motion_of_a_policy(world: World) -> str:
    version = version_of(1)
    change(version, motion="Senate minute 2025-06-11, item 5")
    return f"{version.label}: motion is “Senate minute 2025-06-11, item 5”"


@found_by("policies")
def who_adopted_a_policy(world: World) -> str:
    version, other = version_of(1), world.place.person("secretary")
    change(version, adopted_by_id=other.pk)
    return f"{version.label}: adopted by is “{other.record_key}”"


@found_by("policies")
def the_status_of_a_policy(world: World) -> str:
    version = version_of(2)
    change(version, status="superseded")
    return f"{version.label}: status is “superseded”"


@found_by("policies")
def a_policy_adopted_by_its_drafter(world: World) -> str:
    drafter, like = world.place.person("drafter"), version_of(2)
    version = begin_draft(actor=drafter, like=like, effective_from=clock.today() + timedelta(days=30))
    version = propose(actor=drafter, version=version)
    after = {"policy": version.label, "digest": version.digest, "effective_from": version.effective_from.isoformat()}
    record(
        verb=Verb.POLICY_ADOPTED,
        subject=f"policy/{version.policy.key}",
        actor=drafter.as_actor(),
        policy_version=version.label,
        after=after | {"motion": "None."},
    )
    change(version, status="adopted", adopted_by_id=drafter.pk, adopted_at=clock.now(), motion="None.")
    seal_and_sign(now=True)
    return f"{version.label} was adopted by {drafter.record_key}, who drafted it"


# ---- proposals and submissions


@found_by("proposals", outside=True)
def the_state_of_a_proposal(world: World) -> str:
    proposal = world.proposal("declined")
    change(proposal, state="approved")
    return f"{proposal.reference}: state is “approved”"


@found_by("proposals")
def the_author_of_a_proposal(world: World) -> str:
    proposal, other = world.proposal("approved"), world.place.person("stranger")
    change(proposal, author_id=other.pk)
    return f"{proposal.reference}: author is “{other.record_key}”"


@found_by("proposals")
def the_version_that_a_proposal_is_under(world: World) -> str:
    proposal = world.proposal("open")
    change(proposal, policy_version_id=version_of(1).pk)
    return f"{proposal.reference}: policy version is"


@found_by("proposals")
def the_day_on_which_a_proposal_ended(world: World) -> str:
    proposal = world.proposal("approved")
    change(proposal, ended_at=proposal.created_at - timedelta(days=90))
    return f"{proposal.reference}: the time of its end"


@found_by("proposals")
def a_proposal_emptied_without_an_act(world: World) -> str:
    proposal = world.proposal("declined")
    change(proposal, disposed_at=clock.now())
    return f"{proposal.reference}: disposal is"


def revision_of(world: World, name: str, number: int = 1) -> Revision:
    return Revision.objects.get(proposal=world.proposal(name), number=number)


@found_by("revisions", outside=True)
def the_content_of_a_submission(world: World) -> str:
    revision = revision_of(world, "approved")
    change(revision, content_text=revision.content_text.replace('"fee":650', '"fee":65'))
    return f"{world.proposals['approved']}, submission 1: its content"


@found_by("revisions")
def the_content_of_a_submission_with_its_digest(world: World) -> str:
    revision = revision_of(world, "returned", 2)
    content = revision.content.model_copy(
        update={"resources": revision.content.resources.model_copy(update={"fee": 70})}
    )
    change(revision, content_text=content.canonical().decode(), digest=content.digest())
    return f"{world.proposals['returned']}, submission 2: digest is"


@found_by("revisions")
def which_fields_a_submission_changed(world: World) -> str:
    change(revision_of(world, "returned", 2), changed_fields='["need.need"]')
    return f"{world.proposals['returned']}: submission 2: the fields that changed"


@found_by("revisions")
def the_note_of_a_submission(world: World) -> str:
    change(revision_of(world, "approved"), note="No letter is attached.")
    return f"{world.proposals['approved']}, submission 1: note is"


@found_by("attachments", outside=True)
def the_bytes_of_a_file(world: World) -> str:
    with default_storage.open(Attachment.objects.get().stored_name, "wb") as file:
        file.write(b"%PDF-1.7\nanother letter")
    return f"{world.proposals['approved']}, submission 1: the file “letter.pdf” is not the one"


@found_by("attachments", outside=True)
def a_file_deleted(world: World) -> str:
    default_storage.delete(Attachment.objects.get().stored_name)
    return f"{world.proposals['approved']}, submission 1: the file “letter.pdf”"


# ---- decisions


def decision_of(world: World, name: str, number: int = 0) -> Decision:
    return Decision.objects.filter(proposal=world.proposal(name)).order_by("pk")[number]


@found_by("decisions")
def the_outcome_of_a_decision(world: World) -> str:
    change(decision_of(world, "declined"), outcome="approve")
    return f"{world.proposals['declined']}, the decision of the stage “associate-dean”"


@found_by("decisions", outside=True)
def the_reasons_of_a_decision(world: World) -> str:
    change(decision_of(world, "declined"), reasons="The fee is too high.")
    return "reasons is “The fee is too high.” in the table, “The faculty offers it already.” by the events"


@found_by("decisions")
def who_made_a_decision(world: World) -> str:
    other = world.place.person("secretary")
    change(decision_of(world, "approved", 3), by_id=other.pk)
    return f"by is “{other.record_key}” in the table"


@found_by("decisions")
def the_name_on_a_decision(world: World) -> str:
    change(decision_of(world, "approved", 3), by_name="Somebody Else")
    return f"{world.proposals['approved']}: the decision of the stage “senate”"


@found_by("decisions")
def the_day_of_a_decision(world: World) -> str:
    decision = decision_of(world, "approved", 3)
    change(decision, at=decision.at - timedelta(days=3))
    return f"{world.proposals['approved']}, the decision of the stage “senate”"


@found_by("decisions")
def a_checklist(world: World) -> str:
    decision = decision_of(world, "approved", 1)
    text = '[{"key": "outcomes-observable", "text": "?", "clause": "3.7", "required": true, "confirmed": true}]'
    change(decision, checklist=text)
    return f"{world.proposals['approved']}: the checklist of the stage “teaching-centre”"


@found_by("decisions", outside=True)
def the_text_of_a_condition(world: World) -> str:
    change(Condition.objects.get(), text="Name a third instructor.")
    return "conditions is"


@found_by("decisions")
def a_condition_deleted(world: World) -> str:
    remove(Condition.objects.get())
    return "conditions is “[]”"


@found_by("decisions", outside=True)
def a_decision_deleted(world: World) -> str:
    decision = decision_of(world, "declined")
    remove(decision)
    return f"{world.proposals['declined']}: the decision of the stage “associate-dean” on"


@found_by("decisions")
def a_decision_put_in(world: World) -> str:
    decision = decision_of(world, "approved", 3)
    item = decision.item
    item.pk = decision.pk = None
    item.save(force_insert=True)
    decision.item, decision.event_number = item, event_of(Verb.PROPOSAL_CREATED).pk
    decision.save(force_insert=True)
    return f"{world.proposals['approved']}: a decision of the stage “senate” by"


# ---- comments and memos


@found_by("comments", outside=True)
def the_words_of_a_comment(world: World) -> str:
    comment = Comment.objects.earliest("pk")
    change(comment, text="Outcome 3 reads badly.")
    return f"{world.proposals['approved']}: the comment {comment.pk} of"


@found_by("comments")
def who_may_read_a_comment(world: World) -> str:
    comment = Comment.objects.earliest("pk")
    change(comment, audience="everyone")
    return f"the comment {comment.pk} of"


@found_by("comments")
def a_comment_deleted(world: World) -> str:
    comment = Comment.objects.earliest("pk")
    remove(comment)
    return f"{world.proposals['approved']}: the comment {comment.pk} of"


@found_by("memos", outside=True)
def the_file_of_a_memo(world: World) -> str:
    memo = Memo.objects.earliest("pk")
    with default_storage.open(memo.stored_name, "rb") as file:
        content = file.read()
    with default_storage.open(memo.stored_name, "wb") as file:
        file.write(content.replace(b"%%EOF", b"%%EOf"))
    return f"The file of memo {memo.number} is not the one"


@found_by("memos")
def the_file_of_a_memo_deleted(world: World) -> str:
    memo = Memo.objects.earliest("pk")
    default_storage.delete(memo.stored_name)
    return f"memo {memo.number}"


@found_by("memos", outside=True)
def the_digest_of_a_memo(world: World) -> str:
    memo = Memo.objects.earliest("pk")
    with default_storage.open(memo.stored_name, "rb") as file:
        content = file.read() + b"\n"
    other = hashlib.sha256(content).hexdigest()
    change(memo, digest=other, size=len(content))
    default_storage.save(Memo.objects.get(pk=memo.pk).stored_name, ContentFile(content))
    return f"memo {memo.number}: digest is “{other}” in the table"


@found_by("memos")
def a_memo_deleted(world: World) -> str:
    memo = Memo.objects.earliest("pk")
    remove(memo)
    return f"memo {memo.number} was issued on"


@found_by("memos")
def the_decision_of_a_memo(world: World) -> str:
    memo, other = Memo.objects.earliest("pk"), decision_of(world, "second")
    change(memo, decision_id=other.pk)
    return f"memo {memo.number}"


# ---- decisions that nobody was allowed to make, with everything that belongs to them, sealed and signed


def give(world: World, who: str, body: str, duty: Duty) -> User:
    person, registrar = world.place.person(who), world.place.person("administrator").as_actor()
    day = date(2020, 1, 1)
    give_mandate(actor=registrar, person=person, body=world.place.bodies[body], duty=duty, starts_on=day)
    return person


@found_by("law", outside=True)
def the_author_decides(world: World) -> str:
    author = give(world, "author", "ad-hsci", Duty.OFFICER)
    forge(world, world.proposal("open"), stage="associate-dean", by="author")
    return f"was by its author {author.record_key}"


@found_by("law")
def somebody_without_a_mandate_decides(world: World) -> str:
    forge(world, world.proposal("open"), stage="associate-dean", by="stranger")
    return f"was by {world.place.person('stranger').record_key}, who held no duty that day that decides for AD-HSCI"


@found_by("law")
def a_member_who_may_not_decide_decides(world: World) -> str:
    observer = give(world, "observer", "ad-hsci", Duty.MEMBER)
    forge(world, world.proposal("open"), stage="associate-dean", by="observer")
    return f"was by {observer.record_key}, who held no duty that day"


@found_by("law")
def somebody_decides_after_their_mandate(world: World) -> str:
    mandate, registrar = mandate_of(world, "ad-hsci"), world.place.person("administrator").as_actor()
    end_mandate(actor=registrar, mandate=mandate, ends_on=clock.today() - timedelta(days=2), reason="Term.")
    forge(world, world.proposal("open"), stage="associate-dean", by="ad-hsci")
    return f"was by {mandate.user.record_key}, who held no duty that day"


@found_by("law", outside=True)
def a_stage_is_skipped(world: World) -> str:
    forge(world, world.proposal("open"), stage="senate", by="senate", state="approved")
    return "came when it was not this stage’s turn: it was with “associate-dean”"


@found_by("law")
def it_ends_as_approved_too_early(world: World) -> str:
    forge(world, world.proposal("open"), stage="associate-dean", by="ad-hsci", state="approved")
    return "ended it as approved, and “teaching-centre” had still to answer"


@found_by("law")
def one_person_decides_two_stages(world: World) -> str:
    person = give(world, "ad-hsci", "ctl", Duty.REVIEWER)
    forge(world, world.proposal("open"), stage="associate-dean", by="ad-hsci")
    forge(world, world.proposal("open"), stage="teaching-centre", by="ad-hsci")
    return f"was by {person.record_key}, who had decided “associate-dean” before"


@found_by("law")
def a_checklist_is_not_confirmed(world: World) -> str:
    forge(world, world.proposal("open"), stage="associate-dean", by="ad-hsci", confirmed=["need-shown"])
    return "approved without confirming “fits-plans”, “people-and-money”, “units-consulted”"


@found_by("law")
def a_stage_decides_where_it_only_recommends(world: World) -> str:
    forge(world, world.proposal("open"), stage="associate-dean", by="ad-hsci", effect="decide")
    return "has the effect “decide”, which the policy does not give it"


@found_by("proposals")
def a_proposal_that_ended_is_decided(world: World) -> str:
    forge(world, world.proposal("declined"), stage="associate-dean", by="ad-eng")
    return f"{world.proposals['declined']}: decision.approved on"


# ---- the tests


def test_an_untouched_record_holds(copy: World, tmp_path: Path) -> None:
    result = check_database(whole=True, since=[SignedCheckpoint.parse(copy.earlier)])
    assert result.report.failures == []
    assert result.code == 0
    assert {"Proposals: 8, each where its events put it.", "Mandates: 11, each as the events say, to the day."} <= set(
        result.report.held
    )
    report = exported(tmp_path / "export")
    assert report.failures == []


@pytest.mark.parametrize("name", ["approved", "returned", "moved", "draft"])
def test_a_part_of_an_untouched_record_holds(copy: World, tmp_path: Path, name: str) -> None:
    assert exported(tmp_path / "export", copy.proposals[name]).failures == []


@pytest.mark.parametrize("kind", KINDS)
def test_tampering_is_found_and_named(copy: World, tmp_path: Path, kind: str) -> None:
    tampered = KINDS[kind]
    names = tampered.act(copy)
    reports = [checked()]
    if tampered.outside:
        reports.append(exported(tmp_path / "export"))
    for report in reports:
        found = [failure.sentence for failure in report.failures if failure.check == tampered.check]
        assert any(names in sentence for sentence in found), report.failures


def test_a_database_rolled_back_to_yesterday_is_found_by_what_lies_outside(copy: World) -> None:
    """Everything in it fits: only what was signed last, kept beside the key or lodged elsewhere, shows what is gone."""
    lodged = SignedCheckpoint.parse(Checkpoint.objects.latest("size").note)
    keep_only_the_past(Checkpoint.objects.earliest("size"))
    report = check_database(whole=True).report
    assert [failure.check for failure in report.failures if failure.check in ("tree", "order", "key")] == []
    assert f"The log was longer once: {lodged.size} events were signed" in said(report, "head")
    report = check_database(whole=True, since=[lodged]).report
    assert f"a checkpoint over {lodged.size} events was signed" in said(report, "since")


def keep_only_the_past(checkpoint: Checkpoint) -> None:
    """What the log was at a checkpoint."""
    remove(*Checkpoint.objects.filter(size__gt=checkpoint.size))
    for leaf in Leaf.objects.filter(index__gte=checkpoint.size).select_related("event"):
        remove(leaf, leaf.event)


def said(report: Report, check: str) -> str:
    return " ".join(failure.sentence for failure in report.failures if failure.check == check)


def test_a_history_signed_anew_with_the_stolen_key_is_a_fork(copy: World) -> None:
    """Rewritten, sealed and signed with the institution's own key, and the key folder brought into line: a checkpoint
    that somebody else holds shows it."""
    key = keys.load()
    assert key is not None
    rewrite(event_of(Verb.POLICY_ADOPTED), reason="A motion that nobody made.")
    seal_anew(key)
    keys.keep_head(Checkpoint.objects.latest("size").note)
    assert check_database(whole=True).report.failures == []
    report = check_database(whole=True, since=[SignedCheckpoint.parse(copy.earlier)]).report
    assert "The log has forked: an old checkpoint" in said(report, "since")


def test_a_key_that_the_institution_introduced_itself_is_believed(copy: World) -> None:
    new_key(actor=copy.place.person("administrator").as_actor(), reason="A new year.")
    seal_and_sign(now=True)
    old = VerifierKey.parse(event_of(Verb.KEY_INTRODUCED).facts["after"]["key"])
    assert check_database(whole=True, brought=[old]).report.failures == []


def test_what_was_erased_and_disposed_of_by_an_act_holds(copy: World, tmp_path: Path) -> None:
    administrator, person = copy.place.person("administrator"), copy.place.person("ad-eng")
    mandate = mandate_of(copy, "ad-eng")
    end_mandate(actor=administrator.as_actor(), mandate=mandate, ends_on=clock.today(), reason="Retired.")
    with clock.at(clock.now() + timedelta(days=4_000)):
        why = {"authority": "Records schedule 4.2", "reason": "The time is over."}
        declined = copy.proposal("declined")
        dispose(actor=administrator, proposal=declined, plan_digest=disposal_plan(declined).digest, **why)
        erase(actor=administrator, person=person, plan_digest=erasure_plan(person).digest, **why)
        seal_and_sign(now=True)
        assert checked().failures == []
        assert exported(tmp_path / "export").failures == []
        decision = decision_of(copy, "declined")
        assert (decision.by_name, revision_of(copy, "declined").content_text) == ("", "")
        change(decision, by_name="Samira Haddad")
        change(person, erased_at=None, name="Samira Haddad")
        report = checked()
    assert f"{person.record_key} was erased (event" in said(report, "people")
    assert f"{declined.reference}: the decision of the stage “associate-dean”" in said(report, "decisions")


def test_what_was_emptied_without_an_act_does_not_hold(copy: World) -> None:
    change(revision_of(copy, "declined"), content_text="")
    change(Comment.objects.earliest("pk"), text="")
    report = checked()
    assert f"{copy.proposals['declined']}, submission 1: its content" in said(report, "revisions")
    assert f"{copy.proposals['approved']}: the comment" in said(report, "comments")


def test_acts_after_the_last_checkpoint_are_no_alarm_and_are_named(copy: World) -> None:
    proposal = copy.proposal("open")
    copy.place.approve(proposal)
    report = checked()
    assert report.failures == []
    assert any(proposal.reference in remark for remark in report.remarks)
    change(proposal, version=proposal.version + 9)
    assert f"{proposal.reference}: its row counts" in said(checked(), "proposals")
