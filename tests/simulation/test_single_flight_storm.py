"""Ten thousand callers, cancelled at random, of a loader that raises at random: nobody harmed, nobody left waiting."""

import asyncio
import random

import pytest

from tenfold.kernel import VirtualClock
from tenfold.protect import SingleFlight
from tenfold.protect.testing import run_in_virtual_time


class LoadFailed(Exception):
    """Half of the loads end so."""


class Storm:
    """Callers arrive over ten seconds at a few keys; three in ten leave before they are answered."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.flight: SingleFlight[int] = SingleFlight()
        self.loading: dict[str, int] = {}
        self.loading_most = 0
        self.collateral = self.answered = self.failed = 0

    async def load(self, key: str) -> int:
        self.loading[key] = self.loading.get(key, 0) + 1
        self.loading_most = max(self.loading_most, self.loading[key])
        try:
            await asyncio.sleep(self.chance.uniform(0, 0.2))
            if self.chance.random() < 0.5:
                raise LoadFailed
            return 1
        finally:
            self.loading[key] -= 1

    async def caller(self) -> None:
        await asyncio.sleep(self.chance.uniform(0, 10))
        key = f"key-{self.chance.randrange(3)}"
        patience_s = self.chance.uniform(0, 0.1) if self.chance.random() < 0.3 else None
        try:
            async with asyncio.timeout(patience_s):
                await self.flight.do(key, lambda: self.load(key))
            self.answered += 1
        except LoadFailed:
            self.failed += 1
        except TimeoutError:
            self.collateral += patience_s is None


@pytest.mark.parametrize("seed", range(3))
def test_no_caller_is_harmed_by_another_and_none_is_left_waiting(seed: int) -> None:
    """At most one load of a key at a time, no collateral failure, nothing left afterwards."""

    async def main(clock: VirtualClock) -> None:
        storm = Storm(seed)
        await asyncio.gather(*(storm.caller() for _ in range(10_000)))
        await asyncio.sleep(1)
        assert storm.collateral == 0
        assert storm.loading_most == 1
        assert storm.answered + storm.failed > 7_000
        assert len(storm.flight) == 0
        assert len(asyncio.all_tasks()) == 1

    run_in_virtual_time(main)
