"""The servers that freshmart leans on: a breaker for each, a ladder for each kind of read, the desk for orders.

Breakers are one per server and shared by every ladder that leans on it: main, standby, replica, primary, objects;
payment is the acquirer's.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from freshmart.caches import CACHE_TIMEOUT, Caches
from freshmart.cashier import Acquirer, Cashier
from freshmart.catalog import READ_PRODUCTS, read_pages, read_pictures
from freshmart.features import (
    BANNER,
    HISTORY,
    RECOMMENDATIONS,
    REVIEWS,
    SLOT,
    declare_features,
    read_banners,
    read_history,
    read_recommendations,
    read_reviews,
    read_slots,
)
from freshmart.inventory import read_availability
from freshmart.media import PictureStore
from freshmart.orders import PLACE, READ_ORDERS, UNREACHABLE, Connection, OrderDesk, PrimaryConnection
from freshmart.pools import DATABASE_TIMEOUT, answers, make_pool, open_pool
from freshmart.pricing import read_prices
from freshmart.settings import Settings
from tenfold.kernel import Duration, TenfoldError
from tenfold.protect import Breaker, NearCache, ReadLadder, Rung, Step
from tenfold.protect.channel import Channel
from tenfold.protect.downgrade import FreshRung
from tenfold.protect.hot import HotKeys, link
from tenfold.protect.ladder import Lease
from tenfold.protect.limit import AmplificationBudget, GradientLimit, Limiter
from tenfold.protect.postgres import PostgresRung, ReadMany
from tenfold.protect.shields import Shields
from tenfold.protect.switches import Switches
from tenfold.telemetry import EventLog, Registry

PICTURE_TIMEOUT = Duration.from_s(1)
PICTURES_NEAR_BYTES = 3 << 20
"""Half of the picture set: the object store is really asked."""
NONE = Duration(0)
HOT_KINDS = ("price", "availability", "page")
PAYMENTS_AT_ONCE, PAYMENTS_AT_ONCE_MAX = 3, 8
"""Exchanges with the acquirer, each with all orders that wait: at ten times the daily peak 3 carry 2 orders each."""
CATALOGUE_DEADLINE = Duration.from_s(20)


class CatalogueUnreadable(TenfoldError):
    """Neither database answered when the process began."""


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


PRICE = Lifetime(Duration.from_s(60), Duration.from_s(120), Duration.from_s(600), 32 << 20)
AVAILABILITY = Lifetime(Duration.from_s(30), Duration.from_s(60), Duration.from_s(60), 32 << 20)
PAGE = Lifetime(Duration.from_s(60), Duration.from_s(120), Duration.from_s(600), 48 << 20)
PRODUCT = Lifetime(Duration.from_s(300), Duration.from_s(600), Duration.from_s(3600), 8 << 20)
FEATURE = Lifetime(Duration.from_s(300), Duration.from_s(600), Duration.from_s(3600), 24 << 20)
NEWS = Lifetime(Duration.from_s(60), Duration.from_s(120), Duration.from_s(600), 1 << 20, grace=Duration.from_s(30))
JUST_NOW = Lifetime(Duration.from_s(2), Duration.from_s(4), Duration.from_s(60), 1 << 20, grace=Duration.from_s(4))


class Backends:
    """Opened once, before the first request; closed after the last."""

    def __init__(
        self,
        settings: Settings,
        *,
        registry: Registry,
        events: EventLog,
        place_sql: str = PLACE,
        through: Callable[[Connection], Connection] | None = None,
        batches_max: int = 2,
    ) -> None:
        self.settings = settings
        self.registry = registry
        self.events = events
        self.breakers = {name: self._breaker(name) for name in ("main", "standby", "replica", "objects")}
        self.breakers["primary"] = self._breaker("primary", failures_max=3, cool_down_ms=50, cool_down_max_ms=100)
        self.caches = Caches(settings, registry=registry, events=events)
        self._rungs: list[PostgresRung] = []
        self._replica = make_pool(settings.replica_url, "reads")
        self._primary = make_pool(settings.primary_url, "fallback")
        self._nears: dict[str, NearCache] = {}
        self._on_replica: dict[str, PostgresRung] = {}
        self.hots = {name: HotKeys(name, registry=registry, events=events) for name in HOT_KINDS}
        self.price = self._cached("price", read_prices, PRICE, saw=self.caches.saw_price)
        self.availability = self._cached("availability", read_availability, AVAILABILITY)
        self.page = self._cached("page", read_pages, PAGE, lease=self.caches.lease)
        self.product = self._cached("product", READ_PRODUCTS, PRODUCT)
        self.features = {
            RECOMMENDATIONS: self._cached(RECOMMENDATIONS, read_recommendations, FEATURE),
            REVIEWS: self._cached(REVIEWS, read_reviews, FEATURE),
            BANNER: self._cached(BANNER, read_banners, NEWS),
            SLOT: self._cached(SLOT, read_slots, NEWS),
            HISTORY: self._cached(HISTORY, read_history, JUST_NOW),
        }
        self.order = ReadLadder("order", steps=self._databases("order", READ_ORDERS), registry=registry)
        self.image = self._pictures()
        self._channel = _channel(settings, registry, events)
        self.switches = Switches(registry=registry, events=events)
        self.shields = Shields(self.switches, registry=registry, events=events)
        declare_features(self.shields)
        connections: list[Connection] = [
            PrimaryConnection(settings.primary_url, place_sql=place_sql) for _ in range(batches_max)
        ]
        if through is not None:
            connections = [through(connection) for connection in connections]
        self._acquirer = Acquirer(settings.payment_url) if settings.payment_url else None
        self._cashier = self._open_cashier(self._acquirer) if self._acquirer else None
        self.desk = OrderDesk(connections, breaker=self.breakers["primary"], till=self._cashier, registry=registry)
        self.pictures: dict[int, str] = {}

    @property
    def ladders(self) -> list[ReadLadder]:
        whole = [self.price, self.availability, self.page, self.product, self.order, self.image]
        return [*whole, *self.features.values()]

    async def open(self) -> None:
        """Raises CatalogueUnreadable when neither database answers within the deadline."""
        await asyncio.gather(open_pool(self._replica), open_pool(self._primary))
        try:
            async with asyncio.timeout(CATALOGUE_DEADLINE.s):
                self.pictures = await self._read_pictures()
        except TimeoutError as error:
            raise CatalogueUnreadable(
                f"Neither database answered within {CATALOGUE_DEADLINE}; freshmart did not start."
            ) from error
        self.caches.follow(self._nears["price"])
        self.caches.watch_over(self._on_replica, self._nears, replica=self._replica, primary=self._primary)
        if self._channel is not None:
            self._channel.open()
            link(self._channel, self.hots.values())
            self.switches.open(self._channel)
        self.desk.open()

    async def close(self) -> None:
        """Orders first: they are worth waiting for."""
        await self.desk.close()
        if self._cashier is not None and self._acquirer is not None:
            await self._cashier.close()
            await self._acquirer.close()
        await asyncio.gather(*(ladder.close() for ladder in self.ladders))
        await asyncio.gather(*(rung.close() for rung in self._rungs), return_exceptions=True)
        await self.caches.close()
        if self._channel is not None:
            await asyncio.to_thread(self.switches.close)
            await asyncio.to_thread(self._channel.close)
        for pool in (self._replica, self._primary):
            pool.terminate()

    async def is_ready(self) -> bool:
        """Reads can be answered: a database answers, and a cache does."""
        databases = await asyncio.gather(answers(self._replica), answers(self._primary))
        return any(databases) and await self.caches.answers()

    async def _read_pictures(self) -> dict[int, str]:
        while True:
            for pool in (self._replica, self._primary):
                try:
                    async with pool.acquire(timeout=DATABASE_TIMEOUT.s) as connection:
                        pictures = await read_pictures(connection)
                except UNREACHABLE:
                    continue
                if pictures:  # a replica may not have heard of the seeding yet
                    return pictures
            await asyncio.sleep(0.1)

    def _breaker(
        self, name: str, *, failures_max: int = 5, cool_down_ms: int = 250, cool_down_max_ms: int = 1_000
    ) -> Breaker:
        return Breaker(
            name,
            registry=self.registry,
            events=self.events,
            failures_max=failures_max,
            cool_down=Duration.from_ms(cool_down_ms),
            cool_down_max=Duration.from_ms(cool_down_max_ms),
        )

    def _open_cashier(self, acquirer: Acquirer) -> Cashier:
        breaker = self.breakers["payment"] = self._breaker("payment")
        limit = GradientLimit(initial=PAYMENTS_AT_ONCE, most=PAYMENTS_AT_ONCE_MAX)
        return Cashier(
            acquirer.authorise,
            breaker=breaker,
            limiter=Limiter("payment", limit, registry=self.registry),
            budget=AmplificationBudget("payment", registry=self.registry),
            registry=self.registry,
        )

    def _cached(
        self,
        name: str,
        query: str | ReadMany,
        lifetime: Lifetime,
        *,
        lease: Lease | None = None,
        saw: Callable[[str], object] | None = None,
    ) -> ReadLadder:
        """near → main → standby → replica → primary."""
        near = NearCache(
            name,
            bytes_max=lifetime.near_bytes,
            ttl=lifetime.near,
            grace=lifetime.grace,
            stale=lifetime.stale,
            registry=self.registry,
        )
        self._nears[name] = near
        main, standby = self.caches.rungs(name, lifetime.cache)
        return ReadLadder(
            name,
            near=near,
            steps=[self._cache(main), self._cache(standby), *self._databases(name, query)],
            lease=lease,
            gate=self.caches.downgrade,
            hot=self.hots.get(name),
            saw=saw,
            registry=self.registry,
        )

    def _cache(self, rung: Rung) -> Step:
        return Step(rung, breaker=self.breakers[rung.name], timeout=CACHE_TIMEOUT, fills=True, inflight_max=512)

    def _databases(self, kind: str, query: str | ReadMany) -> list[Step]:
        replica = PostgresRung("replica", self._replica, query, timeout=DATABASE_TIMEOUT)
        primary = PostgresRung("primary", self._primary, query, timeout=DATABASE_TIMEOUT)
        self._rungs += (replica, primary)
        self._on_replica[kind] = replica
        fresh = FreshRung(replica, lag=lambda: replica.lag)
        return [
            Step(
                fresh,
                breaker=self.breakers["replica"],
                timeout=DATABASE_TIMEOUT,
                budget=self.caches.replica_budget,
            ),
            Step(primary, breaker=self.breakers["primary"], timeout=DATABASE_TIMEOUT, inflight_max=512),
        ]

    def _pictures(self) -> ReadLadder:
        """near → objects; what fails here is a placeholder, not an error."""
        near = NearCache(
            "image",
            bytes_max=PICTURES_NEAR_BYTES,
            ttl=Duration.from_s(600),
            stale=Duration.from_s(3600),
            registry=self.registry,
        )
        rung: Rung = PictureStore(self.settings.objects_url, self.settings.bucket, timeout=PICTURE_TIMEOUT)
        step = Step(rung, breaker=self.breakers["objects"], timeout=PICTURE_TIMEOUT, inflight_max=256)
        return ReadLadder("image", near=near, steps=[step], registry=self.registry)


def _channel(settings: Settings, registry: Registry, events: EventLog) -> Channel | None:
    """None where there is no control node: then each process finds its own hot keys."""
    if not settings.control_url:
        return None
    return Channel(settings.control_url, settings.control_token, service="api", registry=registry, events=events)
