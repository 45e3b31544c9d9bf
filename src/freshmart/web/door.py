"""Who is let in: admission in front of every route.

What is short is the one event loop: most requests are answered in one turn of it, and what they wait for is the turn.
So it is the lateness of the loop that refuses, tier by tier, of a store that asks for more than its share first. (A
limit that follows latency was tried over all routes: orders take 20 ms and prices 0.05 ms, so the mix moves the mean,
and it refused half of the peak while the loop was idle for the other half.) The limit beside it only bounds what may
wait in here for a primary that is away.
"""

from typing import Any

from freshmart.web.reply import problem, send_reply
from freshmart.web.routes import P0, P1, P2, route_of
from tenfold.protect import Shedder
from tenfold.protect.doors.admission import FATE, AdmissionMiddleware, Fate

INFLIGHT_MAX = 8_192
EXEMPT = ("/metrics", "/ready", "/health", "/features")
_REFUSAL = problem(503, "overloaded", "More is asked than can be served; try again.", retry_after_s=2)


def open_door(app: Any, shedder: Shedder) -> AdmissionMiddleware:
    """The application behind it."""

    async def refused(scope: Any, receive: Any, send: Any) -> None:
        """All of P2 and P3 are features: their shields, pressed by now, answer in their place."""
        if scope[FATE] is Fate.SHED and tier_of(scope) >= P2:
            await app(scope, receive, send)
        else:
            await send_reply(_REFUSAL, send)

    return AdmissionMiddleware(app, shedder, tier=tier_of, tenant=tenant_of, refused=refused, exempt=EXEMPT)


def tenant_of(scope: Any) -> str:
    """Whose request it is: a store's; of what belongs to no store, nobody's but its own."""
    _, parts = route_of(scope)
    return parts[2] if len(parts) > 2 else ""


def tier_of(scope: Any) -> int:
    """0 matters most. What is no read of ours is P1: nothing that is sold, nothing that can be done without."""
    path = scope["path"]
    if path in EXEMPT or (path == "/orders" and scope["method"] == "POST"):
        return P0
    route, _ = route_of(scope)
    return P1 if route is None else route.tier
