"""Workers that make memos, killed at every step and racing: one memo a decision, no number lost or given twice."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.workflows.notices.world.harness import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        world.manage("migrate", "--verbosity", "0")
        yield world


def run(world: World, what: str) -> list[dict[str, Any]]:
    printed = world.run("-m", "tests.workflows.memos.killed", what, WORLD_LEASE="0.1")
    return [json.loads(line) for line in printed.splitlines()]


def assert_one_whole_memo(end: dict[str, Any]) -> None:
    assert len(end["memos"]) == 1, end
    assert end["memos"] == end["numbers"], end
    assert end["intact"] == end["signed"] == [True], end
    assert end["digests"] == end["recorded"], end
    assert end["mails"] == 1, end
    assert end["stream"] == list(range(1, end["version"] + 1)), end


def stored(world: World) -> list[str]:
    """The name of every file that memos left: no draft, and no signed file that no memo names."""
    return sorted(path.name for path in (world.folder / "files" / "memos").rglob("*") if path.is_file())


def serials(ends: list[dict[str, Any]]) -> list[int]:
    return [int(end["memos"][0].rpartition("-")[2]) for end in ends]


def test_worker_killed_at_every_step_leaves_one_memo_and_no_gap(world: World) -> None:
    ends = run(world, "at-every-step")
    assert [end["killed"] for end in ends] == [True] * (len(ends) - 1) + [False]
    # Claim, number, three steps each of draft and file, row, event, mail, settle: steps enough to be killed at.
    assert len(ends) > 10
    for end in ends:
        assert_one_whole_memo(end)
    assert serials(ends) == list(range(1, len(ends) + 1))
    assert stored(world) == sorted(f"{end['digests'][0]}.pdf" for end in ends)


def test_workers_at_once_make_one_memo_of_a_decision_and_one_number_for_each(world: World) -> None:
    ends = run(world, "race")
    for end in ends:
        assert_one_whole_memo(end)
    assert sorted(serials(ends)) == [1, 2, 3, 4, 5]
    assert stored(world) == sorted(f"{end['digests'][0]}.pdf" for end in ends)
