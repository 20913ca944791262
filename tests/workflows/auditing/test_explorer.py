"""The record's explorer: who may look, what each filter finds, an event with its proof, files, and kept searches."""

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from governance import clock
from governance.audit.actions import Actor, record, seal_and_sign
from governance.audit.models import Event, PersonalDatum
from governance.audit.queries import Narrowing, events_of, narrowed
from governance.audit.verbs import Verb
from governance.audit.verifier import InclusionProof, leaf_hash
from governance.people.actions import add_person, change_person, end_mandate
from governance.people.models import User
from governance.policies.actions import turn_the_day
from governance.refusals import NotPossible
from tests.conftest import REGISTRAR, Institution
from tests.samples import complete_content
from workflows.auditing.actions.searches import MOST, save_search
from workflows.auditing.explorer.kinds import FIELDS, KINDS, WORDS
from workflows.auditing.models import SavedSearch, Verification
from workflows.proposals.models import Audience, Proposal
from workflows.review import actions as review

NOON = datetime(2026, 10, 14, 16, 0, tzinfo=UTC)


@pytest.fixture
def past(institution: Institution) -> Institution:
    """Two proposals on two days: the first approved once and returned, the second only sent."""
    with clock.at(NOON):
        turn_the_day()
        first = institution.submitted()
        institution.approve(first)
        review.comment(
            actor=institution.person("ctl"),
            proposal=Proposal.objects.get(pk=first.pk),
            audience=Audience.REVIEWERS,
            text="Outcome 3 reads well.",
        )
    with clock.at(NOON + timedelta(days=1)):
        institution.return_for_changes(first)
        institution.submitted(author="author-eng", unit="ENG", content=complete_content(title="Battery Safety"))
    return institution


def first_of(_place: Institution) -> Proposal:
    return Proposal.objects.order_by("pk")[0]


def signed_in(institution: Institution, key: str) -> Client:
    client = Client()
    client.force_login(institution.person(key))
    return client


def shown(response: Any) -> list[int]:
    """The keys of the events on a page of the list."""
    return [row.event.pk for row in response.context["list"].rows]


def everything(client: Client, query: str = "") -> list[int]:
    """The keys of all events that a search finds, page after page."""
    found: list[int] = []
    address = f"?{query}"
    while address:
        response = client.get(f"/audit/{address}")
        found += shown(response)
        address = response.context["older"]
    return found


# ---- who may look


@pytest.mark.parametrize(
    ("key", "status"),
    [("administrator", 200), ("observer", 200), ("drafter", 200), ("senate", 403), ("author", 403), ("stranger", 403)],
)
def test_the_record_is_open_to_administrators_and_oversight(past: Institution, key: str, status: int) -> None:
    client = signed_in(past, key)
    event = Event.objects.order_by("pk")[0].pk
    paths = [
        "/audit/",
        "/audit/events.csv",
        "/audit/events.json",
        f"/audit/events/{event}/",
        f"/audit/events/{event}/record.json",
        f"/audit/proposals/{first_of(past).reference}/as-of/",
    ]
    assert {path: client.get(path).status_code for path in paths} == dict.fromkeys(paths, status)
    home = client.get("/proposals/").content.decode()
    assert ('href="/audit/"' in home) == (status == 200)
    assert client.post("/audit/searches/save/", {"name": "x"}).status_code in ((302,) if status == 200 else (403,))


def test_without_signing_in_nothing_is_shown(past: Institution) -> None:
    assert Client().get("/audit/").status_code == 302
    assert Client().get("/audit/events.csv").status_code == 302


def test_the_day_after_a_mandate_of_oversight_ended_it_is_closed(past: Institution) -> None:
    mandate = past.person("observer").mandates.get()
    end_mandate(actor=REGISTRAR, mandate=mandate, ends_on=clock.today() - timedelta(days=1), reason="Term.")
    assert signed_in(past, "observer").get("/audit/").status_code == 403


# ---- the list


