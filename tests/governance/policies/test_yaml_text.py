"""Rules are written as YAML that reads back as the same rules, and a file that was imported comes back as it was."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from governance.audit.canonical import canonical_bytes
from governance.policies.loading import load_policy_file, parse_yaml
from governance.policies.rules import Rules
from governance.policies.yaml_text import WIDTH, exported, to_yaml
from tests.conftest import SHIPPED_POLICY

from .generated import rule_sets


def read(source: str) -> Rules:
    return Rules.model_validate(parse_yaml(source)[0])


def stored(rules: Rules) -> dict[str, Any]:
    """The rules as the database gives them back, with every key in the order of the alphabet."""
    data: dict[str, Any] = json.loads(canonical_bytes(json.loads(rules.model_dump_json(by_alias=True))))
    return data


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rule_sets())
@pytest.mark.once
def test_rules_written_and_read_are_the_same_rules(rules: Rules) -> None:
    written = to_yaml(rules)
    assert read(written) == rules
    assert to_yaml(read(written)) == written
    assert exported(stored(rules), "") == written


def test_the_shipped_policy_is_written_as_it_was_by_hand() -> None:
    """All but its comments, the defaults that it spells out, and one line that is too long."""
    rules = load_policy_file(SHIPPED_POLICY).rules
    by_hand = [line for line in SHIPPED_POLICY.read_text().splitlines() if line.strip() and "#" not in line]
    spelled_out = "    outcomes: [approve, approve-with-conditions, return, decline]"
    written = [line for line in to_yaml(rules).splitlines() if line]
    assert all(len(line) <= WIDTH for line in written)
    differs = set(by_hand) ^ set(written)
    assert spelled_out in differs
    assert len(differs) < 12


def test_a_clause_stands_in_quotation_marks_and_a_default_is_left_out() -> None:
    written = to_yaml(load_policy_file(SHIPPED_POLICY).rules)
    assert '    due: {working_days: 10, clause: "6.1"}\n' in written
    assert "mandatory" not in written
    assert "decides_by" not in written


def test_a_file_comes_back_byte_for_byte_while_it_says_the_same() -> None:
    source = SHIPPED_POLICY.read_text()
    data = stored(load_policy_file(SHIPPED_POLICY).rules)
    assert exported(data, source) == source
    changed = data | {"title": "Another title"}
    assert exported(changed, source) == to_yaml(Rules.model_validate(changed))
    assert exported(data, "not: [the same") == to_yaml(Rules.model_validate(data))


def test_rules_that_are_none_yet_are_written_as_they_stand() -> None:
    data = stored(load_policy_file(SHIPPED_POLICY).rules)
    data["route"].append(data["route"][0])
    again = parse_yaml(exported(data, ""))[0]
    assert [stage["key"] for stage in again["route"]][-1] == "associate-dean"
    assert again["route"][0]["due"] == {"working_days": 10, "clause": "6.1"}
