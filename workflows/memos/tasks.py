"""What the worker runs when a decision's memo is due."""

from celery import shared_task

from workflows.memos import actions


@shared_task(name="memos.render")
def render(*, decision_id: int) -> None:
    """Issue the memo of a decision."""
    actions.issue(decision_id=decision_id)
