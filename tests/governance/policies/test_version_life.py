"""How a version lives: who may do what in which status, derived from the machine, for the actions and the pages alike;
and which version is in force on a day, whether or not anybody wrote it down."""

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.test import Client

from governance.audit.models import Event
from governance.people.models import User
from governance.policies import actions
from governance.policies.machine import VersionLifecycle, sources
from governance.policies.models import PolicyVersion
from governance.policies.permits import POSSIBLE, PUBLIC, VersionAct
from governance.policies.queries import in_force
from governance.policies.states import LAW, VersionStatus
from governance.refusals import Incomplete, NotPermitted, NotPossible, Refusal
from tests.conftest import Institution

from .drafts import VERSION, rules_of, saved_with

pytestmark = pytest.mark.django_db

S = VersionStatus
TODAY = datetime(2026, 3, 2, 14, tzinfo=UTC)
FIRST_DAY = date(2026, 7, 1)
KEY = "micro-credential-approval"
PEOPLE = ["drafter", "administrator", "stranger"]
ACTS = [VersionAct.EDIT, VersionAct.PROPOSE, VersionAct.TAKE_BACK, VersionAct.ADOPT, VersionAct.WITHDRAW]


def brought_to(status: VersionStatus, institution: Institution) -> PolicyVersion:
    """Version 2 in a status, by the real acts: drafted by the drafter alone."""
    assert institution.policy is not None
    drafter, other = institution.person("drafter"), institution.person("administrator")
    version = actions.begin_draft(actor=drafter, like=institution.policy, effective_from=FIRST_DAY)
    if status == S.WITHDRAWN:
        return actions.withdraw(actor=other, version=version, reason="Another way was found.")
    if status == S.DRAFT:
        return version
    version = actions.propose(actor=drafter, version=version)
    if status == S.PROPOSED:
        return version
    version = actions.adopt(actor=other, version=version, motion="Senate minute 7")
    if status in {S.IN_FORCE, S.SUPERSEDED}:
        with time_machine.travel(datetime(2026, 7, 1, 14, tzinfo=UTC)):
            actions.turn_the_day()
    if status == S.SUPERSEDED:
        with time_machine.travel(datetime(2026, 8, 1, 14, tzinfo=UTC)):
            later = actions.begin_draft(actor=drafter, like=version, effective_from=date(2026, 8, 2))
            actions.adopt(actor=other, version=actions.propose(actor=drafter, version=later), motion="Minute 8")
        with time_machine.travel(datetime(2026, 8, 2, 14, tzinfo=UTC)):
            actions.turn_the_day()
    return PolicyVersion.objects.get(pk=version.pk)


@pytest.fixture(autouse=True)
def _on_a_day_in_march() -> Any:
    with time_machine.travel(TODAY):
        yield


def do(act: VersionAct, actor: User, version: PolicyVersion) -> PolicyVersion:
    doing: dict[VersionAct, Callable[[], PolicyVersion]] = {
        VersionAct.EDIT: lambda: actions.save_draft(actor=actor, version=version, seen=version.saves, text="**1.1** x"),
        VersionAct.PROPOSE: lambda: actions.propose(actor=actor, version=version),
        VersionAct.TAKE_BACK: lambda: actions.take_back(actor=actor, version=version, reason="A clause is missing."),
        VersionAct.ADOPT: lambda: actions.adopt(actor=actor, version=version, motion="Senate minute 7"),
        VersionAct.WITHDRAW: lambda: actions.withdraw(actor=actor, version=version, reason="Not wanted."),
    }
    return doing[act]()


def expected(act: VersionAct, person: str, status: VersionStatus) -> type[Refusal] | None:
    """What the table of the issue says, written down once more and not read from `permits`."""
    possible = {
        VersionAct.EDIT: {S.DRAFT},
        VersionAct.PROPOSE: {S.DRAFT},
        VersionAct.TAKE_BACK: {S.PROPOSED},
        VersionAct.ADOPT: {S.PROPOSED},
        VersionAct.WITHDRAW: {S.DRAFT, S.PROPOSED, S.ADOPTED},
    }
    if status not in possible[act]:
        return NotPossible
    if person == "stranger" or (person == "drafter" and act is VersionAct.ADOPT):
        return NotPermitted
    return None


