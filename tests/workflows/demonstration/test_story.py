"""The demonstration's files: complete contents, stories that lie in the past whenever read, errors in one line."""

import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from governance import clock
from governance.policies.loading import BadFile, load_policy_file
from governance.policies.resolve import resolve
from governance.policies.text import clauses
from governance.policies.vocabulary import Effect, UnitPlace
from governance.working_days import working_days_between
from workflows.demonstration import story
from workflows.demonstration.reading import FOLDER, Demonstration, Tale, read_demonstration
from workflows.demonstration.story import Change, Day, Decide, Submit, edited
from workflows.proposals.completeness import gaps
from workflows.proposals.content import Content, Language
from workflows.proposals.states import State

TORONTO = ZoneInfo("America/Toronto")
TALES = sorted(path.stem for path in (FOLDER / "proposals").glob("*.yaml"))
ENDED = {State.APPROVED, State.DECLINED}


@pytest.fixture(scope="module")
def demonstration() -> Demonstration:
    return read_demonstration()


def tale(demonstration: Demonstration, name: str) -> Tale:
    return next(tale for tale in demonstration.tales if tale.name == name)


def place(tale: Tale) -> UnitPlace:
    return UnitPlace(code=tale.proposal.unit, kind="faculty", within=("KU",))


def contents(demonstration: Demonstration, tale: Tale) -> Iterator[Content]:
    """The content as first written, and after each change."""
    content = tale.proposal.content
    yield content
    for step in tale.proposal.story:
        if isinstance(step, Change):
            content = edited(content, step.parts, demonstration.today)
            yield content


# ---- what the stories tell


@pytest.mark.parametrize("name", TALES)
def test_what_is_sent_is_complete_and_what_is_not_is_a_draft(demonstration: Demonstration, name: str) -> None:
    told = tale(demonstration, name)
    for content in contents(demonstration, told):
        found = gaps(demonstration.rules_for(told.proposal), content, place(told), action="new")
        assert bool(found) == (told.proposal.expect.state is State.DRAFT), found


def test_a_nearly_complete_draft_lacks_exactly_what_its_file_says(demonstration: Demonstration) -> None:
    draft = tale(demonstration, "responsible-use-of-generative-ai").proposal.content
    found = gaps(demonstration.policy.rules, draft, UnitPlace("SOSC", "faculty"), action="new")
    assert [gap.field for gap in found] == [
        "assessment.alignment",
        "assessment.assessments",
        "partners.consultations",
    ]


def test_proposals_were_decided_under_three_versions_over_three_years(demonstration: Demonstration) -> None:
    decided = [told.proposal for told in demonstration.tales if told.proposal.expect.state in ENDED]
    under = Counter(demonstration.rules_for(proposal).version for proposal in decided)
    assert set(under) == {1, 2, 3}
    assert under[1] + under[2] >= 8
    ended = [proposal.story[-1].at.day.fixed for proposal in decided if demonstration.rules_for(proposal).version < 3]
    assert {day.year for day in ended if day is not None} == {2023, 2024, 2025}
    outcomes = {proposal.expect.state for proposal in decided if demonstration.rules_for(proposal).version < 3}
    assert outcomes == ENDED


def test_a_proposal_is_decided_under_the_version_it_was_sent_under_also_later(demonstration: Demonstration) -> None:
    told = tale(demonstration, "mediation-en-milieu-scolaire").proposal
    day = told.story[-1].at.day.fixed
    assert day is not None
    assert (demonstration.rules_for(told).version, demonstration.in_force(day).rules.version) == (2, 3)


def test_one_proposal_is_still_in_flight_under_an_earlier_version(demonstration: Demonstration) -> None:
    in_flight = [
        demonstration.rules_for(told.proposal).version
        for told in demonstration.tales
        if told.proposal.expect.state in {State.IN_REVIEW, State.RETURNED}
    ]
    assert Counter(in_flight)[2] == 1
    assert set(in_flight) == {2, 3}


