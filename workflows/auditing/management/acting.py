"""Who acts at the command line, as the record names them: somebody by e-mail address, or Assent itself."""

from django.core.management.base import CommandError

from governance.audit.actions import ASSENT, Actor
from governance.people.models import User


def actor_of(email: str) -> Actor:
    """Whoever signs in with the address; Assent where none is given. Raises CommandError when nobody does."""
    if not email:
        return ASSENT
    person = User.objects.filter(email=email.lower(), is_active=True).first()
    if person is None:
        raise CommandError(f"Nobody signs in with {email}.")
    return person.as_actor()
