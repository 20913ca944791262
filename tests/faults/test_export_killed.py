"""Workers that write an export, killed all the way and racing: one whole package that holds, one mail at the end."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.workflows.notices.world.harness import World

WHOLE = {"state": "done", "failures": [], "events": True, "size": True, "left": [], "mails": 1}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        world.manage("migrate", "--verbosity", "0")
        yield world


def run(world: World, what: str) -> list[dict[str, Any]]:
    printed = world.run("-m", "tests.workflows.auditing.killed_export", what, WORLD_LEASE="0.1")
    return [json.loads(line) for line in printed.splitlines()]


def test_worker_killed_anywhere_leaves_one_package_that_holds(world: World) -> None:
    ends = run(world, "all-the-way")
    assert [end.pop("killed") for end in ends] == [True] * (len(ends) - 1) + [False]
    # Each file is noted, named and packed; and there is the state, the mail, the move and the tidying.
    assert len(ends) > 12
    assert ends == [WHOLE] * len(ends)


def test_workers_at_once_make_one_package(world: World) -> None:
    assert run(world, "race") == [WHOLE | {"killed": False}]
