"""A duty begins and ends with its mandate, to the day, and guardian's grants follow."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from guardian.shortcuts import get_objects_for_user, get_user_perms

from governance import clock
from governance.audit.models import Event
from governance.people.actions import end_mandate, give_mandate, refresh_grants
from governance.people.duties import ALLOWS, Duty, Right
from governance.people.models import Body, BodyUserObjectPermission, User
from governance.people.queries import bodies_where, find_body, holdings
from governance.refusals import NotPossible
from tests.conftest import REGISTRAR, Institution

pytestmark = pytest.mark.django_db
TORONTO = ZoneInfo("America/Toronto")


def rights(institution: Institution, person: str, body: str) -> frozenset[Right]:
    return holdings(institution.person(person)).rights_on(institution.bodies[body].pk)


@pytest.mark.parametrize("duty", Duty)
def test_a_duty_gives_what_the_table_says_and_nothing_else(institution: Institution, duty: Duty) -> None:
    body = institution.bodies["senate"]
    give_mandate(
        actor=REGISTRAR, person=institution.people["stranger"], body=body, duty=duty, starts_on=date(2020, 1, 1)
    )
    person = institution.person("stranger")
    assert rights(institution, "stranger", "senate") == ALLOWS[duty]
    assert set(get_user_perms(person, body)) == {right.value for right in ALLOWS[duty]}
    assert rights(institution, "stranger", "ugc") == frozenset()


def test_the_last_day_counts_and_the_day_after_does_not(institution: Institution) -> None:
    last = date(2026, 10, 16)
    give_mandate(
        actor=REGISTRAR,
        person=institution.people["stranger"],
        body=institution.bodies["senate"],
        duty=Duty.CHAIR,
        starts_on=date(2026, 10, 1),
        ends_on=last,
    )
    for moment, allowed in (
        (datetime(2026, 9, 30, 23, 59, tzinfo=TORONTO), False),
        (datetime(2026, 10, 1, 0, 1, tzinfo=TORONTO), True),
        (datetime(2026, 10, 16, 23, 59, tzinfo=TORONTO), True),
        (datetime(2026, 10, 17, 0, 1, tzinfo=TORONTO), False),
    ):
        with clock.at(moment):
            refresh_grants()
            assert (Right.DECIDE in rights(institution, "stranger", "senate")) is allowed, moment


def test_an_ended_mandate_allows_nothing_even_before_the_grants_are_refreshed(institution: Institution) -> None:
    with clock.at(clock.now() + timedelta(days=1)):
        mandate = institution.people["senate"].mandates.get()
    end_mandate(actor=REGISTRAR, mandate=mandate, ends_on=clock.today(), reason="Term over")
    assert Right.DECIDE in rights(institution, "senate", "senate")
    with clock.at(clock.now() + timedelta(days=1)):
        assert BodyUserObjectPermission.objects.filter(user=institution.people["senate"]).exists()
        assert rights(institution, "senate", "senate") == frozenset()


def test_a_grant_without_a_mandate_allows_nothing(institution: Institution) -> None:
    from guardian.shortcuts import assign_perm

    assign_perm("people.decide", institution.people["stranger"], institution.bodies["senate"])
    assert rights(institution, "stranger", "senate") == frozenset()
    assert refresh_grants() == 1
    assert not BodyUserObjectPermission.objects.filter(user=institution.people["stranger"]).exists()


def test_superusers_and_the_inactive_hold_nothing(institution: Institution) -> None:
    assert institution.people["administrator"].is_superuser
    for right in Right:
        assert not bodies_where(institution.person("administrator"), right).exists()
    User.objects.filter(pk=institution.people["senate"].pk).update(is_active=False)
    assert holdings(institution.person("senate")).seats == ()


def test_global_permissions_give_no_body(institution: Institution) -> None:
    from django.contrib.auth.models import Permission

    stranger = institution.person("stranger")
    stranger.user_permissions.add(Permission.objects.get(codename="decide", content_type__app_label="people"))
    stranger = institution.person("stranger")
    assert not get_objects_for_user(stranger, "people.decide", klass=Body, accept_global_perms=False).exists()
    assert not bodies_where(stranger, Right.DECIDE).exists()


def test_refreshing_twice_changes_nothing(institution: Institution) -> None:
    assert refresh_grants() == 0


def test_a_mandate_cannot_end_before_it_starts(institution: Institution) -> None:
    mandate = institution.people["senate"].mandates.get()
    with pytest.raises(NotPossible):
        end_mandate(actor=REGISTRAR, mandate=mandate, ends_on=date(2019, 12, 31), reason="A mistake")


def test_giving_and_ending_a_mandate_is_on_the_record(institution: Institution) -> None:
    mandate = institution.people["senate"].mandates.get()
    end_mandate(actor=REGISTRAR, mandate=mandate, ends_on=clock.today(), reason="Term over")
    event = Event.objects.latest("id")
    assert event.sentence == "The Registrar ended the duty “chair” of Amara Nwosu on Senate."
    assert event.facts["before"]["ends_on"] is None
    assert event.facts["after"]["ends_on"] == clock.today().isoformat()
    assert event.reason == "Term over"


def test_the_nearest_body_up_the_tree_serves_a_unit(institution: Institution) -> None:
    engineering = institution.units["ENG"]
    assert find_body("associate-dean", engineering) == institution.bodies["ad-eng"]
    assert find_body("senate", engineering) == institution.bodies["senate"]
    assert find_body("senate", None) == institution.bodies["senate"]
    assert find_body("associate-dean", None) is None
    assert find_body("faculty-council", engineering) is None
