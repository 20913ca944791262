"""A policy file that cannot be used is refused in one line that names file, line and field."""

import json
import shutil
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from governance.audit.models import Event
from governance.people.models import User
from governance.policies.loading import BadFile, load_policy_file
from governance.policies.models import Policy, PolicyVersion, VersionStatus
from tests.conftest import SHIPPED_POLICY


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
        ('clause: "4.1"', 'clause: "4.9"', "route.0.clause", "micro-credential-approval-v1.md has no clause 4.9"),
        ('clause: "8.2"', 'clause: "88"', "duties.one_person_many_stages.clause", "has no clause 88"),
        ("field: summary.kind,", "field: summary.sort,", "requires.2.field", "a proposal has no field summary.sort"),
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


def test_check_says_in_one_line_that_a_policy_can_be_used() -> None:
    assert policy("check", str(SHIPPED_POLICY)) == (
        "Micro-credential approval policy, version 1, can be used: "
        "5 stages, 35 requirements, in force from 2025-07-01.\n"
    )


def test_check_refuses_in_one_line(copy: Path) -> None:
    line = change(copy, 'clause: "4.1"', 'clause: "4.9"')
    with pytest.raises(CommandError) as error:
        policy("check", str(copy))
    assert str(error.value) == f"{copy}: line {line}, route.0.clause: {copy.stem}.md has no clause 4.9"
    assert error.value.returncode == 1


def test_check_answers_in_json(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = json.loads(policy("check", str(copy), "--json"))
    assert (good["ok"], good["policy"], good["version"]) == (True, "micro-credential-approval", 1)
    change(copy, "effect: decide", "effect: think")
    with pytest.raises(SystemExit) as ended:
        call_command("policy", "check", str(copy), "--json")
    assert ended.value.code == 1
    bad = json.loads(capsys.readouterr().out)
    assert bad["ok"] is False
    assert "route.4.effect" in bad["error"]


@pytest.fixture
def drafter(db: None) -> User:
    return User.objects.create_user("Drafter@Kawartha.example", "Daniel Fortin")


@pytest.fixture
def adopter(db: None) -> User:
    return User.objects.create_user("adopter@kawartha.example", "Helen Osei")


def adopt(drafter: str, adopter: str, *more: str) -> str:
    given = ["--drafted-by", drafter, "--adopted-by", adopter, "--motion", "Senate minute 4"]
    return policy("adopt", str(SHIPPED_POLICY), *given, *more)


def test_adopt_stores_the_version_with_who_and_by_which_motion(drafter: User, adopter: User) -> None:
    said = adopt("drafter@kawartha.example", "Adopter@kawartha.example")
    version = PolicyVersion.objects.get()
    assert (version.status, version.drafted_by, version.adopted_by) == (VersionStatus.ADOPTED, drafter, adopter)
    assert version.motion == "Senate minute 4"
    assert said == (
        "Micro-credential approval policy, version 1, is adopted and in force from 2025-07-01. "
        f"Digest {version.digest}.\n"
    )
    assert [event.verb for event in Event.objects.all()] == ["policy.drafted", "policy.adopted"]


def test_adopt_by_the_drafter_is_refused_and_leaves_nothing(drafter: User) -> None:
    with pytest.raises(CommandError, match="somebody other than the person who drafted it"):
        adopt(drafter.email, drafter.email)
    assert not Policy.objects.exists()
    assert not Event.objects.exists()


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
