"""What innocent acts leave behind is no alarm: not before it is sealed or signed, nor in an export made meanwhile."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from threading import Thread

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client

from governance.audit import keys
from governance.audit.actions import ASSENT, new_key, seal_and_sign
from governance.audit.models import Pending
from governance.audit.verifier import Report, Rows, check_package
from governance.people.actions import add_person, change_body, change_person, change_unit, end_mandate, give_mandate
from governance.people.duties import Duty
from governance.people.models import Mandate, User
from tests.conftest import Institution
from workflows.auditing import checking
from workflows.auditing.actions.exports import write
from workflows.auditing.checking import check_database
from workflows.auditing.exporting.package import Package
from workflows.auditing.exporting.selection import Selection


def rename_a_person(place: Institution) -> None:
    person = place.person("senate")
    person.name, person.title, person.email, person.is_staff = "New Name", "Dean", "new@example.edu", True
    change_person(actor=ASSENT, person=person, fields=["name", "title", "email", "is_staff"])


def rename_a_body_and_a_unit(place: Institution) -> None:
    body = place.bodies["senate"]
    body.name, body.unit.name = "The Senate", "A New Name"
    change_body(actor=ASSENT, body=body, fields=["name"])
    change_unit(actor=ASSENT, unit=body.unit, fields=["name"])


def give_and_end_mandates(place: Institution) -> None:
    person = add_person(actor=ASSENT, email="late@example.edu", name="Late Comer")
    give_mandate(actor=ASSENT, person=person, body=place.bodies["senate"], duty=Duty.CHAIR, starts_on=date(2026, 1, 1))
    end_mandate(actor=ASSENT, mandate=Mandate.objects.earliest("pk"), ends_on=date(2030, 1, 1), reason="Sabbatical")


def failures() -> list[str]:
    return [each.sentence for each in check_database(whole=True).report.failures]


@pytest.fixture
def place(committed_institution: Institution) -> Institution:
    committed_institution.at_stage("teaching-centre")
    # The first signature introduces the key in an event of its own.
    seal_and_sign(now=True)
    seal_and_sign(now=True)
    return committed_institution


@pytest.mark.parametrize("act", [rename_a_person, rename_a_body_and_a_unit, give_and_end_mandates])
def test_what_changed_after_the_last_checkpoint_is_compared_all_the_same(
    place: Institution, act: Callable[[Institution], None]
) -> None:
    act(place)
    assert Pending.objects.exists()
    assert failures() == []
    User.objects.filter(pk=place.person("ctl").pk).update(name="Somebody Else")
    assert any("“Somebody Else”" in sentence for sentence in failures())


def test_a_check_reads_one_moment_whoever_acts_meanwhile(place: Institution, monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("threads of one process share SQLite's database in memory, and its locks")

    def act() -> None:
        rename_a_body_and_a_unit(place)
        connection.close()

    class Meanwhile(Rows):
        """The rows, as they are looked at a moment after the events."""

        def finish(self, source: checking.Source, report: Report) -> None:
            other = Thread(target=act)
            other.start()
            other.join()
            super().finish(source, report)

    monkeypatch.setattr(checking, "Rows", Meanwhile)
    assert failures() == []
    assert Pending.objects.count() == 2


def test_a_new_key_that_has_signed_nothing_yet_is_no_alarm(place: Institution) -> None:
    new_key(actor=ASSENT, reason="Yearly")
    assert failures() == []


@pytest.mark.django_db(transaction=True)
def test_the_first_administrator_is_on_the_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "correct horse battery")
    call_command("createsuperuser", "--noinput", "--email", "first@example.edu", "--name", "First", verbosity=0)
    seal_and_sign(now=True)
    assert User.objects.get(email="first@example.edu").is_superuser
    assert failures() == []


def test_an_export_is_begun_again_where_the_institution_changed_before_its_tables_were_written(
    place: Institution, tmp_path: Path
) -> None:
    package = Package(tmp_path / "package", Selection())
    for number, _step in enumerate(write(package)):
        if number == 0:
            rename_a_body_and_a_unit(place)
    report, key = Report(), keys.load()
    assert key is not None
    check_package(package.folder, report, keys=[key.public], observers=[Rows()])
    assert report.failures == []


def test_the_audit_page_says_when_the_log_cannot_be_signed(place: Institution, client: Client) -> None:
    rename_a_person(place)
    client.force_login(User.objects.get(name="New Name"))
    assert "The log cannot be signed" not in client.get("/audit/").content.decode()
    (keys.folder() / keys.KEY_FILE).write_text("nonsense")
    page = client.get("/audit/").content.decode()
    assert "The log cannot be signed" in page
    assert "log.key cannot be used" in page
