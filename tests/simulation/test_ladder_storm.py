"""A ladder on virtual time while its rungs break, hang and come back at random: every reader gets the truth."""

import asyncio
import random

import pytest

from tenfold.kernel import Duration, VirtualClock
from tenfold.protect import Breaker, NearCache, ReadLadder, Step
from tenfold.protect.calls.breaker import BreakerState
from tenfold.protect.testing import MemoryRung, run_in_virtual_time

KEYS = [f"key-{number}" for number in range(200)]
LAST_FAULT_S = 50


class House:
    """near → main → standby → database; the database never fails, so nobody may ever get an error."""

    def __init__(self, clock: VirtualClock) -> None:
        self.caches = [MemoryRung("main"), MemoryRung("standby")]
        self.breakers = [Breaker(rung.name, clock=clock) for rung in self.caches]
        near = NearCache("price", bytes_max=1 << 16, ttl=Duration.from_ms(300), stale=Duration.from_s(60), clock=clock)
        steps = [
            Step(rung, breaker=breaker, fills=True) for rung, breaker in zip(self.caches, self.breakers, strict=True)
        ]
        database = MemoryRung("database", {key: key.encode() for key in KEYS})
        self.ladder = ReadLadder("price", near=near, steps=[*steps, Step(database, inflight_max=10_000)], clock=clock)

    async def suffer(self, chance: random.Random) -> None:
        for _ in range(LAST_FAULT_S):
            rung = chance.choice(self.caches)
            rung.broken, rung.hung = chance.choice([(True, False), (False, True), (False, False)])
            if chance.random() < 0.3:
                rung.values.clear()
            await asyncio.sleep(1)
        for rung in self.caches:
            rung.broken = rung.hung = False


async def reader(house: House, chance: random.Random, clock: VirtualClock) -> int:
    slowest_ns = 0
    for _ in range(600):
        await asyncio.sleep(chance.uniform(0.05, 0.15))
        key, began_ns = chance.choice(KEYS), clock.monotonic_ns()
        answer = await house.ladder.read(key)
        assert answer.value == key.encode()
        slowest_ns = max(slowest_ns, clock.monotonic_ns() - began_ns)
    return slowest_ns


@pytest.mark.parametrize("seed", range(3))
def test_readers_get_the_truth_in_time_whatever_the_caches_do(seed: int) -> None:
    """No error, no wrong value, never longer than both timeouts, and both caches in use again at the end."""

    async def main(clock: VirtualClock) -> None:
        chance = random.Random(seed)
        house = House(clock)
        suffering = asyncio.create_task(house.suffer(chance))
        slowest_ns = await asyncio.gather(*(reader(house, chance, clock) for _ in range(20)))
        await suffering
        assert max(slowest_ns) <= 101_000_000
        assert [breaker.state for breaker in house.breakers] == [BreakerState.CLOSED] * 2
        await house.ladder.close()
        assert len(asyncio.all_tasks()) == 1

    run_in_virtual_time(main)
