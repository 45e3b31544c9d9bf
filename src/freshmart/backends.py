"""The servers that freshmart leans on: a breaker for each, what is read of them, the desk for orders.

Breakers are one per server and shared by every ladder that leans on it: main, standby, replica, primary, objects;
payment is the acquirer's.
"""

import asyncio
from collections.abc import Callable

from freshmart.caches import Caches
from freshmart.cashier import Acquirer, Cashier
from freshmart.catalog import read_pictures, read_store_numbers
from freshmart.features import declare_features
from freshmart.inventory import StockSteps
from freshmart.media import PictureStore
from freshmart.orders import PLACE, OrderConnection, OrderDesk, OrderRates, PrimaryConnection
from freshmart.postgres import DATABASE_TIMEOUT, UNREACHABLE, answers, make_pool, open_pool
from freshmart.reads import PICTURE_TIMEOUT, Reads
from freshmart.settings import Settings
from tenfold.channel import Channel
from tenfold.engines.amplification import AmplificationBudget
from tenfold.kernel import Duration, TenfoldError
from tenfold.protect.calls.breaker import Breakers, Policy, link_breakers
from tenfold.protect.calls.limit import GradientLimit, Limiter
from tenfold.protect.doors.shields import Shields
from tenfold.protect.live.switches import Switches, hold_by_switch
from tenfold.protect.reads.hot import link_hot_keys
from tenfold.telemetry import EventLog, Registry

SERVICE = "api"
PAYMENTS_AT_ONCE, PAYMENTS_AT_ONCE_MAX = 2, 3
"""Exchanges with the acquirer, each with all orders that wait: fewer and larger ones cost everybody less."""
DEPENDENCIES = ("main", "standby", "replica", "primary", "objects", "payment")
POLICIES = {
    "primary": Policy(failures_max=3, cool_down=Duration.from_ms(50), cool_down_max=Duration.from_ms(100)),
}
"""Orders wait for the primary, so it is asked again sooner than any other."""
OWNER = "operations"
CATALOGUE_DEADLINE = Duration.from_s(20)


class CatalogueUnreadable(TenfoldError):
    """Neither database answered when the process began."""


class Backends:
    """Opened once, before the first request; closed after the last."""

    def __init__(
        self,
        settings: Settings,
        *,
        registry: Registry,
        events: EventLog,
        place_sql: str = PLACE,
        through: Callable[[OrderConnection], OrderConnection] | None = None,
        batches_max: int = 1,
    ) -> None:
        self.settings = settings
        self.registry = registry
        self.events = events
        self.breakers = Breakers(policies=POLICIES, registry=registry, events=events)
        self.caches = Caches(settings, registry=registry, events=events)
        self._replica = make_pool(settings.replica_url, "reads")
        self._primary = make_pool(settings.primary_url, "fallback")
        self.reads = Reads(
            self.caches,
            replica=self._replica,
            primary=self._primary,
            pictures=PictureStore(settings.objects_url, settings.bucket, timeout=PICTURE_TIMEOUT),
            breakers=self.breakers,
            registry=registry,
            events=events,
        )
        self._channel = _channel(settings, registry, events)
        self.switches = Switches(registry=registry, events=events)
        self.shields = Shields(self.switches, registry=registry, events=events)
        declare_features(self.shields)
        hold_by_switch(self.switches, self.breakers, *DEPENDENCIES, owner=OWNER)
        self.order_rates = OrderRates(self.switches, registry=registry)
        connections: list[OrderConnection] = [
            PrimaryConnection(settings.primary_url, place_sql=place_sql) for _ in range(batches_max)
        ]
        if through is not None:
            connections = [through(connection) for connection in connections]
        self._acquirer = Acquirer(settings.payment_url) if settings.payment_url else None
        self._cashier = self._open_cashier(self._acquirer) if self._acquirer else None
        self.desk = OrderDesk(connections, breaker=self.breakers.of("primary"), till=self._cashier, registry=registry)
        self.pictures: dict[int, str] = {}
        self.steps: StockSteps | None = None

    async def open(self) -> None:
        """Raises CatalogueUnreadable when neither database answers within the deadline."""
        await asyncio.gather(open_pool(self._replica), open_pool(self._primary))
        try:
            async with asyncio.timeout(CATALOGUE_DEADLINE.s):
                self.pictures, stores = await self._read_catalogue()
        except TimeoutError as error:
            raise CatalogueUnreadable(
                f"Neither database answered within {CATALOGUE_DEADLINE}; freshmart did not start."
            ) from error
        self.steps = self._open_steps(stores)
        self.caches.follow(self.reads.kinds["price"].near, self.steps)
        self.caches.watch_over(self.reads.kinds, replica=self._replica, primary=self._primary)
        if self._channel is not None:
            self._channel.open()
            link_hot_keys(self._channel, self.reads.hots.values())
            link_breakers(self._channel, self.breakers)
            self.switches.open(self._channel)
        self.desk.open()

    async def close(self) -> None:
        """Orders first: they are worth waiting for."""
        await self.desk.close()
        if self._cashier is not None and self._acquirer is not None:
            await self._cashier.close()
            await self._acquirer.close()
        if self.steps is not None:
            await self.steps.close()
        await self.reads.close()
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

    async def _read_catalogue(self) -> tuple[dict[int, str], list[int]]:
        """The picture of each product, and the stores."""
        while True:
            for pool in (self._replica, self._primary):
                try:
                    async with pool.acquire(timeout=DATABASE_TIMEOUT.s) as connection:
                        pictures, stores = await read_pictures(connection), await read_store_numbers(connection)
                except UNREACHABLE:
                    continue
                if pictures:  # a replica may not have heard of the seeding yet
                    return pictures, stores
            await asyncio.sleep(0.1)

    def _open_steps(self, stores: list[int]) -> StockSteps:
        steps = StockSteps(
            stores,
            sorted(self.pictures),
            pool=self._replica,
            position=self.reads.replica_position,
            near=self.reads.kinds["availability"].near,
            registry=self.registry,
            events=self.events,
        )
        steps.open()
        return steps

    def _open_cashier(self, acquirer: Acquirer) -> Cashier:
        limit = GradientLimit(initial=PAYMENTS_AT_ONCE, most=PAYMENTS_AT_ONCE_MAX)
        return Cashier(
            acquirer.authorise,
            breaker=self.breakers.of("payment", "authorise"),
            limiter=Limiter("payment", limit, registry=self.registry),
            budget=AmplificationBudget("payment", registry=self.registry),
            registry=self.registry,
        )


def _channel(settings: Settings, registry: Registry, events: EventLog) -> Channel | None:
    """None where there is no control node: then each process finds its own hot keys.

    What it last heard lies on disk, so a process that begins while the node is dead does as it was told before.
    """
    if not settings.control_url:
        return None
    return Channel(
        settings.control_url,
        settings.control_token,
        service=SERVICE,
        keepsake=settings.state_folder / f"{SERVICE}.channel" if settings.state_folder else None,
        registry=registry,
        events=events,
    )
