"""Figure 2: what a remembered async function costs when the near cache has its value, beside theine and cashews.

Each is the same async function of one key under the decorator its library offers; theine's in the mode that its
documentation recommends, with a key function. Ours does besides what figure 1 lists, and single flight.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import timedelta
from statistics import median

import cashews
import theine

from benchmarks.figures import Figure, spread_of
from benchmarks.protect.near_hit import KEYS, TTL_S, VALUE
from benchmarks.protect.runner import run
from tenfold.kernel import Duration
from tenfold.protect.reads.memoize import memoize
from tenfold.protect.reads.near import NearCache
from tenfold.telemetry import Registry

Read = Callable[[str], Awaitable[object]]

LAPS = {"tenfold": 100, "tenfold by key function": 100, "theine": 50, "theine by its own key": 50, "cashews": 3}
BOUND = 0.3


def measure(rounds: int) -> list[Figure]:
    return asyncio.run(taking_turns(rounds))


async def taking_turns(rounds: int) -> list[Figure]:
    reads = {
        "tenfold": ours(),
        "tenfold by key function": ours(key=lambda key: key),
        "theine": theirs(by_key=True),
        "theine by its own key": theirs(by_key=False),
        "cashews": cashed(),
    }
    for read in reads.values():
        await lap_ns(read, 1)
    costs: dict[str, list[float]] = {name: [] for name in reads}
    for _ in range(rounds):
        for name, read in reads.items():
            costs[name].append(await lap_ns(read, LAPS[name]))
    return figures(costs)


def figures(costs: dict[str, list[float]]) -> list[Figure]:
    peers = {name: round(median(cost), 1) for name, cost in costs.items() if name != "tenfold"}
    ratios = [mine / other for mine, other in zip(costs["tenfold"], costs["theine"], strict=True)]
    value, bound_ns = round(median(costs["tenfold"]), 1), BOUND * peers["theine"]
    return [
        Figure(
            figure=2,
            name="guarded near-cache hit, async: a remembered function",
            value=value,
            unit="ns",
            target=round(bound_ns, 1),
            held=value <= bound_ns,
            spread=spread_of(costs["tenfold"]),
            rounds=costs["tenfold"],
            peers=peers,
        ),
        Figure(
            figure=2,
            name="guarded near-cache hit, async, against theine's async memoize",
            value=median(ratios),
            unit="ratio",
            target=BOUND,
            held=median(ratios) <= BOUND,
            spread=spread_of(ratios),
            rounds=ratios,
            peers=peers,
        ),
    ]


async def lap_ns(read: Read, laps: int) -> float:
    """What one call costs, in the quickest fifth of the laps: the machine's other work only ever adds to it."""
    costs = []
    for _ in range(laps):
        began_ns = time.perf_counter_ns()
        for key in KEYS:
            await read(key)
        costs.append((time.perf_counter_ns() - began_ns) / len(KEYS))
    return median(sorted(costs)[: max(1, laps // 5)])


def ours(key: Callable[[str], str] | None = None) -> Read:
    hot: deque[str] = deque(maxlen=1_024)
    near = NearCache(
        "price",
        bytes_max=64 << 20,
        ttl=Duration.from_s(TTL_S),
        grace=Duration.from_s(1),
        stale=Duration.from_s(60),
        registry=Registry(),
    )
    near.sampled = lambda key, _: hot.append(key)

    @memoize(near, key=key)
    async def price(key: str) -> bytes:  # noqa: ARG001  # all keys have one value here
        return VALUE

    return price


def theirs(*, by_key: bool) -> Read:
    @theine.Memoize(100_000, timedelta(seconds=TTL_S))
    async def price(key: str) -> bytes:  # noqa: ARG001  # all keys have one value here
        return VALUE

    if by_key:
        price.key(lambda key: key)
    return price


def cashed() -> Read:
    cache = cashews.Cache()
    cache.setup("mem://", size=100_000)

    @cache(ttl=timedelta(seconds=TTL_S), key="{key}")
    async def price(key: str) -> bytes:  # noqa: ARG001  # all keys have one value here
        return VALUE

    return price


if __name__ == "__main__":
    run(measure)
