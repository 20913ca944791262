"""What anybody may ask about a memo without signing in, and what nobody learns by asking."""

from io import BytesIO
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.core.management.base import CommandError
from django.http import HttpResponse
from django.test import Client
from pypdf import PdfWriter

from governance.audit.models import Event
from tests.conftest import Institution
from tests.versions import adopted
from workflows.memos import issued
from workflows.memos.actions import issue
from workflows.memos.checking import check
from workflows.memos.models import Memo
from workflows.memos.standing import InForce, Standing
from workflows.proposals.actions import save_section
from workflows.proposals.models import Proposal
from workflows.review import actions as review
from workflows.review.models import Decision

pytestmark = [pytest.mark.django_db, pytest.mark.once]
FEE = {"fields": ["resources.fee"], "stages": ["associate-dean"], "clause": "7.6"}
REASONS = "The fee is not explained, says the dean in confidence."


@pytest.fixture(autouse=True)
def _a_seal(settings: Any) -> None:
    settings.DEMONSTRATION = True
    settings.SEAL_FILE = settings.TIME_STAMP_AUTHORITY = ""


def issued_for(decision: Decision) -> Memo:
    return issue(decision_id=decision.pk)


@pytest.fixture
def memo(institution: Institution) -> Memo:
    """The Associate Dean's memo on a proposal that went on to the teaching centre."""
    return issued_for(institution.approve(institution.submitted(), reasons=REASONS))


def file_of(memo: Memo) -> bytes:
    with default_storage.open(memo.stored_name) as file:
        content: bytes = file.read()
    return content


def sent(client: Client, pdf: bytes, **given: Any) -> HttpResponse:
    file = SimpleUploadedFile("memo.pdf", pdf, content_type="application/pdf")
    return client.post("/verify/", {"file": file}, **given)  # type: ignore[return-value]


def words(response: HttpResponse) -> str:
    return " ".join(response.content.decode().split())


# ---- a number


def test_a_number_tells_day_standing_and_digest_and_nothing_of_what_was_decided(client: Client, memo: Memo) -> None:
    answer = client.get(f"/verify/{memo.number}/")
    page = words(answer)  # type: ignore[arg-type]
    assert answer.status_code == 200
    assert f"Memo {memo.number} was issued here" in page and "It is in force today." in page
    assert memo.digest in page
    decision = memo.decision
    secret = [memo.title, REASONS, "Recommended", "Approved", decision.by_name, decision.proposal.author.name]
    secret += [decision.proposal.reference, decision.body_name, decision.proposal.unit.name, decision.stage_label]
    assert [word for word in secret if word in page] == []
    assert answer.headers["X-Robots-Tag"] == "noindex" and "no-store" in answer.headers["Cache-Control"]


def test_a_number_may_be_typed_in_any_case_and_leads_to_its_address(client: Client, memo: Memo) -> None:
    answer = client.get("/verify/", {"number": f" {memo.number.lower()} "}, follow=True)
    assert answer.redirect_chain == [(f"/verify/{memo.number.lower()}/", 302)]
    assert f"Memo {memo.number} was issued here" in answer.content.decode()


@pytest.mark.parametrize("number", ["SENATE-1999-001", "x", "9" * 200])
def test_a_number_that_was_never_issued_is_said_to_be_none(client: Client, memo: Memo, number: str) -> None:
    answer = client.get(f"/verify/{number}/")
    assert answer.status_code == 404
    assert f"No memo {number} was issued here" in answer.content.decode()


def test_a_number_that_was_only_set_aside_is_none_yet(client: Client, institution: Institution) -> None:
    from workflows.memos.actions import set_number_aside

    taken = set_number_aside(institution.approve(institution.submitted()))
    assert client.get(f"/verify/{taken.number}/").status_code == 404


@pytest.mark.parametrize("typed", ["", "  ", "two words", "a/b", "<script>", "x" * 61])
def test_what_is_no_number_gets_a_sentence(client: Client, db: None, typed: str) -> None:
    answer = client.get("/verify/", {"number": typed})
    assert answer.status_code == 422
    assert "Type the number as it is printed on the memo" in answer.content.decode()
    assert "<title>Error:" in answer.content.decode()


# ---- a file


