"""Packages for auditors: what is in one, that it holds for a stranger, and how it is asked for, made and fetched."""

import hashlib
import json
import shutil
import subprocess
import sys
import warnings
import zipfile
from datetime import date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from governance.audit.actions import ASSENT, seal_and_sign
from governance.audit.models import Event
from governance.audit.verbs import Verb
from governance.people.actions import change_person
from governance.people.models import User
from governance.refusals import Incomplete, NotPermitted, NotPossible
from tests.conftest import Institution
from workflows.auditing.actions import exports
from workflows.auditing.actions.erasure import place_hold
from workflows.auditing.exporting import package as packages
from workflows.auditing.exporting.package import Package
from workflows.auditing.exporting.packing import pack
from workflows.auditing.exporting.selection import Selection
from workflows.auditing.models import Export
from workflows.auditing.source import TABLES, DatabaseSource, Scope
from workflows.memos.actions import issue
from workflows.notices.actions import deliver_due
from workflows.proposals.actions import attach
from workflows.proposals.models import Audience, Proposal
from workflows.review import actions as review

pytestmark = [pytest.mark.django_db, pytest.mark.once]

PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\n%%EOF\n"
SECRET = PDF + b"the budget of a partner"
EVERYTHING = Selection()


@pytest.fixture(autouse=True)
def _workshop(settings: Any, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path / "var"


def proposal_with_files(place: Institution) -> Proposal:
    """Decided once, with a comment, and two files of which one is confidential."""
    proposal = place.draft()
    author = place.person("author")
    attach(actor=author, proposal=proposal, name="letter.pdf", file=BytesIO(PDF))
    attach(actor=author, proposal=proposal, name="budget.pdf", file=BytesIO(SECRET), confidential=True)
    proposal.refresh_from_db()
    review.submit(actor=author, proposal=proposal, seen=proposal.version)
    place.approve(proposal)
    say(place, proposal, "Outcome 3 reads well.")
    return Proposal.objects.get(pk=proposal.pk)


def say(place: Institution, proposal: Proposal, text: str, who: str = "ctl") -> None:
    review.comment(actor=place.person(who), proposal=proposal, audience=Audience.REVIEWERS, text=text)


def written(folder: Path, selection: Selection = EVERYTHING) -> Path:
    package = Package(folder, selection)
    package.begin(exports.checkpoint_now())
    for _progress in package.write():
        pass
    return folder


def check(folder: Path) -> None:
    """What a stranger does who has the package, Python, and the key: it must hold."""
    key = DatabaseSource().keys()[-1]
    program = folder / "verify.py" if folder.is_dir() else unpacked_verifier(folder)
    command = [sys.executable, "-I", "-S", str(program), str(folder), "--key", key]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={})
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr


def unpacked_verifier(packed: Path) -> Path:
    with zipfile.ZipFile(packed) as archive:
        return Path(archive.extract("verify.py", packed.parent / "unpacked"))


def rows(folder: Path, table: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / f"{table}.jsonl").read_text().splitlines()]


