"""Workers that replay a draft, killed at every step and racing: each past proposal counts once, one mail at the end."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.workflows.insights.killed import PAST
from tests.workflows.notices.world.harness import World

WHOLE = {"standing": "done", "done": PAST, "cases": PAST, "compared": PAST, "findings": PAST, "mails": 1}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        world.manage("migrate", "--verbosity", "0")
        yield world


def run(world: World, what: str) -> list[dict[str, Any]]:
    printed = world.run("-m", "tests.workflows.insights.killed", what, WORLD_LEASE="0.1")
    return [json.loads(line) for line in printed.splitlines()]


def test_worker_killed_at_every_step_counts_each_proposal_once(world: World) -> None:
    ends = run(world, "at-every-step")
    assert [end["killed"] for end in ends] == [True] * (len(ends) - 1) + [False]
    # Claim, beginning, three batches of findings and progress, the mail, settling: there are steps enough.
    assert len(ends) > 8
    assert [end | {"killed": True} for end in ends] == [WHOLE | {"killed": True}] * len(ends)


def test_workers_at_once_count_each_proposal_once(world: World) -> None:
    assert run(world, "race") == [WHOLE | {"killed": False}]
