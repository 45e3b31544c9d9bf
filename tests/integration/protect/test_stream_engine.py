"""A stream whose server is killed, comes back empty, or hangs."""

import asyncio
import time
from collections.abc import Iterator

import pytest
from tests.integration.protect.ground import Ground, opened_ground

from tenfold.kernel import Duration
from tenfold.plan.model import Engine
from tenfold.stream import StreamUnreachable
from tenfold.stream.valkey import ValkeyStream

pytestmark = pytest.mark.engines

BLOCK = Duration.from_ms(50)


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
