"""`python -m freshmart.api`: the storefront, app and till API, on PORT."""

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from freshmart.backends import Backends
from freshmart.orders import PLACE, OrderConnection
from freshmart.serve import run_program, serve
from freshmart.settings import Settings, read_settings, refuse_mutant
from freshmart.warmth import warm
from freshmart.web import HotRoutes, Storefront, make_routes, open_door
from freshmart.web.door import INFLIGHT_MAX
from tenfold.protect import Shedder
from tenfold.protect.calls.limit import FixedLimit
from tenfold.protect.doors.admission import LoopLag, Overload
from tenfold.telemetry import Registry

Through = Callable[[OrderConnection], OrderConnection]
"""What an order's connection to the primary is reached through."""


@asynccontextmanager
async def open_api(
    settings: Settings, *, place_sql: str = PLACE, through: Through | None = None, warmed: bool = False
) -> AsyncIterator[Any]:
    """The ASGI application, with everything it leans on opened; `warmed` takes a few seconds and spares the peak."""
    registry, events = Registry(), settings.event_log("api")
    backends = Backends(settings, registry=registry, events=events, place_sql=place_sql, through=through)
    overload = Overload()
    shedder = Shedder(
        "api",
        FixedLimit(INFLIGHT_MAX),
        overload=overload,
        on_pressure=backends.shields.press,
        registry=registry,
        events=events,
    )
    await backends.open()
    try:
        if warmed:
            await warm(backends)
        storefront = Storefront(backends)
        async with LoopLag("api", overload.look, came=lambda: shedder.came, registry=registry):
            yield open_door(HotRoutes(storefront, make_routes(storefront, backends)), shedder)
    finally:
        await backends.close()


def _serve() -> None:
    refuse_mutant()
    settings = read_settings()
    serve(lambda: open_api(settings, warmed=True), settings.port)


if __name__ == "__main__":
    sys.exit(run_program("api", _serve))
