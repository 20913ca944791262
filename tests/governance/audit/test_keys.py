"""The key that signs the log: made once, kept for its owner's eyes, followed by another, and never made to contradict
what it signed."""

import stat
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, connections, transaction

from governance.audit import actions, keys
from governance.audit.actions import ASSENT, LogWouldFork, new_key, record, seal, seal_and_sign
from governance.audit.keys import NoKey, SigningKey
from governance.audit.models import Checkpoint, Cosignature, Event, Leaf, Pending
from governance.audit.queries import events_of, inclusion_proof, keys_of_log, noted
from governance.audit.verbs import Verb
from governance.audit.verifier import Checkpoint as SignedCheckpoint
from governance.audit.verifier import Note, SignatureLine, VerifierKey, signatures_that_hold
from governance.people.actions import add_person
from tests.conftest import REGISTRAR, drop_triggers, install_triggers

pytestmark = pytest.mark.django_db


def write(count: int = 1, subject: str = "proposal/MC-2026-0001") -> None:
    for _ in range(count):
        with transaction.atomic():
            record(verb=Verb.COMMENT_ADDED, subject=subject, actor=ASSENT)


def signed(count: int = 1) -> Checkpoint:
    """A checkpoint over so many more events and whatever else waits."""
    write(count)
    checkpoint = seal_and_sign(now=True)
    assert checkpoint is not None
    return checkpoint


def key_file() -> Path:
    return Path(settings.KEY_FOLDER) / "log.key"


def restored(checkpoint: Checkpoint) -> None:
    """Bring the database back to what it was after a checkpoint, as restoring a copy would."""
    drop_triggers()
    kept = Leaf.objects.filter(index__lt=checkpoint.size).values_list("event_id", flat=True)
    Checkpoint.objects.filter(size__gt=checkpoint.size).delete()
    gone = Event.objects.exclude(pk__in=list(kept))
    Pending.objects.filter(event__in=gone).delete()
    Leaf.objects.filter(event__in=gone).delete()
    gone.delete()
    install_triggers()


# ---- the file


def test_the_first_signature_makes_a_key_that_only_its_owner_reads_and_the_log_names() -> None:
    checkpoint = signed()
    assert stat.S_IMODE(key_file().stat().st_mode) == 0o600
    assert stat.S_IMODE(key_file().parent.stat().st_mode) == 0o700
    key = keys.load()
    assert key is not None and key.name == settings.LOG_NAME
    assert keys_of_log() == [key.public]
    assert [each.key for each in signatures_that_hold(Note.parse(checkpoint.note), keys_of_log())] == [key.public]
    assert keys.head() == checkpoint.note
    assert sorted(path.name for path in key_file().parent.iterdir()) == ["log.head", "log.key"]


def test_keys_are_read_back_whatever_their_bytes() -> None:
    """Base64 has plus signs of its own."""
    made = [SigningKey.new("a.example/record") for _ in range(64)]
    assert any("+" in str(key).split("+", 4)[4] for key in made)
    for key in made:
        assert SigningKey.parse(f"{key}\n").public == key.public
        assert VerifierKey.parse(str(key.public)) == key.public


@pytest.mark.parametrize("name", ["", "two words", "a+b", "line\nbreak"])
def test_a_name_that_no_signature_line_could_carry_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no spaces and no plus sign"):
        SigningKey.new(name)


def test_a_key_that_others_can_read_does_not_sign() -> None:
    signed()
    key_file().chmod(0o604)
    write()
    with pytest.raises(NoKey, match=r"log\.key can be read by others than its owner\. Run: chmod 600 "):
        seal_and_sign(now=True)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"PRIVATE+KEY+a",
        b"PRIVATE+KEY++00000000+AAAA",
        b"PRIVATE+KEY+a+00000000+" + b"A" * 44,
        b"x" * 9999,
    ],
)
def test_a_file_that_is_no_key_gets_a_sentence(content: bytes) -> None:
    signed()
    key_file().write_bytes(content)
    with pytest.raises(NoKey, match=r"log\.key cannot be used: "):
        keys.load()


def test_a_key_copied_wrongly_gets_a_sentence() -> None:
    signed()
    whole = key_file().read_text()
    key_file().write_text(whole.replace(settings.LOG_NAME, "other.example/record"))
    with pytest.raises(NoKey, match="copied wrongly"):
        keys.load()


def test_a_folder_in_the_keys_place_gets_a_sentence() -> None:
    key_file().mkdir(parents=True, mode=0o700)
    write()
    with pytest.raises(NoKey, match=r"log\.key cannot be used: .*directory"):
        seal_and_sign(now=True)


def test_a_missing_key_is_not_made_anew_for_a_log_that_has_one() -> None:
    signed()
    key_file().unlink()
    write()
    with pytest.raises(NoKey, match=r"is not in .*Bring it back"):
        seal_and_sign(now=True)
    assert not key_file().exists()


def test_a_key_of_another_log_does_not_sign() -> None:
    checkpoint = signed()
    keys.keep(SigningKey.new(settings.LOG_NAME))
    write()
    with pytest.raises(NoKey, match="a key that this log does not know"):
        seal_and_sign(now=True)
    assert Checkpoint.objects.get() == checkpoint
    assert len(keys_of_log()) == 1