def test_what_each_version_asks_for_differs(demonstration: Demonstration) -> None:
    """Proposals that were complete under version 1 or 2 would not be under the version in force today."""
    for told in demonstration.tales:
        if demonstration.rules_for(told.proposal).version < 3 and told.proposal.expect.state in ENDED:
            assert gaps(demonstration.policy.rules, told.proposal.content, place(told), action="new")


def test_somebody_answered_for_two_bodies_while_the_policy_let_them(demonstration: Demonstration) -> None:
    double = set()
    for told in demonstration.tales:
        stages: dict[str, set[str]] = {}
        for step in told.proposal.story:
            if isinstance(step, Decide):
                stages.setdefault(step.by, set()).add(step.stage)
        if any(len(of_one) > 1 for of_one in stages.values()):
            double.add(demonstration.rules_for(told.proposal).duties.one_person_many_stages.allowed)
    assert double == {True}


# ---- the versions of the policy


def test_version_3_is_what_a_new_installation_is_given(demonstration: Demonstration) -> None:
    shipped = load_policy_file(FOLDER.parent / "policies" / "micro-credential-approval-v1.yaml")
    third = demonstration.policies[2]
    assert third.rules == shipped.rules.model_copy(update={"version": 3})
    said = third.text.replace("Version 3, in force", "Version 1, in force")
    assert said.startswith(shipped.text.rstrip())


def test_each_version_differs_in_route_targets_and_what_it_asks_for(demonstration: Demonstration) -> None:
    rules = [policy.rules for policy in demonstration.policies]
    assert [one.version for one in rules] == [1, 2, 3, 4]
    assert [one.effective_from for one in rules[:3]] == [date(2023, 9, 1), date(2024, 9, 1), date(2025, 7, 1)]
    for before, after in pairwise(rules):
        assert before.route != after.route
        assert [stage.due.working_days for stage in before.route] != [stage.due.working_days for stage in after.route]
        assert (before.requires, before.questions) != (after.requires, after.questions)
    assert rules[1].duties != rules[2].duties
    assert rules[1].resubmission.resume != rules[2].resubmission.resume


def test_every_rule_of_every_version_rests_on_a_clause_in_order(demonstration: Demonstration) -> None:
    for policy in demonstration.policies:
        written = [tuple(map(int, clause.number.split("."))) for clause in clauses(policy.text)]
        assert written == sorted(set(written))
        assert policy.rules.clauses() <= {clause.number for clause in clauses(policy.text)}


def test_version_4_is_a_draft_with_something_to_replay(demonstration: Demonstration) -> None:
    version, policy = demonstration.institution.policy[3], demonstration.policies[3]
    assert version.proposed is None and version.adopted is None
    assert policy.rules.effective_from > demonstration.today
    assert f"effective_from: {policy.rules.effective_from}\n" in policy.source
    assert policy.rules.stage("senate").vote is not None
    assert len(policy.rules.questions) == 1
    assert policy.rules.reopened_by(["outcomes.outcomes"]) == {"teaching-centre"}
    decided_by_the_centre = [
        told.name
        for told in demonstration.tales
        if (route := resolve(policy.rules, told.proposal.content.facts(), place(told)))["senate"].effect
        is Effect.RECEIVE
        and route["teaching-centre"].effect is Effect.DECIDE
        and told.proposal.expect.state in ENDED
    ]
    assert len(decided_by_the_centre) >= 2


def test_the_demonstration_shows_every_state_and_every_stage(demonstration: Demonstration) -> None:
    expected = [told.proposal.expect for told in demonstration.tales]
    assert len(expected) >= 16
    assert {expect.state for expect in expected} == set(State)
    assert {expect.stage for expect in expected if expect.stage} == {
        stage.key for stage in demonstration.policy.rules.route
    }
    at_the_centre = [expect for expect in expected if expect.stage == "teaching-centre"]
    assert len(at_the_centre) >= 4
    assert sum(expect.late for expect in at_the_centre) == 2


