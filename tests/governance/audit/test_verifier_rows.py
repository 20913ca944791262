"""The verifier's own reading of the law agrees with Assent's, raises no false alarm over any history that the acts can
make, and takes any row whatever without falling over."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any, BinaryIO

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from governance.audit.actions import seal_and_sign
from governance.audit.keys import HEAD_FILE, folder
from governance.audit.personal import commitment
from governance.audit.verifier import (
    APPROVING,
    DECIDING_DUTIES,
    LIFE,
    OUTCOME_OF,
    STATUSES,
    Answered,
    Report,
    Rows,
    changed_between,
    commitment_to,
    facts_of_content,
    next_under,
    route_under,
    standing_under,
)
from governance.people.duties import Right, duties_that_allow
from governance.policies import machine as life_of_versions
from governance.policies.loading import load_policy_file
from governance.policies.resolve import resolve
from governance.policies.rules import Rules
from governance.policies.states import VersionStatus
from governance.policies.vocabulary import Effect, Facts, Outcome, UnitPlace
from tests.conftest import SHIPPED_POLICY, Institution
from tests.governance.policies.generated import FACTS, UNITS, rule_sets
from tests.properties.test_holding import life_by_chance
from tests.samples import complete_content
from tests.workflows.auditing.world import World, rolled_back, tampering, world_in
from workflows.auditing.source import TABLES, DatabaseSource
from workflows.proposals.content import Content, changed_fields
from workflows.proposals.states import State
from workflows.review import machine as life_of_proposals
from workflows.review.progress import APPROVALS, Answer, next_stages, standing_approvals

RULES = st.one_of(rule_sets(), st.just(load_policy_file(SHIPPED_POLICY).rules))


def as_data(rules: Rules) -> dict[str, Any]:
    """Rules as the record holds them."""
    data: dict[str, Any] = json.loads(rules.model_dump_json(by_alias=True))
    return data


def as_told(facts: Facts, unit: UnitPlace) -> dict[str, Any]:
    return json.loads(json.dumps(asdict(facts))) | {"unit": unit.code, "unit_kind": unit.kind}


# ---- the same law, read twice


@settings(max_examples=80, deadline=None, derandomize=True)
@given(rules=RULES, facts=FACTS, unit=UNITS)
def test_the_route_is_the_one_that_assent_resolves(rules: Rules, facts: Facts, unit: UnitPlace) -> None:
    mine = route_under(as_data(rules), as_told(facts, unit))
    theirs = resolve(rules, facts, unit)
    assert [(each.key, each.effect, each.wave) for each in mine] == [
        (each.key, each.effect.value, each.wave) for each in theirs.stages
    ]


@settings(max_examples=80, deadline=None, derandomize=True)
@given(rules=RULES, facts=FACTS, unit=UNITS, data=st.data())
def test_the_same_approvals_stand_and_the_same_stages_come_next(
    rules: Rules, facts: Facts, unit: UnitPlace, data: st.DataObject
) -> None:
    keys = st.sampled_from([*(stage.key for stage in rules.route), "gone"])
    answers: list[Answer] = []
    for _ in range(data.draw(st.integers(0, 6))):
        revision = max([1, *(answer.revision for answer in answers)]) + data.draw(st.integers(0, 1))
        outcome, effect = data.draw(st.sampled_from(list(Outcome))), data.draw(st.sampled_from(list(Effect)))
        to_stage = data.draw(st.just("") | keys) if outcome is Outcome.RETURN else ""
        answers.append(Answer(data.draw(keys), outcome, revision, to_stage, by=1, effect=effect))
    fields = st.sets(st.sampled_from(["resources.fee", "outcomes.outcomes", "files", "need.need"]))
    changes = {number: data.draw(fields) for number in range(2, data.draw(st.integers(1, 5)) + 1)}
    route = resolve(rules, facts, unit)
    stands = standing_approvals(answers, route, rules, changes)
    told = [
        Answered(each.stage, each.outcome.value, each.revision, each.to_stage, "person/1", each.effect.value)
        for each in answers
    ]
    mine = route_under(as_data(rules), as_told(facts, unit))
    assert standing_under(as_data(rules), mine, told, changes) == stands
    assert [each.key for each in next_under(mine, stands)] == [each.key for each in next_stages(route, stands)]


@pytest.mark.parametrize(
    ("section", "changed"),
    [
        ("summary", {"kind": "", "level": ""}),
        ("delivery", {"credits": "0.5", "hours": None, "weeks": None}),
        ("delivery", {"credits": "", "hours": 2_000}),
        ("delivery", {"credits": "12.25"}),
        ("delivery", {"credits": "3"}),
        ("partners", {"partners": []}),
        ("resources", {"new_resources": True}),
    ],
)
def test_facts_are_read_from_the_content_as_assent_reads_them(section: str, changed: dict[str, Any]) -> None:
    sections = complete_content()
    content = Content.model_validate(sections | {section: sections[section] | changed})
    assert facts_of_content(content.as_json(), "modify") == json.loads(json.dumps(asdict(content.facts("modify"))))


def test_fields_that_changed_are_found_also_where_an_older_content_lacks_a_section() -> None:
    before, after = complete_content(), complete_content(title="Another title")
    after["resources"] |= {"fee": 0}
    one, other = Content.model_validate(before), Content.model_validate(after)
    assert changed_between(one.as_json(), other.as_json()) == {"summary.title", "resources.fee"}
    assert changed_between(one.as_json(), other.as_json()) == set(changed_fields(one, other))
    older = {key: part for key, part in one.as_json().items() if key != "further"}
    assert changed_between(older, one.as_json()) == set()


def test_its_tables_are_those_of_assent() -> None:
    assert {duty.value for duty in duties_that_allow(Right.DECIDE)} == DECIDING_DUTIES
    assert {outcome.value for outcome in APPROVALS} == APPROVING
    assert commitment_to(b"salt", "Nadia Rahimi") == commitment(b"salt", "Nadia Rahimi")


def test_it_knows_every_transition_of_a_proposal_and_no_other() -> None:
    acts = {
        "proposal.submitted": "submit",
        "proposal.resubmitted": "submit",
        "proposal.withdrawn": "withdraw",
        "decision.declined": "decline",
        "decision.returned": "return_for_changes",
        "decision.sent-back": "return_for_changes",
        "decision.approved": "approve",
        "decision.approved-with-conditions": "approve",
    }
    known: dict[str, set[tuple[str, str]]] = {}
    for verb, name in acts.items():
        sources, targets = LIFE[verb]
        known.setdefault(name, set()).update((one, other) for one in sources for other in targets or ())
    declared: dict[str, set[tuple[str, str]]] = {}
    for name in known:
        for one in getattr(life_of_proposals.Lifecycle, name).get_transitions():
            allowed = getattr(one.target, "allowed_states", None) or [one.target]
            declared.setdefault(name, set()).update((State(one.source).value, State(to).value) for to in allowed)
    assert known == declared
    assert set(OUTCOME_OF) == {verb for verb in LIFE if verb.startswith("decision.")}


def test_it_knows_every_transition_of_a_policy_version() -> None:
    acts = {
        "policy.proposed": "propose",
        "policy.taken-back": "take_back",
        "policy.adopted": "adopt",
        "policy.in-force": "enter_into_force",
        "policy.superseded": "supersede",
        "policy.withdrawn": "withdraw",
    }
    for verb, name in acts.items():
        sources, target = STATUSES[verb]
        transitions = getattr(life_of_versions.VersionLifecycle, name).get_transitions()
        assert sources == {VersionStatus(one.source).value for one in transitions}
        assert {target} == {VersionStatus(one.target).value for one in transitions}
    assert set(STATUSES) == {*acts, "policy.drafted"}


# ---- no false alarm


def found_in(source: Any) -> Report:
    """What the rows' part of the verifier finds."""
    rows, report = Rows(), Report()
    for index, body in source.events():
        rows.observe(index, json.loads(body), body)
    rows.finish(source, report)
    return report


