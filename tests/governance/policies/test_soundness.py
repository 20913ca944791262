"""What must hold of rules before they become law: every fault is found and named with a case that shows it, and nothing
else is."""

import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils.html import strip_tags
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance import clock
from governance.people.actions import add_person, add_unit, create_body, end_mandate, give_mandate
from governance.people.duties import Duty
from governance.people.models import Body, Mandate, User
from governance.policies.actions import adopt, draft, propose
from governance.policies.classes import MOST_COMBINATIONS
from governance.policies.institution import institution_on
from governance.policies.loading import PolicyFile
from governance.policies.rules import Rules
from governance.policies.seats import Institution, Person, PlacedUnit, SeatedBody, first_unfilled
from governance.policies.soundness import Fault, FaultKind, check
from governance.policies.vocabulary import UnitPlace
from governance.refusals import Incomplete
from tests.conftest import LONG_AGO, REGISTRAR
from tests.conftest import Institution as Kawartha
from tests.governance.policies import law
from tests.governance.policies.law import ANN, BOB, CYD, DEE, ELI, TEXT, body, rules, stage, university, vote

COUNCIL, SENATE = body("council", deciders=[ANN]), body("senate", deciders=[BOB])
FOR_CREDIT = {"field": "kind", "is": "academic"}
KIND_REQUIRED = {"requires": [{"field": "summary.kind", "says": "Say it"} | law.CLAUSE]}


def said(faults: Iterable[Fault]) -> list[str]:
    return [str(fault) for fault in faults]


def places(faults: Iterable[Fault]) -> set[law.Place]:
    return {(fault.kind.value, fault.stage) for fault in faults}


# ---- each kind of fault


def test_sound_rules_have_no_fault() -> None:
    assert check(rules(stage("council"), stage("senate", effect="decide")), university(COUNCIL, SENATE)) == []


def test_a_proposal_that_passes_no_stage_is_named() -> None:
    senate = stage("senate", effect="decide", when={"all": [FOR_CREDIT, {"field": "hours", "at_least": 40}]})
    [fault] = check(rules(senate, **KIND_REQUIRED), university(SENATE))
    assert fault == Fault(
        kind=FaultKind.NO_STAGE,
        sentence="No stage is on its route.",
        combination="for academic credit, fewer than 40 hours",
        unit="Arts",
        others=2,
    )
    assert str(fault) == (
        "Arts, for academic credit, fewer than 40 hours: No stage is on its route. The same is so in 2 other cases."
    )


def test_a_route_that_only_informs_is_a_fault() -> None:
    effect = [{"when": FOR_CREDIT, "effect": "decide"}, {"effect": "receive"}]
    [fault] = check(rules(stage("senate", effect=effect), **KIND_REQUIRED), university(SENATE))
    assert str(fault) == (
        "Arts, without academic credit: Every stage on its route only receives it, so nobody answers."
    )


def test_a_route_that_does_not_end_in_a_decision_is_a_fault() -> None:
    senate = stage("senate", effect="decide", when=FOR_CREDIT)
    told = stage("deans", effect="receive")
    [fault] = check(rules(stage("council"), senate, told, **KIND_REQUIRED), university(COUNCIL, SENATE, body("deans")))
    assert str(fault) == "Arts, without academic credit: “Council” is the last to answer, and it does not decide."
    assert fault.stage == "council"


def test_a_way_round_a_mandatory_stage_is_a_fault() -> None:
    council = stage("council", mandatory=True, when={"field": "level", "in": ["undergraduate", "graduate"]})
    required = [{"field": "summary.level", "says": "Say it"} | law.CLAUSE]
    [fault] = check(rules(council, stage("senate", effect="decide"), requires=required), university(COUNCIL, SENATE))
    assert str(fault) == ("Arts, continuing and professional: “Council” is mandatory, and the route passes it by.")


def test_a_mandatory_stage_that_only_receives_is_a_fault() -> None:
    council = stage("council", mandatory=True, effect="receive")
    [fault] = check(rules(council, stage("senate", effect="decide")), university(COUNCIL, SENATE))
    assert str(fault) == "Arts, any proposal: “Council” is mandatory, and only receives it for information."


