"""How many orders a second one store may place: so that one till gone wild does not take everybody's turn."""

from functools import lru_cache
from typing import Any

from tenfold.kernel import Clock
from tenfold.protect.calls.limit import Rate, RateLimits
from tenfold.protect.live.switches import Switches
from tenfold.telemetry import Registry

PER_S, BURST = "orders-per-store-per-s", "orders-per-store-burst"
PER_S_USUAL, BURST_USUAL = 200.0, 400
"""Seven times what the busiest store sends at ten times the peak, and two seconds of it at once."""
MOST = 100_000
OWNER, MISSED = "orders", "orders of a store that sends more than that"


class OrderRates:
    """A token bucket for each store and lane: a rehearsal uses up nothing of what the tills may send.

    Both figures are switches, read at each order: for the whole chain, or for the one store that has gone wild. Each
    process counts for itself.
    """

    def __init__(self, switches: Switches, *, registry: Registry, clock: Clock | None = None) -> None:
        both: dict[str, Any] = {"minimum": 1, "maximum": MOST, "tier": "P0", "functions": (MISSED,), "owner": OWNER}
        self._per_s = switches.number(
            PER_S, default=PER_S_USUAL, says="orders a second that one store may place", **both
        )
        self._burst = switches.integer(
            BURST, default=BURST_USUAL, says="orders that one store may place at once after a quiet moment", **both
        )
        self._lanes = {
            shadow: RateLimits(name, PER_S_USUAL, burst=BURST_USUAL, clock=clock, registry=registry)
            for shadow, name in ((False, "orders"), (True, "shadow-orders"))
        }

    def check(self, store: int, *, shadow: bool) -> None:
        """One order more. Raises RateExceeded, which says when the store may place one again."""
        key = str(store)
        self._lanes[shadow].check(key, _rate(self._per_s.at(store=key), self._burst.at(store=key)))


@lru_cache(maxsize=256)
def _rate(per_s: float, burst: int) -> Rate:
    return Rate(per_s, burst)
