"""What the worker runs when a replay was asked for."""

from celery import shared_task

from workflows.insights import actions


@shared_task(name="insights.replay")
def replay(*, replay_id: int) -> None:
    """Take a replay further."""
    actions.run(replay_id=replay_id)
