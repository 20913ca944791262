"""A policy file that cannot be used is refused in one line that names file, line and field."""

import json
import shutil
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from governance import clock
from governance.audit.models import Event
from governance.people.actions import end_mandate
from governance.people.models import Mandate, User
from governance.policies.loading import BadFile, load_policy_file
from governance.policies.models import Policy, PolicyVersion
from governance.policies.states import VersionStatus
from tests.conftest import LONG_AGO, REGISTRAR, SHIPPED_POLICY, Institution, make_institution_without_policy


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the shipped policy, to be broken."""
    for suffix in (".yaml", ".md"):
        shutil.copy(SHIPPED_POLICY.with_suffix(suffix), tmp_path)
    return tmp_path / SHIPPED_POLICY.name


def change(path: Path, old: str, new: str) -> int:
    """Replace the first `old`; answers with its line."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


@pytest.mark.parametrize(
    ("old", "new", "field", "says"),
    [
        ('clause: "4.1"', 'clause: "4.9"', "route.0.clause", "The text has no clause 4.9"),
        ('clause: "8.2"', 'clause: "88"', "duties.one_person_many_stages.clause", "The text has no clause 88"),
        ("field: summary.kind,", "field: summary.sort,", "requires.2.field", "A proposal has no field summary.sort"),
        ("effective_from: 2025-07-01", "effective_from: 2025-13-01", "effective_from", "Input should be a valid date"),
        ("working_days: 20", "working_days: soon", "route.4.due.working_days", "Input should be a valid integer"),
        ("field: level, is:", "field: rank, is:", "route.3.when.all.1.field", "Input should be 'action', 'kind'"),
        ("effect: decide", "effect: think", "route.4.effect", "Input should be"),
        ("resume: returning-stage", "resume: nowhere", "resubmission.resume", "Input should be"),
    ],
)
def test_a_wrong_value_names_file_line_and_field(copy: Path, old: str, new: str, field: str, says: str) -> None:
    line = change(copy, old, new)
    with pytest.raises(BadFile) as error:
        load_policy_file(copy)
    assert str(error.value).startswith(f"{copy}: line {line}, {field}: ")
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_a_misspelt_key_is_an_error_and_not_a_rule_that_never_applies(copy: Path) -> None:
    change(copy, "resubmission:", "resubmision:")
    with pytest.raises(BadFile, match="resubmi"):
        load_policy_file(copy)


def test_a_key_that_stands_twice_is_an_error(copy: Path) -> None:
    line = change(copy, "version: 1\n", "version: 1\nversion: 2\n")
    with pytest.raises(BadFile, match=f"line {line + 1}: version stands twice"):
        load_policy_file(copy)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "line 1"),
        (b"- a\n- list\n", "line 1"),
        (b"route: [\n", "line 2"),
        (b"title: \x00\n", "unacceptable character"),
        (b"title: \xff\n", "not UTF-8 text, at byte 7"),
        (b"? [a, b]\n: c\n", "line 1"),
    ],
)
def test_what_is_no_policy_at_all_is_refused_in_one_line(copy: Path, content: bytes, says: str) -> None:
    copy.write_bytes(content)
    with pytest.raises(BadFile) as error:
        load_policy_file(copy)
    assert str(error.value).startswith(f"{copy}: ")
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_text_is_named(copy: Path) -> None:
    copy.with_suffix(".md").unlink()
    with pytest.raises(BadFile, match=r"v1\.md: the policy's text is missing"):
        load_policy_file(copy)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=r"none\.yaml: No such file"):
        load_policy_file(tmp_path / "none.yaml")


# ---- manage.py policy


def policy(*arguments: str) -> str:
    out = StringIO()
    call_command("policy", *arguments, stdout=out)
    return out.getvalue()


USABLE = (
    "Micro-credential approval policy, version 1, can be used: 5 stages, 35 requirements, in force from 2025-07-01."
)


def test_check_of_the_rules_only_says_in_one_line_that_a_policy_can_be_used() -> None:
    assert policy("check", str(SHIPPED_POLICY), "--rules-only") == f"{USABLE}\n"


@pytest.mark.django_db
def test_check_says_that_it_found_no_institution() -> None:
    assert policy("check", str(SHIPPED_POLICY)).splitlines() == [
        USABLE,
        "Not checked against an institution: the database holds no units yet.",
    ]


@pytest.mark.django_db
def test_check_says_how_much_it_found_to_be_sound() -> None:
    make_institution_without_policy()
    with clock.at(datetime(2025, 6, 1, 12, tzinfo=UTC)):
        said = policy("check", str(SHIPPED_POLICY))
        answer = json.loads(policy("check", str(SHIPPED_POLICY), "--json"))
    assert said.splitlines() == [
        USABLE,
        "Sound in this institution on 2025-07-01: 6 combinations for 2 units checked.",
    ]
    assert (answer["ok"], answer["checked"], answer["on"]) == (True, True, "2025-07-01")
    assert (answer["combinations"], answer["units"]) == (6, 2)


