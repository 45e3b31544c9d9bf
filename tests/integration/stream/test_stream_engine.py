"""A stream whose server is killed, comes back empty, hangs, or is succeeded by its replica."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from tests.integration.protect.ground import DEADLINE_S, Ground, opened_ground

from tenfold.engines.valkey.address import Address
from tenfold.engines.valkey.connection import Connection
from tenfold.fleet import Estate, RunFolder
from tenfold.kernel import Duration
from tenfold.plan.model import Engine, ServerPlan
from tenfold.stream import StreamUnreachable
from tenfold.stream.valkey import ValkeyStream
from tenfold.telemetry import EventLog

pytestmark = pytest.mark.engines

BLOCK = Duration.from_ms(50)
Result = TypeVar("Result")


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with opened_ground(tmp_path_factory.mktemp("stream"), main=Engine.VALKEY) as ground:
        yield ground


def test_a_server_that_came_back_empty_is_gone_on_with(ground: Ground) -> None:
    """The group is made again by whoever misses it, and begins with the oldest message."""

    async def test() -> None:
        stream = ValkeyStream(ground.url("main.primary"), "orders")
        await stream.publish([b"1"])
        assert len(await stream.consume("g", "a", count=10, block=BLOCK)) == 1
        await ground.node("main.primary").kill()
        with pytest.raises(StreamUnreachable, match="'orders' did not answer to publish"):
            await stream.publish([b"2"])
        with pytest.raises(StreamUnreachable):
            await stream.consume("g", "a", count=10, block=BLOCK)
        await ground.node("main.primary").start()
        await stream.publish([b"2", b"3"])
        messages = await stream.consume("g", "a", count=10, block=BLOCK)
        assert [message.body for message in messages] == [b"2", b"3"]
        await stream.ack("g", [message.id for message in messages])
        await stream.close()

    ground.run(test())


def test_a_consumer_that_waits_when_the_server_is_killed_is_told(ground: Ground) -> None:
    """It does not wait for a message that cannot come."""

    async def test() -> None:
        stream = ValkeyStream(ground.url("main.primary"), "orders")
        waiting = asyncio.create_task(stream.consume("g", "a", count=10, block=Duration.from_s(60)))
        await stream.publish([])
        await ground.node("main.primary").kill()
        async with asyncio.timeout(5):
            with pytest.raises(StreamUnreachable):
                await waiting
        await ground.node("main.primary").start()
        await stream.close()

    ground.run(test())


def test_a_server_that_hangs_costs_the_timeout_and_no_more(ground: Ground) -> None:
    """Publishing and consuming both end; afterwards both work again."""

    async def test() -> None:
        stream = ValkeyStream(ground.url("main.primary"), "hangs", timeout=Duration.from_ms(100))
        await stream.publish([b"1"])
        with ground.hung("main.primary"):
            began_s = time.monotonic()
            outcomes = await asyncio.gather(
                stream.publish([b"2"]),
                stream.consume("g", "a", count=10, block=BLOCK),
                stream.ack("g", ["0-1"]),
                return_exceptions=True,
            )
            assert time.monotonic() - began_s < 1
            assert all(isinstance(outcome, StreamUnreachable) for outcome in outcomes)
        assert (await stream.consume("g", "a", count=10, block=BLOCK))[0].body == b"1"
        await stream.close()

    ground.run(test())


@pytest.fixture
def replicated(tmp_path: Path) -> Iterator[Ground]:
    estate = Estate(
        RunFolder.create(tmp_path, "stream"),
        {"main": ServerPlan(engine=Engine.VALKEY, replicas=1)},
        EventLog("test"),
        token="unused",
    )
    with asyncio.Runner() as runner:
        runner.run(estate.open())
        try:
            yield Ground(runner, estate)
        finally:
            runner.run(estate.close())


async def asked(url: str, *words: str) -> Any:
    """What one server answers, asked by itself."""
    address = Address.parse(url)
    connection = await Connection.open(address.endpoints[0], address.access)
    try:
        return (await connection.ask(words))[0]
    finally:
        connection.close()


async def pending_at(url: str) -> int:
    """How many messages the server knows to be given and not acknowledged; -1 before it knows the group."""
    reply = await asked(url, "XPENDING", "orders", "g")
    return int(reply[0]) if isinstance(reply, list) else -1


async def answered(ask: Callable[[], Awaitable[Result]]) -> Result:
    """What `ask` comes to, once the stream is reached again."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            try:
                return await ask()
            except StreamUnreachable:
                await asyncio.sleep(0.02)


def test_publish_and_consume_go_on_at_the_promoted_replica(replicated: Ground) -> None:
    """The primary is killed while a consumer waits; what was published before and is published after both arrive."""
    ground = replicated

    async def test() -> None:
        replica = ground.url("main.replica")
        url, _, db = ground.url("main.primary").rpartition("/")
        stream = ValkeyStream(f"{url},{ground.node('main.replica').address}/{db}", "orders")
        await stream.publish([b"1", b"2"])
        first = await stream.consume("g", "a", count=1, block=BLOCK)
        await stream.ack("g", [message.id for message in first])
        await stream.consume("g", "a", count=1, block=BLOCK)
        async with asyncio.timeout(DEADLINE_S):
            while await pending_at(replica) != 1:  # noqa: ASYNC110  # what is asked is another process
                await asyncio.sleep(0.01)
        waiting = asyncio.create_task(stream.consume("g", "b", count=10, block=Duration.from_s(60)))
        await asyncio.sleep(0.05)
        await ground.node("main.primary").kill()
        with pytest.raises(StreamUnreachable):
            await waiting
        await asked(replica, "REPLICAOF", "NO", "ONE")
        await answered(lambda: stream.publish([b"3"]))
        bodies: set[bytes] = set()
        async with asyncio.timeout(DEADLINE_S):
            while bodies != {b"2", b"3"}:
                messages = await answered(lambda: stream.consume("g", "b", count=10, block=BLOCK))
                bodies |= {message.body for message in messages}
        await stream.close()

    ground.run(test())
