"""Who asks: the signed-in person behind a request."""

from django.http import HttpRequest

from governance.people.models import User


def person_of(request: HttpRequest) -> User:
    """The person who is signed in. Only for views that `SignInRequired` guards."""
    assert isinstance(request.user, User)
    return request.user
