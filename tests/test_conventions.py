"""Promises that the code makes about itself, held by reading it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = [
    path
    for package in ("governance", "workflows")
    for path in sorted((ROOT / package).rglob("*.py"))
    if "migrations" not in path.parts
]


def lines_with(pattern: str) -> Iterator[tuple[str, str]]:
    for path in SOURCES:
        for line in path.read_text().splitlines():
            if re.search(pattern, line):
                yield str(path.relative_to(ROOT)), line.strip()


def files_with(pattern: str) -> set[str]:
    return {path for path, _line in lines_with(pattern)}


def test_the_time_is_asked_of_one_clock() -> None:
    """The wall clock is for leases alone; everything that is written down asks `governance.clock`."""
    allowed = {"governance/clock.py", "workflows/notices/outbox.py"}
    assert files_with(r"timezone\.now\(|datetime\.now\(|date\.today\(") <= allowed


def test_only_the_demonstration_sets_the_clock() -> None:
    assert files_with(r"clock\.at\(") <= {"workflows/demonstration/loading.py"}


def test_a_state_is_written_in_one_place() -> None:
    assert files_with(r"\.state\s*=[^=]") == {"workflows/review/machine.py"}
    assert files_with(r"\.status\s*=\s*status\b|version\.status\s*=[^=]") == {"governance/policies/machine.py"}


def test_only_actions_fire_transitions() -> None:
    assert files_with(r"Lifecycle\(\w") == {"governance/policies/actions.py", "workflows/review/actions.py"}


READING = ["views.py", "queries.py", "lists.py", "page.py", "peek.py", "permits.py", "forms.py", "resolve.py"]
READING += ["moves.py", "moving.py", "moving_views.py", "panel.py", "reader.py", "timeline.py"]


@pytest.mark.parametrize("name", READING)
def test_what_only_reads_changes_nothing(name: str) -> None:
    writing = r"\.(save|delete|bulk_create|bulk_update|update_or_create|get_or_create)\(|objects\.(create|update)\("
    assert [found for found in lines_with(writing) if found[0].endswith(f"/{name}")] == []


def test_the_way_of_an_approval_is_three_functions() -> None:
    assert sorted(path for path, line in lines_with(r"def approve\(")) == [
        "workflows/review/actions.py",
        "workflows/review/machine.py",
        "workflows/review/views.py",
    ]


def test_every_module_says_what_belongs_in_it() -> None:
    texts = {str(path.relative_to(ROOT)): path.read_text() for path in SOURCES}
    assert [path for path, text in texts.items() if text and not text.startswith('"""')] == []
