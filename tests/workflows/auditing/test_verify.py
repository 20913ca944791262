"""Checking the record in the database: what an owner of the database could alter is found, told and mailed."""

import json
import logging
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from governance import clock
from governance.audit import keys
from governance.audit.actions import ASSENT, new_key, record, seal, seal_and_sign
from governance.audit.models import Checkpoint, Event, Leaf, Pending, Tile
from governance.audit.queries import noted
from governance.audit.verbs import Verb
from governance.audit.verifier import FAILS, HOLDS, UNREADABLE, UNTIED, leaf_hash
from governance.people.models import User
from tests.conftest import Institution, drop_triggers, install_triggers
from tests.governance.audit.packages import Log, Signer, witness
from workflows.auditing.actions import checks
from workflows.auditing.checking import check_database
from workflows.auditing.models import Verification
from workflows.notices.models import Outbox

pytestmark = pytest.mark.django_db


def write(how_many: int = 1) -> None:
    for _ in range(how_many):
        with transaction.atomic():
            record(verb=Verb.RECORD_EXPORTED, subject="record", actor=ASSENT)


def sealed(institution: Institution, events: int = 0) -> None:
    """A record with a decision in it, and as many more events as asked, under two checkpoints."""
    institution.at_stage("teaching-centre")
    seal_and_sign(now=True)
    write(events)
    seal_and_sign(now=True)


def verify(*options: str) -> tuple[int, dict[str, Any]]:
    """What `manage.py audit verify` ends with, and what it says."""
    out = StringIO()
    try:
        call_command("audit", "verify", "--json", *options, stdout=out)
    except SystemExit as end:
        return int(str(end.code)), json.loads(out.getvalue())
    return HOLDS, json.loads(out.getvalue())


def checks_of(answer: dict[str, Any]) -> set[str]:
    return {each["check"] for each in answer["failures"]}


def altered(change: Callable[[], object]) -> None:
    """Do what only an owner of the database can."""
    drop_triggers()
    try:
        change()
    finally:
        install_triggers()


def test_a_record_kept_by_the_acts_holds(institution: Institution) -> None:
    sealed(institution)
    code, answer = verify("--whole")
    assert (code, answer["failures"]) == (HOLDS, [])
    assert answer["tied"]
    assert answer["size"] == answer["events"] == Leaf.objects.count()
    kept = Verification.objects.get()
    assert (kept.holds, kept.whole, kept.size, kept.checked) == (True, True, answer["size"], answer["events"])
    assert {"holds": True, "sentence": "No event stands in the table past the record."} in kept.findings


def test_a_check_goes_on_where_the_last_one_ended(institution: Institution) -> None:
    sealed(institution)
    size = verify()[1]["size"]
    write(3)
    seal_and_sign(now=True)
    code, answer = verify()
    assert (code, answer["events"], answer["size"]) == (HOLDS, 3, size + 3)
    assert [(each.whole, each.checked) for each in Verification.objects.order_by("pk")] == [(True, size), (False, 3)]
    # After one that found something, the next one looks at everything again.
    Verification.objects.update(holds=False)
    assert verify()[1]["events"] == size + 3
    # And after one whose log is not this one.
    Verification.objects.update(frontier=Verification.objects.last().frontier | {"hashes": []})  # type: ignore[union-attr]
    assert verify()[1]["events"] == size + 3


def test_an_empty_record_holds(db: None) -> None:
    code, answer = verify()
    assert (code, answer["holds"][0]) == (HOLDS, "The record is empty.")


def set_body(event: Event, body: bytes) -> None:
    """Change an event and whatever hangs on it in its own row."""
    Event.objects.filter(pk=event.pk).update(body=body, leaf=leaf_hash(body))


def first() -> Event:
    return Event.objects.order_by("pk")[5]