# ---- the machine


def test_the_table_of_the_machine_is_the_life_of_a_version() -> None:
    table = {
        name: (sources(name), next(iter(getattr(VersionLifecycle, name).get_transitions())).target)
        for name in ("propose", "take_back", "adopt", "enter_into_force", "supersede", "withdraw")
    }
    assert table == {
        "propose": ({S.DRAFT}, S.PROPOSED),
        "take_back": ({S.PROPOSED}, S.DRAFT),
        "adopt": ({S.PROPOSED}, S.ADOPTED),
        "enter_into_force": ({S.ADOPTED}, S.IN_FORCE),
        "supersede": ({S.ADOPTED, S.IN_FORCE}, S.SUPERSEDED),
        "withdraw": ({S.DRAFT, S.PROPOSED, S.ADOPTED}, S.WITHDRAWN),
    }
    assert all(POSSIBLE[act] for act in VersionAct)


@pytest.mark.parametrize("status", list(S))
@pytest.mark.parametrize("person", PEOPLE)
def test_who_may_do_what_in_which_status(institution: Institution, person: str, status: VersionStatus) -> None:
    version = brought_to(status, institution)
    before, events = PolicyVersion.objects.values().get(pk=version.pk), Event.objects.count()
    for act in ACTS:
        no = expected(act, person, status)
        if no is not None:
            with pytest.raises(Refusal) as refused:
                do(act, institution.person(person), version)
            assert type(refused.value) is no, act
            assert PolicyVersion.objects.values().get(pk=version.pk) == before, act
            assert Event.objects.count() == events, act
            continue
        with transaction.atomic():
            done = do(act, institution.person(person), version)
            assert PolicyVersion.objects.get(pk=version.pk).status == done.status
            assert Event.objects.count() == events + (act is not VersionAct.EDIT), act
            transaction.set_rollback(True)


ADDRESSES = {
    VersionAct.READ: ("", {}),
    VersionAct.EDIT: ("edit/basics/", None),
    VersionAct.PROPOSE: ("propose/", {}),
    VersionAct.TAKE_BACK: ("take-back/", {"reason": "A clause is missing."}),
    VersionAct.ADOPT: ("adopt/", {"motion": "Senate minute 7"}),
    VersionAct.WITHDRAW: ("withdraw/", {"reason": "Not wanted."}),
}


@pytest.mark.parametrize("status", list(S))
@pytest.mark.parametrize("person", PEOPLE)
def test_who_may_do_what_over_http(
    institution: Institution, client: Client, person: str, status: VersionStatus
) -> None:
    version = brought_to(status, institution)
    before = PolicyVersion.objects.values().get(pk=version.pk)
    client.force_login(institution.person(person))
    read = 200 if status in PUBLIC or person != "stranger" else 403
    assert client.get(f"{VERSION}/").status_code == read
    for act in ACTS:
        page, data = ADDRESSES[act]
        no = expected(act, person, status)
        shows = client.get(f"{VERSION}/{page}").status_code if act is not VersionAct.PROPOSE else None
        if no is not None:
            assert shows in {None, no.status}, act
            response = client.post(f"{VERSION}/{page}", data or {})
            assert response.status_code == no.status, act
            assert PolicyVersion.objects.values().get(pk=version.pk) == before, act
        else:
            assert shows in {None, 200}, act
    # Last, since it changes the version: the acts that are this person's, one after the other, are carried out.
    allowed = [act for act in ACTS if expected(act, person, status) is None and act is not VersionAct.EDIT]
    if allowed:
        page, data = ADDRESSES[allowed[0]]
        response = client.post(f"{VERSION}/{page}", data or {})
        assert response.headers["Location"] == f"{VERSION}/"
        assert PolicyVersion.objects.get(pk=version.pk).status != before["status"]


def test_whoever_saved_one_word_drafted_it_too(institution: Institution) -> None:
    version = brought_to(S.DRAFT, institution)
    saved_with(version, institution)
    version = PolicyVersion.objects.get(pk=version.pk)
    other = institution.person("administrator")
    version = actions.save_draft(actor=other, version=version, seen=version.saves, text=version.text + "\nOne word.\n")
    version = actions.propose(actor=other, version=version)
    with pytest.raises(NotPermitted, match="somebody other than the person who drafted it"):
        actions.adopt(actor=other, version=version, motion="Senate minute 7")


