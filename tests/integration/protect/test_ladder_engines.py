"""Reads through a ladder on real servers that are killed, hung and brought back, under load."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import count

import pytest
from tests.integration.protect.ground import DEADLINE_S, Ground, opened_ground, until

from tenfold.kernel import Duration
from tenfold.plan.model import Engine
from tenfold.protect import Breaker, ReadLadder, Step
from tenfold.protect.calls.breaker import BreakerState
from tenfold.protect.reads.found import Found
from tenfold.protect.reads.valkey import ValkeyRung
from tenfold.protect.testing import MemoryRung
from tenfold.telemetry import EventLog, Registry

pytestmark = pytest.mark.engines

KEYS = [f"key-{number}" for number in range(500)]
READS_PER_S = 3_000
TIMEOUT = Duration.from_ms(50)
INFLIGHT_MAX = 256
RETURN_MAX = Duration.from_s(3)
"""Cool-down, probe and ramp are 2.5 s of it."""


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with opened_ground(tmp_path_factory.mktemp("ladder"), main=Engine.VALKEY, standby=Engine.VALKEY) as ground:
        yield ground


class House:
    """main → standby → database, without a near cache: every read goes out."""

    def __init__(self, ground: Ground, timeout: Duration) -> None:
        self.events, self.registry = EventLog("test"), Registry()
        self.main, self.standby = (
            ValkeyRung(name, ground.url(f"{name}.primary"), ttl=Duration.from_s(60), timeout=timeout)
            for name in ("main", "standby")
        )
        self.breaker = Breaker("main", events=self.events)
        self.ladder = ReadLadder(
            "price",
            steps=[
                Step(self.main, breaker=self.breaker, timeout=timeout, fills=True, inflight_max=INFLIGHT_MAX),
                Step(self.standby, breaker=Breaker("standby"), timeout=timeout, fills=True, inflight_max=INFLIGHT_MAX),
                Step(MemoryRung("database", {key: key.encode() for key in KEYS}), inflight_max=10_000),
            ],
            registry=self.registry,
            events=self.events,
        )

    def harmed(self) -> int:
        """How many reads found out that the main was in trouble, at their own cost."""
        reads = self.registry.counter("tenfold_ladder_reads_total", "", ("ladder", "rung", "outcome"))
        return sum(reads.child("price", "main", outcome).value for outcome in ("failed", "timeout"))


@asynccontextmanager
async def opened_house(ground: Ground, patience: Duration = TIMEOUT) -> AsyncIterator[House]:
    """With both caches warm; nothing runs on when it is closed."""
    house = House(ground, patience)
    for key in KEYS:
        await house.main.fill({key: Found(key.encode())})
        await house.standby.fill({key: Found(key.encode())})
    try:
        yield house
    finally:
        await house.ladder.close()
        await house.main.close()
        await house.standby.close()


class Load:
    """Open arrivals: a read every 1/3000 s, whatever became of the ones before."""

    def __init__(self, ladder: ReadLadder) -> None:
        self.rungs: dict[str, int] = {}
        self.errors: list[BaseException] = []
        self._ladder = ladder
        self._keys = count()
        self._reads: set[asyncio.Task[None]] = set()
        self._arriving = asyncio.create_task(self._arrive())

    async def _arrive(self) -> None:
        began_s, sent = time.monotonic(), 0
        while True:
            due = int((time.monotonic() - began_s) * READS_PER_S)
            for _ in range(due - sent):
                task = asyncio.create_task(self._read(KEYS[next(self._keys) % len(KEYS)]))
                self._reads.add(task)
                task.add_done_callback(self._reads.discard)
            sent = due
            await asyncio.sleep(0.001)

    async def _read(self, key: str) -> None:
        try:
            answer = await self._ladder.read(key)
            assert answer.value == key.encode()
            self.rungs[answer.rung] = self.rungs.get(answer.rung, 0) + 1
        except Exception as error:
            self.errors.append(error)

    async def answered_by(self, rung: str, reads: int = 300) -> None:
        """Until that many more reads were answered there."""
        wanted = self.rungs.get(rung, 0) + reads
        await until(lambda: self.rungs.get(rung, 0) >= wanted)

    async def end(self) -> None:
        self._arriving.cancel()
        await asyncio.gather(self._arriving, *self._reads, return_exceptions=True)


def test_reads_survive_the_sigkill_of_the_cache_and_return_to_it_when_it_is_back(ground: Ground) -> None:
    """3,000 reads/s: no error, the standby answers at once, and the main soon after its return."""

    async def test() -> None:
        async with opened_house(ground) as house:
            load = Load(house.ladder)
            await load.answered_by("main", 2 * READS_PER_S)  # so long that the breaker knows what the main bears
            killed_ns = time.monotonic_ns()
            await ground.node("main.primary").kill()
            await load.answered_by("standby", 1_000)
            assert house.breaker.state is not BreakerState.CLOSED
            opened = next(event for event in house.events if event.kind == "breaker-opened")
            assert opened.monotonic_ns - killed_ns < 1_000_000_000
            assert house.harmed() <= INFLIGHT_MAX
            await ground.node("main.primary").start()
            back_ns = time.monotonic_ns()
            await until(lambda: house.breaker.state is BreakerState.CLOSED)
            assert time.monotonic_ns() - back_ns < RETURN_MAX.ns
            await load.answered_by("main")
            await load.end()
            assert load.errors == []

    ground.run(test())


def test_reads_survive_a_cache_that_hangs(ground: Ground) -> None:
    """SIGSTOP: connections are accepted and nothing is said. Fifty milliseconds, until the breaker is open."""

    async def test() -> None:
        async with opened_house(ground) as house:
            load = Load(house.ladder)
            await load.answered_by("main")
            with ground.hung("main.primary"):
                await load.answered_by("standby", 1_000)
                assert house.breaker.state is not BreakerState.CLOSED
                assert house.harmed() <= INFLIGHT_MAX + 10
            await load.answered_by("main")
            await load.end()
            assert load.errors == []

    ground.run(test())


def test_a_cache_that_comes_back_empty_is_filled_again(ground: Ground) -> None:
    """From the standby, so the database is not asked; a patient timeout, because a busy machine is not the point."""

    async def test() -> None:
        async with opened_house(ground, patience=Duration.from_s(5)) as house:
            await ground.node("main.primary").kill()
            await ground.node("main.primary").start()
            rungs = {(await house.ladder.read(key)).rung for key in KEYS}
            assert "database" not in rungs
            async with asyncio.timeout(DEADLINE_S):
                while None in await asyncio.gather(*(house.main.read(key) for key in KEYS)):
                    await house.ladder.read(KEYS[0])
            assert {(await house.ladder.read(key)).rung for key in KEYS} == {"main"}

    ground.run(test())


def test_an_address_where_nobody_listens_costs_nothing_and_is_never_named(ground: Ground) -> None:
    """The error of an exhausted ladder holds no URL and no password."""

    async def test() -> None:
        rung = ValkeyRung("gone", "redis://:secret@127.0.0.1:1/0", ttl=Duration.from_s(1))
        ladder = ReadLadder("price", steps=[Step(rung)])
        outcome = (await asyncio.gather(ladder.read("a"), return_exceptions=True))[0]
        assert "gone: failed (ServerUnreachable)" in str(outcome)
        assert "secret" not in str(outcome)
        await ladder.close()
        await rung.close()

    ground.run(test())