def test_events_stand_newest_first_in_words_with_their_proof(past: Institution) -> None:
    client = signed_in(past, "administrator")
    response = client.get("/audit/?about=" + first_of(past).reference)
    rows = response.context["list"].rows
    assert [row.what for row in rows] == [
        "Returned submission 1 for changes, for Centre for Teaching and Learning.",
        "Wrote a comment.",
        "Approved submission 1 for Associate Dean, Health Sciences.",
        "Sent submission 1 to Associate Dean, Health Sciences.",
        "Started the draft.",
    ]
    assert [row.who for row in rows[:3]] == ["Priya Venkataraman", "Priya Venkataraman", "Marc Lavoie"]
    assert rows[0].title == "Educational Developer"
    assert [row.proof.words for row in rows] == ["waits to be sealed"] * 5
    assert "Waits to be sealed" in response.content.decode()
    seal_and_sign(now=True)
    rows = client.get("/audit/?about=" + first_of(past).reference.lower()).context["list"].rows
    assert [row.proof.words for row in rows] == ["sealed, under a checkpoint"] * 5
    assert rows[0].proof.index == rows[0].event.leaf_of_log.index


Facts = dict[str, Any]
ON_THE_SECOND_DAY = "2026-10-15"


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", lambda _: True),
        ("what=decision.returned", lambda facts: facts["verb"] == "decision.returned"),
        ("what=decisions", lambda facts: facts["verb"] in {str(verb) for verb in KINDS["decisions"][1]}),
        ("what=people", lambda facts: facts["verb"].split(".")[0] in {"person", "unit", "body", "mandate"}),
        (
            "body=CTL",
            lambda facts: "CTL" in (facts["subject"].removeprefix("body/"), (facts["after"] or {}).get("seat")),
        ),
        ("policy=Micro-credential approval policy, version 1", lambda facts: _version(facts).endswith("version 1")),
        ("since=2026-10-15&until=2026-10-15", lambda facts: facts["at"].startswith(ON_THE_SECOND_DAY)),
        ("until=2026-10-14", lambda facts: facts["at"] < ON_THE_SECOND_DAY),
        ("who=system", lambda facts: facts["actor"]["key"] == "system"),
        ("who=ctl@kawartha.example&what=decisions", lambda facts: facts["verb"] == "decision.returned"),
        ("about=body/CTL", lambda facts: facts["subject"] == "body/CTL"),
    ],
)
def test_a_filter_finds_what_the_sealed_records_say(
    past: Institution, query: str, wanted: Callable[[Facts], bool]
) -> None:
    """Compared with every event's body, which no column was used to find."""
    expected = [event.pk for event in Event.objects.order_by("-at", "-pk") if wanted(event.facts)]
    assert expected
    assert everything(signed_in(past, "administrator"), query) == expected


def _version(facts: Facts) -> str:
    return str(facts["policy_version"] or (facts["verb"].startswith("policy.") and facts["after"]["policy"]) or "")


def test_filters_hold_together(past: Institution) -> None:
    client = signed_in(past, "observer")
    query = f"about={first_of(past).reference}&what=decisions&body=AD-HSCI&since=2026-10-14&until=2026-10-14&who=lavoie"
    (event,) = everything(client, query)
    assert Event.objects.get(pk=event).verb == Verb.DECISION_APPROVED
    assert everything(client, query.replace("AD-HSCI", "CTL")) == []


