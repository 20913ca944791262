"""A seal that is missing, cannot be used or soon expires is told before anybody waits for a memo."""

from datetime import timedelta
from typing import Any

import pytest

from governance import clock
from tests.workflows.memos.certificates import PASSWORD, Issued, certificate, packed
from workflows.memos.checks import memos_are_sealed


@pytest.fixture(scope="module")
def issued() -> Issued:
    return certificate("Registrar", by=None)


def found() -> list[str]:
    return [message.id or "" for message in memos_are_sealed(None)]


def test_certificate_that_lasts_passes(issued: Issued, settings: Any, tmp_path: Any) -> None:
    settings.SEAL_FILE, settings.SEAL_PASSWORD = packed(tmp_path, issued), PASSWORD
    with clock.at(issued[0].not_valid_before_utc):
        assert found() == []
    with clock.at(issued[0].not_valid_after_utc - timedelta(days=20)):
        assert found() == ["assent.W003"]


def test_no_certificate_is_a_warning_except_in_a_demonstration(settings: Any) -> None:
    assert found() == ["assent.W002"]
    settings.DEMONSTRATION = True
    assert found() == []


def test_certificate_that_cannot_be_used_is_refused(issued: Issued, settings: Any, tmp_path: Any) -> None:
    settings.SEAL_FILE, settings.SEAL_PASSWORD = packed(tmp_path, issued), "another"
    (message,) = memos_are_sealed(None)
    assert message.id == "assent.E003"
    assert "seal.p12 is not a PKCS #12 file" in message.msg
