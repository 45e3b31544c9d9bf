"""Accepted orders whose effects are still to come: read for the relay, applied once by the worker.

The outbox is the truth and the stream only carries: an order's row is deleted in the transaction that applies its
effects, so an order that comes twice has them once, and one that the stream lost is still here to be sent again.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

_WAITING = "SELECT order_id FROM outbox ORDER BY order_id LIMIT $1"

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


async def read_waiting(connection: Any, count_max: int) -> list[UUID]:
    """The oldest orders without effect."""
    return [row["order_id"] for row in await connection.fetch(_WAITING, count_max)]


async def apply_effects(connection: Any, orders: Sequence[UUID]) -> int:
    """Confirm the orders and count their sales, those that were not yet; answers how many that were."""
    return int(await connection.fetchval(_APPLY, orders))


async def bury(connection: Any, message_id: str, body: bytes, reason: str) -> None:
    """Keep a message that nobody can understand for a person to look at."""
    await connection.execute(
        "INSERT INTO dead_letter (message_id, body, reason) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        message_id,
        body,
        reason,
    )
