"""What freshmart reads: a ladder for each kind of value, from the near cache down to the primary.

near ──► main ──► standby ──► replica ──► primary        values of the catalogue, of stock, of features; the standby is
                                                         passed over while it is in step with a main that is well
                              replica ──► primary        an order's status: each is asked for once or twice
near ──► objects                                         pictures; what fails is a placeholder
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

from freshmart.caches import CACHE_TIMEOUT, CachedKind, Caches
from freshmart.catalog import READ_PRODUCTS, read_pages
from freshmart.features import (
    BANNER,
    HISTORY,
    RECOMMENDATIONS,
    REVIEWS,
    SLOT,
    read_banners,
    read_history,
    read_recommendations,
    read_reviews,
    read_slots,
)
from freshmart.inventory import read_availability
from freshmart.orders import READ_ORDERS
from freshmart.postgres import DATABASE_TIMEOUT
from freshmart.pricing import read_prices
from tenfold.engines.postgres import LogPosition
from tenfold.kernel import Duration
from tenfold.protect import NearCache, ReadLadder, Rung, Step
from tenfold.protect.calls.breaker import Breakers
from tenfold.protect.reads.downgrade import FreshRung
from tenfold.protect.reads.hot import HotKeys
from tenfold.protect.reads.ladder import Lease
from tenfold.protect.reads.postgres import Pool, PostgresRung, ReadMany
from tenfold.protect.reads.valkey import StandbyRung
from tenfold.telemetry import EventLog, Registry

PICTURE_TIMEOUT = Duration.from_s(1)
PICTURES_NEAR_BYTES = 3 << 20
"""Half of the picture set: the object store is really asked."""
NONE = Duration(0)
HOT_KINDS = ("price", "availability", "page")


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long a kind of value is fresh in this process and in the caches; `stale`: served so much later in need.

    What a customer sees is at most `near` + `cache` old while everything works.
    """

    near: Duration
    cache: Duration
    stale: Duration
    near_bytes: int
    grace: Duration = NONE
    """After `near`, still answered at once while one reader asks for it anew."""


PRICE = Lifetime(Duration.from_s(600), Duration.from_s(600), Duration.from_s(600), 32 << 20)
"""A new price is announced to every process and written to both clusters, and near prices are in doubt when that may be
missed: a price may live long while it is proven, and the audit compares what lives with the database."""
AVAILABILITY = Lifetime(Duration.from_s(30), Duration.from_s(60), Duration.from_s(60), 32 << 20)
PAGE = Lifetime(Duration.from_s(120), Duration.from_s(60), Duration.from_s(600), 48 << 20)
"""Most of its life near: each process asks a cluster for a page half as often, and what a customer sees is as old."""
PRODUCT = Lifetime(Duration.from_s(300), Duration.from_s(600), Duration.from_s(3600), 8 << 20)
FEATURE = Lifetime(Duration.from_s(300), Duration.from_s(600), Duration.from_s(3600), 24 << 20)
NEWS = Lifetime(Duration.from_s(60), Duration.from_s(120), Duration.from_s(600), 1 << 20, grace=Duration.from_s(30))
JUST_NOW = Lifetime(Duration.from_s(2), Duration.from_s(4), Duration.from_s(60), 1 << 20, grace=Duration.from_s(4))


class Database(NamedTuple):
    """One server of PostgreSQL, as every kind of value reads from it."""

    name: str
    pool: Pool
    position: LogPosition


