"""Mail: what is in it, that it leaves once, and that a second copy is the same to the last byte."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core import mail as outgoing
from django.core.mail.backends.base import BaseEmailBackend

from governance import clock
from workflows.notices import actions
from workflows.notices.actions import Report
from workflows.notices.mail import queue_mail
from workflows.notices.models import Delivery, Outbox

MAIL = {
    "key": "decision/7/author",
    "to": "amélie@example.edu",
    "subject": "MC-2026-0014: Senate\r\nBcc: everyone@example.edu",
    "text": "Senate approved “Water and climate”.\n\nFrom now on it is in the catalogue.\n",
}


def test_mail_is_plain_text_with_the_headers_that_make_it_one_mail(db: None, settings: Any) -> None:
    settings.BASE_URL = "https://assent.example.edu/"
    with clock.at(datetime(2026, 3, 4, 14, 5, 6, 789, tzinfo=UTC)):
        row = queue_mail(**MAIL)

    assert actions.deliver_due() == Report(delivered=1)

    (sent,) = outgoing.outbox
    message = sent.message()
    assert message["Date"] == "Wed, 04 Mar 2026 14:05:06 +0000"
    assert message["Auto-Submitted"] == "auto-generated"
    assert re.fullmatch(r"<[0-9a-f]{40}@assent\.example\.edu>", message["Message-ID"])
    assert message["Subject"] == "MC-2026-0014: Senate Bcc: everyone@example.edu"
    assert message["Bcc"] is None
    assert message.get_content_type() == "text/plain"
    assert sent.recipients() == ["amélie@example.edu"]
    assert sent.body == MAIL["text"]
    delivery = Delivery.objects.get()
    assert (delivery.outbox, delivery.to, delivery.subject) == (row, "amélie@example.edu", message["Subject"])
    assert delivery.message_id == message["Message-ID"]


def test_mail_sent_again_is_the_same_mail_byte_for_byte(db: None) -> None:
    queue_mail(**MAIL)
    actions.deliver_due()
    # As if the process had been killed after the mail server's yes and before the note of it.
    Delivery.objects.all().delete()
    Outbox.objects.update(done_at=None)
    actions.deliver_due()

    first, second = (sent.message().as_bytes() for sent in outgoing.outbox)
    assert first == second
    assert Delivery.objects.count() == 1


def test_mail_that_is_noted_as_sent_is_not_sent_again(db: None) -> None:
    queue_mail(**MAIL)
    actions.deliver_due()
    Outbox.objects.update(done_at=None)

    assert actions.deliver_due() == Report(delivered=1)
    assert len(outgoing.outbox) == 1


def test_same_key_in_a_new_database_is_another_mail(db: None) -> None:
    for day in (4, 5):
        Delivery.objects.all().delete()
        Outbox.objects.all().delete()
        with clock.at(datetime(2026, 3, day, tzinfo=UTC)):
            queue_mail(**MAIL)
        actions.deliver_due()
    first, second = (sent.message()["Message-ID"] for sent in outgoing.outbox)
    assert first != second


def test_mail_to_nobody_is_put_off_with_the_reason(db: None) -> None:
    queue_mail(**{**MAIL, "to": " "})
    assert actions.deliver_due() == Report(put_off=1)
    assert Outbox.objects.get().last_error.endswith("there is no address to send this mail to")
    assert Delivery.objects.count() == 0


class Refuses(BaseEmailBackend):
    """A mail server that is down."""

    def send_messages(self, email_messages: Any) -> int:
        raise ConnectionRefusedError(111, "Connection refused")


class Swallows(BaseEmailBackend):
    """A backend that answers that it sent nothing."""

    def send_messages(self, email_messages: Any) -> int:
        return 0


@pytest.mark.parametrize("backend", [Refuses, Swallows])
def test_mail_that_the_server_did_not_take_is_put_off(db: None, monkeypatch: Any, backend: type[Any]) -> None:
    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend", backend)
    queue_mail(**MAIL)
    assert actions.deliver_due() == Report(put_off=1)
    assert Delivery.objects.count() == 0


def test_long_subject_is_noted_whole(db: None) -> None:
    queue_mail(**{**MAIL, "subject": "é" * 2000})
    assert actions.deliver_due() == Report(delivered=1)
    assert Delivery.objects.get().subject == "é" * 2000


def test_mail_waits_for_a_server_no_longer_than_the_lease(db: None, settings: Any, monkeypatch: Any) -> None:
    asked: list[int] = []

    class Asks(BaseEmailBackend):
        def __init__(self, *, timeout: Any, **options: Any) -> None:
            super().__init__(**options)
            asked.append(timeout)

        def send_messages(self, email_messages: Any) -> int:
            return len(email_messages)

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend", Asks)
    for number, chosen in enumerate((None, 5)):
        settings.EMAIL_TIMEOUT = chosen
        queue_mail(**{**MAIL, "key": str(number)})
        actions.deliver_due()
    assert asked == [30, 5]
