"""Who may look through the record: administrators, and whoever may view on a body of oversight."""

from django.http import HttpRequest
from django.utils.translation import gettext as _

from governance.people.models import User
from governance.refusals import NotPermitted
from workflows.review.queries import may_audit


def auditor(request: HttpRequest) -> User:
    """The person who asks, if they may look through the record. Raises NotPermitted."""
    assert isinstance(request.user, User)
    if not may_audit(request.user):
        raise NotPermitted(
            _("The record is open to administrators and to those who oversee it, such as an internal auditor.")
        )
    return request.user
