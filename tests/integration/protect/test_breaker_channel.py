"""Breakers of several processes over a real control node: sockets, threads, its own store."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tenfold.channel import Channel
from tenfold.protect.calls.breaker import TOPIC, Breaker, Breakers, BreakerState, link_breakers
from tenfold.respond.control import ControlNode, Put, SqliteStore
from tenfold.respond.control.server import ControlServer
from tenfold.respond.merges import merge_breakers

TOKEN = "t" * 32
DEADLINE_S = 10.0


class TendedNode:
    """A control node with the merge of breakers, in an event loop of its own thread."""

    def __init__(self, folder: Path) -> None:
        self.url = ""
        self._folder = folder
        self._opened = threading.Event()
        self._ends: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def open(self) -> None:
        self._thread.start()
        assert self._opened.wait(DEADLINE_S)

    def close(self) -> None:
        assert self._loop is not None
        assert self._ends is not None
        self._loop.call_soon_threadsafe(self._ends.set)
        self._thread.join(DEADLINE_S)

    async def _serve(self) -> None:
        self._loop, self._ends = asyncio.get_running_loop(), asyncio.Event()
        store = SqliteStore(self._folder / "control.db", now_ns=time.time_ns())
        node = ControlNode(store)

        async def put(key: str, value: bytes | None) -> None:
            await node.put(Put(topic=TOPIC, key=key, value=value, by="breakers"))

        tender = merge_breakers(put)
        node.inbox.on_report(tender.topic, tender.took)
        server = ControlServer(node, TOKEN)
        self.url = await server.open()
        tender.open()
        self._opened.set()
        await self._ends.wait()
        await tender.close()
        await server.close()
        store.close()


@pytest.fixture
def node(tmp_path: Path) -> Iterator[TendedNode]:
    node = TendedNode(tmp_path)
    node.open()
    yield node
    node.close()


def until(holds: Callable[[], bool]) -> None:
    """Wait until it holds; fail when it does not by the deadline."""
    end_s = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < end_s, "it does not hold by the deadline"
        time.sleep(0.005)


def test_what_three_found_out_the_fourth_is_told_and_that_it_is_back_too(node: TendedNode) -> None:
    """Each with a channel of its own, as four processes have."""
    channels = [Channel(node.url, TOKEN, service="shop") for _ in range(4)]
    families = [Breakers() for _ in channels]
    breakers: list[Breaker] = [family.of("supplier", "order") for family in families]
    leave = [link_breakers(channel, family) for channel, family in zip(channels, families, strict=True)]
    for channel in channels:
        channel.open()
    try:
        until(lambda: all(channel.connected for channel in channels))
        for breaker in breakers[:3]:
            for _ in range(5):
                breaker.failed("timeout")
        until(lambda: breakers[3].state is BreakerState.OPEN)
        until(lambda: all(_closed(breaker) for breaker in breakers))
    finally:
        for end in leave:
            end()
        for channel in channels:
            channel.close()


def _closed(breaker: Breaker) -> bool:
    """Whether a call that is answered finds it CLOSED."""
    epoch = breaker.admit()
    if epoch:
        breaker.succeeded(epoch)
    return breaker.state is BreakerState.CLOSED
