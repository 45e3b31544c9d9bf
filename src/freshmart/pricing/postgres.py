"""Prices in PostgreSQL, read as the JSON that is sent. Money is integer fen, never a float."""

from collections.abc import Mapping
from typing import Any

STORE_PRICE = "greatest(1, (list_price_fen * (95 + (store::bigint * 31 + sku::bigint * 17) % 11) + 50) / 100)"
"""What a shop that opens asks, in SQL: 95 % to 105 % of the list price by store and product, rounded half up."""

_READ = """
    SELECT store || ':' || sku AS key,
        json_build_object('store', store, 'sku', sku, 'unit_price_fen', unit_price_fen, 'valid_from', valid_from)::text
            AS value
    FROM unnest($1::integer[], $2::integer[]) AS asked (store, sku)
    CROSS JOIN LATERAL (
        SELECT unit_price_fen, valid_from
        FROM price
        WHERE price.store = asked.store AND price.sku = asked.sku AND price.valid_from <= now()
        ORDER BY price.valid_from DESC
        LIMIT 1
    ) AS in_force
"""


def price_key(store: int, sku: int) -> str:
    return f"{store}:{sku}"


async def read_prices(connection: Any, keys: list[str]) -> Mapping[str, bytes]:
    """The prices in force now, by `price_key`."""
    pairs = [key.split(":") for key in keys]
    rows = await connection.fetch(_READ, [int(store) for store, _ in pairs], [int(sku) for _, sku in pairs])
    return {row["key"]: row["value"].encode() for row in rows}
