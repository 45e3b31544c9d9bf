"""A fleet whose processes die at random while they load: one load at a time, nobody left waiting, a quick successor."""

import asyncio
import random
from collections.abc import Sequence

import pytest
from tests.simulation.leases_in_memory import MemoryLeases, StoreBroken

from tenfold.kernel import Clock, Duration, VirtualClock
from tenfold.protect.reads.flight import Grant, Held, LeasedFlight
from tenfold.protect.testing import run_in_virtual_time

TTL = Duration.from_ms(180)
WAIT_MAX = Duration.from_ms(500)
KEYS = 20


class _Wire:
    """One process's way to the store; a dead process says nothing any more."""

    def __init__(self, store: MemoryLeases) -> None:
        self._store = store
        self.dead = False

    async def acquire(self, key: str, owner: str, ttl: Duration) -> Grant | Held:
        self._live()
        return await self._store.acquire(key, owner, ttl)

    async def renew(self, grants: Sequence[Grant], ttl: Duration) -> Sequence[bool]:
        self._live()
        return await self._store.renew(grants, ttl)

    async def release(self, grants: Sequence[Grant]) -> None:
        self._live()
        await self._store.release(grants)

    def _live(self) -> None:
        if self.dead:
            raise StoreBroken


class Process:
    """Reads at random, and ends at random without a word, whatever it holds."""

    def __init__(self, fleet: "Fleet") -> None:
        self.fleet = fleet
        self.wire = _Wire(fleet.store)
        self.flight = LeasedFlight[int]("p", self.wire, ttl=TTL, wait_max=WAIT_MAX, clock=fleet.clock)
        self.reads: set[asyncio.Task[None]] = set()

    async def live(self) -> None:
        chance = self.fleet.chance
        ends_ns = self.fleet.clock.monotonic_ns() + int(chance.expovariate(0.5) * 1e9)
        while self.fleet.clock.monotonic_ns() < min(ends_ns, self.fleet.ends_ns):
            await asyncio.sleep(chance.uniform(0, 0.02))
            task = asyncio.create_task(self.fleet.read(self.flight, f"k{chance.randrange(KEYS)}"))
            self.reads.add(task)
            task.add_done_callback(self.reads.discard)
        if self.fleet.clock.monotonic_ns() < self.fleet.ends_ns:
            self._die()
        else:
            await asyncio.gather(*self.reads)
            await self.flight.close()

    def _die(self) -> None:
        self.wire.dead = True
        self.fleet.deaths += 1
        keeper = self.flight._renewer._task
        for task in [*self.reads, *([keeper] if keeper else [])]:
            task.cancel()


class Fleet:
    """What all share, and what must hold of it."""

    def __init__(self, clock: Clock, seed: int) -> None:
        self.clock = clock
        self.chance = random.Random(seed)
        self.store = MemoryLeases(clock, seed=seed)
        self.ends_ns = clock.monotonic_ns() + 8_000_000_000
        self.cache: dict[str, int] = {}
        self.loading: dict[str, set[int]] = {}
        self.fences: dict[str, int] = {}
        self.deaths = self.loads = self.reads = self.lone = self.together = 0
        self.longest_s = 0.0

    async def read(self, flight: LeasedFlight[int], key: str) -> None:
        began_ns = self.clock.monotonic_ns()

        async def load(fence: int) -> int:
            self.lone += fence == 0
            return await self._load(key, fence)

        await flight.lead_or_follow(key, load, lambda: self._look(key))
        self.reads += 1
        self.longest_s = max(self.longest_s, (self.clock.monotonic_ns() - began_ns) / 1e9)

    async def _load(self, key: str, fence: int) -> int:
        loading = self.loading.setdefault(key, set())
        self.together += bool(loading) and fence != 0 and 0 not in loading
        assert fence == 0 or fence > self.fences.get(key, 0)
        self.fences[key] = max(fence, self.fences.get(key, 0))
        loading.add(fence)
        self.loads += 1
        try:
            await asyncio.sleep(self.chance.uniform(0, 0.1))
        finally:
            loading.discard(fence)
        self.cache[key] = self.loads
        return self.loads

    async def _look(self, key: str) -> int | None:
        await asyncio.sleep(0.0005)
        return self.cache.get(key)

    async def forget(self) -> None:
        """Values expire, so that there is something to load."""
        while self.clock.monotonic_ns() < self.ends_ns:
            await asyncio.sleep(0.01)
            self.cache.pop(f"k{self.chance.randrange(KEYS)}", None)

    async def serve(self) -> None:
        """One place of the fleet: when its process dies, the next begins."""
        while self.clock.monotonic_ns() < self.ends_ns:
            await Process(self).live()


@pytest.mark.parametrize("seed", range(3))
def test_a_fleet_whose_processes_die_loads_one_at_a_time_and_leaves_nobody_waiting(seed: int) -> None:
    """Eight seconds, eight processes that live two seconds each, a hundred expiries a second."""

    async def main(clock: VirtualClock) -> None:
        fleet = Fleet(clock, seed)
        await asyncio.gather(fleet.forget(), *(fleet.serve() for _ in range(8)))
        assert fleet.deaths > 15
        assert fleet.loads > 400
        assert fleet.together == 0
        assert fleet.lone == 0
        assert fleet.longest_s < WAIT_MAX.s
        await asyncio.sleep(1)
        assert len(asyncio.all_tasks()) == 1

    run_in_virtual_time(main)
