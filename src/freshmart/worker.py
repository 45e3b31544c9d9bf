"""`python -m freshmart.worker`: carries accepted orders to their effects; says on PORT how it is."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from freshmart.caches import PRICES
from freshmart.cashier import Acquirer, Collector
from freshmart.orders import Courier
from freshmart.pricing import PriceHerald
from freshmart.reads import PRICE
from freshmart.serve import serve
from freshmart.settings import Settings, read_settings, refuse_mutant
from freshmart.web.reply import Reply, problem, send_reply
from tenfold.engines.valkey import ValkeyCluster
from tenfold.kernel import Duration, TenfoldError
from tenfold.protect import Breaker
from tenfold.protect.reads.valkey import ValkeyRung
from tenfold.protect.reads.valkey.tracking import Announcer
from tenfold.stream.valkey import ValkeyStream
from tenfold.telemetry import CONTENT_TYPE, EventLog, Registry, render

STREAM = "freshmart:orders"
NEVER = Duration(0)


@asynccontextmanager
async def open_worker(settings: Settings) -> AsyncIterator[Any]:
    """The worker at work, as the ASGI application that says how it is: /ready, /health, /metrics."""
    registry = Registry()
    stream = ValkeyStream(settings.stream_url, STREAM, registry=registry)
    events = settings.event_log("worker")
    acquirer = Acquirer(settings.payment_url) if settings.payment_url else None
    collector = _collector(acquirer, registry, events) if acquirer else None
    courier = Courier(settings.primary_url, stream, registry=registry, events=events, collector=collector)

    async def application(scope: Any, _: Any, send: Any) -> None:
        await send_reply(_answer(scope["path"], courier, registry), send)

    clusters = [ValkeyCluster("main", settings.main_url), ValkeyCluster("standby", settings.standby_url)]
    announcer = Announcer("prices", settings.main_url, cluster=clusters[0], registry=registry)
    rungs = [ValkeyRung(one.name, one, ttl=PRICE.cache, prefix=PRICES) for one in clusters]
    herald = PriceHerald(settings.primary_url, rungs, announcer, prefix=PRICES, registry=registry)
    courier.open()
    herald.open()
    try:
        yield application
    finally:
        await herald.close()
        await announcer.close()
        await asyncio.gather(*(rung.close() for rung in rungs), *(one.close() for one in clusters))
        await courier.close()
        if acquirer is not None:
            await acquirer.close()


def _collector(acquirer: Acquirer, registry: Registry, events: EventLog) -> Collector:
    """What there is to collect comes in batches far apart: no rate to come back to, so no ramp."""
    breaker = Breaker("payment/collect", ramp=NEVER, registry=registry, events=events)
    return Collector(acquirer.charge, breaker=breaker, registry=registry)


def _answer(path: str, courier: Courier, registry: Registry) -> Reply:
    match path:
        case "/ready":
            return Reply(
                200 if courier.is_ready else 503, b'{"status":"%s"}' % (b"ready" if courier.is_ready else b"not ready")
            )
        case "/health":
            return Reply(200, b'{"status":"running"}')
        case "/metrics":
            return Reply(200, render(registry), [(b"content-type", CONTENT_TYPE.encode())])
    return problem(404, "not-found", "Only /ready, /health and /metrics are served here.")


def main() -> int:
    try:
        refuse_mutant()
        settings = read_settings()
        serve(lambda: open_worker(settings), settings.port)
    except (TenfoldError, OSError) as error:
        print(f"freshmart.worker: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
