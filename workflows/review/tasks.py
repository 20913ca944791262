"""What the worker does for the review: it writes the letters that acts queued."""

from celery import shared_task
from django.db import transaction

from workflows.review import letters


@shared_task(name="review.letters")
def write_letter(*, letter: letters.Letter, about: int) -> None:
    """Queue the mails of one letter; safe to repeat, because each mail has a key of its own."""
    with transaction.atomic():
        letters.write(letter, about)
