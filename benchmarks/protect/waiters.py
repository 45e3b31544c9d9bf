"""Figure 3: ten thousand waiters on one key, three in ten cancelled at random, a loader that raises half the time.

    python -m benchmarks.protect.waiters --rounds 5

All waiters wait before the first load ends. A waiter is harmed when it was not cancelled and yet ends by a
cancellation, or by an error that no loader raised; it hangs when it has no answer at the deadline. Theirs: theine's
`Memoize` on a coroutine function, cashews' `cache(...)` (protected from stampedes by default) and the same with
`lock=True`, cachebox's `cached`. Their caches are new in each storm. Every value is that of the worst storm.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import NamedTuple

import cachebox
import cashews
import theine

from benchmarks.figures import Figure, spread_of
from benchmarks.protect.runner import run
from tenfold.kernel import derive_seed
from tenfold.protect.reads.flight import SingleFlight

WAITERS = 10_000
CANCELLED_RATIO = 0.3
LOAD_S = 0.3
"""Longer than it takes all waiters to begin, or there would be fewer."""
DEADLINE_S = 3.0
STORMS_PER_ROUND = 2
KEY = "7/4711"
OURS = "tenfold"

Ask = Callable[[], Awaitable[int]]
Load = Callable[[], Awaitable[int]]


class LoadFailed(Exception):
    """Half of the loads end so."""


class Loader:
    """Raises in every second load; which of two storms begins with that is the other's opposite."""

    def __init__(self, raises_first: bool) -> None:
        self.loads = self.loading = self.loading_most = 0
        self._raises_first = raises_first

    async def __call__(self) -> int:
        self.loads += 1
        raises = (self.loads % 2 == 1) == self._raises_first
        self.loading += 1
        self.loading_most = max(self.loading_most, self.loading)
        try:
            await asyncio.sleep(LOAD_S)
        finally:
            self.loading -= 1
        if raises:
            raise LoadFailed
        return self.loads


class Storm(NamedTuple):
    """What one storm came to."""

    collateral: int
    hung: int
    loading_most: int


def ours(load: Load) -> Ask:
    flight = SingleFlight[int]()
    return lambda: flight.do(KEY, load)


def with_theine(load: Load) -> Ask:
    async def fetch(key: str) -> int:  # noqa: ARG001  # the peers make their key of it
        return await load()

    memoized = theine.Memoize(100, timedelta(seconds=60))(fetch)
    memoized.key(lambda key: key)
    return lambda: memoized(KEY)


def with_cashews(load: Load, *, lock: bool = False) -> Ask:
    cache = cashews.Cache()
    cache.setup("mem://")

    @cache(ttl="1m", key="{key}", lock=lock)
    async def fetch(key: str) -> int:  # noqa: ARG001  # the peers make their key of it
        return await load()

    return lambda: fetch(KEY)


def with_cashews_lock(load: Load) -> Ask:
    return with_cashews(load, lock=True)


def with_cachebox(load: Load) -> Ask:
    @cachebox.cached(cachebox.TTLCache(100, 60))
    async def fetch(key: str) -> int:  # noqa: ARG001  # the peers make their key of it
        return await load()

    return lambda: fetch(KEY)


CONTESTANTS: dict[str, Callable[[Load], Ask]] = {
    OURS: ours,
    "theine": with_theine,
    "cashews": with_cashews,
    "cashews lock": with_cashews_lock,
    "cachebox": with_cachebox,
}


def measure(rounds: int) -> list[Figure]:
    storms: dict[str, list[Storm]] = {name: [] for name in CONTESTANTS}
    for number in range(rounds * STORMS_PER_ROUND):
        for name, contestant in CONTESTANTS.items():
            chance = random.Random(derive_seed(number, "storm"))
            storms[name].append(asyncio.run(_storm(contestant, chance, raises_first=number % 2 == 0)))
    return [
        _figure("waiters harmed by another's end, worst storm", "waiters", 0, storms, "collateral"),
        _figure("waiters hung, worst storm", "waiters", 0, storms, "hung"),
        _figure("loads at a time, worst storm", "loads", 1, storms, "loading_most"),
    ]


async def _storm(contestant: Callable[[Load], Ask], chance: random.Random, *, raises_first: bool) -> Storm:
    loader = Loader(raises_first)
    ask = contestant(loader)

    async def wait() -> int:
        return await ask()

    waiters = [asyncio.create_task(wait()) for _ in range(WAITERS)]
    leaving = {waiter for waiter in waiters if chance.random() < CANCELLED_RATIO}
    leavings = asyncio.create_task(_leave(sorted(leaving, key=lambda _: chance.random())))
    _, hung = await asyncio.wait(waiters, timeout=DEADLINE_S)
    harmed = sum(_is_harmed(waiter) for waiter in waiters if waiter not in leaving | hung)
    for task in (leavings, *hung):
        task.cancel()
    await asyncio.wait((leavings, *waiters), timeout=DEADLINE_S)
    for waiter in leaving:
        if waiter.done() and not waiter.cancelled():
            waiter.exception()  # theine's first caller may get InvalidStateError instead of its cancellation
    return Storm(harmed, len(hung - leaving), loader.loading_most)


async def _leave(waiters: list[asyncio.Task[int]]) -> None:
    """Cancel them over two thirds of the first load, each at its own moment."""
    await asyncio.sleep(0)
    for batch in range(20):
        for waiter in waiters[batch::20]:
            waiter.cancel()
        await asyncio.sleep(LOAD_S * 2 / 3 / 20)


def _is_harmed(waiter: asyncio.Task[int]) -> bool:
    if waiter.cancelled():
        return True
    error = waiter.exception()
    return error is not None and not isinstance(error, LoadFailed)


def _figure(name: str, unit: str, target: float, storms: dict[str, list[Storm]], what: str) -> Figure:
    values = {who: [float(getattr(storm, what)) for storm in theirs] for who, theirs in storms.items()}
    mine = values.pop(OURS)
    return Figure(
        figure=3,
        name=name,
        value=max(mine),
        unit=unit,
        target=target,
        held=max(mine) <= target,
        peers={who: max(theirs) for who, theirs in values.items()},
        spread=spread_of(mine),
        rounds=mine,
    )


if __name__ == "__main__":
    run(measure)
