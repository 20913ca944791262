"""`manage.py memos`: issuing by hand, and telling an issued file from any other."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.core.management.base import CommandError

from tests.conftest import Institution
from workflows.memos.actions import issue
from workflows.memos.models import Memo
from workflows.notices.models import Outbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def memo(institution: Institution) -> Memo:
    return issue(decision_id=institution.approve(institution.submitted()).pk)


def test_render_issues_what_waits_and_says_so(institution: Institution) -> None:
    institution.at_stage("undergraduate-council")
    out = StringIO()
    call_command("memos", "render", stdout=out)
    lines = out.getvalue().splitlines()
    assert [line.partition("  ")[0] for line in lines[:-1]] == [memo.number for memo in Memo.objects.order_by("pk")]
    assert lines[-1] == "2 issued, 0 failed."
    out = StringIO()
    call_command("memos", "render", "--json", stdout=out)
    assert out.getvalue() == '{"issued": [], "failed": []}\n'


def test_render_goes_on_after_one_that_fails_and_ends_with_an_error(institution: Institution) -> None:
    institution.approve(institution.submitted(), reasons="A river: \U0001322f.")
    institution.approve(institution.submitted())
    out = StringIO()
    with pytest.raises(CommandError, match=r"1 of 2 could not be issued\."):
        call_command("memos", "render", stdout=out)
    assert "No font on this machine can print" in out.getvalue()
    assert "1 issued, 1 failed." in out.getvalue()
    assert Outbox.objects.given_up().count() == 0


def test_verify_knows_the_file_that_was_issued(memo: Memo) -> None:
    out = StringIO()
    call_command("memos", "verify", default_storage.path(memo.stored_name), stdout=out)
    assert out.getvalue().startswith(
        f"This is memo {memo.number} on {memo.decision.proposal.reference} as it was issued on "
    )


def test_verify_says_no_to_any_other_file(memo: Memo, tmp_path: Path) -> None:
    changed = tmp_path / "memo.pdf"
    changed.write_bytes(Path(default_storage.path(memo.stored_name)).read_bytes() + b"\n")
    with pytest.raises(CommandError, match="not a memo that was issued here") as refusal:
        call_command("memos", "verify", str(changed))
    assert refusal.value.returncode == 1
    with pytest.raises(CommandError, match=r"cannot be read: No such file or directory\."):
        call_command("memos", "verify", str(tmp_path / "none.pdf"))
