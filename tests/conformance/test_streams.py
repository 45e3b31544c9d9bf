"""What every stream must do, in memory and on a real engine alike."""

import asyncio
from collections.abc import Callable, Iterator
from itertools import count

import pytest
from tests.integration.protect.ground import DEADLINE_S, Ground, opened_ground

from tenfold.kernel import Duration
from tenfold.plan.model import Engine
from tenfold.stream import Message, Stream
from tenfold.stream.testing import MemoryStream
from tenfold.stream.valkey import ValkeyStream

IDLE_MAX = Duration.from_ms(60)
DELIVERIES_MAX = 3
NOW = Duration(0)
_names = count()

MakeStream = Callable[[Ground], Stream]
"""Makes an empty stream."""


def memory(ground: Ground) -> Stream:
    return MemoryStream(deliveries_max=DELIVERIES_MAX, idle_max=IDLE_MAX)


def valkey(ground: Ground) -> Stream:
    return ValkeyStream(
        ground.url("main.primary"), f"stream-{next(_names)}", deliveries_max=DELIVERIES_MAX, idle_max=IDLE_MAX
    )


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with opened_ground(tmp_path_factory.mktemp("streams"), main=Engine.VALKEY) as ground:
        yield ground


pytestmark = [
    pytest.mark.engines,
    pytest.mark.parametrize("make_stream", [memory, valkey], ids=["memory", "valkey"]),
]


async def consume_until(stream: Stream, consumer: str, wanted: int) -> list[Message]:
    """Ask until `wanted` messages came, with a deadline."""
    messages: list[Message] = []
    async with asyncio.timeout(DEADLINE_S):
        while len(messages) < wanted:
            messages += await stream.consume("g", consumer, count=100, block=Duration.from_ms(20))
    return messages


def test_what_is_published_is_consumed_in_its_order(ground: Ground, make_stream: MakeStream) -> None:
    """Byte for byte, once for a group, delivered for the first time."""

    async def test() -> None:
        stream = make_stream(ground)
        bodies = [b"", bytes(range(256)), *(str(number).encode() for number in range(50))]
        ids = await stream.publish(bodies)
        messages = await stream.consume("g", "a", count=100, block=NOW)
        assert messages == [Message(name, body, 1) for name, body in zip(ids, bodies, strict=True)]
        assert await stream.consume("g", "a", count=100, block=NOW) == []
        assert await stream.publish([]) == []
        await stream.close()

    ground.run(test())


def test_a_group_begins_with_the_oldest_message_and_shares_among_its_consumers(
    ground: Ground, make_stream: MakeStream
) -> None:
    """Another group has its own view of the same messages."""

    async def test() -> None:
        stream = make_stream(ground)
        await stream.publish([b"1", b"2", b"3"])
        first = await stream.consume("g", "a", count=2, block=NOW)
        second = await stream.consume("g", "b", count=2, block=NOW)
        assert [message.body for message in first + second] == [b"1", b"2", b"3"]
        assert len(await stream.consume("h", "a", count=10, block=NOW)) == 3
        await stream.close()

    ground.run(test())


def test_a_consumer_that_waits_is_woken_by_what_is_published(ground: Ground, make_stream: MakeStream) -> None:
    """Long before its wait would be over."""

    async def test() -> None:
        stream = make_stream(ground)
        waiting = asyncio.create_task(stream.consume("g", "a", count=10, block=Duration.from_s(DEADLINE_S)))
        await asyncio.sleep(0)
        await stream.publish([b"news"])
        async with asyncio.timeout(DEADLINE_S / 2):
            assert [message.body for message in await waiting] == [b"news"]
        await stream.close()

    ground.run(test())


def test_an_empty_wait_ends_with_nothing(ground: Ground, make_stream: MakeStream) -> None:
    """No message is no error."""

    async def test() -> None:
        stream = make_stream(ground)
        assert await stream.consume("g", "a", count=10, block=Duration.from_ms(5)) == []
        await stream.close()

    ground.run(test())


def test_what_was_acknowledged_does_not_come_back_and_the_rest_goes_to_another(
    ground: Ground, make_stream: MakeStream
) -> None:
    """A consumer that died with messages in its hands loses none of them; acknowledging twice is no error."""

    async def test() -> None:
        stream = make_stream(ground)
        await stream.publish([b"1", b"2", b"3"])
        held = await stream.consume("g", "dead", count=10, block=NOW)
        await stream.ack("g", [held[1].id])
        await stream.ack("g", [held[1].id])
        taken = await consume_until(stream, "alive", 2)
        assert [(message.body, message.deliveries) for message in taken] == [(b"1", 2), (b"3", 2)]
        await stream.ack("g", [message.id for message in taken])
        await stream.close()

    ground.run(test())


def test_a_message_that_nobody_can_acknowledge_becomes_a_dead_letter(ground: Ground, make_stream: MakeStream) -> None:
    """After three deliveries it is out of everyone's way, and can be looked at."""

    async def test() -> None:
        stream = make_stream(ground)
        await stream.publish([b"poison"])
        deliveries = [(await consume_until(stream, "a", 1))[0].deliveries for _ in range(DELIVERIES_MAX)]
        assert deliveries == [1, 2, 3]
        async with asyncio.timeout(DEADLINE_S):
            while not (dead := await stream.dead_letters(10)):
                assert await stream.consume("g", "a", count=10, block=Duration.from_ms(10)) == []
        assert [(message.body, message.deliveries) for message in dead] == [(b"poison", DELIVERIES_MAX)]
        await stream.publish([b"next"])
        assert [message.body for message in await consume_until(stream, "a", 1)] == [b"next"]
        await stream.close()

    ground.run(test())


def test_consumers_beside_each_other_get_every_message_once(ground: Ground, make_stream: MakeStream) -> None:
    """A thousand messages, four consumers who acknowledge in time."""

    async def test() -> None:
        stream = make_stream(ground)
        taken: list[bytes] = []

        async def consumer(name: str) -> None:
            while messages := await stream.consume("g", name, count=50, block=Duration.from_ms(20)):
                taken.extend(message.body for message in messages)
                await stream.ack("g", [message.id for message in messages])

        bodies = [str(number).encode() for number in range(1000)]
        await stream.publish(bodies)
        await asyncio.gather(*(consumer(name) for name in "abcd"))
        assert sorted(taken) == sorted(bodies)
        await stream.close()

    ground.run(test())
