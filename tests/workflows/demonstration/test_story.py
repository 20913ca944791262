"""The demonstration's files: complete contents, stories that lie in the past whenever read, errors in one line."""

import shutil
from collections.abc import Iterator
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from governance import clock
from governance.policies.loading import BadFile
from governance.policies.vocabulary import UnitPlace
from governance.working_days import working_days_between
from workflows.demonstration import story
from workflows.demonstration.story import FOLDER, Change, Day, Demonstration, Tale, edited, read_demonstration
from workflows.proposals.completeness import gaps
from workflows.proposals.content import Content, Language
from workflows.proposals.states import State

TORONTO = ZoneInfo("America/Toronto")
TALES = sorted(path.stem for path in (FOLDER / "proposals").glob("*.yaml"))


@pytest.fixture(scope="module")
def demonstration() -> Demonstration:
    return read_demonstration()


def tale(demonstration: Demonstration, name: str) -> Tale:
    return next(tale for tale in demonstration.tales if tale.name == name)


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
    place = UnitPlace(code=told.proposal.unit, kind="faculty", within=("KU",))
    for content in contents(demonstration, told):
        found = gaps(demonstration.policy.rules, content, place, action="new")
        assert bool(found) == (told.proposal.expect.state is State.DRAFT), found


def test_a_nearly_complete_draft_lacks_exactly_what_its_file_says(demonstration: Demonstration) -> None:
    draft = tale(demonstration, "responsible-use-of-generative-ai").proposal.content
    found = gaps(demonstration.policy.rules, draft, UnitPlace("SOSC", "faculty"), action="new")
    assert [gap.field for gap in found] == [
        "assessment.alignment",
        "assessment.assessments",
        "partners.consultations",
    ]


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
    assert read.policy.rules.effective_from < min(moments).date()


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
    shutil.copytree(FOLDER, tmp_path / "demo")
    shutil.copytree(FOLDER.parent / "policies", tmp_path / "policies")
    return tmp_path / "demo"


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


def test_a_missing_attachment_is_named(copy: Path) -> None:
    break_it(copy, "proposals/infection-prevention-leadership.yaml", "employer-survey-summary.pdf", "gone.pdf")
    with pytest.raises(BadFile, match=r"story\.2\.file: there is no file .*gone\.pdf"):
        read_demonstration(copy)


def test_a_mistake_in_its_policy_is_named_in_the_policy(copy: Path) -> None:
    path, line = break_it(copy.parent, "policies/micro-credential-approval-v1.yaml", 'clause: "4.1"', 'clause: "44"')
    with pytest.raises(BadFile, match=f"line {line}, route.0.clause"):
        read_demonstration(copy)
    assert path.exists()


def test_the_files_are_read_as_steps_that_say_what_they_do(demonstration: Demonstration) -> None:
    first = tale(demonstration, "applied-data-stewardship").proposal.story[0]
    assert isinstance(first, story.Create)