def test_at_least_two_proposals_are_in_french(demonstration: Demonstration) -> None:
    languages = [told.proposal.content.summary.language for told in demonstration.tales]
    assert languages.count(Language.FRENCH) >= 2


def test_every_change_changes_something(demonstration: Demonstration) -> None:
    for told in demonstration.tales:
        versions = list(contents(demonstration, told))
        assert all(before != after for before, after in pairwise(versions))


@pytest.mark.parametrize(
    "today",
    [
        datetime(2026, 11, 23, 8, 0, tzinfo=TORONTO),
        datetime(2026, 11, 7, 23, 30, tzinfo=TORONTO),  # a Saturday night
        datetime(2027, 1, 1, 0, 5, tzinfo=TORONTO),  # a public holiday
        datetime(2028, 2, 29, 12, 0, tzinfo=TORONTO),
    ],
)
def test_nothing_lies_in_the_future_whenever_it_is_read(today: datetime) -> None:
    with clock.at(today):
        read = read_demonstration()
        moments = [step.at.on(read.today) for told in read.tales for step in told.proposal.story]
    assert max(moments) < today
    assert working_days_between(max(moments).date(), today.date()) <= 1
    for told in read.tales:
        counted = [step.at.day.fixed is None for step in told.proposal.story]
        assert all(counted) or not any(counted)
        # What is counted from today falls under the version in force, whenever that is; the past stays where it was.
        assert (read.rules_for(told.proposal) == read.policy.rules) == all(counted)
        sent = [step.at.on(read.today).date() for step in told.proposal.story if isinstance(step, Submit)]
        assert all(read.rules_for(told.proposal).effective_from <= day for day in sent)
    assert read.policies[3].rules.effective_from > read.today


# ---- days and moments


def test_days_are_dates_or_working_days_from_today() -> None:
    friday = date(2026, 10, 9)  # before Thanksgiving
    assert Day(offset=0).on(friday) == friday
    assert Day(offset=1).on(friday) == date(2026, 10, 13)
    assert Day(offset=-5).on(friday) == date(2026, 10, 2)
    assert Day(offset=-1).on(date(2026, 10, 13)) == friday
    assert Day(fixed=date(2025, 7, 1)).on(friday) == date(2025, 7, 1)


# ---- mistakes


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDER, tmp_path / "demo"))


def break_it(folder: Path, name: str, old: str, new: str) -> tuple[Path, int]:
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path, text[: text.index(old)].count("\n") + 1


PROPOSAL = "proposals/land-based-learning-facilitation.yaml"