def test_people_are_found_by_what_they_were_called_before(past: Institution) -> None:
    person = past.person("ctl")
    decided = everything(signed_in(past, "administrator"), f"who={person.record_key}")
    person.name = "Priya Raman"
    change_person(actor=REGISTRAR, person=person, fields=["name"])
    client = signed_in(past, "administrator")
    assert everything(client, "who=venkataraman") == everything(client, "who=Priya Raman") == decided != []
    nobody = client.get("/audit/?who=Xanthippe")
    assert (shown(nobody), "No event fits these filters" in nobody.content.decode()) == ([], True)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("since=yesterday", "Write a day such as 2026-10-15"),
        ("since=2026-10-15&until=2026-10-14", "The last day comes before the first"),
        ("what=decision.eaten", "Select a valid choice"),
    ],
)
def test_a_filter_that_cannot_be_read_is_said_and_nothing_is_listed(
    past: Institution, query: str, sentence: str
) -> None:
    response = signed_in(past, "administrator").get(f"/audit/?{query}")
    page = response.content.decode()
    assert (response.status_code, response.context["list"]) == (422, None)
    assert sentence in page
    assert "Nothing was searched" in page


def many_events(count: int) -> None:
    """More events of one moment than a page has, through the real record."""
    with transaction.atomic():
        for number in range(count):
            record(verb=Verb.DELIVERY_TRIED_AGAIN, subject=f"delivery/{number}", actor=REGISTRAR, after={"task": "x"})


def test_pages_are_cut_by_a_key_also_among_events_of_one_moment(past: Institution) -> None:
    with clock.at(NOON):
        many_events(120)
    client = signed_in(past, "administrator")
    assert everything(client) == [event.pk for event in Event.objects.order_by("-at", "-pk")]
    second = client.get("/audit/" + client.get("/audit/").context["older"])
    assert shown(client.get("/audit/" + second.context["newer"])) == shown(client.get("/audit/"))
    assert shown(client.get("/audit/?page=rubbish")) == shown(client.get("/audit/"))


@pytest.mark.parametrize("query", ["", "what=decisions", "who=priya", "body=CTL", "since=2020-01-01"])
def test_the_list_takes_the_same_queries_with_one_row_and_with_many(past: Institution, query: str) -> None:
    client = signed_in(past, "administrator")

    def queries(more: str = "") -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"/audit/?{query}{more}").status_code == 200
        return len(captured)

    queries()
    few = queries("&until=2026-10-15")
    many_events(60)
    for number in range(10):
        add_person(actor=REGISTRAR, email=f"new{number}@kawartha.example", name=f"Priya {number}", title="Dean")
    assert few - 1 <= queries() <= few <= 18


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL reads a small table whole, and should")
@pytest.mark.parametrize(
    "wanted",
    [
        Narrowing(streams=("proposal/MC-2026-0001", "access/MC-2026-0001")),
        Narrowing(actors=("person/1",)),
        Narrowing(actors=("person/1", "person/2")),
        Narrowing(verbs=("decision.returned",)),
        Narrowing(verbs=tuple(KINDS["decisions"][1])),
        Narrowing(body_code="CTL"),
        Narrowing(policy_version="Micro-credential approval policy, version 1"),
        Narrowing(since=NOON, until=NOON + timedelta(days=1)),
    ],
    ids=lambda wanted: ", ".join(name for name, value in vars(wanted).items() if value),
)
def test_no_filter_reads_the_whole_record(db: None, wanted: Narrowing) -> None:
    sql, values = narrowed(wanted).values("at", "id").query.get_compiler(connection=connection).as_sql()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}", values)
        plan = [row[-1] for row in cursor.fetchall()]
    assert plan[0].startswith("SEARCH audit_event USING")


def test_every_verb_has_words_and_stands_in_one_kind() -> None:
    assert sorted(WORDS) == sorted(Verb)
    assert sum(len(verbs) for _name, verbs in KINDS.values()) == len(Verb)


def test_every_field_that_the_acts_write_has_words(past: Institution) -> None:
    written = {
        key for event in Event.objects.all() for side in ("before", "after") for key in (event.facts[side] or {})
    }
    assert written - set(FIELDS) == set()


# ---- the state of the log


def verified(**given: Any) -> Verification:
    check = {"whole": True, "size": 40, "checked": 40, "seconds": 1.5, "holds": True}
    return Verification.objects.create(**check | given)


