"""Sequencers that are killed at every step and while they race with each other and with writers: every event gets one
place in the log, and no two checkpoints contradict each other.

`ASSENT_TEST_KILL_SECONDS=60` makes the race longer.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.workflows.notices.world.harness import World

SECONDS = os.environ.get("ASSENT_TEST_KILL_SECONDS", "4")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        world.manage("migrate", "--verbosity", "0")
        yield world


def run(world: World, *what: str) -> list[dict[str, Any]]:
    printed = world.run("-m", "tests.governance.audit.sequencing", *what)
    return [json.loads(line) for line in printed.splitlines()]


def assert_whole(end: dict[str, Any]) -> None:
    assert end["sealed_once"], end
    assert end["waiting"] == 0, end
    assert end["streams_in_order"], end
    assert end["rebuilt"], end
    assert end["consistent"], end
    assert end["signed"], end
    assert end["head"] == end["events"], end


def test_a_sequencer_killed_at_every_step_is_followed_by_one_that_goes_on(world: World) -> None:
    ends = run(world, "at-every-step")
    assert [end["killed"] for end in ends] == [True] * (len(ends) - 1) + [False]
    # Lock, read, leaves, tiles, take away; then read, hash, sign, write: there are steps enough to be killed at.
    assert len(ends) > 20
    for end in ends:
        assert_whole(end)
    assert ends[-1]["events"] == 40 * len(ends) + 1


def test_sequencers_and_writers_at_once_killed_again_and_again(world: World) -> None:
    (end,) = run(world, "race", SECONDS)
    print(json.dumps(end))  # noqa: T201  # the figures of a run by hand, with -s
    assert_whole(end)
    # Nobody failed: they ended because they were killed.
    assert end["ended_by_themselves"] == 0, end
    assert min(end["kills"].values()) > 3 * float(SECONDS) / 4, end
    assert end["events"] > 30, end
    assert end["checkpoints"] > 5, end
    if world.on_postgresql:
        assert end["late"] > 0, end
