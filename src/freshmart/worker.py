"""`python -m freshmart.worker`: applies accepted orders, collects deferred money, publishes new prices.

Says on PORT how it is.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import asyncpg

from freshmart.caches import PRICES
from freshmart.cashier import Acquirer, Collector
from freshmart.changes import ChangePublisher
from freshmart.inventory import SHELVES, StepPublisher
from freshmart.orders import EffectsConsumer, OutboxRelay
from freshmart.postgres import UNREACHABLE, session_settings
from freshmart.pricing import PricePublisher
from freshmart.reads import PRICE
from freshmart.serve import run_program, serve
from freshmart.settings import Settings, read_settings, refuse_mutant
from freshmart.web.desk import Addresses, metrics, ready
from freshmart.web.reply import Reply
from tenfold.engines.valkey import ValkeyCluster
from tenfold.kernel import Duration
from tenfold.protect import Breaker
from tenfold.protect.reads.valkey import ValkeyRung
from tenfold.protect.reads.valkey.tracking import Announcer
from tenfold.stream import StreamUnreachable
from tenfold.stream.valkey import ValkeyStream
from tenfold.telemetry import EventLog, Registry

STREAM = "freshmart:orders"
NEVER = Duration(0)
SPARES = ("FRESHMART_REPLICA_URL", "FRESHMART_OBJECTS_URL")
"""It reads no replica and no picture."""
PAUSE_S = 0.1
TIMEOUT_S = 5.0

Loop = Callable[[Any, Callable[[], None]], Awaitable[None]]
"""Runs on a connection to the primary until something is lost; calls back after each round that went well."""


class WorkerLoops:
    """Loops by name, each on a connection of its own. `is_ready`: all did their last round."""

    def __init__(self, primary_url: str, loops: Mapping[str, Loop], events: EventLog) -> None:
        self._primary_url = primary_url
        self._loops = loops
        self._events = events
        self._well = dict.fromkeys(loops, False)
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def is_ready(self) -> bool:
        return all(self._well.values())

    def open(self) -> None:
        self._tasks = [asyncio.create_task(self._keep(name, loop)) for name, loop in self._loops.items()]

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _keep(self, name: str, loop: Loop) -> None:
        """Run it; when the database or the stream is away, again on a new connection until it is back."""
        while True:
            try:
                await self._run(name, loop)
            except (*UNREACHABLE, StreamUnreachable) as error:
                self._say(name, well=False, error=type(error).__name__)
            await asyncio.sleep(PAUSE_S)

    async def _run(self, name: str, loop: Loop) -> None:
        connection = await asyncpg.connect(
            self._primary_url, timeout=TIMEOUT_S, command_timeout=TIMEOUT_S, server_settings=session_settings(name)
        )
        try:
            await loop(connection, lambda: self._say(name, well=True))
        finally:
            connection.terminate()

    def _say(self, name: str, *, well: bool, **why: str) -> None:
        if self._well[name] is not well:
            self._events.emit("worker-running" if well else "worker-interrupted", name, **why)
        self._well[name] = well


@asynccontextmanager
async def open_worker(settings: Settings) -> AsyncIterator[Any]:
    """The worker at work, as the ASGI application that says how it is: /ready, /health, /metrics."""
    registry, events = Registry(), settings.event_log("worker")
    async with AsyncExitStack() as opened:
        stream = ValkeyStream(settings.stream_url, STREAM, registry=registry)
        opened.push_async_callback(stream.close)
        loops: dict[str, Loop] = {
            "relay": OutboxRelay(stream, registry=registry).run,
            "consumer": EffectsConsumer(stream, registry=registry, events=events).run,
        }
        if settings.payment_url:
            acquirer = Acquirer(settings.payment_url)
            opened.push_async_callback(acquirer.close)
            loops["collector"] = _collector(acquirer, registry, events).run
        worker = WorkerLoops(settings.primary_url, loops, events)
        worker.open()
        opened.push_async_callback(worker.close)
        await opened.enter_async_context(_publishing(settings, registry))

        yield Addresses(
            {
                "/ready": lambda: ready(worker.is_ready),
                "/health": lambda: Reply(200, b'{"status":"running"}'),
                "/metrics": lambda: metrics(registry),
            }
        )


@asynccontextmanager
async def _publishing(settings: Settings, registry: Registry) -> AsyncIterator[None]:
    """New prices go to every process and to both clusters, shelves' new steps to every process."""
    clusters = [ValkeyCluster("main", settings.main_url), ValkeyCluster("standby", settings.standby_url)]
    announcer = Announcer("changes", settings.main_url, cluster=clusters[0], registry=registry)
    rungs = [ValkeyRung(one.name, one, ttl=PRICE.cache, prefix=PRICES) for one in clusters]
    sources = {
        "price_change": PricePublisher(rungs, announcer, prefix=PRICES).tell,
        "stock_change": StepPublisher(announcer).tell,
    }

    async def beat() -> None:
        for prefix in (PRICES, SHELVES):
            await announcer.beat(prefix)

    publisher = ChangePublisher(settings.primary_url, sources, beat=beat, registry=registry)
    publisher.open()
    try:
        yield
    finally:
        await publisher.close()
        await announcer.close()
        await asyncio.gather(*(rung.close() for rung in rungs), *(one.close() for one in clusters))


def _collector(acquirer: Acquirer, registry: Registry, events: EventLog) -> Collector:
    """What there is to collect comes in batches far apart: no rate to come back to, so no ramp."""
    breaker = Breaker("payment/collect", ramp=NEVER, registry=registry, events=events)
    return Collector(acquirer.charge, breaker=breaker, registry=registry)


def _serve() -> None:
    refuse_mutant()
    settings = read_settings(spares=SPARES)
    serve(lambda: open_worker(settings), settings.port)


if __name__ == "__main__":
    sys.exit(run_program("worker", _serve))