def manifest(folder: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return read


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


# ---- what is in a package


def test_everything_holds_for_a_stranger_with_python_and_the_key(institution: Institution, tmp_path: Path) -> None:
    proposal_with_files(institution)
    folder = written(tmp_path / "package")
    told = manifest(folder)
    assert told["format"] == "assent-record/1"
    assert told["scope"]["words"] == "everything"
    assert told["events"] == told["size"] == len((folder / "events/000000000000.txt").read_bytes().splitlines())
    for name, file in told["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == file["sha256"]
    assert set(told["files"]) | {"manifest.json"} == names(folder)
    check(folder)


def test_part_holds_its_proposal_alone(institution: Institution, tmp_path: Path) -> None:
    wanted = proposal_with_files(institution)
    other = institution.at_stage("teaching-centre", author="author-eng", unit="ENG")
    say(institution, other, "Only for those who review the other one.")
    admin = institution.person("senate")
    admin.is_staff = True
    change_person(actor=ASSENT, person=admin, fields=["is_staff"])
    place_hold(actor=admin, on=wanted, reason="A lawsuit that nobody is told of.")
    folder = written(tmp_path / "package", Selection(references=(wanted.reference,)))
    check(folder)
    assert [row["proposal"] for row in rows(folder, "proposals")] == [wanted.reference]
    for name in names(folder):
        held = (folder / name).read_bytes()
        assert other.reference.encode() not in held, name
        assert b"Only for those who review" not in held, name
        assert b"A lawsuit that nobody is told of" not in held, name
    # Whoever did not act in it has no row that opens their name.
    people = {row["person"] for row in rows(folder, "people")}
    assert institution.people["author"].record_key in people
    assert institution.people["author-eng"].record_key not in people
    assert institution.people["stranger"].record_key not in people


def test_confidential_file_is_left_out_and_the_package_still_holds(institution: Institution, tmp_path: Path) -> None:
    proposal_with_files(institution)
    folder = written(tmp_path / "package")
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in (("letter", PDF), ("budget", SECRET))}
    assert [path.name for path in (folder / "attachments").iterdir()] == [digests["letter"]]
    assert manifest(folder)["left_out"] == [f"attachments/{digests['budget']}"]
    assert b"the budget of a partner" not in b"".join((folder / name).read_bytes() for name in names(folder))
    check(folder)


def test_without_files_it_holds_and_has_none(institution: Institution, tmp_path: Path) -> None:
    proposal_with_files(institution)
    folder = written(tmp_path / "package", Selection(with_files=False))
    assert not (folder / "attachments").exists() and not (folder / "memos").exists()
    check(folder)


def test_file_that_is_gone_is_named_and_fails_the_check(institution: Institution, tmp_path: Path) -> None:
    proposal_with_files(institution)
    shutil.rmtree(tmp_path / "files" / "attachments")
    folder = written(tmp_path / "package")
    gone = f"attachments/{hashlib.sha256(PDF).hexdigest()}"
    assert manifest(folder)["missing"] == [gone]
    assert gone in (folder / "index.html").read_text()
    with pytest.raises(AssertionError, match="is missing"):
        check(folder)


def test_erased_people_have_no_row(institution: Institution, tmp_path: Path) -> None:
    gone = institution.people["stranger"]
    # An erasure is another test's matter; here it only counts that there was one.
    User.objects.filter(pk=gone.pk).update(erased_at=datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC")))
    folder = written(tmp_path / "package")
    assert gone.record_key not in {row["person"] for row in rows(folder, "people")}


def test_period_takes_the_proposals_with_an_event_on_its_days(institution: Institution, settings: Any) -> None:
    zone = ZoneInfo(settings.TIME_ZONE)
    with time_machine.travel(datetime(2026, 3, 1, 23, 59, tzinfo=zone), tick=False):
        before = institution.submitted()
    with time_machine.travel(datetime(2026, 3, 2, 0, 0, tzinfo=zone), tick=False):
        first = institution.submitted()
    with time_machine.travel(datetime(2026, 3, 3, 23, 59, tzinfo=zone), tick=False):
        last = institution.submitted()
    with time_machine.travel(datetime(2026, 3, 4, 0, 0, tzinfo=zone), tick=False):
        after = institution.submitted()
        say(institution, before, "Only now.", who="ad-hsci")
        checkpoint = exports.checkpoint_now()
    days = Selection(first=date(2026, 3, 2), last=date(2026, 3, 3))
    assert days.scope(checkpoint).references == {first.reference, last.reference}
    assert after.reference in (
        Selection(first=date(2026, 3, 4), last=date(2026, 3, 4)).scope(checkpoint).references or ()
    )


def test_acts_after_the_checkpoint_do_not_spoil_it(institution: Institution, tmp_path: Path) -> None:
    proposal = proposal_with_files(institution)
    package = Package(tmp_path / "package", EVERYTHING)
    package.begin(exports.checkpoint_now())
    institution.approve(proposal)
    institution.submitted()
    seal_and_sign(now=True)
    for _progress in package.write():
        pass
    check(package.folder)


def test_index_page_names_what_is_in_it_and_needs_nothing_else(institution: Institution, tmp_path: Path) -> None:
    proposal = proposal_with_files(institution)
    text = (written(tmp_path / "package") / "index.html").read_text()
    assert proposal.reference in text and "Applied Data Stewardship" in text
    assert "python3 verify.py . --key KEY" in text
    assert f'href="attachments/{hashlib.sha256(PDF).hexdigest()}" download="letter.pdf"' in text
    assert "<script" not in text and "http://" not in text and "https://" not in text
    assert "One confidential file is left out." in text


def test_index_page_of_a_large_package_is_no_longer(
    institution: Institution, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proposal_with_files(institution)
    monkeypatch.setattr("workflows.auditing.exporting.index.MOST_PROPOSALS", 0)
    monkeypatch.setattr("workflows.auditing.exporting.index.MOST_FILES", 3)
    text = (written(tmp_path / "package") / "index.html").read_text()
    assert "Applied Data Stewardship" not in text
    assert "more are named in manifest.json" in text and "decisions.jsonl" not in text


def test_rows_and_events_cost_as_many_questions_however_many_there_are(institution: Institution) -> None:
    def questions() -> int:
        source = DatabaseSource()
        with CaptureQueriesContext(
            connection,
        ) as asked:
            found = [list(source.rows(table)) for table in TABLES] + [list(source.events())]
        assert all(found)
        return len(asked)

    def fill() -> None:
        proposal = proposal_with_files(institution)
        with warnings.catch_warnings():
            # WeasyPrint leaves it to the garbage collector to close its colour profile.
            warnings.simplefilter("ignore", ResourceWarning)
            issue(decision_id=institution.approve(proposal).pk)
        seal_and_sign(now=True)

    fill()
    few = questions()
    fill()
    assert questions() == few


# ---- written by a process that may be killed


@pytest.mark.parametrize("files", [1, 5, 12, 15])
def test_second_run_goes_on_at_the_checkpoint_of_the_first(
    institution: Institution, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: int
) -> None:
    monkeypatch.setattr(packages, "EVENTS_A_FILE", 20)
    proposal = proposal_with_files(institution)
    folder = tmp_path / "package"
    first = Package(folder, EVERYTHING)
    first.begin(exports.checkpoint_now())
    size = first.head["size"]
    progress = first.write()
    seen = [next(progress).file for _ in range(files)]
    # What a process leaves that was killed: half a file, half a line, and a line about a file that is not there yet.
    (folder / "comments.jsonl.part").write_bytes(b"{")
    with (folder / packages.JOURNAL).open("ab") as journal:
        journal.write(b'{"file":"events/000000009999.txt","size":1,"sha256":"00","rows":1}\n')
        journal.write(b'{"file":"half') if files % 2 else None
    written_then = {name: (folder / name).stat().st_mtime_ns for name in seen}
    institution.approve(proposal)
    second = Package(folder, EVERYTHING)
    assert second.is_begun and second.head["size"] == size
    later = [each.file for each in second.write()]
    assert set(seen).isdisjoint(later)
    assert {name: (folder / name).stat().st_mtime_ns for name in seen} == written_then
    assert "events/000000009999.txt" not in manifest(folder)["files"]
    (folder / "comments.jsonl.part").unlink(missing_ok=True)
    check(folder)


def test_folder_of_something_else_is_left_alone(institution: Institution, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "thesis.txt").write_text("three years of work")
    with pytest.raises(NotPossible, match="not an empty folder"):
        Package(folder, EVERYTHING)
    other = written(tmp_path / "package")
    with pytest.raises(NotPossible, match="holds another export"):
        Package(other, Selection(with_files=False))


def test_packed_twice_it_is_the_same_file_and_holds_unpacked_or_not(institution: Institution, tmp_path: Path) -> None:
    proposal_with_files(institution)
    folder = written(tmp_path / "package")
    made_at = manifest(folder)["made_at"]
    digests = {pack(folder, tmp_path / name, made_at) for name in ("one.zip", "two.zip")}
    assert digests == {hashlib.sha256((tmp_path / "one.zip").read_bytes()).hexdigest()}
    check(tmp_path / "one.zip")


# ---- the command


def export(*arguments: str) -> str:
    from io import StringIO

    out = StringIO()
    call_command("audit", "export", *arguments, stdout=out)
    return out.getvalue()


def test_command_writes_a_folder_and_a_file_on_the_record(institution: Institution, tmp_path: Path) -> None:
    proposal = proposal_with_files(institution)
    said = export(str(tmp_path / "all"), "--reason", "Yearly audit", "--by", "observer@kawartha.example")
    assert "holds everything" in said and f"python3 {tmp_path / 'all' / 'verify.py'}" in said
    check(tmp_path / "all")
    answer = json.loads(export(str(tmp_path / "one.zip"), "--proposal", proposal.reference, "--json"))
    assert answer["sha256"] == hashlib.sha256((tmp_path / "one.zip").read_bytes()).hexdigest()
    check(tmp_path / "one.zip")
    assert sorted(path.name for path in tmp_path.iterdir() if "zip" in path.name) == ["one.zip"]
    events = Event.objects.filter(subject="record", verb=Verb.RECORD_EXPORTED).order_by("sequence")
    assert [(event.actor_name, event.facts["after"]["scope"], event.reason) for event in events] == [
        ("Ruth Adeyemi", "everything", "Yearly audit"),
        ("Assent", proposal.reference, ""),
    ]
    # Each package holds the event of its own export.
    assert '"record.exported"' in (tmp_path / "all/events/000000000000.txt").read_text()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--proposal", "MC-1999-0001"], "There is no proposal MC-1999-0001."),
        (["--from", "2026-02-01", "--to", "2026-01-01"], "The last day of the period comes before its first."),
        (["--from", "2026-02-01"], "A period has a first and a last day."),
        (["--by", "nobody@kawartha.example"], "Nobody signs in with nobody@kawartha.example."),
        (["--from", "tomorrow", "--to", "2026-01-01"], "'tomorrow' is not a day, such as 2026-10-16"),
        (["--proposal", "MC-1999-0001", "--to", "2026-01-01"], "Ask for proposals or for a period, not for both."),
    ],
)
def test_command_refuses_what_cannot_be_in_one_line(
    institution: Institution, tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    with pytest.raises(CommandError, match=sentence.replace(".", r"\.")) as refused:
        export(str(tmp_path / "package"), *arguments)
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "package").exists()
    assert not Event.objects.filter(subject="record").exists()


def test_command_does_not_write_over_anything(institution: Institution, tmp_path: Path) -> None:
    export(str(tmp_path / "all"))
    with pytest.raises(CommandError, match="holds a finished package already"):
        export(str(tmp_path / "all"))
    (tmp_path / "mine.zip").write_bytes(b"PK")
    with pytest.raises(CommandError, match="is there already"):
        export(str(tmp_path / "mine.zip"))
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match="not an empty folder"):
        export(str(tmp_path / "file"))
    with pytest.raises(CommandError, match="cannot be written: Not a directory"):
        export(str(tmp_path / "file" / "package"))