def test_a_stage_whose_kind_of_body_the_unit_does_not_have_is_a_fault() -> None:
    of_music = body("dean", unit="M", deciders=[ANN])
    dean, senate = stage("dean", of="proposal.unit"), stage("senate", effect="decide")
    assert said(check(rules(dean, senate), university(of_music, SENATE))) == [
        "Arts, any proposal: No body of the kind “dean” serves the unit, so “Dean” has nobody to go to."
    ]
    of_arts = body("dean", unit="A", deciders=[ANN])  # serves Music, too, which is part of it
    assert check(rules(dean, senate), university(of_arts, SENATE, music=[DEE])) == []


def test_a_stage_that_does_not_say_which_of_two_bodies_is_a_fault() -> None:
    two = [body("council", unit="A", deciders=[ANN]), body("council", unit="M", deciders=[CYD])]
    assert said(check(rules(stage("council"), stage("senate", effect="decide")), university(*two, SENATE))) == [
        "Arts, any proposal: There are 2 bodies of the kind “council”, and “Council” does not say that it goes to the"
        " one of the proposal’s unit."
    ]


def test_a_kind_of_body_that_does_not_exist_is_a_fault_even_where_nothing_reaches_it() -> None:
    never = stage("council", when={"field": "action", "is": "renew"})
    assert said(check(rules(never, stage("senate", effect="decide")), university(SENATE))) == [
        "There is no body of the kind “council”, so “Council” has nobody to go to."
    ]


def test_a_body_that_only_receives_needs_nobody_and_one_that_answers_does() -> None:
    empty, senate = body("council"), stage("senate", effect="decide")
    assert check(rules(stage("council", effect="receive"), senate), university(empty, SENATE)) == []
    assert said(check(rules(stage("council"), senate), university(empty, SENATE))) == [
        "Arts, any proposal: Nobody holds a duty on The council of U that lets them decide at “Council”."
    ]


def test_an_author_who_alone_could_decide_is_a_fault_unless_the_policy_lets_them() -> None:
    eli_alone = body("council", deciders=[ELI])
    route = stage("council"), stage("senate", effect="decide")
    assert said(check(rules(*route), university(eli_alone, SENATE, arts=[DEE, ELI]))) == [
        "Arts, any proposal: Only Eli may decide at “Council”, and nobody decides on a proposal that they wrote."
    ]
    assert check(rules(*route), university(eli_alone, SENATE, arts=[DEE])) == []
    assert check(rules(*route, duties=law.allowing("author_may_decide")), university(eli_alone, SENATE)) == []


def test_one_person_in_two_stages_is_a_fault_unless_the_policy_lets_them() -> None:
    both = [body("council", deciders=[ANN]), body("senate", deciders=[ANN])]
    route = stage("council"), stage("senate", effect="decide")
    assert said(check(rules(*route), university(*both))) == [
        "Arts, any proposal: Too few people are left for “Senate” when nobody has a part in two stages."
    ]
    assert check(rules(*route, duties=law.allowing("one_person_many_stages")), university(*both)) == []
    deputy = [body("council", deciders=[ANN]), body("senate", deciders=[ANN, BOB])]
    assert check(rules(*route), university(*deputy)) == []


def test_people_who_suffice_for_every_author_but_one_are_a_fault_that_names_the_author() -> None:
    bodies = [body("council", deciders=[ANN, ELI]), body("senate", deciders=[ANN, ELI])]
    route = stage("council"), stage("senate", effect="decide")
    assert check(rules(*route), university(*bodies, arts=[DEE])) == []
    assert said(check(rules(*route), university(*bodies, arts=[DEE, ELI]))) == [
        "Arts, any proposal: Too few people are left for “Senate” when nobody has a part in two stages and Eli wrote"
        " it."
    ]


def test_a_quorum_counts_chairs_and_members_beside_the_one_who_records_the_vote() -> None:
    senate = rules(stage("senate", effect="decide", **vote(quorum=2)))
    assert check(senate, university(body("senate", deciders=[ANN], voters=[ANN, BOB, CYD]))) == []
    assert check(senate, university(body("senate", deciders=[DEE], voters=[BOB, CYD]))) == []
    assert said(check(senate, university(body("senate", deciders=[ANN], voters=[ANN, BOB])))) == [
        "Arts, any proposal: The quorum of “Senate” is 2. Beside the person who records the vote, only 1 member of The"
        " senate of U may vote."
    ]


