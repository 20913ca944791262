"""What every page shows of the review: how many proposals wait, the policy in force, whether the record is open to the
person, deliveries that failed.

Nothing is asked of the database before a template asks for it.
"""

from functools import cache

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from governance.people.models import User
from governance.people.queries import Holdings, holdings
from governance.policies.queries import name_of_law
from workflows.notices.queries import failed_count
from workflows.review.lists import Scope
from workflows.review.lists import waiting as items_waiting
from workflows.review.paging import COUNT_UP_TO, count_in_words
from workflows.review.queries import may_audit


def waiting(request: HttpRequest) -> dict[str, object]:
    user = request.user
    if not isinstance(user, User):
        return {}

    @cache
    def held() -> Holdings:
        return holdings(user)

    known: dict[str, object] = {
        "waiting_count": SimpleLazyObject(lambda: how_many_wait(user, held())),
        "may_audit": SimpleLazyObject(lambda: may_audit(user, held())),
        "policy_in_force": SimpleLazyObject(lambda: name_of_law(settings.APPROVAL_POLICY)),
    }
    if user.is_staff:
        known["failed_deliveries"] = SimpleLazyObject(failed_count)
    return known


def how_many_wait(user: User, held: Holdings | None = None) -> str:
    """The number at the word Queue on every page, in words; empty when nothing waits."""
    scope = Scope(user=user, held=held or holdings(user))
    if not scope.seats:
        return ""
    count = items_waiting(scope).order_by()[: COUNT_UP_TO + 1].count()
    return count_in_words(count) if count else ""
