"""A store of leases in memory: the pure table behind a little latency, which can be broken and hung on purpose."""

import asyncio
import random
from collections.abc import Sequence

from tenfold.kernel import Clock, Duration
from tenfold.protect.reads.flight import Grant, Held, LeaseTable


class StoreBroken(Exception):
    """What a broken store raises."""


class MemoryLeases:
    """Each call takes up to `latency_max_s`; counts its calls by verb."""

    def __init__(self, clock: Clock, *, latency_max_s: float = 0.001, seed: int = 0) -> None:
        self.table = LeaseTable()
        self.broken = False
        self.hung = False
        self.calls: list[str] = []
        self._clock = clock
        self._chance = random.Random(seed)
        self._latency_max_s = latency_max_s

    async def acquire(self, key: str, owner: str, ttl: Duration) -> Grant | Held:
        await self._travel("acquire")
        place = self.table.acquire(key, owner, ttl, self._clock.monotonic_ns())
        await self._return()
        return place

    async def renew(self, grants: Sequence[Grant], ttl: Duration) -> Sequence[bool]:
        await self._travel("renew")
        return [self.table.renew(grant, ttl, self._clock.monotonic_ns()) for grant in grants]

    async def release(self, grants: Sequence[Grant]) -> None:
        await self._travel("release")
        for grant in grants:
            self.table.release(grant, self._clock.monotonic_ns())

    async def _travel(self, verb: str) -> None:
        self.calls.append(verb)
        await self._return()
        if self.hung:
            await asyncio.sleep(3600)
        if self.broken:
            raise StoreBroken

    async def _return(self) -> None:
        await asyncio.sleep(self._chance.uniform(0, self._latency_max_s / 2))