def test_the_issued_file_is_known_and_says_what_its_holder_can_read(client: Client, memo: Memo) -> None:
    page = words(sent(client, file_of(memo)))
    assert f"This is memo {memo.number}, as it was issued" in page and "It is in force today." in page
    assert "Recommended for approval" in page and "Associate Dean, Health Sciences" in page
    assert page.count('aria-label="Holds"') == 6 and "Does not hold" not in page
    assert memo.title not in page and REASONS not in page


def test_an_altered_file_is_told_from_the_one_that_was_issued(client: Client, memo: Memo) -> None:
    pdf = file_of(memo)
    at = pdf.index(b"stream") + 40
    page = words(sent(client, pdf[:at] + bytes([pdf[at] ^ 1]) + pdf[at + 1 :]))
    assert "This is not the file that was issued" in page
    assert memo.number in page and memo.digest in page
    assert "The seal does not fit the file" in page
    assert "Recommended" not in page


def test_a_byte_at_the_end_makes_it_another_file(client: Client, memo: Memo) -> None:
    page = words(sent(client, file_of(memo) + b"\n"))
    assert "This is not the file that was issued" in page and memo.digest in page


def test_a_forgery_that_carries_our_number_learns_no_more_than_the_number_tells(client: Client, memo: Memo) -> None:
    out = BytesIO()
    forged = PdfWriter()
    forged.add_blank_page(200, 200)
    forged.add_metadata({"/Title": f"Decision memorandum {memo.number}: Something else"})
    forged.write(out)
    page = words(sent(client, out.getvalue()))
    assert "This is not the file that was issued" in page and memo.number in page and memo.digest in page
    assert "does not hold the record of a decision" in page and "The file is not sealed" in page
    assert memo.title not in page and memo.decision.proposal.reference not in page


def test_a_made_up_record_does_not_tell_the_number_of_its_memo(client: Client, memo: Memo) -> None:
    """Only who holds the record itself, byte for byte, is told which memo it belongs to."""
    event = Event.objects.get(pk=memo.decision.event_number)
    held = check(file_of(memo))
    assert held.record_bytes == bytes(event.body)
    true = issued.claimed_by(held)
    assert true is not None and true.memo == memo
    made_up = held.__class__(
        digest=held.digest, record=held.record, record_bytes=held.record_bytes.replace(b"approve", b"decline")
    )
    assert issued.claimed_by(made_up) is None


def test_another_pdf_was_not_issued_here(client: Client, memo: Memo) -> None:
    out = BytesIO()
    other = PdfWriter()
    other.add_blank_page(200, 200)
    other.write(out)
    assert "This file was not issued here" in words(sent(client, out.getvalue()))


@pytest.mark.parametrize("pdf", [b"no pdf", b"%PDF-1.7\n", b"\x00" * 100_000])
def test_what_is_no_pdf_is_said_to_be_none(client: Client, db: None, pdf: bytes) -> None:
    answer = sent(client, pdf)
    assert answer.status_code == 200 and "This file cannot be read as a PDF." in words(answer)


def test_no_file_and_an_empty_one_get_a_sentence(client: Client, db: None) -> None:
    answer = client.post("/verify/", {})
    assert answer.status_code == 422 and "Choose the PDF that you were given." in answer.content.decode()
    empty = sent(client, b"")
    assert empty.status_code == 422 and "This file is empty." in words(empty)


def test_a_file_that_is_too_large_is_refused_before_it_is_read(client: Client, db: None) -> None:
    class Unread(BytesIO):
        def read(self, *_: Any) -> bytes:
            raise AssertionError("it was read")

    answer = client.generic("POST", "/verify/", b"", content_type="multipart/form-data; boundary=x")
    assert answer.status_code == 422
    answer = client.request(
        REQUEST_METHOD="POST",
        PATH_INFO="/verify/",
        CONTENT_TYPE="multipart/form-data; boundary=x",
        CONTENT_LENGTH=str(21 * 1024 * 1024),
        **{"wsgi.input": Unread()},
    )
    assert answer.status_code == 413
    assert "A memo is never larger than 20.0" in answer.content.decode()


def test_checking_needs_no_session_and_keeps_nothing(memo: Memo) -> None:
    client = Client(enforce_csrf_checks=True)
    before = Event.objects.count()
    files = sorted(default_storage.listdir("memos")[0])
    assert sent(client, file_of(memo)).status_code == 200
    assert (Event.objects.count(), sorted(default_storage.listdir("memos")[0])) == (before, files)
    assert "sessionid" not in client.cookies


