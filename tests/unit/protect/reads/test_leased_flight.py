"""One load in a fleet: who leads, who follows, and when a read steps aside."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from tests.simulation.leases_in_memory import MemoryLeases

from tenfold.kernel import Duration, VirtualClock
from tenfold.protect.reads.flight import LeasedFlight
from tenfold.protect.testing import run_in_virtual_time
from tenfold.telemetry import Registry

TTL = Duration.from_ms(180)


class House:
    """A shared cache, a database that takes its time, and processes that read."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.store = MemoryLeases(clock)
        self.registry = Registry()
        self.cache: dict[str, int] = {}
        self.fences: list[int] = []
        self.load_s = 0.05
        self.error: Exception | None = None
        self.processes: list[LeasedFlight[int]] = []

    def process(self, **options: Any) -> LeasedFlight[int]:
        flight = LeasedFlight[int]("p", self.store, ttl=TTL, clock=self.clock, registry=self.registry, **options)
        self.processes.append(flight)
        return flight

    def read(self, flight: LeasedFlight[int], key: str = "k") -> asyncio.Task[int]:
        async def load(fence: int) -> int:
            self.fences.append(fence)
            await asyncio.sleep(self.load_s)
            if self.error:
                raise self.error
            self.cache[key] = len(self.fences)
            return self.cache[key]

        async def look() -> int | None:
            await asyncio.sleep(0.0005)
            return self.cache.get(key)

        return asyncio.create_task(flight.lead_or_follow(key, load, look))

    def came(self, way: str) -> int:
        return self.registry.counter("tenfold_lease_reads_total", "", ("flight", "way")).child("p", way).value

    def count(self, name: str) -> int:
        return self.registry.counter(name, "", ("flight",)).child("p").value

    async def close(self) -> None:
        """And nothing is left: no lease, no task."""
        for flight in self.processes:
            assert len(flight._renewer) == 0
            await flight.close()
        assert len(asyncio.all_tasks()) == 1