def test_a_damaged_head_gets_a_sentence() -> None:
    signed()
    (key_file().parent / "log.head").write_text("half a check")
    write()
    with pytest.raises(NoKey, match=r"log\.head cannot be used: This is not a signed note"):
        seal_and_sign(now=True)


# ---- another key


def test_after_a_rotation_old_checkpoints_verify_and_the_old_key_vouches_for_the_new() -> None:
    first = signed()
    old = keys.load()
    assert old is not None
    new = new_key(actor=REGISTRAR, reason="The administrator who knew it has left.")
    last = signed()

    assert str(keys.load()) == str(new) and keys_of_log() == [old.public, new.public]
    event = events_of("log").last()
    assert event is not None and event.reason == "The administrator who knew it has left."
    assert event.facts["after"] == {"key": str(new.public), "previous": str(old.public)}

    def signer_of(checkpoint: Checkpoint) -> list[VerifierKey]:
        return [each.key for each in signatures_that_hold(Note.parse(checkpoint.note), [old.public, new.public])]

    vouching = Checkpoint.objects.order_by("size")[1]
    assert [signer_of(first), signer_of(vouching), signer_of(last)] == [[old.public], [old.public], [new.public]]
    assert inclusion_proof(event, vouching).holds_for(bytes(event.body))
    retired = key_file().with_name(f"log.key.{old.public.id.hex()}.retired")
    assert SigningKey.parse(retired.read_text()).public == old.public
    assert stat.S_IMODE(retired.stat().st_mode) == 0o600


class Killed(BaseException):
    pass


@pytest.mark.parametrize("step", ["keep_next", "record", "seal_and_sign", "promote"])
@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
def test_a_rotation_that_was_killed_goes_on_with_the_same_key(
    monkeypatch: pytest.MonkeyPatch, step: str, done: bool
) -> None:
    signed()
    old = keys.load()
    place: Any = keys if hasattr(keys, step) else actions
    real = getattr(place, step)

    def killed(*given: Any, **named: Any) -> None:
        if done:
            real(*given, **named)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(place, step, killed)
        with pytest.raises(Killed):
            new_key(actor=ASSENT, reason="once a year")
    # Whatever the moment, there is a key that signs.
    signed()
    begun = keys.load_next()
    if step == "promote" and done:
        assert str(keys.load()) != str(old)
        return
    new = new_key(actor=ASSENT, reason="once a year")
    assert begun is None or new.public == begun.public
    assert str(keys.load()) == str(new) and keys.load_next() is None
    assert signatures_that_hold(Note.parse(signed().note), [new.public])
    assert keys_of_log()[1:] == [new.public]


def test_a_rotation_without_the_old_key_is_refused() -> None:
    signed()
    key_file().unlink()
    with pytest.raises(NoKey, match="Bring it back"):
        new_key(actor=ASSENT, reason="lost")
    assert len(keys_of_log()) == 1 and not key_file().exists()


# ---- a restored database


def test_a_database_restored_from_an_older_copy_signs_nothing() -> None:
    early = signed(3)
    late = signed(2)
    restored(early)
    write(4)
    with pytest.raises(LogWouldFork, match=f"signed over {late.size} events, and this database, with"):
        seal_and_sign(now=True)
    with pytest.raises(LogWouldFork):
        new_key(actor=ASSENT, reason="trying the wrong thing")
    assert Checkpoint.objects.get() == early
    assert keys.head() == late.note


def test_a_database_that_lost_only_its_last_checkpoint_goes_on() -> None:
    """Killed between signing and committing; the log itself is whole."""
    late = signed(3)
    drop_triggers()
    Checkpoint.objects.all().delete()
    install_triggers()
    again = seal_and_sign(now=True)
    assert again is not None and again.size >= late.size


def test_after_a_loss_the_log_goes_on_under_another_name_and_says_what_was_lost() -> None:
    early = signed(3)
    late = signed(2)
    restored(early)
    write(4)
    seal()
    with pytest.raises(ValueError, match="goes on under another name"):
        new_key(actor=REGISTRAR, reason="restored", lost=True)
    with pytest.raises(ValueError, match="goes on under another name"):
        new_key(actor=REGISTRAR, reason="restored", lost=True, name=settings.LOG_NAME)
    key = new_key(actor=REGISTRAR, reason="Restored from Monday's copy.", lost=True, name="a.example/record-2")
    after = signed()
    assert SignedCheckpoint.parse(after.note).origin == "a.example/record-2"
    assert [each.key for each in signatures_that_hold(Note.parse(after.note), keys_of_log())] == [key.public]
    event = events_of("log").last()
    assert event is not None and event.facts["after"]["lost_head"] == late.note
    assert keys.head() == after.note
    # From here on the new name is guarded like the old one.
    restored(early)
    write()
    with pytest.raises((LogWouldFork, NoKey)):
        seal_and_sign(now=True)


