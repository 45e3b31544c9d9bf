"""Sends accepted orders from the outbox to the stream, and sends again what the stream has lost.

    outbox ──► relay ──► stream ──► consumer ──► effects, and the outbox row goes, in one transaction

The outbox is the truth and the stream only carries: an order's row is deleted in the transaction that applies its
effects, so an order that comes twice has them once, and one that the stream lost is still here to be sent again.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

from tenfold.kernel import Duration
from tenfold.stream import Stream
from tenfold.telemetry import Registry

RESEND_AFTER = Duration.from_s(2)
WAITING_MAX = 5_000
POLL_S = 0.1
"""How often the relay looks: an order's effects follow it by this much at most, while everything works. Looking four
times as often cost the worker three times as much at the peak, for batches of eight orders."""
LOCK_POLL_S = 1.0

_LOCK = 0x6672657372656C61  # one relay at a time; a second would only send everything twice
_WAITING = "SELECT order_id FROM outbox ORDER BY order_id LIMIT $1"


class SentOrders:
    """Remembers what was sent: pure. An order that still waits `resend_after` later was lost on the way: it goes again.

    Bounded by the waiting orders that were last looked at; what waits no longer is forgotten.
    """

    def __init__(self, resend_after: Duration = RESEND_AFTER) -> None:
        self._resend_after_ns = resend_after.ns
        self._sent_at_ns: dict[UUID, int] = {}
        self.resent = 0

    def due(self, waiting: Sequence[UUID], now_ns: int) -> list[UUID]:
        """What of `waiting` to send now, in its order."""
        self._sent_at_ns = {order: self._sent_at_ns[order] for order in waiting if order in self._sent_at_ns}
        return [order for order in waiting if self._is_due(order, now_ns)]

    def sent(self, orders: Iterable[UUID], now_ns: int) -> None:
        """These are on their way since now."""
        for order in orders:
            self.resent += order in self._sent_at_ns
            self._sent_at_ns[order] = now_ns

    def _is_due(self, order: UUID, now_ns: int) -> bool:
        sent_at_ns = self._sent_at_ns.get(order)
        return sent_at_ns is None or now_ns - sent_at_ns >= self._resend_after_ns


class OutboxRelay:
    """One of the worker's loops. It may be interrupted anywhere: it begins again with what the outbox says."""

    def __init__(self, stream: Stream, *, registry: Registry) -> None:
        self._stream = stream
        counter = registry.counter("freshmart_effects_total", "Orders by what the worker did.", ("what",))
        self._sent, self._resent = counter.child("sent"), counter.child("resent")

    async def run(self, connection: Any, went_well: Callable[[], None]) -> None:
        """Until the connection or the stream is lost."""
        while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
            went_well()  # another worker's relay is at work
            await asyncio.sleep(LOCK_POLL_S)
        orders = SentOrders()
        while True:
            await self._send(connection, orders)
            went_well()
            await asyncio.sleep(POLL_S)

    async def _send(self, connection: Any, orders: SentOrders) -> None:
        due = orders.due(await read_waiting(connection, WAITING_MAX), time.monotonic_ns())
        if due:
            await self._stream.publish([order.bytes for order in due])
            orders.sent(due, time.monotonic_ns())
            self._sent.inc(len(due))
            self._resent.value = orders.resent


async def read_waiting(connection: Any, count_max: int) -> list[UUID]:
    """The oldest orders without effect."""
    return [row["order_id"] for row in await connection.fetch(_WAITING, count_max)]
