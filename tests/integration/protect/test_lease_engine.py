"""Leases on a real server: their rules, a holder that is killed, a server that is killed or hangs."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from tests.integration.protect.ground import Ground, opened_ground

from tenfold.kernel import Duration
from tenfold.plan.model import Engine
from tenfold.protect import Breaker
from tenfold.protect.calls.breaker import BreakerState
from tenfold.protect.reads.flight import Grant, Held, LeasedFlight
from tenfold.protect.reads.valkey.lease import ValkeyLeases
from tenfold.telemetry import Registry

pytestmark = pytest.mark.engines

TTL = Duration.from_ms(180)
PATIENT = Duration.from_s(2)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with opened_ground(tmp_path_factory.mktemp("lease"), main=Engine.VALKEY) as ground:
        yield ground


@asynccontextmanager
async def opened(
    ground: Ground, timeout: Duration = PATIENT, breaker: Breaker | None = None
) -> AsyncIterator[ValkeyLeases]:
    leases = ValkeyLeases("main", ground.url("main.primary"), timeout=timeout, connect_timeout=timeout, breaker=breaker)
    try:
        yield leases
    finally:
        await leases.close()


def granted(place: Grant | Held) -> Grant:
    assert isinstance(place, Grant)
    return place


def test_the_server_keeps_the_rules_of_the_table(ground: Ground) -> None:
    """One owner at a time; only the owner renews and releases; the next has a larger fence; an expiry ends it."""

    async def test() -> None:
        async with opened(ground) as leases:
            first = granted(await leases.acquire("rules", "a", Duration.from_s(10)))
            held = await leases.acquire("rules", "b", TTL)
            assert isinstance(held, Held)
            assert 9_000 < held.remaining.ms <= 10_000
            stranger = first._replace(owner="b")
            assert await leases.renew([first, stranger, Grant("nobody's", "a", 1)], Duration.from_s(5)) == [
                True,
                False,
                False,
            ]
            renewed = await leases.acquire("rules", "b", TTL)
            assert isinstance(renewed, Held)
            assert renewed.remaining.ms <= 5_000
            await leases.release([stranger])
            assert isinstance(await leases.acquire("rules", "b", TTL), Held)
            await leases.release([first])
            second = granted(await leases.acquire("rules", "b", Duration.from_ms(1)))
            assert second.fence > first.fence > 1_600_000_000_000_000
            async with asyncio.timeout(5):
                while isinstance(await leases.acquire("rules", "c", TTL), Held):
                    pass
            assert await leases.renew([second], TTL) == [False]

    ground.run(test())


def test_what_is_asked_in_one_turn_is_one_batch(ground: Ground) -> None:
    """A thousand keys: all granted, then none."""

    async def test() -> None:
        async with opened(ground) as leases:
            ttl = Duration.from_s(30)
            places = await asyncio.gather(*(leases.acquire(f"many-{n}", "a", ttl) for n in range(1_000)))
            assert [granted(place).key for place in places] == [f"many-{n}" for n in range(1_000)]
            again = await asyncio.gather(*(leases.acquire(f"many-{n}", "b", ttl) for n in range(1_000)))
            assert all(isinstance(place, Held) for place in again)

    ground.run(test())


_HOLDER = """
import asyncio, sys
from tenfold.protect.reads.flight import LeasedFlight
from tenfold.protect.reads.valkey.lease import ValkeyLeases

async def main() -> None:
    async def load(fence: int) -> int:
        print("loading", flush=True)
        await asyncio.sleep(60)
        return 0

    async def look() -> int | None:
        return None

    await LeasedFlight("killed", ValkeyLeases("main", sys.argv[1])).lead_or_follow("killed", load, look)

asyncio.run(main())
"""


def test_the_holder_is_killed_and_another_takes_over(ground: Ground) -> None:
    """Within the ttl of its last renewal; a holder that lives is waited for."""

    async def test() -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _HOLDER, ground.url("main.primary"), stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        async with asyncio.timeout(20), opened(ground) as leases:
            assert await process.stdout.readline() == b"loading\n"
            flight = LeasedFlight[int]("killed", leases, wait_max=Duration.from_s(10))

            async def load(fence: int) -> int:
                assert fence > 0
                return time.monotonic_ns()

            async def look() -> int | None:
                return None

            follower = asyncio.create_task(flight.lead_or_follow("killed", load, look))
            await asyncio.sleep(0.5)  # more than the ttl: what must not happen meanwhile is a take-over
            assert not follower.done()
            os.kill(process.pid, signal.SIGKILL)
            killed_ns = time.monotonic_ns()
            assert (await follower - killed_ns) / 1e6 < 1_000  # 250 on a quiet machine: the benchmark measures it
            await process.wait()
            await flight.close()

    ground.run(test())


def test_a_server_that_is_killed_or_hangs_never_fails_a_read_nor_holds_it_up(ground: Ground) -> None:
    """The first reads wait for the timeout, the next not even for that; leases are back when the server is."""

    async def test() -> None:
        breaker, registry = Breaker("main", failures_max=3), Registry()
        async with opened(ground, timeout=Duration.from_ms(100), breaker=breaker) as leases:
            flight = LeasedFlight[int]("shaky", leases, registry=registry)
            reads = registry.counter("tenfold_lease_reads_total", "", ("flight", "way"))

            async def read() -> int:
                async def load(fence: int) -> int:
                    return fence

                async def look() -> int | None:
                    return None

                return await flight.lead_or_follow("shaky", load, look)

            assert await read() > 0
            with ground.hung("main.primary"):
                began_s = time.monotonic()
                for _ in range(100):
                    assert await read() == 0
                assert time.monotonic() - began_s < 3
                assert breaker.state is not BreakerState.CLOSED
                assert reads.child("shaky", "aside").value == 100
            async with asyncio.timeout(10):
                while await read() == 0:  # noqa: ASYNC110  # the server is another process
                    await asyncio.sleep(0.01)
            await ground.node("main.primary").kill()
            for _ in range(100):
                assert await read() == 0
            await ground.node("main.primary").start()
            async with asyncio.timeout(10):
                while await read() == 0:  # noqa: ASYNC110  # the server is another process
                    await asyncio.sleep(0.01)
            await flight.close()

    ground.run(test())