ALTERATIONS: dict[str, tuple[Callable[[], object], set[str]]] = {
    "body": (
        lambda: Event.objects.filter(pk=first().pk).update(body=bytes(first().body).replace(b"person", b"xerson")),
        {"columns", "tree"},
    ),
    "body and leaf": (
        lambda: set_body(first(), bytes(first().body).replace(b'"version":1', b'"version": 1')),
        {"event", "tree", "tiles"},
    ),
    "verb": (lambda: Event.objects.filter(pk=first().pk).update(verb="unit.added"), {"columns"}),
    "time": (lambda: Event.objects.filter(pk=first().pk).update(at=F("at") + timedelta(seconds=1)), {"columns"}),
    "name": (lambda: Event.objects.exclude(actor="system").update(actor_name="Somebody Else"), {"columns"}),
    "name emptied": (lambda: Event.objects.filter(actor__startswith="person/").update(actor_name=""), {"columns"}),
    "body code": (lambda: Event.objects.filter(pk=first().pk).update(body_code="OTHER"), {"columns"}),
    "policy": (lambda: Event.objects.filter(pk=first().pk).update(policy_version="another 9"), {"columns"}),
    "past the record": (lambda: Pending.objects.all().delete(), {"stray"}),
    "two leaves swapped": (lambda: swap_leaves(), {"tree"}),
    "last leaf gone": (lambda: Leaf.objects.order_by("-index")[:1].get().delete(), {"stray", "head"}),
    "tile": (lambda: Tile.objects.update(root=bytes(32)), {"tiles"}),
    "tile gone": (lambda: Tile.objects.all().delete(), {"tiles"}),
    "tile too many": (lambda: Tile.objects.create(level=1, index=0, hashes=b"", root=b""), {"tiles"}),
    "checkpoint's root": (lambda: Checkpoint.objects.update(root=bytes(32)), {"columns"}),
    "checkpoint gone": (lambda: last_checkpoint().delete(), set()),
    "checkpoint": (
        lambda: Checkpoint.objects.filter(pk=last_checkpoint().pk).update(note=forged_note()),
        {"checkpoint"},
    ),
}


def last_checkpoint() -> Checkpoint:
    return Checkpoint.objects.latest("size")


def forged_note() -> str:
    """The last checkpoint with a signature that is not one."""
    note = last_checkpoint().note
    return note[:-20] + ("A" if note[-20] != "A" else "B") + note[-19:]


def swap_leaves() -> None:
    one, other = Leaf.objects.order_by("index")[2:4]
    numbers = one.event_id, other.event_id
    Leaf.objects.filter(index__in=[one.index, other.index]).delete()
    Leaf.objects.create(index=one.index, event_id=numbers[1])
    Leaf.objects.create(index=other.index, event_id=numbers[0])


def test_what_the_owner_of_the_database_alters_is_found(institution: Institution) -> None:
    sealed(institution, events=256)
    write()
    for name, (change, expected) in ALTERATIONS.items():
        with transaction.atomic():
            altered(change)
            code, answer = verify("--whole")
            transaction.set_rollback(True)
        # Without its checkpoint the end of the log is sealed and not signed, which is no fault.
        assert (name, code) == (name, FAILS if expected else HOLDS)
        assert expected <= checks_of(answer), name
    assert verify("--whole")[0] == HOLDS


def test_a_log_cut_short_is_found_from_outside(institution: Institution, tmp_path: Path) -> None:
    """Whoever cuts the database and the key folder alike is betrayed by a checkpoint that somebody else holds."""
    sealed(institution)
    lodged = tmp_path / "mail.txt"
    lodged.write_text(f"Keep this.\n\n{noted(Checkpoint.objects.latest('size'))}")
    assert verify("--since", str(lodged))[0] == HOLDS
    size = Checkpoint.objects.order_by("size")[:1].get().size

    def cut() -> None:
        Checkpoint.objects.filter(size__gt=size).delete()
        gone = list(Leaf.objects.filter(index__gte=size).values_list("event_id", flat=True))
        Leaf.objects.filter(index__gte=size).delete()
        Event.objects.filter(pk__in=gone).delete()

    altered(cut)
    code, answer = verify()
    assert (code, checks_of(answer)) == (FAILS, {"head"})
    keys.keep_head("")
    assert verify()[0] == HOLDS
    code, answer = verify("--since", str(lodged))
    assert (code, checks_of(answer)) == (FAILS, {"since"})
    assert answer["outcome"].startswith("The record does not hold. The log was longer once")


def test_a_new_key_is_good_because_the_old_one_vouched(institution: Institution, tmp_path: Path) -> None:
    sealed(institution)
    old = str(keys.load().public)  # type: ignore[union-attr]
    verify()
    new_key(actor=ASSENT, reason="yearly")
    write()
    seal_and_sign(now=True)
    assert verify()[0] == HOLDS
    assert verify("--whole")[0] == HOLDS
    assert verify("--whole", "--key", old)[0] == HOLDS


def test_without_its_key_the_record_is_not_tied(institution: Institution) -> None:
    sealed(institution)
    (keys.folder() / keys.KEY_FILE).rename(keys.folder() / "elsewhere")
    assert verify()[0] == UNTIED
    assert Verification.objects.get().holds


