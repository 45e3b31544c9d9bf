"""Collects the money of orders that were accepted without: later, in batches, under the orders' own keys."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from freshmart.cashier.acquirer import PaymentDemand, Receipt
from tenfold.kernel import Duration
from tenfold.protect import Breaker
from tenfold.telemetry import Registry

BATCH_MAX = 500
LOOK_EVERY = Duration.from_ms(200)
TIMEOUT = Duration.from_s(1)

_DEFERRED = "SELECT id, key, total_fen FROM orders WHERE payment = 'deferred' ORDER BY id LIMIT $1"
_COLLECTED = """
    UPDATE orders SET payment = 'collected', authorisation = receipt.authorisation
    FROM unnest($1::uuid[], $2::text[]) AS receipt (id, authorisation)
    WHERE orders.id = receipt.id AND payment = 'deferred'
"""


class Charge(Protocol):
    """The exchange: a receipt for each, in their order. Raises AcquirerUnreachable."""

    def __call__(self, demands: Sequence[PaymentDemand], /) -> Awaitable[Sequence[Receipt]]: ...


class Collector:
    """May be interrupted anywhere and run twice at once: the acquirer takes the money of a key once."""

    def __init__(self, charge: Charge, *, breaker: Breaker, registry: Registry | None = None) -> None:
        self._charge = charge
        self._breaker = breaker
        self._collected = (
            (registry or Registry()).counter("freshmart_payments_collected_total", "Deferred orders collected.").child()
        )

    async def run(self, connection: Any, went_well: Callable[[], None]) -> None:
        """Until the connection is lost. An acquirer that is away is waited for."""
        while True:
            collected = await self.collect(connection)
            went_well()
            if collected < BATCH_MAX:
                await asyncio.sleep(LOOK_EVERY.s)

    async def collect(self, connection: Any) -> int:
        """One batch; answers how many orders were collected."""
        rows = await connection.fetch(_DEFERRED, BATCH_MAX)
        if not rows:
            return 0
        try:
            with self._breaker.guard():
                async with asyncio.timeout(TIMEOUT.s):
                    receipts = await self._charge([PaymentDemand(row["key"], row["total_fen"]) for row in rows])
        except Exception:  # the breaker has counted it and keeps its name; these orders are asked for at the next look
            return 0
        numbers = [receipt.authorisation for receipt in receipts]
        await connection.execute(_COLLECTED, [row["id"] for row in rows], numbers)
        self._collected.inc(len(rows))
        return len(rows)