def test_the_page_is_there_in_french(client: Client, memo: Memo) -> None:
    assert client.get(f"/verify/{memo.number}/", headers={"accept-language": "fr-ca"}).status_code == 200


# ---- how it stands


def stands(memo: Memo) -> InForce:
    found = issued.of_number(memo.number)
    assert found is not None
    return found.stands


def test_a_memo_is_superseded_when_its_stage_answers_again(client: Client, institution: Institution) -> None:
    place = institution
    proposal = place.at_stage("teaching-centre")
    dean = issued_for(Decision.objects.get(proposal=proposal))
    returned = issued_for(place.return_for_changes(proposal))
    assert [stands(dean).standing, stands(returned).standing] == [Standing.IN_FORCE] * 2
    proposal = Proposal.objects.get(pk=proposal.pk)
    review.submit(actor=proposal.author, proposal=proposal, seen=proposal.version)
    assert stands(returned) == InForce(Standing.IN_FORCE)
    decision = place.approve(Proposal.objects.get(pk=proposal.pk))
    assert stands(returned) == InForce(Standing.SUPERSEDED)
    again = issued_for(decision)
    assert stands(returned) == InForce(Standing.SUPERSEDED, again.number)
    page = words(client.get(f"/verify/{returned.number}/"))  # type: ignore[arg-type]
    assert "It is no longer in force" in page and f'href="/verify/{again.number}/"' in page
    assert [stands(dean).standing, stands(again).standing] == [Standing.IN_FORCE] * 2


def test_an_approval_that_a_later_change_reopens_is_out_of_force(institution: Institution) -> None:
    """The policy reopens the Associate Dean's approval when the fee changes."""
    place = institution
    adopted(place, lambda rules: rules.update(reopens=[FEE]))
    proposal = place.at_stage("teaching-centre")
    dean = issued_for(Decision.objects.get(proposal=proposal))
    place.return_for_changes(proposal)
    proposal = Proposal.objects.get(pk=proposal.pk)
    section = proposal.draft_sections.get(key="resources")
    save_section(
        actor=proposal.author,
        proposal=proposal,
        section="resources",
        data=section.data | {"fee": 990},
        seen=section.version,
    )
    proposal = Proposal.objects.get(pk=proposal.pk)
    review.submit(actor=proposal.author, proposal=proposal, seen=proposal.version)
    assert stands(dean) == InForce(Standing.ENDED)
    again = issued_for(place.approve(Proposal.objects.get(pk=proposal.pk)))
    assert again.number != dean.number
    assert stands(dean) == InForce(Standing.SUPERSEDED, again.number)


def test_a_withdrawn_proposal_takes_its_recommendations_out_of_force(client: Client, memo: Memo) -> None:
    proposal = Proposal.objects.get(pk=memo.decision.proposal_id)
    review.withdraw(actor=proposal.author, proposal=proposal, seen=proposal.version, reason="No partner was found.")
    assert stands(memo) == InForce(Standing.ENDED)
    page = words(client.get(f"/verify/{memo.number}/"))  # type: ignore[arg-type]
    assert "It is no longer in force." in page and "withdrawn" not in page


# ---- on the command line, for who has the database


def test_memos_verify_says_how_the_memo_stands_and_what_the_file_proves(memo: Memo, tmp_path: Any, capsys: Any) -> None:
    path = tmp_path / "memo.pdf"
    path.write_bytes(file_of(memo))
    call_command("memos", "verify", str(path))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"This is memo {memo.number} on ") and lines[0].endswith("It is in force.")
    assert [line[:3] for line in lines[1:]] == ["yes"] * 6
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CommandError) as unreadable:
        call_command("memos", "verify", str(path))
    assert unreadable.value.returncode in {1, 2}
    path.write_bytes(b"no pdf")
    with pytest.raises(CommandError, match="cannot be read as a PDF") as unreadable:
        call_command("memos", "verify", str(path))
    assert unreadable.value.returncode == 2
    with pytest.raises(CommandError, match=r"is not base64|is not an Ed25519 verifier key"):
        call_command("memos", "verify", str(path), "--key", "nonsense")
    with pytest.raises(CommandError, match="is not a certificate in PEM"):
        call_command("memos", "verify", str(path), "--certificate", str(path))