# ---- the pages


def offers(client: Client) -> list[str]:
    page = client.get(f"{VERSION}/").content.decode()
    card = re.search(r'aria-labelledby="life-h".*?</section>', page, re.DOTALL)
    return re.findall(r'<a class="btn[^"]*" href="[^"]*">([^<]+)</a>', card[0]) if card else []


@pytest.mark.parametrize(
    ("status", "drafter"),
    [
        (S.DRAFT, ["Edit the draft", "Check and propose…", "Withdraw it…"]),
        (S.PROPOSED, ["Record its adoption…", "Take it back…", "Withdraw it…", "Draft the next version…"]),
        (S.ADOPTED, ["Withdraw it…", "Draft the next version…"]),
        (S.IN_FORCE, ["Draft the next version…"]),
        (S.SUPERSEDED, ["Draft the next version…"]),
        (S.WITHDRAWN, []),
    ],
)
def test_the_buttons_are_what_is_possible_and_explain_what_is_not_permitted(
    institution: Institution, client: Client, status: VersionStatus, drafter: list[str]
) -> None:
    brought_to(status, institution)
    for person in ("drafter", "administrator"):
        client.force_login(institution.person(person))
        assert offers(client) == drafter
    client.force_login(institution.person("stranger"))
    assert offers(client) == []


def test_a_drafter_who_presses_adopt_is_told_why_not(institution: Institution, client: Client) -> None:
    brought_to(S.PROPOSED, institution)
    client.force_login(institution.person("drafter"))
    page = client.get(f"{VERSION}/adopt/")
    assert page.status_code == 403
    assert "A version is adopted by somebody other than the person who drafted it." in page.content.decode()


@pytest.mark.parametrize(
    ("page", "status", "says"),
    [
        ("adopt/", S.PROPOSED, "Name the motion or minute that adopted it"),
        ("take-back/", S.PROPOSED, "Say why it is taken back"),
        ("withdraw/", S.ADOPTED, "Say why it is withdrawn"),
    ],
)
def test_an_act_says_what_follows_and_asks_for_its_reason(
    institution: Institution, client: Client, page: str, status: VersionStatus, says: str
) -> None:
    version = brought_to(status, institution)
    client.force_login(institution.person("administrator"))
    shows = client.get(f"{VERSION}/{page}").content.decode()
    assert "What follows" in shows
    assert "version 2" in shows
    empty = client.post(f"{VERSION}/{page}", {"motion": " ", "reason": " "})
    assert empty.status_code == 422
    assert says in empty.content.decode()
    assert PolicyVersion.objects.get(pk=version.pk).status == status


def test_the_page_of_adoption_repeats_from_which_day_it_binds(institution: Institution, client: Client) -> None:
    brought_to(S.PROPOSED, institution)
    client.force_login(institution.person("administrator"))
    assert "It is in force from Wed 1 Jul: proposals" in client.get(f"{VERSION}/adopt/").content.decode()


def test_a_draft_with_something_to_fix_is_not_proposed_and_says_what(institution: Institution, client: Client) -> None:
    version = brought_to(S.DRAFT, institution)
    route = rules_of(version)["route"]
    saved_with(version, institution, rules={"route": [*route[:4], route[4] | {"clause": "9.9"}]})
    client.force_login(institution.person("drafter"))
    response = client.post(f"{VERSION}/propose/")
    assert response.status_code == 422
    page = response.content.decode()
    assert "Not proposed" in page
    assert f'<a href="{VERSION}/edit/route/5/#id_clause">The text has no clause 9.9</a>' in page
    assert PolicyVersion.objects.get(pk=version.pk).status == S.DRAFT


def test_a_draft_that_is_not_sound_here_is_not_proposed_and_says_what(institution: Institution, client: Client) -> None:
    version = brought_to(S.DRAFT, institution)
    route = rules_of(version)["route"]
    body = {"kind": "board-of-governors", "of": None}
    saved_with(version, institution, rules={"route": [*route[:4], route[4] | {"body": body}]})
    client.force_login(institution.person("drafter"))
    for response in (client.get(f"{VERSION}/edit/check/"), client.post(f"{VERSION}/propose/")):
        assert "board-of-governors" in response.content.decode()
    assert response.status_code == 422
    assert PolicyVersion.objects.get(pk=version.pk).status == S.DRAFT