# ---- asked for in the web


def asked(institution: Institution, who: str = "observer", **given: Any) -> Export:
    return exports.ask_for(actor=institution.person(who), selection=Selection(**given), reason="For the auditor")


def test_asked_for_it_is_recorded_made_mailed_and_fetched(
    institution: Institution, tmp_path: Path, client: Client
) -> None:
    proposal = proposal_with_files(institution)
    client.force_login(institution.person("observer"))
    answer = client.post(
        "/audit/exports/",
        {
            "kind": "proposals",
            "references": f" {proposal.reference.lower()} ",
            "with_files": "on",
            "reason": "The court",
        },
    )
    one = Export.objects.get()
    assert answer["Location"] == one.get_absolute_url()
    event = Event.objects.get(subject="record")
    assert (event.actor_name, event.facts["after"]["scope"], event.reason) == (
        "Ruth Adeyemi",
        proposal.reference,
        "The court",
    )
    assert "Waiting for its turn" in client.get(one.get_absolute_url()).content.decode()
    deliver_due()
    one.refresh_from_db()
    assert (one.state, one.done) == ("done", one.total)
    (letter,) = [each for each in mail.outbox if "export" in each.subject]
    assert letter.to == ["observer@kawartha.example"] and one.get_absolute_url() in letter.body
    page = client.get(one.get_absolute_url()).content.decode()
    assert one.digest in page
    fetched = client.get(f"{one.get_absolute_url()}record.zip")
    held = b"".join(fetched.streaming_content)  # type: ignore[attr-defined]
    assert hashlib.sha256(held).hexdigest() == one.digest and len(held) == one.size
    (tmp_path / "fetched.zip").write_bytes(held)
    check(tmp_path / "fetched.zip")
    # Nothing is left where it was written.
    assert list((tmp_path / "var" / "exports").iterdir()) == []