@pytest.mark.django_db
def test_check_prints_what_does_not_hold_one_thing_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    place = make_institution_without_policy()
    for mandate in Mandate.objects.filter(user__in=[place.people["ad-hsci"], place.people["gc"]]):
        end_mandate(actor=REGISTRAR, mandate=mandate, ends_on=LONG_AGO, reason="Leaves")
    with (
        clock.at(datetime(2025, 8, 1, 12, tzinfo=UTC)),
        pytest.raises(CommandError) as error,
    ):
        policy("check", str(SHIPPED_POLICY))
    assert error.value.returncode == 1
    assert sorted(str(error.value).splitlines()) == [
        "Faculty of Engineering, for academic credit, graduate: Nobody holds a duty on Graduate Council that lets them "
        "decide at “Graduate Council”. The same is so in 1 other case.",
        "Faculty of Health Sciences, for academic credit, undergraduate: Nobody holds a duty on Associate Dean, Health "
        "Sciences that lets them decide at “Associate Dean”. The same is so in 5 other cases.",
        "Micro-credential approval policy, version 1, is not sound: 2 things do not hold in this institution on "
        "2025-08-01.",
    ]
    with pytest.raises(SystemExit) as ended:
        call_command("policy", "check", str(SHIPPED_POLICY), "--json")
    assert ended.value.code == 1
    bad = json.loads(capsys.readouterr().out)
    assert bad["ok"] is False
    assert [(fault["kind"], fault["stage"], fault["unit"], fault["others"]) for fault in bad["faults"]] == [
        ("nobody-decides", "graduate-council", "Faculty of Engineering", 1),
        ("nobody-decides", "associate-dean", "Faculty of Health Sciences", 5),
    ]


@pytest.mark.django_db
def test_check_with_a_database_that_cannot_be_read_says_how_to_do_without() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE people_mandate RENAME TO another")
    with pytest.raises(CommandError, match=r"The database cannot be read \(.*people_mandate.*--rules-only"):
        policy("check", str(SHIPPED_POLICY))


def test_check_refuses_in_one_line(copy: Path) -> None:
    line = change(copy, 'clause: "4.1"', 'clause: "4.9"')
    with pytest.raises(CommandError) as error:
        policy("check", str(copy))
    assert str(error.value) == f"{copy}: line {line}, route.0.clause: The text has no clause 4.9"
    assert error.value.returncode == 1


def test_check_answers_in_json(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = json.loads(policy("check", str(copy), "--rules-only", "--json"))
    assert (good["ok"], good["policy"], good["version"]) == (True, "micro-credential-approval", 1)
    change(copy, "effect: decide", "effect: think")
    with pytest.raises(SystemExit) as ended:
        call_command("policy", "check", str(copy), "--json")
    assert ended.value.code == 1
    bad = json.loads(capsys.readouterr().out)
    assert bad["ok"] is False
    assert "route.4.effect" in bad["error"]


@pytest.fixture
def place(db: None) -> Institution:
    return make_institution_without_policy()


@pytest.fixture
def drafter(place: Institution) -> User:
    return place.people["drafter"]


@pytest.fixture
def adopter(place: Institution) -> User:
    return place.people["administrator"]


def adopt(drafter: str, adopter: str, *more: str) -> str:
    given = ["--drafted-by", drafter, "--adopted-by", adopter, "--motion", "Senate minute 4"]
    return policy("adopt", str(SHIPPED_POLICY), *given, *more)


def policy_events() -> list[str]:
    return list(Event.objects.filter(verb__startswith="policy.").order_by("pk").values_list("verb", flat=True))


def test_adopt_stores_the_version_with_who_and_by_which_motion(drafter: User, adopter: User) -> None:
    said = adopt("drafter@kawartha.example", "Administrator@kawartha.example")
    version = PolicyVersion.objects.get()
    assert (version.status, version.drafted_by, version.adopted_by) == (VersionStatus.ADOPTED, drafter, adopter)
    assert version.motion == "Senate minute 4"
    assert said == (
        "Micro-credential approval policy, version 1, is adopted and in force from 2025-07-01. "
        f"Digest {version.digest}.\n"
    )
    assert policy_events() == ["policy.drafted", "policy.proposed", "policy.adopted"]


def test_adopt_by_the_drafter_is_refused_and_leaves_nothing(drafter: User) -> None:
    with pytest.raises(CommandError, match="somebody other than the person who drafted it"):
        adopt(drafter.email, drafter.email)
    assert not Policy.objects.exists()
    assert policy_events() == []


def test_adopt_twice_is_refused(drafter: User, adopter: User) -> None:
    adopt(drafter.email, adopter.email)
    with pytest.raises(CommandError, match="There is a version 1 already"):
        adopt(drafter.email, adopter.email)


def test_adopt_by_nobody_is_refused_also_in_json(drafter: User, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError, match=r"Nobody signs in with nobody@kawartha\.example"):
        adopt(drafter.email, "nobody@kawartha.example")
    given = ["--drafted-by", drafter.email, "--adopted-by", "nobody@kawartha.example", "--motion", "4"]
    with pytest.raises(SystemExit):
        call_command("policy", "adopt", str(SHIPPED_POLICY), *given, "--json")
    assert json.loads(capsys.readouterr().out)["ok"] is False


def test_adopt_of_what_is_not_sound_is_refused_with_every_reason_and_leaves_nothing(
    place: Institution, drafter: User, adopter: User, capsys: pytest.CaptureFixture[str]
) -> None:
    end_mandate(
        actor=REGISTRAR, mandate=Mandate.objects.get(user=place.people["ctl"]), ends_on=LONG_AGO, reason="Leaves"
    )
    with pytest.raises(CommandError) as error:
        adopt(drafter.email, adopter.email)
    assert str(error.value).splitlines() == [
        "This version cannot be adopted: 1 thing does not hold in this institution.",
        "Faculty of Engineering, for academic credit, undergraduate: Nobody holds a duty on Centre for Teaching and "
        "Learning that lets them decide at “Centre for Teaching and Learning”. The same is so in 11 other cases.",
    ]
    assert not Policy.objects.exists()
    given = ["--drafted-by", drafter.email, "--adopted-by", adopter.email, "--motion", "4"]
    with pytest.raises(SystemExit):
        call_command("policy", "adopt", str(SHIPPED_POLICY), *given, "--json")
    assert list(json.loads(capsys.readouterr().out)["gaps"]) == ["soundness.0"]
