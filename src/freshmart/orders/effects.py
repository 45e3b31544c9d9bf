"""Applies the effects of accepted orders as the stream brings them, once each, whatever comes twice."""

import os
import socket
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import asyncpg

from freshmart.postgres import UNREACHABLE
from tenfold.kernel import Duration
from tenfold.stream import Message, Stream
from tenfold.telemetry import EventLog, Registry

GROUP = "effects"
BATCH_MAX = 500
TRIES_MAX = 3
BLOCK = Duration.from_s(1)

# Rows are locked in one order, so that two workers cannot wait for each other; whoever comes second finds them gone.
_APPLY = """
    WITH due AS MATERIALIZED (
        SELECT order_id FROM outbox WHERE order_id = ANY ($1::uuid[]) ORDER BY order_id FOR UPDATE
    ),
    done AS (
        DELETE FROM outbox USING due WHERE outbox.order_id = due.order_id RETURNING outbox.order_id
    ),
    confirmed AS (
        UPDATE orders SET status = 'confirmed', confirmed_at = now()
        FROM done
        WHERE orders.id = done.order_id
        RETURNING store, shadow, date_trunc('minute', placed_at) AS minute, total_fen
    ),
    sold AS (
        INSERT INTO store_sales AS sales (store, shadow, minute, orders, total_fen)
        SELECT store, shadow, minute, count(*), sum(total_fen)
        FROM confirmed
        GROUP BY store, shadow, minute
        ORDER BY store, shadow, minute
        ON CONFLICT (store, shadow, minute) DO UPDATE
        SET orders = sales.orders + excluded.orders, total_fen = sales.total_fen + excluded.total_fen
    )
    SELECT count(*) FROM done
"""
_BURY = "INSERT INTO dead_letter (message_id, body, reason) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"


class EffectsConsumer:
    """One of the worker's loops. It may be interrupted anywhere: what it did not acknowledge comes again."""

    def __init__(self, stream: Stream, *, registry: Registry, events: EventLog) -> None:
        self._stream = stream
        self._events = events
        self._consumer = f"{socket.gethostname()}-{os.getpid()}"
        counter = registry.counter("freshmart_effects_total", "Orders by what the worker did.", ("what",))
        self._applied, self._repeated = counter.child("applied"), counter.child("repeated")
        self._buried = counter.child("buried")

    async def run(self, connection: Any, went_well: Callable[[], None]) -> None:
        """Until the connection or the stream is lost."""
        while True:
            messages = await self._stream.consume(GROUP, self._consumer, count=BATCH_MAX, block=BLOCK)
            went_well()
            if messages:
                done = await self._apply(connection, messages)
                await self._stream.ack(GROUP, done)

    async def _apply(self, connection: Any, messages: list[Message]) -> list[str]:
        """Apply what can be applied; answers the ids of the messages that nobody need see again."""
        orders = {message.id: order for message in messages if (order := _order_of(message)) is not None}
        strangers = [message for message in messages if message.id not in orders]
        for message in strangers:
            await self._bury(connection, message, "not an order's id")
        try:
            await self._apply_together(connection, list(orders.values()))
        except UNREACHABLE:
            raise
        except asyncpg.PostgresError:
            known = [message for message in messages if message.id in orders]
            done = [m.id for m in known if await self._apply_alone(connection, m, orders[m.id])]
            return [message.id for message in strangers] + done
        return [message.id for message in messages]

    async def _apply_together(self, connection: Any, orders: Sequence[UUID]) -> None:
        applied = await apply_effects(connection, orders)
        self._applied.inc(applied)
        self._repeated.inc(len(orders) - applied)

    async def _apply_alone(self, connection: Any, message: Message, order: UUID) -> bool:
        """Whether the message is done with: applied, or tried often enough. Otherwise it comes again by itself."""
        try:
            await self._apply_together(connection, [order])
        except UNREACHABLE:
            raise
        except asyncpg.PostgresError as error:
            if message.deliveries < TRIES_MAX:
                return False
            await self._bury(connection, message, str(error))
        return True

    async def _bury(self, connection: Any, message: Message, reason: str) -> None:
        """Keep a message that nobody can understand for a person to look at."""
        await connection.execute(_BURY, message.id, message.body, reason)
        self._buried.inc()
        self._events.emit("message-buried", message.id, reason=reason)


async def apply_effects(connection: Any, orders: Sequence[UUID]) -> int:
    """Confirm the orders and count their sales, those that were not yet; answers how many that were."""
    return int(await connection.fetchval(_APPLY, orders))


def _order_of(message: Message) -> UUID | None:
    return UUID(bytes=message.body) if len(message.body) == 16 else None
