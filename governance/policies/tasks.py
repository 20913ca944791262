"""Work that the clock asks of this app."""

from celery import shared_task

from governance.policies import actions


@shared_task(name="policies.turn_the_day")
def turn_the_day() -> None:
    """Versions that came into force or were superseded with the day."""
    actions.turn_the_day()
