"""Several processes' ladders over one cache and one lease: one of them loads, the others take what it filled."""

import asyncio
from collections.abc import Sequence

from tenfold.kernel import Duration, VirtualClock
from tenfold.protect import ReadLadder, Step
from tenfold.protect.reads.flight import Grant, Held, LeasedFlight, LeaseTable
from tenfold.protect.reads.found import UNKNOWN, Found
from tenfold.protect.testing import MemoryRung, run_in_virtual_time


class OneTable:
    """A lease store that all processes of a test share, or that is gone."""

    def __init__(self, clock: VirtualClock) -> None:
        self.table = LeaseTable()
        self.clock = clock
        self.gone = False

    async def acquire(self, key: str, owner: str, ttl: Duration) -> Grant | Held:
        await asyncio.sleep(0.0005)
        if self.gone:
            raise ConnectionError
        return self.table.acquire(key, owner, ttl, self.clock.monotonic_ns())

    async def renew(self, grants: Sequence[Grant], ttl: Duration) -> Sequence[bool]:
        return [self.table.renew(grant, ttl, self.clock.monotonic_ns()) for grant in grants]

    async def release(self, grants: Sequence[Grant]) -> None:
        for grant in grants:
            self.table.release(grant, self.clock.monotonic_ns())


class Slow(MemoryRung):
    """Fifty milliseconds a read: time for a whole fleet to ask."""

    async def read(self, key: str, not_before: int = UNKNOWN) -> Found | None:
        await asyncio.sleep(0.05)
        return await super().read(key, not_before)


def ladders(store: OneTable, cache: MemoryRung, database: MemoryRung, count: int) -> list[ReadLadder]:
    steps = [Step(cache, fills=True), Step(database, timeout=Duration.from_s(1))]
    clock = store.clock
    return [
        ReadLadder("page", steps=steps, lease=LeasedFlight("page", store, clock=clock), clock=clock)
        for _ in range(count)
    ]


def test_a_fleet_loads_a_cold_key_once() -> None:
    """Eight processes, fifty callers each."""

    async def main(clock: VirtualClock) -> None:
        store, cache, database = OneTable(clock), MemoryRung("cache"), Slow("database", {"a": b"1"})
        fleet = ladders(store, cache, database, 8)
        answers = await asyncio.gather(*(ladder.read("a") for ladder in fleet for _ in range(50)))
        assert {answer.value for answer in answers} == {b"1"}
        assert {answer.rung for answer in answers} == {"cache", "database"}
        assert database.reads == ["a"]
        await asyncio.gather(*(ladder.close() for ladder in fleet))

    run_in_virtual_time(main)


def test_without_its_lease_store_a_fleet_reads_all_the_same() -> None:
    """The lease steps aside; each process loads for itself, once."""

    async def main(clock: VirtualClock) -> None:
        store, cache, database = OneTable(clock), MemoryRung("cache"), Slow("database", {"a": b"1"})
        store.gone = True
        fleet = ladders(store, cache, database, 8)
        answers = await asyncio.gather(*(ladder.read("a") for ladder in fleet for _ in range(50)))
        assert {answer.value for answer in answers} == {b"1"}
        assert len(database.reads) == 8
        await asyncio.gather(*(ladder.close() for ladder in fleet))

    run_in_virtual_time(main)