def test_the_last_check_stands_above_the_events(past: Institution, settings: Any) -> None:
    client = signed_in(past, "administrator")
    assert "The record has not been checked yet" in client.get("/audit/").content.decode()
    verified()
    settings.LODGE_WITH = ["archive@kawartha.example"]
    page = client.get("/audit/").content.decode()
    assert "All 40 events of the log hold" in page
    assert "took 1.5 s" in page
    assert "lodged with archive@kawartha.example" in page
    assert f"{Event.objects.count()} events wait to be sealed." in page
    seal_and_sign(now=True)
    # The first signature introduced the key in an event of its own.
    seal_and_sign(now=True)
    page = client.get("/audit/").content.decode()
    assert "No event waits to be sealed." in page
    assert f"{Event.objects.count() - 40} events were sealed since." in page


def test_what_does_not_hold_is_said_first_with_what_is_still_sound(past: Institution) -> None:
    verified()
    findings = [
        {"holds": False, "check": "leaf", "sentence": "Event 17 is not what was sealed."},
        {"holds": False, "check": "root", "sentence": "The root is another one."},
        {"holds": True, "sentence": "39 checkpoints are signed."},
    ]
    verified(holds=False, findings=findings)
    response = signed_in(past, "observer").get("/audit/")
    page = response.content.decode()
    places = [page.index(words) for words in ("does not hold", "Event 17 is not", "still sound", "39 checkpoints")]
    assert places == sorted(places)
    assert "verify__badge--bad" in page
    assert "1 check found that the record holds. 1 found that it does not." in page


# ---- one event


def returned(_place: Institution) -> Event:
    return Event.objects.get(verb=Verb.DECISION_RETURNED)


def test_an_event_shows_what_it_changed_why_and_by_what_right(past: Institution) -> None:
    response = signed_in(past, "observer").get(f"/audit/events/{returned(past).pk}/")
    page = response.content.decode()
    changed = response.context["page"].differences[0]
    assert (changed.label, changed.before, changed.after, changed.changed) == (
        "State",
        "In review",
        "Returned for changes",
        True,
    )
    assert "Say how outcome 2 is assessed." in page
    assert "Reviewer on Centre for Teaching and Learning, from Wed 1 Jan 2020" in page
    given = Event.objects.get(verb=Verb.MANDATE_GIVEN, subject="body/CTL")
    assert f'href="/audit/events/{given.pk}/">Given by The Registrar' in page
    assert 'href="/policies/on/2026-10-15/"' in page
    assert f'href="/audit/proposals/{first_of(past).reference}/as-of/?event=5"' in page


def test_an_act_without_a_mandate_is_marked_and_an_authors_is_explained(past: Institution) -> None:
    client = signed_in(past, "administrator")
    sent = events_of(first_of(past).subject, verbs=[Verb.PROPOSAL_SUBMITTED]).get()
    assert "They are the author of the proposal." in client.get(f"/audit/events/{sent.pk}/").content.decode()
    with transaction.atomic():
        forged = record(
            verb=Verb.DECISION_APPROVED,
            subject=first_of(past).subject,
            actor=past.person("stranger").as_actor(),
            on_behalf_of="Senate",
            after={"state": "approved", "seat": "SENATE"},
        )
    page = client.get(f"/audit/events/{forged.pk}/").content.decode()
    assert "Neither the mandates nor the record show a right of this person" in page


def test_an_administrator_is_one_by_what_the_record_said_before(past: Institution) -> None:
    client, person = signed_in(past, "observer"), past.person("member")

    def acted() -> str:
        with transaction.atomic():
            event = record(verb=Verb.UNIT_CHANGED, subject="unit/KU", actor=person.as_actor(), after={"name": "KU"})
        return client.get(f"/audit/events/{event.pk}/").content.decode()

    assert "were an administrator" not in acted()
    person.is_staff = True
    change_person(actor=REGISTRAR, person=person, fields=["is_staff"])
    assert "were an administrator" in acted()
    person.is_staff = False
    change_person(actor=REGISTRAR, person=person, fields=["is_staff"])
    assert "were an administrator" not in acted()


