"""The console on a real socket, without a browser."""

import asyncio
import socket
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from tests.simulated_rehearsal import SimulatedRehearsal

from tenfold.console import Console, Publisher
from tenfold.serving import PortTakenError

REHEARSAL = SimulatedRehearsal()


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 20))


def port_of(url: str) -> int:
    return int(url.rstrip("/").rsplit(":", 1)[1])


async def follow(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET /events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
    await writer.drain()
    return reader, writer


async def until(true: Callable[[], bool]) -> None:
    """Ask again until the condition holds; the caller's deadline ends it."""
    while not true():  # noqa: ASYNC110 (what is asked has no event of its own)
        await asyncio.sleep(0.005)


def test_a_viewer_cannot_hold_up_closing() -> None:
    """With pages that follow, and one that reads nothing at all, the console is gone at once and says farewell."""

    async def scene() -> None:
        publisher = Publisher()
        publisher.publish(REHEARSAL.progress(100.0, samples_max=5000))
        console = Console(publisher)
        port = port_of(await console.open())
        reader, writer = await follow(port)
        _, deaf = await follow(port)
        await reader.readuntil(b"event: snapshot")
        await until(lambda: publisher.viewers == 2)
        began = time.monotonic()
        await console.close()
        assert time.monotonic() - began < 2.5
        assert b"event: closed" in await reader.read()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        deaf.close()

    run(scene())


def test_a_viewer_that_leaves_is_forgotten() -> None:
    """Its place is free at the next frame."""

    async def scene() -> None:
        publisher = Publisher()
        publisher.publish(REHEARSAL.progress(30.0))
        console = Console(publisher)
        reader, writer = await follow(port_of(await console.open()))
        await reader.readuntil(b"event: snapshot")
        assert publisher.viewers == 1
        writer.transport.abort()

        def forgotten() -> bool:
            publisher.publish(REHEARSAL.progress(31.0))
            return publisher.viewers == 0

        await until(forgotten)
        await console.close()

    run(scene())


def test_a_viewer_that_reads_nothing_holds_up_neither_the_run_nor_its_end(capfd: pytest.CaptureFixture[str]) -> None:
    """Once its buffers are full its frames are skipped, not queued; and closing leaves it behind without a word."""

    async def scene() -> None:
        publisher = Publisher()
        console = Console(publisher)
        port = port_of(await console.open())
        _, deaf = await follow(port)
        await until(lambda: publisher.viewers == 1)

        def stuck() -> bool:
            frames = publisher.frames.value
            for _ in range(100):
                publisher.publish(REHEARSAL.progress(150.0))
            return frames > 0 and publisher.number - frames > 2000

        await until(stuck)
        began = time.monotonic()
        await console.close()
        assert time.monotonic() - began < 2.0
        deaf.transport.abort()

    run(scene())
    assert capfd.readouterr().err == ""


def test_a_port_that_is_taken_is_said_in_one_sentence() -> None:
    """The run can go on elsewhere; nothing is shared with a stranger."""

    async def scene() -> None:
        with socket.socket() as stranger:
            stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            stranger.bind(("127.0.0.1", 0))
            stranger.listen()
            port = stranger.getsockname()[1]
            with pytest.raises(PortTakenError, match=f"port {port} is taken"):
                await Console(Publisher(), port=port).open()

    run(scene())


def test_two_consoles_at_once_have_two_ports() -> None:
    """Two rehearsals on one machine do not meet."""

    async def scene() -> None:
        consoles = [Console(Publisher()) for _ in range(4)]
        assert len({await console.open() for console in consoles}) == 4
        for console in consoles:
            await console.close()

    run(scene())


def test_closing_twice_is_closing() -> None:
    """Whoever cleans up need not know who did before."""

    async def scene() -> None:
        console = Console(Publisher())
        await console.open()
        await console.close()
        await console.close()

    run(scene())