class Reads:
    """Every ladder of the storefront; opened by the first read, closed by whoever made it."""

    def __init__(
        self,
        caches: Caches,
        *,
        replica: Pool,
        primary: Pool,
        pictures: Rung,
        breakers: Breakers,
        registry: Registry,
        events: EventLog,
    ) -> None:
        self._caches = caches
        self._replica = Database("replica", replica, LogPosition())
        self._primary = Database("primary", primary, LogPosition())
        self._breakers = breakers
        self._registry = registry
        self._rungs: list[PostgresRung] = []
        self.kinds: dict[str, CachedKind] = {}
        self.hots = {name: HotKeys(name, registry=registry, events=events) for name in HOT_KINDS}
        self.price = self._cached("price", read_prices, PRICE, saw=caches.saw_price)
        self.availability = self._cached("availability", read_availability, AVAILABILITY)
        self.page = self._cached("page", read_pages, PAGE, lease=caches.lease)
        self.product = self._cached("product", READ_PRODUCTS, PRODUCT)
        self.features = {
            RECOMMENDATIONS: self._cached(RECOMMENDATIONS, read_recommendations, FEATURE),
            REVIEWS: self._cached(REVIEWS, read_reviews, FEATURE),
            BANNER: self._cached(BANNER, read_banners, NEWS),
            SLOT: self._cached(SLOT, read_slots, NEWS),
            HISTORY: self._cached(HISTORY, read_history, JUST_NOW),
        }
        self.order = self._uncached("order", READ_ORDERS)
        self.image = self._pictures(pictures)

    @property
    def replica_position(self) -> LogPosition:
        return self._replica.position

    @property
    def ladders(self) -> list[ReadLadder]:
        whole = [self.price, self.availability, self.page, self.product, self.order, self.image]
        return [*whole, *self.features.values()]

    async def close(self) -> None:
        for ladder in self.ladders:
            await ladder.close()
        for rung in self._rungs:
            await rung.close()

    def _cached(
        self,
        name: str,
        query: str | ReadMany,
        lifetime: Lifetime,
        *,
        lease: Lease | None = None,
        saw: Callable[[str], object] | None = None,
    ) -> ReadLadder:
        near = NearCache(
            name,
            bytes_max=lifetime.near_bytes,
            ttl=lifetime.near,
            grace=lifetime.grace,
            stale=lifetime.stale,
            registry=self._registry,
        )
        main, standby = self._caches.rungs(name, lifetime.cache)
        source, last = self._rung(self._replica, query), self._rung(self._primary, query)
        self.kinds[name] = CachedKind(near, lifetime.near, (main, standby), source)
        ladder = ReadLadder(
            name,
            near=near,
            steps=[self._cache(main), self._standby(standby), self._fresh(source), self._last(last)],
            lease=lease,
            gate=self._caches.downgrade,
            hot=self.hots.get(name),
            saw=saw,
            extra=self._caches.extra,
            registry=self._registry,
        )
        if saw is not None and near.sampled is not None:
            near.sampled = partial(_sampled_by_both, near.sampled, saw)
        return ladder

    def _uncached(self, name: str, query: str | ReadMany) -> ReadLadder:
        source, last = self._rung(self._replica, query), self._rung(self._primary, query)
        return ReadLadder(name, steps=[self._fresh(source), self._last(last)], registry=self._registry)

    def _pictures(self, rung: Rung) -> ReadLadder:
        near = NearCache(
            "image",
            bytes_max=PICTURES_NEAR_BYTES,
            ttl=Duration.from_s(600),
            stale=Duration.from_s(3600),
            registry=self._registry,
        )
        step = Step(rung, breaker=self._breakers.of("objects"), timeout=PICTURE_TIMEOUT, inflight_max=256)
        return ReadLadder("image", near=near, steps=[step], registry=self._registry)

    def _rung(self, database: Database, query: str | ReadMany) -> PostgresRung:
        rung = PostgresRung(database.name, database.pool, query, timeout=DATABASE_TIMEOUT, position=database.position)
        self._rungs.append(rung)
        return rung

    def _cache(self, rung: Rung) -> Step:
        return Step(rung, breaker=self._breakers.of(rung.name), timeout=CACHE_TIMEOUT, fills=True, inflight_max=512)

    def _standby(self, rung: StandbyRung) -> Step:
        """What the main has just missed is not asked of a standby that is in step with it."""
        return replace(self._cache(rung), mirrors=rung.mirrors)

    def _fresh(self, rung: PostgresRung) -> Step:
        """The replica, while it does not lag, within what it can bear."""
        return Step(
            FreshRung(rung, lag=lambda: rung.lag),
            breaker=self._breakers.of("replica"),
            timeout=DATABASE_TIMEOUT,
            budget=self._caches.replica_budget,
        )

    def _last(self, rung: PostgresRung) -> Step:
        return Step(rung, breaker=self._breakers.of("primary"), timeout=DATABASE_TIMEOUT, inflight_max=512)


def _sampled_by_both(
    hot: Callable[[str, int], int | None], saw: Callable[[str], object], key: str, weight: int
) -> int | None:
    """A sampled near hit is told to the hot keys and to the audit, which climbs alone would leave without samples."""
    saw(key)
    return hot(key, weight)
