"""`python -m freshmart.api`: the storefront, app and till API, on PORT."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from freshmart.backends import Backends
from freshmart.orders import PLACE, Connection
from freshmart.serve import serve
from freshmart.settings import Settings, read_settings, refuse_mutant
from freshmart.warmth import warm
from freshmart.web import Gate, HotRoutes, Storefront, make_routes
from tenfold.kernel import SystemClock, TenfoldError
from tenfold.telemetry import Registry

Through = Callable[[Connection], Connection]
"""What an order's connection to the primary is reached through."""


@asynccontextmanager
async def open_api(
    settings: Settings, *, place_sql: str = PLACE, through: Through | None = None, warmed: bool = False
) -> AsyncIterator[Any]:
    """The ASGI application, with everything it leans on opened; `warmed` takes a few seconds and spares the peak."""
    registry, events = Registry(), settings.event_log("api")
    backends = Backends(settings, registry=registry, events=events, place_sql=place_sql, through=through)
    gate = Gate("api", on_level=backends.shields.press, registry=registry, events=events)
    await backends.open()
    try:
        if warmed:
            await warm(backends)
        storefront = Storefront(backends)
        watching = asyncio.create_task(gate.watch(SystemClock()), name="gate")
        try:
            yield HotRoutes(storefront, make_routes(storefront, backends), gate)
        finally:
            watching.cancel()
    finally:
        await backends.close()


def main() -> int:
    try:
        refuse_mutant()
        settings = read_settings()
        serve(lambda: open_api(settings, warmed=True), settings.port)
    except (TenfoldError, OSError) as error:
        print(f"freshmart.api: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
