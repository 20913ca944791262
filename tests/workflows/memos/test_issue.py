"""Issuing memos: through the outbox, once for a decision, and never in the way of the decision."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import DatabaseError, connection, transaction

from governance import clock
from governance.audit.models import Event
from governance.audit.verbs import Verb
from tests.conftest import Institution
from tests.workflows.memos import reading
from workflows.memos.actions import draft_name, issue, keep_file
from workflows.memos.models import Memo, MemoNumber, stored_name
from workflows.memos.queries import memos_of
from workflows.memos.render import TEMPLATE_VERSION
from workflows.notices.actions import Outcome, deliver, deliver_due
from workflows.notices.models import Outbox
from workflows.proposals.models import Proposal
from workflows.review import actions as review
from workflows.review.models import Decision

pytestmark = pytest.mark.django_db


def file_of(memo: Memo) -> bytes:
    with default_storage.open(memo.stored_name) as file:
        content: bytes = file.read()
    return content


def stored_memos() -> set[str]:
    """Every file under memos/, drafts included."""
    folder = Path(default_storage.path("memos"))
    return {path.relative_to(folder.parent).as_posix() for path in folder.rglob("*") if path.is_file()}


@contextmanager
def once_before_the_row(act: Callable[[], None]) -> Iterator[None]:
    """Do something else once, after the file is kept and before it is looked up whether the memo has a row by now."""
    looked = 0

    def watch(execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        nonlocal looked
        looked += sql.startswith("SELECT") and 'FROM "memos_memo" ' in sql
        if looked == 2:
            looked += 1
            act()
        return execute(sql, *arguments)

    with connection.execute_wrapper(watch):
        yield


def interrupted_before_the_row() -> AbstractContextManager[None]:
    def interrupt() -> None:
        raise KeyboardInterrupt

    return once_before_the_row(interrupt)


def test_worker_issues_a_memo_for_every_decision(institution: Institution, mailoutbox: list[Any]) -> None:
    proposal = institution.at_stage("senate")
    decision = institution.approve(proposal)
    deliver_due()
    memo = Memo.objects.get(decision=decision)
    assert Memo.objects.filter(decision__proposal=proposal).count() == 4
    pdf = file_of(memo)
    digest = hashlib.sha256(pdf).hexdigest()
    event = Event.objects.filter(verb=Verb.MEMO_ISSUED).order_by("id").last()
    assert event is not None
    assert (memo.digest, memo.size, memo.template_version) == (digest, len(pdf), TEMPLATE_VERSION)
    assert event.facts["after"] == {
        "memo": memo.number,
        "digest": digest,
        "unsigned_digest": memo.unsigned_digest,
        "size": len(pdf),
        "outcome": "approve",
        "decision_event": decision.event_number,
        "seat": "SENATE",
    }
    assert event.subject == proposal.subject
    assert event.facts["revision"]["digest"] == decision.revision.digest
    assert event.sentence == f"Memo {memo.number} was issued."
    assert Proposal.objects.get(pk=proposal.pk).version == event.sequence
    assert reading.squash(memo.number) in reading.text_of(pdf)
    assert reading.squash(decision.revision.digest) in reading.text_of(pdf)
    assert reading.pages_of(pdf) <= 2
    (mail,) = [mail for mail in mailoutbox if memo.number in mail.subject]
    assert mail.to == [proposal.author.email]
    assert f"http://localhost:8000/memos/{memo.number}.pdf" in mail.body


def test_numbers_count_by_body_and_year(institution: Institution) -> None:
    def issued(year: int) -> str:
        with clock.at(datetime(year, 12, 31, 23, 59, tzinfo=UTC)):
            return issue(decision_id=institution.approve(institution.submitted()).pk).number

    assert [issued(2026), issued(2026), issued(2027)] == ["AD-HSCI-2026-001", "AD-HSCI-2026-002", "AD-HSCI-2027-001"]
    # The year is that of the decision where the institution is, not that of a worker who comes late.
    with clock.at(datetime(2027, 1, 1, 3, 0, tzinfo=UTC)):
        decision = institution.approve(institution.submitted())
    assert issue(decision_id=decision.pk).number == "AD-HSCI-2026-003"


def test_issued_twice_is_the_same_memo(institution: Institution) -> None:
    decision = institution.approve(institution.submitted())
    memo, events = issue(decision_id=decision.pk), Event.objects.count()
    assert issue(decision_id=decision.pk) == memo
    assert (Memo.objects.count(), MemoNumber.objects.count(), Event.objects.count()) == (1, 1, events)


def test_memo_does_not_make_an_open_page_stale(institution: Institution) -> None:
    proposal = institution.submitted()
    first = institution.approve(proposal)
    seen = Proposal.objects.get(pk=proposal.pk).version
    issue(decision_id=first.pk)
    item = institution.item(proposal)
    review.approve(actor=institution.reviewer_of(item), item=item, seen=seen, confirmed=institution.checklist(item))


def test_memo_cannot_be_changed_or_deleted(institution: Institution) -> None:
    memo = issue(decision_id=institution.approve(institution.submitted()).pk)
    for statement in (
        "UPDATE memos_memo SET digest = %s",
        "DELETE FROM memos_memo WHERE digest <> %s",
        "UPDATE memos_memonumber SET number = %s",
        "DELETE FROM memos_memonumber WHERE number <> %s",
    ):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, ["0" * 9])
    memo.refresh_from_db()
    assert hashlib.sha256(file_of(memo)).hexdigest() == memo.digest


# ---- the seal


def test_demonstration_signs_what_the_facts_alone_make(institution: Institution, settings: Any) -> None:
    settings.DEMONSTRATION = True
    memo = issue(decision_id=institution.approve(institution.submitted()).pk)
    pdf = file_of(memo)
    first_end = pdf.index(b"%%EOF\n") + len(b"%%EOF\n")
    assert memo.unsigned_digest == hashlib.sha256(pdf[:first_end]).hexdigest()
    assert memo.digest == hashlib.sha256(pdf).hexdigest() != memo.unsigned_digest
    assert memo.signed_by == "Demonstration seal, not for legal use (Kawartha University)"
    assert reading.squash("signed with a demonstration certificate") in reading.text_of(pdf)


def test_without_a_certificate_it_says_that_it_carries_no_signature(institution: Institution) -> None:
    memo = issue(decision_id=institution.approve(institution.submitted()).pk)
    assert (memo.signed_by, memo.unsigned_digest) == ("", memo.digest)
    assert reading.squash("The file carries no signature.") in reading.text_of(file_of(memo))


def test_certificate_that_cannot_be_read_puts_the_memo_off(institution: Institution, settings: Any) -> None:
    settings.SEAL_FILE = "/nowhere/seal.p12"
    decision = institution.approve(institution.submitted())
    row = Outbox.objects.get(key=f"memo:{decision.pk}")
    assert deliver(row_id=row.pk) is Outcome.PUT_OFF
    row.refresh_from_db()
    assert "/nowhere/seal.p12 cannot be read: No such file or directory." in row.last_error
    assert Memo.objects.count() == 0


def test_issued_memo_is_left_as_it_was_whatever_the_settings_are_now(institution: Institution, settings: Any) -> None:
    decision = institution.approve(institution.submitted())
    before = issue(decision_id=decision.pk)
    settings.DEMONSTRATION = True
    assert issue(decision_id=decision.pk).digest == before.digest
    assert stored_memos() == {before.stored_name}


def test_signed_file_of_a_worker_that_was_killed_is_taken_up(institution: Institution, settings: Any) -> None:
    settings.DEMONSTRATION = True
    decision = institution.approve(institution.submitted())
    with pytest.raises(KeyboardInterrupt), interrupted_before_the_row():
        issue(decision_id=decision.pk)
    left = stored_memos()
    memo = issue(decision_id=decision.pk)
    assert left == {memo.stored_name, draft_name(memo.number)}
    assert stored_memos() == {memo.stored_name}


def test_file_that_another_worker_was_faster_than_is_taken_away(institution: Institution, settings: Any) -> None:
    settings.DEMONSTRATION = True
    decision = institution.approve(institution.submitted())
    faster: list[Memo] = []

    def meanwhile() -> None:
        default_storage.delete(draft_name(MemoNumber.objects.get().number))
        faster.append(issue(decision_id=decision.pk))

    with once_before_the_row(meanwhile):
        memo = issue(decision_id=decision.pk)
    assert [memo] == faster
    assert stored_memos() == {memo.stored_name}


# ---- when it fails


def test_store_that_cannot_be_written_leaves_the_decision_and_is_tried_again(
    institution: Institution, settings: Any
) -> None:
    store = Path(settings.STORAGES["default"]["OPTIONS"]["location"])
    store.write_text("a file where the folder should be")
    proposal = institution.submitted()
    decision = institution.approve(proposal)
    row = Outbox.objects.get(key=f"memo:{decision.pk}")

    assert deliver(row_id=row.pk) is Outcome.PUT_OFF
    row.refresh_from_db()
    assert "Error" in row.last_error
    assert Decision.objects.get(pk=decision.pk).outcome == "approve"
    assert Memo.objects.count() == 0
    assert MemoNumber.objects.get().number.endswith("-001")
    assert [line.is_being_made for line in memos_of(proposal)] == [True]

    store.unlink()
    Outbox.objects.filter(pk=row.pk).update(due_at=row.queued_at)
    assert deliver(row_id=row.pk) is Outcome.DELIVERED
    assert Memo.objects.get().number == MemoNumber.objects.get().number


def test_letter_that_no_font_has_is_told_to_the_administrator(institution: Institution) -> None:
    decision = institution.approve(institution.submitted(), reasons="A river: \U0001322f.")
    row = Outbox.objects.get(key=f"memo:{decision.pk}")
    assert deliver(row_id=row.pk) is Outcome.PUT_OFF
    row.refresh_from_db()
    assert "No font on this machine can print “\U0001322f” (U+1322F" in row.last_error
    assert Memo.objects.count() == 0


def test_issued_by_hand_after_it_was_given_up_leaves_nothing_to_look_at(institution: Institution) -> None:
    decision = institution.approve(institution.submitted())
    rows = Outbox.objects.filter(key=f"memo:{decision.pk}")
    rows.update(failed_at=clock.now())
    issue(decision_id=decision.pk)
    assert (rows.get().failed_at, rows.get().done_at is None) == (None, False)


def test_half_a_file_left_by_a_killed_worker_is_written_anew(db: None) -> None:
    pdf = b"%PDF-1.7 the whole of it"
    name = stored_name(hashlib.sha256(pdf).hexdigest())
    default_storage.save(name, ContentFile(pdf[:9]))
    assert keep_file(pdf) == name
    with default_storage.open(name) as file:
        assert file.read() == pdf
    assert keep_file(pdf) == name
    assert default_storage.listdir(name.rpartition("/")[0]) == ([], [name.rpartition("/")[2]])


# ---- lists


def test_memos_of_a_proposal_take_one_query(institution: Institution, django_assert_num_queries: Any) -> None:
    proposal = institution.at_stage("senate")
    deliver_due()
    institution.approve(proposal)
    with django_assert_num_queries(1):
        lines = memos_of(proposal)
    assert [line.is_being_made for line in lines] == [False, False, False, True]
    assert lines[0].url == f"/memos/{lines[0].number}.pdf"
    assert (lines[0].outcome, lines[0].body) == ("Approved", "Associate Dean, Health Sciences")
    assert lines[3].issued_at is None