def test_an_erased_name_is_no_alteration(institution: Institution) -> None:
    sealed(institution)
    person = institution.person("author")
    altered(lambda: Event.objects.filter(actor=person.record_key).update(actor_name=""))
    assert "columns" in checks_of(verify("--whole")[1])
    User.objects.filter(pk=person.pk).update(erased_at=clock.now(), salt=b"")
    assert "columns" not in checks_of(verify("--whole")[1])


def test_the_institutions_witness_policy_is_held_to(institution: Institution) -> None:
    sealed(institution)
    (keys.folder() / "witnesses.tlog-policy").write_text(f"witness w {witness(50).key}\nquorum w\n")
    code, answer = verify()
    assert (code, checks_of(answer)) == (FAILS, {"witnesses"})
    (keys.folder() / "witnesses.tlog-policy").write_text("quorum w\n")
    code, answer = verify()
    assert (code, answer["failures"][0]["sentence"]) == (
        UNREADABLE,
        "Line 1 of the witness policy: No line above says who w is.",
    )


def test_what_waits_is_counted_and_not_a_fault(institution: Institution) -> None:
    sealed(institution)
    write(2)
    code, answer = verify()
    assert code == HOLDS
    assert any("2 events wait to be sealed" in remark for remark in answer["remarks"])
    seal()
    assert verify("--whole")[0] == HOLDS


def test_an_export_is_checked_by_the_same_rules(institution: Institution, tmp_path: Path) -> None:
    sealed(institution)
    log = Log(signer=Signer("elsewhere.example/record"))
    log.event()
    log.sign()
    package = str(log.write(tmp_path / "export"))
    code, answer = verify(package)
    assert (code, checks_of(answer) >= {"key"}) == (FAILS, True)
    assert "elsewhere.example/record" in answer["outcome"]
    assert "key" not in checks_of(verify(package, "--key", str(log.signer.key))[1])
    assert verify(str(tmp_path / "nowhere"))[0] == UNREADABLE
    assert Verification.objects.count() == 0


def test_people_are_answered_in_sentences(institution: Institution) -> None:
    sealed(institution)
    out = StringIO()
    call_command("audit", "verify", stdout=out)
    assert out.getvalue().startswith("The record holds.\n  Holds: ")
    with pytest.raises(SystemExit) as end:
        call_command("audit", "verify", "--key", "nonsense", stdout=out)
    assert end.value.code == UNREADABLE


# ---- the nightly check


def test_the_nightly_check_goes_on_and_begins_anew_once_a_week(institution: Institution) -> None:
    sealed(institution)
    begun = clock.now()
    wholes = []
    for hours in (0, 1, 24, 48, 72, 96, 120, 144, 168, 192):
        with time_machine.travel(begun + timedelta(hours=hours), tick=False):
            kept = checks.check_if_due()
            wholes.append(kept.whole if kept else None)
    assert wholes == [True, None, False, False, False, False, False, False, True, False]


def test_what_does_not_hold_is_mailed_to_administrators_once_a_day(
    institution: Institution, caplog: pytest.LogCaptureFixture
) -> None:
    sealed(institution)
    User.objects.filter(pk=institution.person("author").pk).update(is_staff=True)
    staff = set(User.objects.filter(is_staff=True, is_active=True).values_list("email", flat=True))
    altered(lambda: Event.objects.filter(pk=first().pk).update(verb="unit.added"))

    def mails() -> list[Outbox]:
        return list(Outbox.objects.filter(task="notices.send_mail", key__startswith="record-check:"))

    with caplog.at_level(logging.ERROR, logger="assent.record"):
        checks.keep(checked=check_database(whole=True))
        checks.keep(checked=check_database(whole=True))
    assert {row.payload["to"] for row in mails()} == staff
    assert len(mails()) == len(staff)
    assert "the column “verb” is not what its body says" in mails()[0].payload["text"]
    assert "the record does not hold" in caplog.text
    with time_machine.travel(clock.now() + timedelta(days=1), tick=False):
        checks.keep(checked=check_database(whole=True))
    assert len(mails()) == 2 * len(staff)


def test_checking_asks_the_database_little(institution: Institution) -> None:
    """A query for each thousands of events, not for each."""
    sealed(institution, events=30)
    with CaptureQueriesContext(connection) as few:
        check_database(whole=True)
    write(100)
    seal_and_sign(now=True)
    with CaptureQueriesContext(connection) as many:
        check_database(whole=True)
    assert len(many) <= len(few) + 2