def test_a_quorum_that_needs_the_author_is_a_fault() -> None:
    senate = rules(stage("senate", effect="decide", **vote(quorum_percent=100)))
    seated = body("senate", deciders=[DEE], voters=[BOB, CYD, ELI])
    assert said(check(senate, university(seated))) == [
        "Arts, any proposal: The quorum of “Senate” is 3. Beside Eli, who wrote it, and the person who records the"
        " vote, only 2 members of The senate of U may vote."
    ]
    assert check(senate, university(seated, arts=[ANN])) == []


def test_a_quorum_that_needs_people_of_an_earlier_stage_is_a_fault() -> None:
    """Clause 8.2 of the shipped policy: also where somebody holds an office in one body and a seat in the other."""
    route = stage("council"), stage("senate", effect="decide", **vote(quorum=2))
    seated = body("senate", deciders=[BOB], voters=[ANN, CYD])
    assert places(check(rules(*route), university(COUNCIL, seated))) == {("not-enough-apart", "senate")}
    assert check(rules(*route, duties=law.allowing("one_person_many_stages")), university(COUNCIL, seated)) == []
    assert check(rules(*route), university(body("council", deciders=[ANN, DEE]), seated)) == []


def test_nobody_is_carried_by_an_empty_room() -> None:
    senate = rules(stage("senate", effect="decide", **vote(quorum_percent=50)))
    assert places(check(senate, university(SENATE))) == {("no-quorum", "senate")}


def test_a_condition_that_names_what_no_proposal_has_is_a_fault() -> None:
    when = {"any": [{"field": "level", "in": ["graduate", "gradaute"]}, {"field": "unit", "is": "ARTS"}]}
    found = check(rules(stage("council", when=when), stage("senate", effect="decide")), university(COUNCIL, SENATE))
    assert said(found) == [
        "A condition of “Council” compares “level” with “gradaute”, which no proposal can have.",
        "A condition of “Council” compares “unit” with “ARTS”, which no proposal can have.",
    ]


@pytest.mark.parametrize(
    "condition",
    [
        {"field": "hours", "is": "40"},
        {"field": "hours", "is": -1},
        {"field": "level", "at_least": 3},
        {"field": "new_resources", "is": "yes"},
        {"field": "unit_kind", "is": "facultie"},
        {"field": "action", "in": ["create"]},
        {"field": "kind", "is": ""},
    ],
)
def test_other_things_that_no_proposal_has(condition: dict[str, Any]) -> None:
    found = check(
        rules(stage("council", when={"not": condition}), stage("senate", effect="decide")),
        university(COUNCIL, SENATE),
    )
    assert places(found) == {("unknown-value", "council")}


def test_an_institution_where_nobody_may_propose_is_a_fault() -> None:
    assert said(check(rules(stage("senate", effect="decide")), university(SENATE, arts=[]))) == [
        "Nobody holds the duty to propose for any unit."
    ]


def test_conditions_that_tell_too_many_proposals_apart_are_a_fault_and_not_a_long_wait() -> None:
    names = ["hours", "weeks", "partners", "credit_hundredths"]
    when = {"any": [{"field": name, "in": [*range(0, 40, 2)]} for name in names]}
    began = time.process_time()
    [fault] = check(rules(stage("senate", effect="decide", when=when)), university(SENATE))
    assert fault.kind is FaultKind.TOO_MANY_COMBINATIONS
    assert f"no more than {MOST_COMBINATIONS} are checked" in fault.sentence
    assert time.process_time() - began < 1


def test_a_fault_in_many_cases_is_told_once() -> None:
    effect = [{"when": {"field": "hours", "less_than": 10}, "effect": "decide"}, {"effect": "recommend"}]
    when = {"field": "new_resources", "is": True}
    route = stage("council", when=when), stage("senate", effect=effect)
    found = check(rules(*route), university(COUNCIL, SENATE, music=[DEE]))
    # From 10 hours on, with new resources and without, from Arts and from Music.
    [fault] = found
    assert (fault.kind, fault.stage, fault.unit, fault.others) == (FaultKind.DOES_NOT_DECIDE, "senate", "Arts", 3)


def test_a_case_is_counted_once_whoever_of_its_authors_shows_it() -> None:
    seated = body("senate", deciders=[DEE, ELI, ANN])
    route = stage("council"), stage("senate", effect="decide")
    [fault] = check(rules(*route), university(body("council"), seated, arts=[DEE, ELI]))
    assert (fault.kind, fault.others) == (FaultKind.NOBODY_DECIDES, 0)