@pytest.mark.parametrize(
    ("name", "old", "new", "field", "says"),
    [
        (PROPOSAL, "author: erin.whiteduck", "author: erin.white", "author", "there is no erin.white"),
        (PROPOSAL, "unit: EDUC", "unit: ARTS", "unit", "there is no ARTS"),
        (PROPOSAL, "weight: 40", "weight: heavy", "content.assessment.assessments.0.weight", "valid integer"),
        (PROPOSAL, "o1: {a1: A, a2: D}", "o1: {a1: X, a2: D}", "content.assessment.alignment.coverage", "Input should"),
        (PROPOSAL, "mode: blended", "moode: blended", "content.delivery.moode", "Extra inputs are not permitted"),
        (
            PROPOSAL,
            "first_offered_on: +120",
            "first_offered_on: soon",
            "content.summary.first_offered_on",
            "valid date",
        ),
        (PROPOSAL, "by: louise.beaudry", "by: louise", "story.3.by", "there is no louise"),
        (PROPOSAL, "stage: associate-dean", "stage: provost", "story.3.stage", "the policy has no stage provost"),
        (PROPOSAL, "[hours-honest, acc", "[hours-short, acc", "story.4.confirmed", "has no hours-short"),
        (
            PROPOSAL,
            "outcomes.outcomes.o4.text:",
            "outcomes.outcomes.o9.text:",
            "story.5.parts.outcomes.outcomes.o9.text",
            "",
        ),
        (PROPOSAL, "at: -58 08:40", "at: -58", "story.0.at", "a moment is a day and a time"),
        (PROPOSAL, "at: -58 08:40", "at: -8 08:40", "story.1.at", "the steps of a story"),
        (PROPOSAL, "do: submit}", "do: send}", "story.2", "does not match any of the expected tags"),
        (PROPOSAL, "state: in_review", "state: lost", "expect.state", "Input should be"),
        ("institution.yaml", "body: SECR, duty: observer", "body: SECR, duty: spy", "people.4.duties.0.duty", "Input"),
        ("institution.yaml", "parent: KU", "parent: UK", "units.1.parent", "there is no UK"),
        ("institution.yaml", "person: nadia.rahimi", "person: nadia", "sign_ins.0.person", "there is no nadia"),
        ("institution.yaml", "domain: kawartha.example", "domain: kawartha.ca", "domain", "should match pattern"),
        (
            "institution.yaml",
            "by: helen.osei, at: 2023-05-09",
            "by: helen, at: 2023-05-09",
            "policy.0.drafted.by",
            "no",
        ),
        ("institution.yaml", "at: 2023-05-31 10:15", "at: 2023-05-08 10:15", "policy.0.proposed.at", "one after the"),
        ("institution.yaml", "begins: +60", "begins: soon", "policy.3.begins", "a day is a date"),
        ("institution.yaml", "set_up: 2024-05-06 10:00", "set_up: 2024-05-06", "bodies.8.set_up", "a moment is"),
        (
            "proposals/statistics-for-community-nurses.yaml",
            "stage: undergraduate-council",
            "stage: teaching-centre",  # which version 1 does not have
            "story.4.stage",
            "the policy has no stage teaching-centre",
        ),
    ],
)
def test_a_mistake_names_file_line_and_field(copy: Path, name: str, old: str, new: str, field: str, says: str) -> None:
    path, line = break_it(copy, name, old, new)
    with pytest.raises(BadFile) as error:
        read_demonstration(copy)
    sentence = str(error.value)
    assert sentence.startswith(f"{path}: line ")
    assert f", {field}: " in sentence
    assert says in sentence
    assert "\n" not in sentence
    # A step out of order is named where the order breaks, one line further down.
    assert int(sentence.split("line ")[1].split(",")[0]) - line in ((0,) if field != "story.1.at" else (1,))


def test_a_version_that_was_adopted_without_having_been_proposed_is_named(copy: Path) -> None:
    break_it(copy, "institution.yaml", "    proposed: {by: joanne.blackburn, at: 2024-06-03 11:30}\n", "")
    with pytest.raises(BadFile, match=r"line \d+, policy\.1: .*was proposed before"):
        read_demonstration(copy)


def test_a_missing_attachment_is_named(copy: Path) -> None:
    break_it(copy, "proposals/infection-prevention-leadership.yaml", "employer-survey-summary.pdf", "gone.pdf")
    with pytest.raises(BadFile, match=r"story\.2\.file: there is no file .*gone\.pdf"):
        read_demonstration(copy)


def test_a_mistake_in_its_policy_is_named_in_the_policy(copy: Path) -> None:
    path, line = break_it(copy, "policies/micro-credential-approval-v2.yaml", 'clause: "4.1"', 'clause: "44"')
    with pytest.raises(BadFile, match=f"line {line}, route.0.clause"):
        read_demonstration(copy)
    assert path.exists()


def test_the_files_are_read_as_steps_that_say_what_they_do(demonstration: Demonstration) -> None:
    first = tale(demonstration, "applied-data-stewardship").proposal.story[0]
    assert isinstance(first, story.Create)
