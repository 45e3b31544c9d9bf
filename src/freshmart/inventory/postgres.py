"""Reads availability from PostgreSQL, as the JSON that is sent."""

from collections.abc import Mapping
from typing import Any

# Steps rather than counts: nobody's business how much lies there, and an order seldom changes the answer.
_READ = """
    SELECT lane || ':' || store || ':' || sku AS key,
        json_build_object(
            'store', store, 'sku', sku, 'available', on_hand > 0, 'quantity_at_least', step)::text AS value
    FROM unnest($1::text[], $2::integer[], $3::integer[]) AS asked (lane, store, sku)
    JOIN stock USING (store, sku)
    CROSS JOIN LATERAL (
        SELECT max(step) AS step FROM unnest('{0,1,2,5,10,20,50,100,200,500,1000}'::integer[]) AS step
        WHERE step <= on_hand
    ) AS steps
    WHERE stock.shadow = (lane = 's')
"""


def shelf_key(store: int, sku: int, *, shadow: bool) -> str:
    return f"{'s' if shadow else 'r'}:{store}:{sku}"


async def read_availability(connection: Any, keys: list[str]) -> Mapping[str, bytes]:
    """What is left, by `shelf_key`."""
    parts = [key.split(":") for key in keys]
    lanes, stores, skus = zip(*parts, strict=True)
    rows = await connection.fetch(_READ, lanes, [int(store) for store in stores], [int(sku) for sku in skus])
    return {row["key"]: row["value"].encode() for row in rows}