def test_the_record_and_its_proof_are_checked_without_assent(past: Institution) -> None:
    client, event = signed_in(past, "administrator"), returned(past)
    base = f"/audit/events/{event.pk}/"
    assert client.get(f"{base}record.tlog-proof").status_code == 404
    assert "Waits to be sealed" in client.get(base).content.decode()
    seal_and_sign(now=True)
    body = client.get(f"{base}record.json").content
    assert leaf_hash(body) == bytes(event.leaf)
    proof = InclusionProof.parse(client.get(f"{base}record.tlog-proof").content.decode())
    assert proof.holds_for(body)
    assert not proof.holds_for(body.replace(b"outcome 2", b"outcome 3"))
    assert f"Sealed at index {proof.index}" in client.get(base).content.decode()


def test_the_neighbours_of_an_event_are_those_of_its_stream(past: Institution) -> None:
    client = signed_in(past, "administrator")
    events = list(events_of(first_of(past).subject))
    page = client.get(f"/audit/events/{events[2].pk}/").context["page"]
    assert (page.before, page.after) == (events[1], events[3])
    ends = [client.get(f"/audit/events/{events[place].pk}/").context["page"] for place in (0, -1)]
    assert (ends[0].before, ends[1].after) == (None, None)


def test_a_person_whose_data_was_erased_is_shown_as_such(past: Institution) -> None:
    event = returned(past)
    PersonalDatum.objects.filter(person=event.actor).delete()
    Event.objects.filter(actor=event.actor).update(actor_name="")
    client = signed_in(past, "administrator")
    for path in (f"/audit/events/{event.pk}/", f"/audit/?who={event.actor}"):
        page = client.get(path).content.decode()
        assert "A person whose data was erased" in page
        assert "Venkataraman" not in page
    assert b"Venkataraman" not in b"".join(client.get("/audit/events.csv").streaming_content)  # type: ignore[attr-defined]


def test_a_comments_words_are_not_opened_and_not_called_erased(past: Institution) -> None:
    event = Event.objects.get(verb=Verb.COMMENT_ADDED)
    page = signed_in(past, "administrator").get(f"/audit/events/{event.pk}/").content.decode()
    assert "kept with the comment" in page
    assert "Outcome 3 reads well" not in page


def test_an_event_page_takes_no_more_queries_in_a_long_record(past: Institution) -> None:
    client, event = signed_in(past, "administrator"), returned(past)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"/audit/events/{event.pk}/").status_code == 200
        return len(captured)

    queries()
    before = queries()
    many_events(30)
    assert queries() == before <= 18


# ---- the list as a file


def sent(response: Any) -> bytes:
    return b"".join(response.streaming_content)


def exports() -> list[Facts]:
    return [event.facts["after"] for event in events_of("record")]


def test_the_csv_file_holds_the_whole_list_and_is_put_on_record(past: Institution) -> None:
    client = signed_in(past, "administrator")
    with transaction.atomic():
        record(verb=Verb.UNIT_CHANGED, subject="unit/KU", actor=Actor("person/99", "=cmd()"), reason="+1", after={})
    many_events(600)
    rows = list(csv.reader(io.StringIO(sent(client.get("/audit/events.csv")).decode("utf-8-sig"))))
    assert [int(row[0]) for row in rows[1:]] == [event.pk for event in Event.objects.order_by("-at", "-pk")]
    (risky,) = [row for row in rows if row[2] == "person/99"]
    assert (risky[3], risky[11]) == ("'=cmd()", "'+1")
    assert exports() == [{"scope": "every event", "form": "csv"}]
    event = events_of("record").get()
    assert (event.verb, event.actor) == (Verb.RECORD_EXPORTED, past.person("administrator").record_key)