@pytest.mark.django_db
@settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(seed=st.integers(0, 2**32))
def test_whatever_the_acts_make_holds(institution: Institution, seed: int) -> None:
    """Versions by chance, moves between them, returns, changes of kind and level, stages side by side."""
    with rolled_back():
        for _proposal in life_by_chance(institution, Random(seed)):
            pass
        (folder() / HEAD_FILE).unlink(missing_ok=True)
        seal_and_sign(now=True)
        seal_and_sign(now=True)
        report = found_in(DatabaseSource())
        assert report.failures == []


# What events of earlier versions of Assent did not hold yet.
LATER: dict[str, tuple[str, ...]] = {
    "decision": ("seat", "confirmed", "conditions", "effect", "state"),
    "comment": ("comment", "words", "audience"),
    "proposal": ("action", "attachments", "changed_sections", "reopened", "stages"),
    "memo": ("digest", "size"),
    "person": ("administrator",),
}


# ---- any row whatever


@dataclass
class Held:
    """A record in memory, of which a test may change any row."""

    events_of_log: list[tuple[int, bytes]]
    tables: dict[str, list[dict[str, Any]]]
    files: dict[tuple[str, str], bytes] = field(default_factory=dict)
    is_whole: bool = True
    size: int = 0

    @classmethod
    def like(cls, source: DatabaseSource) -> "Held":
        held = cls(list(source.events()), {table: list(source.rows(table)) for table in TABLES}, size=source.size)
        names = [("memos", row["memo"]) for row in held.tables["memos"]]
        names += [("attachments", file["digest"]) for row in held.tables["revisions"] for file in row["attachments"]]
        for kind, name in names:
            file = source.file(kind, name)
            assert file is not None
            with file:
                held.files[kind, name] = file.read()
        return held

    def events(self, start: int = 0) -> Iterator[tuple[int, bytes]]:
        return iter(self.events_of_log[start:])

    def rows(self, table: str) -> Iterator[dict[str, Any]]:
        return iter(json.loads(json.dumps(self.tables[table])))

    def last_event(self, reference: str) -> int:
        return max(
            event["sequence"]
            for _index, body in self.events_of_log
            if (event := json.loads(body))["subject"] == f"proposal/{reference}"
        )

    def leaves_out(self, kind: str, name: str) -> bool:
        return False

    def file(self, kind: str, name: str) -> BinaryIO | None:
        return BytesIO(self.files[kind, name]) if (kind, name) in self.files else None

    def with_row(self, table: str, place: int, row: Any) -> "Held":
        rows = [*self.tables[table]]
        rows[place] = row
        return Held(self.events_of_log, self.tables | {table: rows}, self.files, size=self.size)


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with django_db_blocker.unblock(), world_in(tmp_path_factory.mktemp("world")) as made:
        yield made


