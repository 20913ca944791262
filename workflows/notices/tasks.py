"""What a Celery worker and its beat call. Each calls one function that says what it does."""

from celery import shared_task

from workflows.notices import actions, mail

# A sweep that never ended would be handed to a second worker by a broker that thinks the first one dead.
ROWS_A_SWEEP = 200


@shared_task(name="notices.deliver")
def deliver(*, row_id: int) -> None:
    """Deliver one row, as told on commit."""
    actions.deliver(row_id=row_id)


@shared_task(name="notices.sweep")
def sweep() -> None:
    """Deliver what is due and was not delivered on commit: second tries, and rows whose worker was killed."""
    actions.deliver_due(limit=ROWS_A_SWEEP)


@shared_task(name="notices.send_mail")
def send_mail(*, key: str, to: str, subject: str, text: str) -> None:
    """Send the mail queued under `key`."""
    mail.send(key=key, to=to, subject=subject, text=text)