ADDRESSES = [
    ("get", ""),
    ("post", ""),
    ("get", "{pk}/"),
    ("get", "{pk}/record.zip"),
    ("post", "{pk}/stop/"),
    ("post", "{pk}/go-on/"),
]


@pytest.mark.parametrize(
    "who", ["author", "ad-hsci", "ctl", "senate", "member", "secretary", "stranger", "observer", "administrator"]
)
def test_only_administrators_and_overseers_export(institution: Institution, client: Client, who: str) -> None:
    one = asked(institution)
    client.force_login(institution.person(who))
    allowed = who in {"observer", "administrator"}
    for method, address in ADDRESSES:
        answer = getattr(client, method)("/audit/exports/" + address.format(pk=one.pk))
        assert (answer.status_code != 403) == allowed, (method, address)
    if not allowed:
        assert [each.state for each in Export.objects.all()] == ["waiting"]
        with pytest.raises(NotPermitted):
            asked(institution, who)


def test_nobody_signed_in_gets_nothing(institution: Institution, client: Client) -> None:
    one = asked(institution)
    deliver_due()
    assert client.get(f"{one.get_absolute_url()}record.zip").status_code == 302


def test_form_says_what_is_wrong_beside_the_field(institution: Institution, client: Client) -> None:
    client.force_login(institution.person("administrator"))

    def answer(**said: str) -> str:
        answered = client.post("/audit/exports/", said)
        assert answered.status_code == 422
        return answered.content.decode()

    assert "Say for whom or for what the record is exported." in answer(kind="everything")
    assert "There is no proposal MC-1999-0001." in answer(kind="proposals", references="MC-1999-0001", reason="x")
    assert "Name at least one proposal." in answer(kind="proposals", references=" , ", reason="x")
    assert "Give a day." in answer(kind="period", first="2026-01-01", reason="x")
    late = answer(kind="period", first="2026-02-01", last="2026-01-01", reason="x")
    assert "The last day of the period comes before its first." in late
    assert not Export.objects.exists()
    with pytest.raises(Incomplete):
        exports.ask_for(actor=institution.person("administrator"), selection=EVERYTHING, reason="  ")


