"""Work that the clock asks of this app."""

from celery import shared_task

from governance.people import actions


@shared_task(name="people.refresh_grants")
def refresh_grants() -> None:
    """Mandates that began or ended with the day."""
    actions.refresh_grants()
