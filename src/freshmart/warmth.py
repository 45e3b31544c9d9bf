"""Fills the caches before the first request, with what a normal day leaves in them: what its customers looked at.

A process that is started at the peak, by a release or after a crash, is asked for everything at once. Cold, each first
question climbs from the near cache through both clusters to the database: in quick rehearsals the 10× step had a p99 of
126 ms on a cold process and 23 ms on a warm one (one run each, the slowest journey).

Read in batches: one by one, through the ladders, it took more than twelve seconds.
"""

import asyncio
import random
import time
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from freshmart.backends import Backends
from freshmart.caches import CachedKind
from freshmart.catalog import page_key, read_baskets, read_products
from freshmart.features import RECOMMENDATIONS, REVIEWS
from freshmart.postgres import UNREACHABLE
from freshmart.pricing import price_key
from tenfold.kernel import Duration, TenfoldError
from tenfold.protect import Found
from tenfold.protect.reads.valkey import ValkeyRung

WARM_LIMIT = Duration.from_s(12)
"""A process that is not warm by then serves all the same."""
SOONEST = 0.2
"""What came in together must not expire together: each value is kept for this part of its time at least."""
_BATCH = 256
_PAGES = 8
"""A page costs the replica as much as a hundred prices."""


async def warm(backends: Backends, *, limit: Duration = WARM_LIMIT) -> None:
    """Read what past baskets held, what matters most first: price, shelf, page, what stands beside it."""
    wanted = _looked_at()
    try:
        async with asyncio.timeout(limit.s):
            for name, keys in wanted.items():
                for batch in _batches(iter(keys), _PAGES if name == "page" else _BATCH):
                    await _fill(backends.reads.kinds[name], batch)
            if backends.steps is not None:
                await backends.steps.whole()
    except (TimeoutError, *UNREACHABLE) as error:
        backends.events.emit("warming-cut-short", "near", why=type(error).__name__, limit_ms=limit.ms)


def _looked_at() -> Mapping[str, Iterable[str]]:
    """The keys of each kind, each once, in the order of the baskets."""
    slugs = {product.sku: product.slug for product in read_products()}
    kinds = ("price", "page", "product", REVIEWS, RECOMMENDATIONS)
    wanted: dict[str, dict[str, None]] = {name: {} for name in kinds}
    for basket in read_baskets():
        for line in basket.lines:
            wanted["price"][price_key(basket.store, line.sku)] = None
            wanted["page"][page_key(basket.store, slugs[line.sku])] = None
        first = basket.lines[0].sku
        wanted["product"][str(first)] = wanted[REVIEWS][str(first)] = None
        wanted[RECOMMENDATIONS][price_key(basket.store, first)] = None
    return wanted


async def _fill(kind: CachedKind, keys: list[str]) -> None:
    """From the replica into the near cache and both clusters; a cluster that takes nothing is filled by readers."""
    tokens = {key: kind.near.begin(key) for key in keys}
    found = await kind.source.read_many(keys)
    for key, one in found.items():
        age = Duration(max(0, time.time_ns() - one.true_at_ns)) if one.true_at_ns else None
        ttl = Duration(int(kind.near_ttl.ns * random.uniform(SOONEST, 1)))
        kind.near.put(key, one.value, version=one.version, age=age, ttl=ttl, token=tokens[key])
    await asyncio.gather(*(_fill_cluster(cluster, found) for cluster in kind.clusters))


async def _fill_cluster(cluster: ValkeyRung, found: Mapping[str, Found]) -> None:
    try:
        await cluster.fill(found, spread=1 - SOONEST)
    except TenfoldError:
        return


def _batches(keys: Iterator[str], size: int) -> Iterator[list[str]]:
    while batch := list(islice(keys, size)):
        yield batch