def simulated(test: Callable[[House], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    async def main(clock: VirtualClock) -> None:
        house = House(clock)
        await test(house)
        await house.close()

    def run() -> None:
        run_in_virtual_time(main)

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


@simulated
async def test_one_process_loads_and_the_others_find_the_value(house: House) -> None:
    """However long the load takes, as long as it takes less than they will wait."""
    for load_s in (0.001, 0.05, 0.4):
        house.cache.clear()
        house.fences.clear()
        house.load_s = load_s
        began_ns = house.clock.monotonic_ns()
        assert await asyncio.gather(*(house.read(house.process()) for _ in range(8))) == [1] * 8
        assert len(house.fences) == 1
        assert house.fences[0] > 0
        assert (house.clock.monotonic_ns() - began_ns) / 1e9 < load_s + 0.03
    assert house.came("led") == 3
    assert house.came("followed") == 21


@simulated
async def test_a_value_that_came_between_the_miss_and_the_lease_is_not_loaded_again(house: House) -> None:
    """Whoever gets the lease looks once more."""
    house.cache["k"] = 5
    assert await house.read(house.process()) == 5
    assert house.fences == []
    await house.close()
    assert len(house.store.table) == 0


@simulated
async def test_a_holder_that_dies_is_followed_by_one_other_within_the_ttl(house: House) -> None:
    """Nobody releases the lease of a process that was killed."""
    await house.store.acquire("k", "a dead process", TTL)
    began_ns = house.clock.monotonic_ns()
    house.load_s = 0
    assert await asyncio.gather(*(house.read(house.process()) for _ in range(8))) == [1] * 8
    assert 0.17 < (house.clock.monotonic_ns() - began_ns) / 1e9 < 0.22


@simulated
async def test_a_load_that_lasts_keeps_its_lease(house: House) -> None:
    """Renewed every third of its ttl, all of a process in one call."""
    flight, house.load_s = house.process(), 1.0
    reads = [house.read(flight, f"k{number}") for number in range(100)]
    await asyncio.sleep(0.9)
    late = house.read(house.process(wait_max=Duration.from_ms(50)), "k7")
    assert await late >= 100
    assert house.came("late") == 1
    await asyncio.gather(*reads)
    assert 15 <= house.store.calls.count("renew") <= 18
    assert house.count("tenfold_lease_lost_total") == 0


@simulated
async def test_a_load_that_fails_is_the_next_ones_to_try(house: House) -> None:
    """One after the other, never two at a time; each caller gets what its own load raised."""
    house.error, house.load_s = ValueError("no"), 0.01
    outcomes = await asyncio.gather(*(house.read(house.process()) for _ in range(4)), return_exceptions=True)
    assert all(outcome is house.error for outcome in outcomes)
    assert sorted(house.fences) == house.fences
    assert 0 not in house.fences


@simulated
async def test_a_cancelled_leader_gives_the_lease_back(house: House) -> None:
    """The next one need not wait until it is over."""
    house.load_s = 10
    leader = house.read(house.process())
    await asyncio.sleep(0.01)
    follower = house.read(house.process())
    await asyncio.sleep(0.01)
    leader.cancel()
    house.load_s = 0
    began_ns = house.clock.monotonic_ns()
    assert await follower == 2
    assert (house.clock.monotonic_ns() - began_ns) / 1e9 < 0.06
    assert leader.cancelled()


@simulated
async def test_a_caller_cancelled_while_it_asks_leaves_no_lease_behind(house: House) -> None:
    """The answer may be on its way."""
    for cancelled_at_us in range(0, 2_000, 25):
        flight = house.process()
        task = house.read(flight)
        await asyncio.sleep(cancelled_at_us / 1e6)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await flight.close()
        assert len(house.store.table) == 0


@simulated
async def test_a_store_that_is_down_or_hangs_costs_a_bounded_wait_and_never_the_read(house: House) -> None:
    """The read loads by itself, without a fence."""
    house.load_s, house.store.broken = 0, True
    assert await house.read(house.process()) == 1
    assert house.came("aside") == 1
    house.store.broken, house.store.hung = False, True
    house.cache.clear()
    began_ns = house.clock.monotonic_ns()
    assert await house.read(house.process(wait_max=Duration.from_ms(100))) == 2
    assert (house.clock.monotonic_ns() - began_ns) / 1e9 < 0.11
    assert house.came("late") == 1
    assert house.fences == [0, 0]


@simulated
async def test_a_cache_that_cannot_be_looked_at_makes_reads_step_aside(house: House) -> None:
    """Leader and follower alike; the leader's lease is given back. Even a cancellation of the cache's own."""

    async def load(fence: int) -> int:
        await asyncio.sleep(0.05)
        return fence

    async def broken() -> int | None:
        raise ConnectionError

    async def cancelled() -> int | None:
        raise asyncio.CancelledError

    for look in (broken, cancelled):
        flights = [house.process() for _ in range(3)]
        assert await asyncio.gather(*(flight.lead_or_follow("k", load, look) for flight in flights)) == [0] * 3
    assert house.came("aside") == 6


@simulated
async def test_no_more_leases_are_held_than_may_be(house: House) -> None:
    """What is too much loads without."""
    flight = house.process(held_max=2)
    reads = []
    for number in range(4):
        reads.append(house.read(flight, f"k{number}"))
        await asyncio.sleep(0.005)
    await asyncio.gather(*reads)
    assert house.came("led") == 2
    assert house.came("full") == 2


@simulated
async def test_a_load_that_hangs_does_not_hold_its_lease_for_ever(house: House) -> None:
    """After `hold_max` it is not renewed, and counted."""
    house.load_s = 3600
    hung = house.read(house.process(hold_max=Duration.from_ms(300)))
    await asyncio.sleep(0.7)
    house.load_s = 0
    assert await house.read(house.process()) == 2
    assert house.count("tenfold_lease_lost_total") == 1
    assert house.fences[1] > house.fences[0] > 0
    hung.cancel()
    await asyncio.gather(hung, return_exceptions=True)


@simulated
async def test_a_lease_lost_while_the_store_was_away_is_counted_and_the_load_goes_on(house: House) -> None:
    """Its value is as good as ever; only somebody else may be loading it too."""
    house.load_s = 0.6
    read = house.read(house.process())
    await asyncio.sleep(0.05)
    house.store.broken = True
    await asyncio.sleep(0.3)
    house.store.broken = False
    assert await read == 1
    assert house.count("tenfold_lease_untold_total") >= 4
    assert house.count("tenfold_lease_lost_total") == 1


def test_another_loop_begins_with_nothing_held() -> None:
    """As a forked child does: what the parent held is the parent's to renew."""
    clock = VirtualClock()
    store = MemoryLeases(clock, latency_max_s=0)
    flight = LeasedFlight[int]("p", store, clock=clock)
    hang = asyncio.Event()

    async def load(_: int) -> int:
        await hang.wait()
        return 1

    async def nothing() -> int | None:
        return None

    parent = asyncio.new_event_loop()
    held = parent.create_task(flight.lead_or_follow("parents", load, nothing))
    while len(flight._renewer) == 0:
        parent.run_until_complete(asyncio.sleep(0))

    async def child() -> None:
        async def quick(_: int) -> int:
            return 2

        assert await flight.lead_or_follow("childs", quick, nothing) == 2
        assert len(flight._renewer) == 0
        await flight.close()
        assert store.calls[-1] == "release"

    asyncio.run(child())
    assert len(store.table) == 1
    for task in asyncio.all_tasks(parent):
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        parent.run_until_complete(held)
    parent.run_until_complete(asyncio.gather(*asyncio.all_tasks(parent), return_exceptions=True))
    parent.close()
