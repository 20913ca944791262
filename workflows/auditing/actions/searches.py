"""Searches of the record that a person keeps."""

from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from governance.people.models import User
from governance.refusals import Incomplete, NotPossible
from workflows.auditing.models import SavedSearch

# More would be a list to search in.
MOST: Final = 50


@transaction.atomic
def save_search(*, actor: User, name: str, query: str) -> SavedSearch:
    """Keep a search under a name; one of that name is replaced. It is the person's own, and not on the record.

    Raises Incomplete without a name, NotPossible beyond `MOST` searches.
    """
    name = name.strip()
    if not name:
        raise Incomplete(_("Give the search a name."), {"name": _("Give the search a name")})
    # The row of the person is locked, so that two at once cannot pass the limit together.
    User.objects.select_for_update().get(pk=actor.pk)
    mine = SavedSearch.objects.filter(user=actor)
    if not mine.filter(name=name).exists() and mine.count() >= MOST:
        raise NotPossible(_("You keep %(n)s searches already. Delete one first.") % {"n": MOST})
    search, _new = SavedSearch.objects.update_or_create(user=actor, name=name, defaults={"query": query})
    return search


@transaction.atomic
def delete_search(*, actor: User, search: SavedSearch) -> None:
    """Forget a search of one's own; somebody else's is not there."""
    SavedSearch.objects.filter(pk=search.pk, user=actor).delete()
