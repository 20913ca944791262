"""The policy that ships: its rules and its text fit each other, and each class of proposal goes where the text says."""

import re

import pytest

from governance.policies.loading import PolicyFile, load_policy_file
from governance.policies.resolve import resolve
from governance.policies.text import clauses
from governance.policies.vocabulary import Action, Effect, Facts, Kind, Level, Outcome, UnitPlace
from tests.conftest import SHIPPED_POLICY
from workflows.demonstration.reading import read_institution
from workflows.proposals.completeness import unknown_fields
from workflows.proposals.content import FURTHER, SECTIONS

FACULTY = UnitPlace(code="HSCI", kind="faculty", within=("KU",))


@pytest.fixture(scope="module")
def shipped() -> PolicyFile:
    return load_policy_file(SHIPPED_POLICY)


def test_every_rule_rests_on_a_clause_of_the_text(shipped: PolicyFile) -> None:
    assert shipped.rules.clauses() <= {clause.number for clause in clauses(shipped.text)}


def test_clauses_are_numbered_in_order_under_their_section(shipped: PolicyFile) -> None:
    written = clauses(shipped.text)
    numbers = [tuple(int(part) for part in clause.number.split(".")) for clause in written]
    assert numbers == sorted(set(numbers))
    assert [clause.heading.split(".")[0] for clause in written] == [clause.number.split(".")[0] for clause in written]
    assert len(written) == len(re.findall(r"^\*\*\d", shipped.text, flags=re.MULTILINE))


@pytest.mark.parametrize(
    ("kind", "level", "council"),
    [
        (Kind.ACADEMIC, Level.UNDERGRADUATE, ["undergraduate-council"]),
        (Kind.ACADEMIC, Level.GRADUATE, ["graduate-council"]),
        # Credit never reaches Senate without a council, whatever the level.
        (Kind.ACADEMIC, Level.PROFESSIONAL, ["undergraduate-council"]),
        (Kind.NON_ACADEMIC, Level.UNDERGRADUATE, []),
        (Kind.NON_ACADEMIC, Level.GRADUATE, []),
        (Kind.NON_ACADEMIC, Level.PROFESSIONAL, []),
    ],
)
def test_route_of_each_class(shipped: PolicyFile, kind: Kind, level: Level, council: list[str]) -> None:
    route = resolve(shipped.rules, Facts(action=Action.NEW, kind=kind, level=level), FACULTY)
    assert [stage.key for stage in route.stages] == ["associate-dean", "teaching-centre", *council, "senate"]
    assert [stage.effect for stage in route.stages][-1] is Effect.DECIDE
    assert {stage.effect for stage in route.stages[:-1]} == {Effect.RECOMMEND}


def test_due_days_of_each_stage(shipped: PolicyFile) -> None:
    assert {stage.key: stage.due.working_days for stage in shipped.rules.route} == {
        "associate-dean": 10,
        "teaching-centre": 10,
        "undergraduate-council": 15,
        "graduate-council": 15,
        "senate": 20,
    }


def test_every_stage_asks_a_few_questions_and_one_of_them_for_evidence(shipped: PolicyFile) -> None:
    for stage in shipped.rules.route:
        assert 3 <= len(stage.checklist) <= 5
        assert [bool(question.evidence) for question in stage.checklist if not question.required] == [True]


def test_only_the_teaching_centre_cannot_decline(shipped: PolicyFile) -> None:
    cannot = [stage.key for stage in shipped.rules.route if Outcome.DECLINE not in stage.outcomes]
    assert cannot == ["teaching-centre"]


def test_duties_are_kept_apart(shipped: PolicyFile) -> None:
    assert not shipped.rules.duties.author_may_decide.allowed
    assert not shipped.rules.duties.one_person_many_stages.allowed


def test_what_is_required_exists_and_reaches_into_every_section(shipped: PolicyFile) -> None:
    assert unknown_fields(shipped.rules) == []
    assert {requirement.field.partition(".")[0] for requirement in shipped.rules.requires} == set(SECTIONS) - {FURTHER}


def test_demonstration_has_a_body_for_every_stage_of_every_unit(shipped: PolicyFile) -> None:
    institution = read_institution()
    places = {(body.kind, body.unit) for body in institution.bodies}
    proposing = [unit.code for unit in institution.units if unit.parent]
    for stage in shipped.rules.route:
        for unit in proposing:
            assert (stage.body.kind, unit if stage.body.of else "KU") in places
