"""With a broker: a row goes to a real Celery worker on commit, and a broker that is away harms no act."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from kombu import Connection

from tests.workflows.notices.world.harness import World

BROKERS = {
    "redis": os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/5"),
    "rabbitmq": os.environ.get("TEST_AMQP_URL", "amqp://guest:guest@127.0.0.1:5672//"),
}
WORKER = ["-m", "celery", "-A", "governance.celery", "worker", "--pool", "solo"]
QUIET = ["--without-gossip", "--without-mingle", "--without-heartbeat"]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


@pytest.fixture(params=BROKERS)
def broker(request: pytest.FixtureRequest, world: World) -> Iterator[str]:
    """The URL of a broker that answers. What the test left in it is taken away."""
    url = BROKERS[request.param]
    try:
        with Connection(url, connect_timeout=2) as connection:
            connection.ensure_connection(max_retries=1, timeout=2)
    except OSError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"no broker at {url}: {error}")
    yield url
    with Connection(url) as connection, connection.channel() as channel:
        channel.queue_delete(world.queue_name)
        if request.param == "redis":
            names = (f"_kombu.{kind}.{world.queue_name}" for kind in ("binding", "binding_permanent"))
            channel.client.delete(world.queue_name, *names)
        else:
            channel.exchange_delete(world.queue_name)


@pytest.mark.broker
def test_row_is_delivered_by_a_real_worker_as_soon_as_it_is_committed(world: World, broker: str) -> None:
    world.queue({"task": "world.note", "key": "a", "payload": {"name": "a"}}, BROKER_URL=broker)
    worker = world.start(*WORKER, *QUIET, "--queues", world.queue_name, BROKER_URL=broker)
    world.until(lambda: world.select("SELECT 1 FROM notices_outbox WHERE done_at IS NOT NULL"), "the delivery")

    assert [(word, name, int(process)) for word, name, process, _ in world.notes()] == [
        ("began", "a", worker.pid),
        ("ended", "a", worker.pid),
    ]


@pytest.mark.broker
def test_row_whose_message_comes_twice_is_delivered_once(world: World, broker: str) -> None:
    world.queue({"task": "world.note", "key": "a", "payload": {"name": "a"}}, BROKER_URL=broker)
    ((row_id,),) = world.select("SELECT id FROM notices_outbox")
    again = [
        "-m",
        "celery",
        "-A",
        "governance.celery",
        "call",
        "notices.deliver",
        "--kwargs",
        f'{{"row_id": {row_id}}}',
    ]
    world.run(*again, BROKER_URL=broker)
    world.queue({"task": "world.note", "key": "b", "payload": {"name": "b"}}, BROKER_URL=broker)
    world.start(*WORKER, *QUIET, "--queues", world.queue_name, BROKER_URL=broker)
    world.until(lambda: ["ended", "b"] in [note[:2] for note in world.notes()], "the last delivery")

    assert [note[:2] for note in world.notes()] == [["began", "a"], ["ended", "a"], ["began", "b"], ["ended", "b"]]


@pytest.mark.parametrize("away", ["redis://127.0.0.1:1/0", "amqp://127.0.0.1:1//"])
def test_broker_that_is_away_harms_no_act_and_the_row_waits_for_the_sweep(world: World, away: str) -> None:
    world.queue(*({"task": "world.note", "key": key, "payload": {"name": key}} for key in "abc"), BROKER_URL=away)
    assert world.drain() == {"delivered": 3, "put_off": 0, "given_up": 0, "waiting": 0}
