"""Any day of the past or to come: the version in force, the bodies there were and who sat on them, beside today."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from governance import clock
from governance.people.actions import add_person, change_body, change_person, create_body, end_mandate, give_mandate
from governance.people.duties import Duty
from governance.people.models import Mandate
from governance.policies.actions import adopt, draft, propose, withdraw
from governance.policies.at_a_date import AtADate, BodyOnDay, at_a_date
from governance.policies.loading import PolicyFile, load_policy_file
from governance.policies.models import PolicyVersion
from tests.conftest import REGISTRAR, SHIPPED_POLICY, Institution, make_institution

pytestmark = pytest.mark.django_db
FIRST_OF_RECORD = date(2023, 5, 2)
HANDOVER = date(2024, 6, 30)


@contextmanager
def on(day: date) -> Iterator[None]:
    with clock.at(datetime(day.year, day.month, day.day, 9, tzinfo=ZoneInfo("America/Toronto"))):
        yield


@pytest.fixture
def place(db: None) -> Institution:
    """An institution that was entered in May 2023 and adopted its first version then, for 1 July 2025."""
    with on(FIRST_OF_RECORD):
        return make_institution()


def version_2(place: Institution, effective_from: date) -> PolicyVersion:
    """A second version, proposed, with the rules of the first."""
    source = load_policy_file(SHIPPED_POLICY)
    rules = source.rules.model_copy(update={"version": 2, "effective_from": effective_from})
    drafter = place.person("drafter")
    return propose(actor=drafter, version=draft(actor=drafter, source=PolicyFile(rules=rules, text=source.text)))


def hand_over_senate(place: Institution) -> None:
    """Amara Nwosu's chair ends with June 2024 and Peter Achebe's begins."""
    with on(date(2024, 6, 3)):
        chair = Mandate.objects.get(user=place.people["senate"], duty=Duty.CHAIR)
        end_mandate(actor=REGISTRAR, mandate=chair, ends_on=HANDOVER, reason="Term ended.")
        give_mandate(
            actor=REGISTRAR,
            person=place.people["member"],
            body=place.bodies["senate"],
            duty=Duty.CHAIR,
            starts_on=HANDOVER + timedelta(days=1),
        )


def body(found: AtADate, code: str) -> BodyOnDay:
    return next(body for body in found.bodies if body.code == code)


# ---- rules


def test_version_of_a_day_is_the_one_that_had_begun_and_later_ones_follow(place: Institution) -> None:
    with on(date(2025, 12, 1)):
        adopt(actor=place.person("administrator"), version=version_2(place, date(2026, 1, 1)), motion="Minute 2")
    last, first = at_a_date(date(2025, 12, 31)).policies[0], at_a_date(date(2026, 1, 1)).policies[0]
    assert last.version is not None and first.version is not None
    assert (last.version.number, first.version.number) == (1, 2)
    assert (last.last_day, first.last_day) == (date(2025, 12, 31), None)
    assert [later.number for later in last.later] == [2]
    assert first.later == ()
    assert last.today == first.today == first.version


def test_no_version_is_in_force_before_the_first(place: Institution) -> None:
    policy = at_a_date(date(2025, 6, 30)).policies[0]
    assert policy.version is None
    assert policy.last_day is None
    assert [later.number for later in policy.later] == [1]


def test_what_was_only_proposed_or_withdrawn_never_was_law(place: Institution) -> None:
    version = version_2(place, date(2030, 1, 1))
    assert at_a_date(date(2031, 1, 1)).policies[0].later == ()
    adopted = adopt(actor=place.person("administrator"), version=version, motion="Minute 2")
    day = at_a_date(date(2031, 1, 1)).policies[0]
    assert day.version is not None and day.version.number == 2
    withdraw(actor=place.person("administrator"), version=adopted, reason="Not needed.")
    day = at_a_date(date(2031, 1, 1)).policies[0]
    assert day.version is not None and day.version.number == 1


# ---- mandates


def test_who_sat_that_day_and_who_came_since(place: Institution) -> None:
    hand_over_senate(place)
    senate = body(at_a_date(HANDOVER), "SENATE")
    assert [(seat.person, seat.duty, seat.today) for seat in senate.then] == [
        ("Amara Nwosu", Duty.CHAIR, False),
        ("Peter Achebe", Duty.MEMBER, True),
        ("Helen Osei", Duty.SECRETARY, True),
    ]
    assert [seat.person for seat in senate.gone] == ["Amara Nwosu"]
    assert [(seat.person, seat.duty) for seat in senate.others] == [("Peter Achebe", Duty.CHAIR)]
    after = body(at_a_date(HANDOVER + timedelta(days=1)), "SENATE")
    assert [seat.person for seat in after.then] == ["Peter Achebe", "Peter Achebe", "Helen Osei"]
    assert not after.gone and not after.others


def test_a_duty_held_again_is_the_same_duty(place: Institution) -> None:
    with on(date(2024, 6, 3)):
        chair = Mandate.objects.get(user=place.people["senate"], duty=Duty.CHAIR)
        end_mandate(actor=REGISTRAR, mandate=chair, ends_on=HANDOVER, reason="Leave.")
        who, where = place.people["senate"], place.bodies["senate"]
        give_mandate(actor=REGISTRAR, person=who, body=where, duty=Duty.CHAIR, starts_on=date(2025, 1, 1))
    senate = body(at_a_date(date(2024, 1, 1)), "SENATE")
    assert not senate.gone and not senate.others
    assert [seat.ends_on for seat in senate.then if seat.duty is Duty.CHAIR] == [HANDOVER]
    between = body(at_a_date(date(2024, 9, 1)), "SENATE")
    assert "Amara Nwosu" not in [seat.person for seat in between.then]


def test_a_day_to_come_shows_what_is_known_of_it(place: Institution) -> None:
    day = clock.today() + timedelta(days=40)
    who, where = place.people["stranger"], place.bodies["ctl"]
    give_mandate(actor=REGISTRAR, person=who, body=where, duty=Duty.REVIEWER, starts_on=day)
    found = at_a_date(day)
    assert found.is_to_come and not found.is_past
    assert [seat.person for seat in body(found, "CTL").gone] == ["Owen MacNeil"]
    assert not found.is_as_today
    assert at_a_date(day - timedelta(days=1)).is_as_today


def test_those_who_only_propose_stand_apart(place: Institution) -> None:
    found = at_a_date(HANDOVER)
    assert {body.code for body in found.proposing} == {"STAFF-HSCI", "STAFF-ENG"}
    assert "SENATE" in {body.code for body in found.sitting}


# ---- bodies and names


def test_a_body_that_was_set_up_later_is_shown_as_such(place: Institution) -> None:
    with on(date(2025, 3, 3)):
        root = place.units["KU"]
        new = create_body(actor=REGISTRAR, code="IEC", kind="council", name="Council", short_name="C", unit=root)
        # The mandate reaches back behind the body, as when somebody tidies up.
        give_mandate(
            actor=REGISTRAR, person=place.people["member"], body=new, duty=Duty.CHAIR, starts_on=date(2024, 1, 1)
        )
    before, after = at_a_date(date(2025, 3, 2)), at_a_date(date(2025, 3, 3))
    assert "IEC" not in {body.code for body in before.bodies}
    (later,) = before.set_up_since
    assert [seat.person for seat in later.others] == ["Peter Achebe"]
    assert "IEC" in {body.code for body in after.bodies}
    assert after.set_up_since == ()


def test_names_are_those_of_today_with_those_of_the_day_beside_them(place: Institution) -> None:
    names = ["Amara Nwosu-Hill", "Amara Hill"]
    for day, name in zip((date(2024, 1, 8), date(2025, 1, 8)), names, strict=True):
        with on(day):
            chair, senate = place.person("senate"), place.bodies["senate"]
            chair.name, chair.title, senate.name = name, "President", f"Senate of {name}"
            change_person(actor=REGISTRAR, person=chair, fields=["name", "title"])
            change_body(actor=REGISTRAR, body=senate, fields=["name"])

    def told(day: date) -> tuple[str, str, str, str]:
        senate = body(at_a_date(day), "SENATE")
        seat = senate.then[0]
        return senate.name_then, seat.name_then, seat.person, seat.title_then

    assert told(date(2024, 1, 7)) == ("Senate", "Amara Nwosu", "Amara Hill", "Chair of Senate")
    assert told(date(2024, 1, 8)) == ("Senate of Amara Nwosu-Hill", "Amara Nwosu-Hill", "Amara Hill", "")
    assert told(date(2025, 1, 8)) == ("", "", "Amara Hill", "")


# ---- days of which little is known


def test_of_a_day_before_everything_nothing_is_known(place: Institution) -> None:
    found = at_a_date(date(2019, 1, 1))
    assert found.is_empty and found.is_before_the_record
    assert found.record_began == FIRST_OF_RECORD
    assert not at_a_date(FIRST_OF_RECORD).is_empty


def test_a_version_that_began_before_the_record_is_shown(institution: Institution) -> None:
    found = at_a_date(date(2025, 7, 1))  # this institution was entered today
    assert found.is_before_the_record and not found.is_empty
    assert found.policies[0].version == institution.policy
    assert not found.bodies


def test_an_empty_database_has_no_days() -> None:
    found = at_a_date(date(2025, 7, 1))
    assert found.is_empty and found.is_before_the_record and found.record_began is None


def test_a_day_costs_the_same_with_many(place: Institution) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            at_a_date(HANDOVER)
        return len(captured)

    def renamed(number: int) -> None:
        who = add_person(actor=REGISTRAR, email=f"p{number}@kawartha.example", name=f"Person {number}")
        where = create_body(
            actor=REGISTRAR,
            code=f"B{number}",
            kind=f"kind-{number}",
            name=f"Body {number}",
            short_name="B",
            unit=place.units["KU"],
        )
        give_mandate(actor=REGISTRAR, person=who, body=where, duty=Duty.CHAIR, starts_on=date(2024, 1, 1))
        who.name = f"Renamed {number}"
        change_person(actor=REGISTRAR, person=who, fields=["name"])

    renamed(0)
    before = queries()
    for number in range(1, 12):
        renamed(number)
    # The seventh opens the names that the record hides.
    assert queries() == before == 7


# ---- the page


def page(client: Client, address: str, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status
    return response.content.decode()


def test_anyone_signed_in_reads_a_day(place: Institution, client: Client) -> None:
    assert client.get("/policies/on/2024-06-30/").status_code == 302
    hand_over_senate(place)
    client.force_login(place.person("stranger"))
    shown = page(client, "/policies/on/2024-06-30/")
    assert "The rules and mandates of Sun 30 Jun 2024" in shown
    assert "None in force" in shown
    assert "Amara Nwosu, Chair" in shown and "No longer" in shown
    assert "One duty of that day has ended." in shown
    assert "One duty was given since." in shown
    assert '<input type="date" name="date" value="2024-06-30"' in shown
    assert "Mon 1 Jul 2024" in page(client, "/policies/on/2024-07-01/")


def test_the_form_leads_to_the_day(place: Institution, client: Client) -> None:
    client.force_login(place.person("stranger"))
    asked = client.get("/policies/on/", {"date": "2024-06-30"})
    assert (asked.status_code, asked["Location"]) == (302, "/policies/on/2024-06-30/")
    assert client.get("/policies/on/")["Location"] == f"/policies/on/{clock.today():%Y-%m-%d}/"
    assert "This is today" in page(client, f"/policies/on/{clock.today():%Y-%m-%d}/")


@pytest.mark.parametrize("words", ["2024-02-30", "yesterday", "", "0001-01-01", "9999-12-31"])
def test_what_is_no_day_is_said_beside_the_field(place: Institution, client: Client, words: str) -> None:
    client.force_login(place.person("stranger"))
    shown = page(client, f"/policies/on/?date={words}", 422)
    assert "Write a day between 1900 and 2199, such as 2024-10-15." in shown
    assert "<title>Error:" in shown
    assert 'aria-describedby="id_date_error"' in shown and 'id="id_date_error"' in shown
    if words:
        assert "Write a day between" in page(client, f"/policies/on/{words}/", 422)


def test_a_day_before_everything_says_so(place: Institution, client: Client) -> None:
    client.force_login(place.person("stranger"))
    shown = page(client, "/policies/on/2019-01-01/")
    assert "Nothing is known of this day" in shown
    assert "The record begins on Tue 2 May 2023." in shown


def test_a_version_links_to_its_first_day(place: Institution, client: Client) -> None:
    client.force_login(place.person("stranger"))
    shown = page(client, "/policies/micro-credential-approval/1/")
    assert '<a href="/policies/on/2025-07-01/">The rules and mandates of that day</a>' in shown


# ---- the command


def told(*arguments: str) -> str:
    out = StringIO()
    call_command("policy", "on", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_tells_the_same(place: Institution) -> None:
    hand_over_senate(place)
    lines = told("2024-06-30").splitlines()
    assert lines[0] == "The rules and mandates of 2024-06-30"
    assert "  Amara Nwosu, chair, 2020-01-01 to 2024-06-30 (no longer)" in lines
    assert "  + Peter Achebe, chair, 2024-07-01" in lines
    answer = json.loads(told("2025-07-01", "--json"))
    assert answer["policies"][0]["version"]["number"] == 1
    senate = next(body for body in answer["bodies"] if body["code"] == "SENATE")
    assert {(seat["person"], seat["duty"]) for seat in senate["held"]} == {
        ("Peter Achebe", "chair"), ("Peter Achebe", "member"), ("Helen Osei", "secretary"),
    }  # fmt: skip
    assert "nobody held a duty" in told("2019-01-01")


@pytest.mark.parametrize("words", ["2024-02-30", "9999-12-31"])
def test_the_command_refuses_what_is_no_day(words: str) -> None:
    with pytest.raises(CommandError, match=words):
        told(words)