@pytest.fixture
def held(world: World, db: None, tmp_path: Path) -> Iterator[Held]:
    with tampering(world, tmp_path):
        yield Held.like(DatabaseSource())


# What no event repeats, so that no verifier could see it changed.
UNSAID = {
    ("memos", "title"),
    ("memos", "signed_by"),
    ("memos", "checkpoint"),
    # An address is in no event before it changes, so one may stand there that no event shows.
    ("people", "values"),
}


def another(value: Any) -> Any:
    """A value of the same kind that is not this one."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str) and value[:2] == "20" and "T" in value:
        return value.replace("20", "19", 1)
    if isinstance(value, str):
        return value[:-1] + ("a" if value[-1:] != "a" else "b")
    if isinstance(value, list):
        return [*value, *value[:1]] or ["person/1"]
    return "2026-01-01T00:00:00+00:00" if value is None else {}


@pytest.mark.django_db
@pytest.mark.parametrize("table", TABLES)
def test_every_value_of_every_row_is_held_to_the_events(held: Held, table: str) -> None:
    unseen = set()
    for place in {0, len(held.tables[table]) - 1}:
        row = held.tables[table][place]
        for name, value in row.items():
            if (table, name) not in UNSAID:
                report = found_in(held.with_row(table, place, row | {name: another(value)}))
                if not report.failures:
                    unseen.add((table, place, name))
    assert unseen == set()


@pytest.mark.django_db
@pytest.mark.parametrize("table", TABLES)
def test_a_missing_row_and_a_row_too_many_are_found(held: Held, table: str) -> None:
    rows = held.tables[table]
    for place in (0, len(rows) - 1):
        fewer = Held(held.events_of_log, held.tables | {table: rows[:place] + rows[place + 1 :]}, held.files)
        assert found_in(fewer).failures, place
    twice = Held(held.events_of_log, held.tables | {table: [*rows, rows[0]]}, held.files)
    assert table in found_in(twice).counts


JUNK: list[Any] = [None, 7, -1, 2**70, "", "\ud800", "x" * 5_000, [], [None], {}, {"a": {}}, True, [[[]]]]


@pytest.mark.django_db
def test_nothing_in_a_row_makes_it_fall_over(held: Held) -> None:
    chance = Random(4)
    for table, rows in held.tables.items():
        for junk in JUNK:
            place = chance.randrange(len(rows))
            name = chance.choice(list(rows[place]))
            found_in(held.with_row(table, place, rows[place] | {name: junk}))
            found_in(held.with_row(table, place, {key: each for key, each in rows[place].items() if key != name}))
        assert found_in(held.with_row(table, 0, None)).failures


@pytest.mark.django_db
@pytest.mark.parametrize("kind", [*LATER, "all"])
def test_events_of_an_older_shape_are_no_alarm(held: Held, kind: str) -> None:
    older = []
    for index, body in held.events():
        event = json.loads(body)
        head = event["verb"].partition(".")[0]
        for name in LATER.get(head, ()) if kind in (head, "all") else ():
            (event["after"] or {}).pop(name, None)
        older.append((index, json.dumps(event).encode()))
    report = found_in(Held(older, held.tables, held.files, size=held.size))
    assert report.failures == []


@pytest.mark.django_db
def test_nothing_in_an_event_makes_it_fall_over(held: Held) -> None:
    chance = Random(5)
    for _ in range(120):
        rows, report = Rows(), Report()
        spoilt = chance.randrange(len(held.events_of_log))
        for index, body in held.events():
            event = json.loads(body)
            if index == spoilt:
                part = chance.choice([event, event["after"] or event, event["actor"], event["before"] or event])
                part[chance.choice(list(part))] = chance.choice(JUNK)
            rows.observe(index, event, body)
        rows.finish(held, report)
