"""The outbox in the administration pages."""

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from governance.people.models import User
from workflows.notices import actions
from workflows.notices.mail import queue_mail
from workflows.notices.models import Delivery, Outbox


@pytest.fixture
def admin_pages(administrator: User, client: Client) -> Client:
    client.force_login(administrator, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_lists_show_what_became_of_each_row(admin_pages: Client, given_up: Outbox) -> None:
    queue_mail(key="a", to="dean@example.edu", subject="Approved", text="Approved.")
    actions.deliver_due()
    queue_mail(key="b", to="dean@example.edu", subject="Returned", text="Returned.")

    outbox = reverse("admin:notices_outbox_changelist")
    for state, keys in {"": {"a", "b", given_up.key}, "?state=waiting": {"b"}, "?state=done": {"a"}}.items():
        rows = admin_pages.get(outbox + state).context["cl"].result_list
        assert {row.key for row in rows} == keys
    page = admin_pages.get(outbox + "?state=given-up").content.decode()
    assert "there is no task named tests.missing" in page
    assert "dean@example.edu" in admin_pages.get(reverse("admin:notices_delivery_changelist")).content.decode()


def test_try_again_revives_the_chosen_rows_and_says_which_it_could_not(admin_pages: Client, given_up: Outbox) -> None:
    waiting = queue_mail(key="b", to="dean@example.edu", subject="Returned", text="Returned.")
    answer = admin_pages.post(
        reverse("admin:notices_outbox_changelist"),
        {"action": "try_again", "_selected_action": [given_up.pk, waiting.pk]},
    )
    assert answer.status_code == 302
    given_up.refresh_from_db()
    assert (given_up.failed_at, given_up.attempts) == (None, 0)
    assert sorted(str(message) for message in get_messages(answer.wsgi_request)) == [
        "1 delivery will be tried again now.",
        "notices.send_mail b: This delivery has not been given up, so there is nothing to try again.",
    ]


def test_nothing_can_be_added_changed_or_deleted(admin_pages: Client, given_up: Outbox) -> None:
    queue_mail(key="a", to="dean@example.edu", subject="Approved", text="Approved.")
    actions.deliver_due()
    for model, row in ("outbox", given_up), ("delivery", Delivery.objects.get()):
        assert admin_pages.get(reverse(f"admin:notices_{model}_add")).status_code == 403
        assert admin_pages.post(reverse(f"admin:notices_{model}_delete", args=[row.pk])).status_code == 403
        page = reverse(f"admin:notices_{model}_change", args=[row.pk])
        assert admin_pages.get(page).status_code == 200
        assert admin_pages.post(page, {"key": "other"}).status_code == 403