def test_each_body_that_lacks_people_is_named() -> None:
    deans = [body("dean", unit="A"), body("dean", unit="M")]
    route = stage("dean", of="proposal.unit", when={"field": "hours", "less_than": 9}), stage("senate", effect="decide")
    found = check(rules(*route), university(*deans, SENATE, music=[DEE]))
    assert [(fault.body, fault.unit, fault.combination, fault.others) for fault in found] == [
        ("The dean of A", "Arts", "fewer than 9 hours", 0),
        ("The dean of M", "Music", "fewer than 9 hours", 0),
    ]


def test_a_proposal_that_leaves_its_kind_empty_is_looked_at_unless_it_must_be_filled_in() -> None:
    senate = stage("senate", effect="decide", when={"field": "kind", "in": ["academic", "non-academic"]})
    assert said(check(rules(senate), university(SENATE))) == ["Arts, kind not said: No stage is on its route."]
    assert check(rules(senate, **KIND_REQUIRED), university(SENATE)) == []


def test_a_combination_that_cannot_be_sent_shows_no_fault() -> None:
    levels = {"field": "level", "in": ["undergraduate", "graduate", "professional"]}
    senate = stage("senate", effect="decide", when={"any": [{"not": FOR_CREDIT}, levels]})
    assert said(check(rules(senate), university(SENATE))) == [
        "Arts, for academic credit, level not said: No stage is on its route."
    ]
    asked = [{"field": "summary.level", "says": "Say it", "when": FOR_CREDIT} | law.CLAUSE]
    assert check(rules(senate, requires=asked), university(SENATE)) == []


# ---- against a walk through every case


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rules=law.drawn_rules(), place=law.drawn_institution())
def test_the_check_finds_what_a_walk_through_every_case_finds(rules: Rules, place: Institution) -> None:
    assert places(check(rules, place)) == law.walk(rules, place)


@given(st.lists(st.lists(st.integers(1, 5), max_size=4, unique=True), max_size=5))
def test_seats_are_filled_if_some_seating_fills_them(seats: list[list[int]]) -> None:
    def can_fill(wanted: list[list[int]], taken: frozenset[int] = frozenset()) -> bool:
        return not wanted or any(can_fill(wanted[1:], taken | {one}) for one in wanted[0] if one not in taken)

    unfilled = first_unfilled(seats)
    if unfilled is None:
        assert can_fill(seats)
    else:
        assert can_fill(seats[:unfilled])
        assert not can_fill(seats[: unfilled + 1])


# ---- the institution in the database


def enter(place: Institution) -> dict[Person, User]:
    """Enter an institution by the acts that enter one; returns its people."""
    people = {
        person: add_person(actor=REGISTRAR, email=f"{person.name}@sample.example", name=person.name)
        for person in law.PEOPLE
    }
    units: dict[str, Any] = {}
    for unit in place.units:
        units[unit.place.code] = add_unit(
            actor=REGISTRAR,
            code=unit.place.code,
            name=unit.name,
            short_name=unit.name,
            kind=unit.place.kind,
            parent=units[unit.place.within[0]] if unit.place.within else None,
        )
        if unit.proposers:
            staff = SeatedBody(f"Staff of {unit.name}", "staff", unit.place.code)
            seat(staff, units, people, {Duty.PROPOSER: unit.proposers})
    for one in place.bodies:
        both = [person for person in one.deciders if person in one.voters]
        seat(
            one,
            units,
            people,
            {
                Duty.CHAIR: both,
                Duty.OFFICER: [person for person in one.deciders if person not in both],
                Duty.MEMBER: [person for person in one.voters if person not in both],
            },
        )
    return people


def seat(
    one: SeatedBody, units: dict[str, Any], people: dict[Person, User], duties: dict[Duty, Iterable[Person]]
) -> None:
    code = f"{one.kind}-{one.unit}"
    row = create_body(actor=REGISTRAR, code=code, kind=one.kind, name=one.name, short_name=code, unit=units[one.unit])
    for duty, holders in duties.items():
        for person in holders:
            give_mandate(actor=REGISTRAR, person=people[person], body=row, duty=duty, starts_on=LONG_AGO)


def administrators() -> tuple[User, User]:
    def one(name: str) -> User:
        return add_person(actor=REGISTRAR, email=f"{name}@admin.example", name=name, is_staff=True)

    return one("drafter"), one("adopter")


