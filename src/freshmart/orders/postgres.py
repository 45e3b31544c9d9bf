"""Orders in PostgreSQL: one connection that places a batch in one round trip, and the reading of a placed order."""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import asyncpg
import msgspec

from freshmart.orders.order import Order, OrderDecision
from freshmart.postgres import UNREACHABLE, session_settings
from tenfold.kernel import Duration, TenfoldError

PLACE = (files("freshmart.orders") / "place.sql").read_text(encoding="utf-8")

TIMEOUT, CONNECT_TIMEOUT = Duration.from_s(2), Duration.from_s(1)

_KEY_REUSED = msgspec.json.encode(
    {
        "title": "Conflict",
        "status": 409,
        "detail": "This Idempotency-Key was used for another order.",
        "error": "key-reused",
    }
)


class PrimaryUnreachable(TenfoldError):
    """The primary did not answer; whether it did what it was told is not known. Keys make asking again safe."""


class PrimaryConnection:
    """One connection of the order desk, made when needed and made again when lost. One batch at a time."""

    def __init__(
        self,
        url: str,
        *,
        place_sql: str = PLACE,
        timeout: Duration = TIMEOUT,
        connect_timeout: Duration = CONNECT_TIMEOUT,
    ) -> None:
        self._url = url
        self._place_sql = place_sql
        self._timeout_s = timeout.s
        self._connect_timeout_s = connect_timeout.s
        self._connection: Any = None
        self._place: Any = None

    async def place(self, orders: Sequence[Order]) -> list[OrderDecision]:
        """A decision for each order, in their order; no key may stand twice. Raises PrimaryUnreachable."""
        try:
            if self._connection is None:
                await self._connect()
            rows = await self._place.fetch(*_columns(orders), timeout=self._timeout_s)
        except UNREACHABLE as error:
            self.abandon()
            raise PrimaryUnreachable(f"The primary did not answer an order batch ({type(error).__name__}).") from error
        except BaseException:
            self.abandon()
            raise
        return [_decision(row) for row in rows]

    def abandon(self) -> None:
        """Let the connection go without a word; the next batch makes another."""
        connection, self._connection, self._place = self._connection, None, None
        if connection is not None:
            connection.terminate()

    async def close(self) -> None:
        self.abandon()

    async def _connect(self) -> None:
        self._connection = await asyncpg.connect(
            self._url, timeout=self._connect_timeout_s, server_settings=session_settings("orders")
        )
        self._place = await self._connection.prepare(self._place_sql, timeout=self._timeout_s)


def _columns(orders: Sequence[Order]) -> tuple[list[Any], ...]:
    lines = [(n, line) for n, order in enumerate(orders, start=1) for line in order.lines]
    return (
        [order.key for order in orders],
        [order.fingerprint for order in orders],
        [order.store for order in orders],
        [order.shadow for order in orders],
        [n for n, _ in lines],
        [line.sku for _, line in lines],
        [line.quantity for _, line in lines],
        [order.authorisation for order in orders],
    )


def _decision(row: Mapping[str, Any]) -> OrderDecision:
    outcome = row["outcome"]
    if outcome == "again":
        return OrderDecision(outcome)
    if outcome == "key-reused":
        return OrderDecision(outcome, 409, _KEY_REUSED)
    return OrderDecision(outcome, row["status"], row["answer"].encode())


READ_ORDERS = """
    SELECT orders.id::text, json_build_object(
        'id', orders.id, 'status', orders.status, 'store', orders.store, 'shadow', orders.shadow,
        'payment', orders.payment, 'total_fen', orders.total_fen, 'placed_at', orders.placed_at,
        'lines', line.all)::text
    FROM orders
    CROSS JOIN LATERAL (
        SELECT json_agg(json_build_object('sku', sku, 'quantity', quantity, 'unit_price_fen', unit_price_fen)) AS all
        FROM order_line
        WHERE order_line.order_id = orders.id
    ) AS line
    WHERE orders.id = ANY ($1::text[]::uuid[])
"""
"""The rung query of an order's status: (id, JSON) for each id that is there."""