def test_after_the_key_is_gone_for_good_the_log_goes_on_under_another_name() -> None:
    signed(3)
    key_file().unlink()
    new_key(actor=ASSENT, reason="The disk broke.", lost=True, name="a.example/record-2")
    assert SignedCheckpoint.parse(signed().note).origin == "a.example/record-2"


def test_a_log_that_lost_nothing_keeps_its_name() -> None:
    signed()
    with pytest.raises(ValueError, match="nothing was lost"):
        new_key(actor=ASSENT, reason="by mistake", lost=True, name="a.example/record-2")
    assert len(keys_of_log()) == 1


# ---- on the command line


def said(*given: str) -> str:
    out = StringIO()
    call_command("audit", *given, stdout=out)
    return out.getvalue()


def test_key_prints_every_key_oldest_first() -> None:
    with pytest.raises(CommandError, match="no key yet"):
        said("key")
    signed()
    said("key", "new", "--reason", "once a year")
    assert said("key").splitlines() == [str(key) for key in keys_of_log()]
    assert len(keys_of_log()) == 2


def test_key_new_records_who_and_why() -> None:
    person = add_person(actor=REGISTRAR, email="ada@kawartha.example", name="Ada Roy", password="a-long-password")
    signed()
    assert said("key", "new", "--reason", "once a year", "--by", "Ada@kawartha.example") == f"{keys_of_log()[-1]}\n"
    event = events_of("log").last()
    assert event is not None and (event.actor, event.actor_name) == (person.record_key, "Ada Roy")
    with pytest.raises(CommandError, match=r"Nobody signs in with nobody@kawartha\.example\."):
        said("key", "new", "--reason", "once a year", "--by", "nobody@kawartha.example")
    with pytest.raises(CommandError, match="No key was introduced: nothing was lost"):
        said("key", "new", "--reason", "by mistake", "--after-loss", "--name", "a.example/2")


# ---- witnesses


def witnessed(checkpoint: Checkpoint, witness: SigningKey) -> str:
    """The checkpoint as it comes back from a witness: with its line under ours."""
    note = Note.parse(checkpoint.note)
    own = witness.sign(note.text, moment=checkpoint.at).signatures[1]
    assert own.id == witness.public.as_cosigner.id
    return str(Note(note.text, (*note.signatures, own)))


def test_cosign_keeps_a_witness_line_once(tmp_path: Path) -> None:
    checkpoint, witness, other = signed(), SigningKey.new("w.example/east"), SigningKey.new("w.example/west")
    policy = key_file().with_name("witnesses.tlog-policy")
    policy.write_text(f"witness east {witness.public.as_cosigner}\nquorum east\n")
    note = tmp_path / "note.txt"
    note.write_text(witnessed(checkpoint, witness))
    sentence = f"w.example/east signed the checkpoint over {checkpoint.size} events.\n"
    assert said("cosign", str(note)) == sentence == said("cosign", str(note))
    assert Cosignature.objects.get().witness == "w.example/east"
    assert noted(checkpoint) == note.read_text()
    held = signatures_that_hold(Note.parse(noted(checkpoint)), [witness.public.as_cosigner])
    assert [one.moment for one in held] == [int(checkpoint.at.timestamp())]

    note.write_text(witnessed(checkpoint, other))
    with pytest.raises(CommandError, match=r"note\.txt: No known witness signed this checkpoint\."):
        said("cosign", str(note))
    note.write_text(witnessed(checkpoint, witness).replace(f"\n{checkpoint.size}\n", "\n99\n"))
    with pytest.raises(CommandError, match=r"This is not a checkpoint of this log\."):
        said("cosign", str(note))
    damaged = Note.parse(witnessed(checkpoint, witness))
    line = damaged.signatures[-1]
    wrong = SignatureLine(line.name, line.id, line.signature[:-1] + bytes([line.signature[-1] ^ 1]))
    note.write_text(str(Note(damaged.text, (*damaged.signatures[:-1], wrong))))
    with pytest.raises(CommandError, match=r"does not fit the text above it\."):
        said("cosign", str(note))
    assert Cosignature.objects.count() == 1


def test_cosign_says_what_is_wrong_with_the_policy(tmp_path: Path) -> None:
    checkpoint = signed()
    note = tmp_path / "note.txt"
    note.write_text(checkpoint.note)
    with pytest.raises(CommandError, match=r"witnesses\.tlog-policy cannot be read: No such file or directory\."):
        said("cosign", str(note))
    key_file().with_name("witnesses.tlog-policy").write_text("witness east nobody\n")
    with pytest.raises(CommandError, match=r"witnesses\.tlog-policy: Line 1 of the witness policy: "):
        said("cosign", str(note))


# ---- several at once


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_several_that_sign_at_once_sign_one_history() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")

    def work(number: int) -> None:
        for _ in range(6):
            write(1, f"proposal/MC-2026-{number:04}")
            seal_and_sign(now=True)
        connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert len(keys_of_log()) == 1
    last = seal_and_sign(now=True)
    assert last is not None
    for checkpoint in Checkpoint.objects.all():
        assert signatures_that_hold(Note.parse(checkpoint.note), keys_of_log())
    assert keys.head() == last.note