def test_turns_leave_other_work_its_turn_and_come_to_the_end(
    institution: Institution, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = asked(institution)
    turns = 0

    def count(**given: Any) -> None:
        nonlocal turns
        turns += 1
        run(**given, seconds=0)

    run = exports.run
    monkeypatch.setattr(exports, "run", count)
    deliver_due()
    one.refresh_from_db()
    # A file a turn, whatever there is.
    assert one.state == "done" and turns > len(TABLES)


def test_stopped_it_leaves_nothing_to_fetch(institution: Institution, client: Client, tmp_path: Path) -> None:
    one = asked(institution)
    exports.run(export_id=one.pk, seconds=0)
    assert (tmp_path / "var/exports" / str(one.pk)).exists()
    client.force_login(institution.person("administrator"))
    page = client.post(f"{one.get_absolute_url()}stop/", follow=True).content.decode()
    assert "The export was stopped" in page
    exports.tidy()
    assert list((tmp_path / "var/exports").iterdir()) == []
    deliver_due()
    assert not [each for each in mail.outbox if "export" in each.subject]
    assert client.get(f"{one.get_absolute_url()}record.zip").status_code == 409
    assert client.post(f"{one.get_absolute_url()}stop/").status_code == 409


def test_failed_it_says_why_and_goes_on(
    institution: Institution, client: Client, settings: Any, tmp_path: Path
) -> None:
    seal_and_sign(now=True)
    one = asked(institution)
    (tmp_path / "keys").rename(tmp_path / "elsewhere")
    deliver_due()
    client.force_login(institution.person("observer"))
    page = client.get(one.get_absolute_url()).content.decode()
    assert "The package could not be made" in page and "The key of this log" in page
    (tmp_path / "elsewhere").rename(tmp_path / "keys")
    client.post(f"{one.get_absolute_url()}go-on/")
    deliver_due()
    one.refresh_from_db()
    assert (one.state, one.error) == ("done", "")
    assert client.post(f"{one.get_absolute_url()}go-on/").status_code == 409


def test_two_workers_do_not_write_into_one_folder(institution: Institution) -> None:
    one = asked(institution)
    with exports._alone(one.pk), pytest.raises(exports.Busy):
        exports.run(export_id=one.pk)
    exports.run(export_id=one.pk)
    assert Export.objects.get().state == "done"


def test_old_package_is_removed_and_the_page_says_so(institution: Institution, client: Client, tmp_path: Path) -> None:
    one = asked(institution)
    deliver_due()
    client.force_login(institution.person("observer"))
    stored = tmp_path / "files" / one.stored_name
    with time_machine.travel(datetime.now(ZoneInfo("UTC")) + exports.KEPT_FOR - timedelta(hours=1)):
        assert exports.tidy() == 0 and stored.exists()
    with time_machine.travel(datetime.now(ZoneInfo("UTC")) + exports.KEPT_FOR + timedelta(hours=1)):
        client.force_login(institution.person("observer"))
        assert exports.tidy() == 1 and not stored.exists()
        assert "It was removed" in client.get(one.get_absolute_url()).content.decode()
        assert client.get(f"{one.get_absolute_url()}record.zip").status_code == 409


def test_list_costs_as_many_questions_however_long(institution: Institution, client: Client) -> None:
    client.force_login(institution.person("observer"))

    def questions() -> int:
        with CaptureQueriesContext(connection) as counted:
            assert client.get("/audit/exports/").status_code == 200
        return len(counted)

    asked(institution)
    questions()
    few = questions()
    for _number in range(60):
        asked(institution, "administrator")
    assert questions() == few
    assert "Older" in client.get("/audit/exports/").content.decode()


def test_scope_of_more_proposals_than_one_question_takes(
    institution: Institution, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("workflows.auditing.source.AT_ONCE", 2)
    monkeypatch.setattr("workflows.auditing.source.CHUNK", 3)
    references = tuple(institution.submitted().reference for _ in range(5))
    institution.submitted()
    folder = written(tmp_path / "package", Selection(references=references))
    assert sorted(row["proposal"] for row in rows(folder, "proposals")) == sorted(references)
    assert DatabaseSource(Scope(frozenset(references))).indexes[0] == 0
    check(folder)