@pytest.mark.django_db
def test_what_is_read_of_the_institution_is_what_was_entered() -> None:
    place = university(
        body("dean", "A", [ANN, BOB], [BOB, CYD]), body("senate", "U", [DEE], [ELI]), arts=[ANN, ELI], music=[CYD]
    )
    enter(place)
    read = institution_on(clock.today())
    assert {(unit.place, unit.name, names(unit.proposers)) for unit in read.units} == {
        (unit.place, unit.name, names(unit.proposers)) for unit in place.units
    }
    assert [
        (one.kind, one.unit, names(one.deciders), names(one.voters)) for one in read.bodies if one.kind != "staff"
    ] == [(one.kind, one.unit, names(one.deciders), names(one.voters)) for one in place.bodies]
    assert set(law.UNIT_KINDS) <= set(read.unit_kinds)


def names(people: Iterable[Person]) -> tuple[str, ...]:
    return tuple(person.name for person in people)


@pytest.mark.django_db
def test_people_count_on_the_days_of_their_mandates_while_they_may_sign_in() -> None:
    people = enter(university(body("senate", "U", [ANN, BOB])))
    today, tomorrow = clock.today(), clock.today() + timedelta(days=1)
    mandate = Mandate.objects.get(user=people[ANN])
    end_mandate(actor=REGISTRAR, mandate=mandate, ends_on=today, reason="Leaves")
    give_mandate(actor=REGISTRAR, person=people[CYD], body=mandate.body, duty=Duty.CHAIR, starts_on=tomorrow)
    User.objects.filter(pk=people[BOB].pk).update(is_active=False)
    [senate] = institution_on(today).bodies_of("senate")
    assert names(senate.deciders) == ("Ann",)
    [senate] = institution_on(tomorrow).bodies_of("senate")
    assert (names(senate.deciders), names(senate.voters)) == (("Cyd",), ("Cyd",))


@pytest.mark.django_db
def test_reading_the_institution_costs_three_queries(django_assert_num_queries: Any) -> None:
    enter(university(*(body(kind, unit, law.PEOPLE) for kind in ("dean", "senate") for unit in "UAM")))
    with django_assert_num_queries(3):
        assert len(institution_on(clock.today()).bodies) == 7


# ---- enforced


def sample(rules: Rules) -> PolicyFile:
    return PolicyFile(rules, TEXT)


@pytest.mark.django_db
def test_an_unsound_version_cannot_be_proposed() -> None:
    enter(university(SENATE))
    drafter, _adopter = administrators()
    version = draft(
        actor=drafter, source=sample(rules(stage("council"), stage("senate", effect="decide", when=FOR_CREDIT)))
    )
    with pytest.raises(Incomplete) as refused:
        propose(actor=drafter, version=version)
    assert str(refused.value) == "This version cannot be adopted: 2 things do not hold in this institution."
    assert sorted(refused.value.gaps.values()) == [
        "Arts, for academic credit: There is no body of the kind “council”, so “Council” has nobody to go to."
        " The same is so in 2 other cases.",
        "Arts, without academic credit: “Council” is the last to answer, and it does not decide."
        " The same is so in 1 other case.",
    ]
    version.refresh_from_db()
    assert version.status == "draft"


@pytest.mark.django_db
def test_a_version_that_is_no_longer_sound_cannot_be_adopted() -> None:
    people = enter(university(SENATE))
    drafter, adopter = administrators()
    version = draft(actor=drafter, source=sample(rules(stage("senate", effect="decide"))))
    proposed = propose(actor=drafter, version=version)
    end_mandate(
        actor=REGISTRAR,
        mandate=Mandate.objects.get(user=people[BOB]),
        ends_on=clock.today() - timedelta(days=1),
        reason="Leaves",
    )
    with pytest.raises(Incomplete) as refused:
        adopt(actor=adopter, version=proposed, motion="Minute 1")
    assert str(refused.value) == "This version cannot be adopted: 1 thing does not hold in this institution."
    assert list(refused.value.gaps.values()) == [
        "Arts, any proposal: Nobody holds a duty on The senate of U that lets them decide at “Senate”."
    ]
    version.refresh_from_db()
    assert version.status == "proposed"


