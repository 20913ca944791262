"""`manage.py policy diff` prints what one version says otherwise than another; its exit code says whether it does."""

import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from governance.policies.actions import begin_draft, save_draft
from governance.policies.models import PolicyVersion
from tests.conftest import SHIPPED_POLICY, Institution

SHIPPED = "Micro-credential approval policy, version 1"
KEY = "micro-credential-approval"


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A copy of the shipped policy whose Senate has fifteen days, in the text and in the rules."""
    path = tmp_path / SHIPPED_POLICY.name
    edit(SHIPPED_POLICY, path, 'working_days: 20, clause: "6.4"', 'working_days: 15, clause: "6.4"')
    text = SHIPPED_POLICY.with_suffix(".md")
    edit(text, path.with_suffix(".md"), "Senate answers within twenty", "Senate answers within fifteen")
    return path


def edit(source: Path, target: Path, old: str, new: str) -> None:
    text = source.read_text(encoding="utf-8")
    assert text.count(old) == 1
    target.write_text(text.replace(old, new), encoding="utf-8")


def diff(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    """The exit code and what was printed."""
    try:
        call_command("policy", "diff", *map(str, arguments))
        code = 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    return code, capsys.readouterr().out


def test_versions_that_say_the_same_exit_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    code, said = diff(capsys, SHIPPED_POLICY, SHIPPED_POLICY)
    assert (code, said.splitlines()) == (0, [f"From {SHIPPED}, to {SHIPPED}", "They say the same."])


def test_a_changed_clause_is_printed_with_its_words_and_its_rule_and_the_exit_code_is_1(
    other: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = diff(capsys, SHIPPED_POLICY, other)
    assert code == 1
    assert [line for line in said.splitlines() if line] == [
        f"From {SHIPPED}, to {SHIPPED}",
        "6. Time",
        "  6.4  Senate answers within [-twenty-]{+fifteen+} working days.",
        "    * “Senate” has 15 working days instead of 20.",
    ]


def test_a_rule_alone_is_a_difference(other: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(SHIPPED_POLICY.with_suffix(".md"), other.with_suffix(".md"))
    code, said = diff(capsys, SHIPPED_POLICY, other)
    assert code == 1
    assert "  6.4  in the same words\n    * “Senate” has 15 working days instead of 20.\n" in said


def test_what_stands_under_no_clause_is_printed_too(other: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(SHIPPED_POLICY, other, "effective_from: 2025-07-01", "effective_from: 2025-09-01")
    edit(SHIPPED_POLICY.with_suffix(".md"), other.with_suffix(".md"), "from 1 July 2025", "from 1 September 2025")
    code, said = diff(capsys, SHIPPED_POLICY, other)
    assert code == 1
    assert "Outside the clauses\n" in said
    assert "from 1 [-July-]{+September+} 2025" in said
    rules = said.partition("Rules that stand under no clause\n")[2]
    assert "September" in rules


def test_clauses_that_are_new_gone_or_renumbered_say_so(other: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(SHIPPED_POLICY, other)
    more = "**6.4** Senate answers within twenty working days."
    edit(
        SHIPPED_POLICY.with_suffix(".md"),
        other.with_suffix(".md"),
        more,
        f"{more}\n\n**6.9** Nobody answers on a holiday of the province.",
    )
    assert "\n  6.9  {+Nobody answers on a holiday of the province.+}\n" in diff(capsys, SHIPPED_POLICY, other)[1]
    assert "\n  6.9  [-Nobody answers on a holiday of the province.-]\n" in diff(capsys, other, SHIPPED_POLICY)[1]
    text = other.with_suffix(".md").read_text(encoding="utf-8")
    moved = other.with_name("moved.yaml")
    shutil.copy(SHIPPED_POLICY, moved)
    moved.with_suffix(".md").write_text(text.replace("**6.9**", "**6.8**"), encoding="utf-8")
    code, said = diff(capsys, other, moved)
    assert (code, "\n  6.8 (before: 6.9)  in the same words\n" in said) == (1, True)


def test_json_gives_both_wordings_and_the_rules(other: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = diff(capsys, SHIPPED_POLICY, other, "--json")
    found: dict[str, Any] = json.loads(said)
    assert (code, found["ok"], found["same"], found["outside"]) == (1, True, False, None)
    assert found["sections"] == [
        {
            "heading": {"before": "6. Time", "after": "6. Time"},
            "clauses": [
                {
                    "number": {"before": "6.4", "after": "6.4"},
                    "words": {
                        "before": "Senate answers within twenty working days.",
                        "after": "Senate answers within fifteen working days.",
                    },
                }
            ],
        }
    ]
    (rule,) = found["rules"]
    assert (rule["kind"], rule["clause"], rule["gone"]) == ("target", "6.4", False)
    code, said = diff(capsys, SHIPPED_POLICY, SHIPPED_POLICY, "--json")
    assert (code, json.loads(said)["same"], json.loads(said)["sections"]) == (0, True, [])


# ---- stored versions


def draft_of(institution: Institution, rules: dict[str, Any], text: str) -> PolicyVersion:
    assert institution.policy is not None
    drafter = institution.person("drafter")
    version = begin_draft(actor=drafter, like=institution.policy, effective_from=date(2031, 1, 1))
    return save_draft(actor=drafter, version=version, seen=version.saves, text=text, rules=rules)


def test_stored_versions_are_named_by_key_and_number(
    institution: Institution, capsys: pytest.CaptureFixture[str]
) -> None:
    assert institution.policy is not None
    rules = json.loads(institution.policy.rules)
    draft = draft_of(
        institution, rules | {"effective_from": "2031-01-01"}, institution.policy.text + "\n**9.8** More.\n"
    )
    code, said = diff(capsys, KEY, 1, draft.number)
    assert code == 1
    assert said.startswith(f"From {SHIPPED}, to Micro-credential approval policy, version {draft.number}\n")
    assert "  9.8  {+More.+}\n" in said
    assert diff(capsys, KEY, 1, 1)[0] == 0


def test_rules_that_cannot_be_used_yet_are_not_called_the_same(
    institution: Institution, capsys: pytest.CaptureFixture[str]
) -> None:
    assert institution.policy is not None
    rules = json.loads(institution.policy.rules)
    rules["route"][0]["clause"] = "88"
    draft = draft_of(institution, rules, institution.policy.text)
    code, said = diff(capsys, KEY, draft.number, draft.number)
    assert (code, said.splitlines()[1:]) == (
        1,
        ["The rules of one of them cannot be used yet, so only the texts were compared."],
    )


# ---- what cannot be compared


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("versions", "says"),
    [
        (["one.yaml"], "Name two files, or the key of a policy and the numbers of two versions."),
        ([KEY, "1", "2", "3"], "Name two files, or the key of a policy and the numbers of two versions."),
        ([SHIPPED_POLICY, "none.yaml"], "none.yaml: No such file or directory"),
        ([KEY, "1", "2"], f"There is no version 1 of a policy {KEY}."),
        ([KEY, "one", "2"], f"There is no version one of a policy {KEY}."),
        ([KEY, "9" * 30, "2"], f"There is no version {'9' * 30} of a policy {KEY}."),
    ],
)
def test_bad_input_is_one_line_and_exits_with_2(
    versions: list[object], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CommandError) as error:
        diff(capsys, *versions)
    assert (str(error.value), error.value.returncode) == (says, 2)
    code, said = diff(capsys, *versions, "--json")
    assert (code, json.loads(said)) == (2, {"ok": False, "error": says})


@pytest.mark.django_db
def test_a_database_that_cannot_be_read_is_no_difference(capsys: pytest.CaptureFixture[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE policies_policyversion RENAME TO another")
    with pytest.raises(CommandError, match="The database cannot be read") as error:
        diff(capsys, KEY, 1, 2)
    assert error.value.returncode == 2