def test_the_next_version_begins_from_this_one(institution: Institution, client: Client) -> None:
    client.force_login(institution.person("administrator"))
    first = f"/policies/{KEY}/1"
    assert "Draft the next version" in client.get(f"{first}/next/").content.decode()
    assert client.post(f"{first}/next/", {"effective_from": "soon"}).status_code == 422
    response = client.post(f"{first}/next/", {"effective_from": "2026-07-01"})
    assert response.headers["Location"] == f"{VERSION}/edit/"
    begun = PolicyVersion.objects.get(number=2)
    assert begun.drafted_by == institution.people["administrator"]
    assert (begun.effective_from, rules_of(begun)["version"]) == (FIRST_DAY, 2)
    assert "version 2</a>" in client.get(f"{first}/next/").content.decode()
    client.force_login(institution.person("stranger"))
    assert client.get(f"{first}/next/").status_code == 403
    assert client.post(f"{first}/next/", {"effective_from": "2026-07-01"}).status_code == 403
    assert PolicyVersion.objects.count() == 2


def test_no_version_begins_from_one_that_was_never_put_to_anybody(institution: Institution, client: Client) -> None:
    brought_to(S.WITHDRAWN, institution)
    client.force_login(institution.person("administrator"))
    assert client.post(f"{VERSION}/next/", {"effective_from": "2026-09-01"}).status_code == 409


# ---- days


def on(day: date) -> Any:
    return time_machine.travel(datetime(day.year, day.month, day.day, 14, tzinfo=UTC))


def test_which_version_is_in_force_does_not_wait_for_anybody_to_write_it_down(institution: Institution) -> None:
    assert institution.policy is not None
    actions.turn_the_day()
    version = brought_to(S.ADOPTED, institution)
    # The beat is down for the week in which the version begins.
    for back in range(-2, 7):
        day = FIRST_DAY + timedelta(days=back)
        with on(day):
            current = in_force(KEY)
            assert current is not None
            assert current.number == (2 if day >= FIRST_DAY else 1)
            assert PolicyVersion.objects.get(pk=version.pk).status == S.ADOPTED
            assert PolicyVersion.objects.get(pk=institution.policy.pk).status == S.IN_FORCE
    with on(FIRST_DAY + timedelta(days=7)):
        turned = actions.turn_the_day()
        assert [(one.number, one.status) for one in turned] == [(1, S.SUPERSEDED), (2, S.IN_FORCE)]
        events = Event.objects.count()
        assert actions.turn_the_day() == []
        assert Event.objects.count() == events


def test_a_version_that_never_had_a_day_of_its_own_is_written_down_as_superseded(institution: Institution) -> None:
    """Two versions begin while the beat is down; the first of them was law in between all the same."""
    actions.turn_the_day()
    second = brought_to(S.ADOPTED, institution)
    drafter, other = institution.person("drafter"), institution.person("administrator")
    third = actions.begin_draft(actor=drafter, like=second, effective_from=FIRST_DAY + timedelta(days=1))
    actions.adopt(actor=other, version=actions.propose(actor=drafter, version=third), motion="Minute 8")
    with on(FIRST_DAY + timedelta(days=5)):
        assert [(one.number, one.status) for one in actions.turn_the_day()] == [
            (1, S.SUPERSEDED),
            (2, S.SUPERSEDED),
            (3, S.IN_FORCE),
        ]
        assert [version.status in LAW for version in PolicyVersion.objects.all()] == [True, True, True]
        between = in_force(KEY, FIRST_DAY)
        assert between is not None
        assert between.number == 2


def test_a_version_whose_day_has_come_cannot_be_withdrawn_though_nobody_wrote_it_down(
    institution: Institution,
) -> None:
    version = brought_to(S.ADOPTED, institution)
    with on(FIRST_DAY), pytest.raises(NotPossible, match="Its first day has come"):
        actions.withdraw(actor=institution.person("administrator"), version=version, reason="Too late.")