@pytest.mark.django_db
def test_a_version_is_held_against_the_mandates_of_its_first_day() -> None:
    people = enter(university(body("senate")))
    drafter, adopter = administrators()
    first_day = clock.today() + timedelta(days=30)
    senate = stage("senate", effect="decide")
    begins = rules(senate, effective_from=first_day.isoformat())
    version = draft(actor=drafter, source=sample(begins))
    with pytest.raises(Incomplete, match="cannot be adopted"):
        propose(actor=drafter, version=version)
    row = Body.objects.get(kind="senate")
    give_mandate(actor=REGISTRAR, person=people[ANN], body=row, duty=Duty.CHAIR, starts_on=first_day)
    adopted = adopt(actor=adopter, version=propose(actor=drafter, version=version), motion="Minute 1")
    assert adopted.status == "adopted"
    begun = draft(actor=drafter, source=sample(rules(senate, policy="another", effective_from="2020-01-01")))
    with pytest.raises(Incomplete, match="cannot be adopted"):  # it would govern from today, not from 2020
        propose(actor=drafter, version=begun)


@pytest.mark.django_db
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(rules=law.drawn_rules(), place=law.drawn_institution())
def test_adoption_is_refused_exactly_when_a_walk_through_every_case_finds_a_fault(
    rules: Rules, place: Institution
) -> None:
    with transaction.atomic():
        enter(place)
        drafter, adopter = administrators()
        version = draft(actor=drafter, source=sample(rules))
        try:
            version = adopt(actor=adopter, version=propose(actor=drafter, version=version), motion="Minute 1")
        except Incomplete:
            version.refresh_from_db()
        transaction.set_rollback(True)
    assert (version.status == "adopted") == (not law.walk(rules, place))


# ---- told to administrators


@pytest.mark.django_db
def test_an_administrator_reads_on_the_page_of_a_version_what_does_not_hold(
    institution: Kawartha, client: Client
) -> None:
    client.force_login(institution.person("administrator"))
    address = "/policies/micro-credential-approval/1/"
    assert "Sound: 6 combinations for 2 units checked, with the mandates" in text_of(client.get(address))
    mandate = Mandate.objects.get(user=institution.people["ad-eng"])
    end_mandate(actor=REGISTRAR, mandate=mandate, ends_on=clock.today() - timedelta(days=1), reason="Leaves")
    page = text_of(client.get(address))
    assert "1 thing does not hold in this institution" in page
    assert (
        "Faculty of Engineering, for academic credit, undergraduate: Nobody holds a duty on Associate Dean, Engineering"
        " that lets them decide at “Associate Dean”. The same is so in 5 other cases."
    ) in page
    client.force_login(institution.person("stranger"))
    assert "does not hold" not in text_of(client.get(address))


def text_of(response: Any) -> str:
    return " ".join(strip_tags(response.content.decode()).split())


# ---- how long it takes


@pytest.mark.once
def test_twelve_stages_and_six_conditions_over_forty_units_take_less_than_two_seconds() -> None:
    units = [
        PlacedUnit(UnitPlace(f"F{n}", "faculty", ("U",)), f"Faculty {n}", tuple(people(range(n * 10, n * 10 + 5))))
        for n in range(40)
    ]
    deans = [SeatedBody(f"Dean {n}", "dean", f"F{n}", tuple(people(range(n * 10 + 4, n * 10 + 7)))) for n in range(40)]
    # Each body shares its people with the next, so that seating them apart takes some moving about.
    shared = [
        SeatedBody(f"Body {n}", f"kind-{n}", "U", tuple(people([1000 + n, 1001 + n])), tuple(people(range(1000, 1060))))
        for n in range(11)
    ]
    when = [
        {"field": "kind", "is": "academic"},
        {"field": "level", "in": ["graduate"]},
        {"field": "hours", "at_least": 40},
        {"field": "credit_hundredths", "at_least": 300},
        {"field": "partners", "at_least": 1},
        {"field": "new_resources", "is": True},
    ]
    route = [stage("dean", of="proposal.unit")]
    route += [stage(f"kind-{n}", when=when[n % 6]) for n in range(10)]
    route += [stage("kind-10", effect="decide", **vote(quorum=20))]
    twelve = rules(*route, governs=["new", "modify"])
    place = Institution(tuple(units), (*deans, *shared), law.UNIT_KINDS)
    began = time.process_time()
    assert check(twelve, place) == []
    assert time.process_time() - began < 2


def people(keys: Iterable[int]) -> list[Person]:
    return [Person(key, f"Person {key}") for key in keys]