def test_the_json_file_holds_the_bytes_that_were_hashed(past: Institution) -> None:
    seal_and_sign(now=True)
    client = signed_in(past, "observer")
    query = "what=decisions&about=" + first_of(past).reference
    whole = sent(client.get(f"/audit/events.json?{query}"))
    rows = json.loads(whole)
    events = list(Event.objects.filter(pk__in=everything(client, query)).order_by("-at", "-pk"))
    assert [row["event"] for row in rows] == [event.facts for event in events]
    assert all(bytes(event.body) in whole for event in events)
    assert [(row["index"], row["proof"]) for row in rows] == [(event.leaf_of_log.index, "covered") for event in events]
    assert exports() == [
        {"scope": f"Proposal or stream: {first_of(past).reference}; What happened: Decisions", "form": "json"}
    ]


def test_asking_about_a_file_or_for_one_that_cannot_be_made_exports_nothing(past: Institution) -> None:
    client = signed_in(past, "administrator")
    client.head("/audit/events.csv")
    assert client.get("/audit/events.csv?since=never").status_code == 302
    assert exports() == []


def test_a_file_costs_a_few_queries_a_thousand_events(past: Institution) -> None:
    client = signed_in(past, "administrator")
    many_events(1_000)
    with CaptureQueriesContext(connection) as captured:
        sent(client.get("/audit/events.csv"))
    assert len(captured) <= 24


# ---- kept searches


def test_a_search_is_kept_run_and_deleted(past: Institution) -> None:
    client = signed_in(past, "administrator")
    query = "about=&who=&what=decisions&page=xyz&nonsense=1"
    response = client.post("/audit/searches/save/", {"name": " Decisions ", "query": query})
    assert response["Location"] == "/audit/?what=decisions"  # type: ignore[index]
    search = SavedSearch.objects.get()
    assert (search.name, search.query, search.user) == ("Decisions", "what=decisions", past.people["administrator"])
    assert 'href="/audit/?what=decisions"' in client.get("/audit/").content.decode()
    client.post("/audit/searches/save/", {"name": "Decisions", "query": "what=people"})
    assert SavedSearch.objects.get().query == "what=people"
    other = signed_in(past, "observer")
    assert "Decisions</a>" not in other.get("/audit/").content.decode()
    assert other.post(f"/audit/searches/{search.pk}/delete/").status_code == 404
    assert client.post(f"/audit/searches/{search.pk}/delete/").status_code == 302
    assert SavedSearch.objects.count() == 0


@pytest.mark.parametrize("name", ["", "   ", "x" * 81])
def test_a_search_needs_a_name_that_fits(past: Institution, name: str) -> None:
    client = signed_in(past, "administrator")
    response = client.post("/audit/searches/save/", {"name": name, "query": "what=decisions"})
    assert (response.status_code, response.context["form"].data["what"]) == (422, "decisions")
    assert SavedSearch.objects.count() == 0


def test_a_person_keeps_fifty_searches_at_most(past: Institution) -> None:
    person: User = past.person("administrator")
    for number in range(MOST):
        save_search(actor=person, name=f"Search {number}", query="what=decisions")
    save_search(actor=person, name="Search 1", query="what=people")
    with pytest.raises(NotPossible):
        save_search(actor=person, name="One more", query="")
    response = signed_in(past, "administrator").post("/audit/searches/save/", {"name": "One more", "query": ""})
    assert (response.status_code, "Delete one first" in response.content.decode()) == (409, True)


# ---- the way in from elsewhere


def test_the_history_of_a_proposal_leads_auditors_into_the_record(past: Institution) -> None:
    proposal = first_of(past)
    path = f"/proposals/{proposal.reference}/"
    page = signed_in(past, "observer").get(path).content.decode()
    assert f'href="/audit/?about={proposal.reference}"' in page
    assert f'href="/audit/events/{returned(past).pk}/"' in page
    page = signed_in(past, "author").get(path).content.decode()
    assert "/audit/?about" not in page
    assert "/audit/events/" not in page