def test_a_second_version_for_a_day_is_refused_with_the_number_of_the_first(institution: Institution) -> None:
    first = brought_to(S.ADOPTED, institution)
    drafter, other = institution.person("drafter"), institution.person("administrator")
    second = actions.begin_draft(actor=drafter, like=first, effective_from=FIRST_DAY)
    second = actions.propose(actor=drafter, version=second)
    with pytest.raises(NotPossible, match=r"Version 2 was adopted for 1 July 2026 already\."):
        actions.adopt(actor=other, version=second, motion="Minute 8")


def test_proposing_without_a_reason_to_take_back_is_incomplete(institution: Institution) -> None:
    version = brought_to(S.PROPOSED, institution)
    with pytest.raises(Incomplete) as refused:
        actions.take_back(actor=institution.person("drafter"), version=version, reason="  ")
    assert list(refused.value.gaps) == ["reason"]


def test_what_was_proposed_stays_word_for_word_through_its_life(institution: Institution) -> None:
    version = brought_to(S.PROPOSED, institution)
    before = (version.text, version.rules, version.digest)
    adopted = actions.adopt(actor=institution.person("administrator"), version=version, motion="Minute 7")
    assert (adopted.text, adopted.rules, adopted.digest) == before
    event = json.loads(bytes(Event.objects.order_by("pk").last().body))  # type: ignore[union-attr]
    assert event["after"]["digest"] == version.digest
    assert event["after"]["motion"] == "Minute 7"


# ---- whose words they are, and which


def test_nobody_adopts_their_own_words_that_somebody_else_copied(institution: Institution) -> None:
    theirs = brought_to(S.PROPOSED, institution)
    other = institution.person("administrator")
    copy = actions.begin_draft(actor=other, like=theirs, effective_from=FIRST_DAY)
    copy = actions.propose(actor=other, version=copy)
    with pytest.raises(NotPermitted):
        actions.adopt(actor=institution.person("drafter"), version=copy, motion="Senate minute 7")


def test_what_was_law_is_nobodys_draft_in_the_version_that_follows(institution: Institution) -> None:
    version = brought_to(S.IN_FORCE, institution)
    other = institution.person("administrator")
    following = actions.begin_draft(actor=other, like=version, effective_from=date(2026, 9, 1))
    assert set(following.drafters.all()) == {other}


def changed_since(version: PolicyVersion, institution: Institution) -> PolicyVersion:
    """The version taken back and proposed again with one clause more."""
    drafter = institution.person("drafter")
    version = actions.take_back(actor=drafter, version=version, reason="A clause is missing.")
    text = f"{version.text}\n\n**9.9** One clause more.\n"
    version = actions.save_draft(actor=drafter, version=version, seen=version.saves, text=text)
    return actions.propose(actor=drafter, version=version)


def test_what_is_adopted_is_what_the_person_was_shown(institution: Institution, client: Client) -> None:
    version = brought_to(S.PROPOSED, institution)
    client.force_login(institution.person("administrator"))
    page = client.get(f"{VERSION}/adopt/").content.decode()
    seen = re.search(r'name="seen" value="([0-9a-f]{64})"', page)
    assert seen is not None
    changed_since(version, institution)
    response = client.post(f"{VERSION}/adopt/", {"motion": "Senate minute 7", "seen": seen[1]})
    assert response.status_code == 409
    assert "This version was changed since you opened it." in response.content.decode()
    assert "Senate minute 7" in response.content.decode()
    assert PolicyVersion.objects.get(pk=version.pk).status == S.PROPOSED


def test_a_draft_saved_meanwhile_is_not_proposed_unread(institution: Institution, client: Client) -> None:
    version = brought_to(S.DRAFT, institution)
    client.force_login(institution.person("administrator"))
    page = client.get(f"{VERSION}/edit/check/").content.decode()
    assert f'name="version" value="{version.saves}"' in page
    saved_with(version, institution, text=f"{version.text}\n\n**9.9** One clause more.\n")
    response = client.post(f"{VERSION}/propose/", {"version": str(version.saves)})
    assert response.status_code == 409
    assert "This draft was saved elsewhere since you opened it." in response.content.decode()
    assert PolicyVersion.objects.get(pk=version.pk).status == S.DRAFT
