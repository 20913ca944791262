"""Over a whole life of an institution: no event ever names anybody, and whoever is erased, every proof still holds."""

import json
import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings

from governance import clock
from governance.audit.actions import seal_and_sign
from governance.audit.models import Event, PersonalDatum
from governance.people.models import User
from governance.refusals import NotPossible
from tests.conftest import install_triggers
from tests.workflows.auditing.test_erasure import erased, leave
from tests.workflows.auditing.world import World, tampering, world_in
from workflows.auditing.checking import check_database
from workflows.memos.actions import issue
from workflows.notices.models import Outbox
from workflows.review.models import Decision

LEAVING = ["author", "author-eng", "ad-hsci", "ctl", "ugc", "senate", "member", "drafter", "stranger"]


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with django_db_blocker.unblock(), world_in(tmp_path_factory.mktemp("world")) as world:
        install_triggers()
        yield world


@pytest.fixture
def copy(world: World, db: None, tmp_path: Path) -> Iterator[World]:
    """What a test does to the world is undone after it."""
    with tampering(world, tmp_path) as copy:
        yield copy


def test_no_event_says_in_clear_who_anybody_is(copy: World) -> None:
    """Names and addresses stand in the record as commitments only, or no erasure could ever reach them."""
    words = {json.dumps(word)[1:-1] for person in User.objects.all() for word in (person.name, person.email)}
    told = [
        (event.verb, word)
        for event in Event.objects.all()
        for word in words
        if word in json.dumps(json.loads(bytes(event.body)))
    ]
    assert told == []
    assert len(set(Event.objects.values_list("verb", flat=True))) > 20


@pytest.mark.parametrize("seed", range(3))
def test_whoever_is_erased_in_whichever_order_the_record_verifies(
    copy: World, settings: LazySettings, seed: int
) -> None:
    settings.MINIMUM_RETENTION_DAYS = 0
    dice = random.Random(seed)
    order = dice.sample(LEAVING, k=len(LEAVING))
    names = {key: copy.place.people[key].name for key in order}
    assert check_database(whole=True).report.failures == []
    Outbox.objects.waiting().update(done_at=clock.now())
    for decision in Decision.objects.filter(memo=None):
        issue(decision_id=decision.pk)
    gone = []
    for key in order:
        leave(copy.place, key)
    # The real clock and not ours, because what signs asks that one.
    with time_machine.travel(clock.now() + timedelta(days=2)):
        for key in order:
            try:
                erased(copy.place, copy.place.person(key))
            except NotPossible:
                continue
            gone.append(key)
            if dice.random() < 0.5:
                seal_and_sign(now=True)
        seal_and_sign(now=True)
        assert check_database(whole=True).report.failures == []
    assert {"ad-hsci", "ctl", "ugc", "member", "drafter", "stranger"} <= set(gone)
    for key in gone:
        assert not PersonalDatum.objects.filter(value=names[key]).exists()
        assert not Event.objects.filter(actor_name=names[key]).exists()
