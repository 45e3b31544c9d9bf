"""Reads availability from PostgreSQL, as the JSON that is sent."""

from collections.abc import Mapping
from typing import Any

STEPS = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
"""Steps rather than counts: nobody's business how much lies there, and an order seldom changes the answer."""
STEP = f"width_bucket({{}}, '{{{{{','.join(map(str, STEPS[1:]))}}}}}'::integer[])"
"""SQL, to be formatted with a number of pieces: the place of their step in STEPS."""

_READ = f"""
    SELECT lane || ':' || store || ':' || sku AS key, store, sku, {STEP.format("on_hand")} AS step
    FROM unnest($1::text[], $2::integer[], $3::integer[]) AS asked (lane, store, sku)
    JOIN stock USING (store, sku)
    WHERE stock.shadow = (lane = 's')
"""  # noqa: S608  # constants of ours
_READ_ROW = f"""
    SELECT array_agg(sku) AS skus, array_agg({STEP.format("on_hand")}) AS steps
    FROM stock WHERE store = $1 AND shadow = $2
"""  # noqa: S608  # constants of ours


def shelf_key(store: int, sku: int, *, shadow: bool) -> str:
    return f"{shelves(store, shadow=shadow)}:{sku}"


def shelves(store: int, *, shadow: bool) -> str:
    """All shelves of a store in one lane."""
    return f"{'s' if shadow else 'r'}:{store}"


def availability(store: int, sku: int, step: int) -> bytes:
    """The answer's JSON, by the place of the step in STEPS."""
    return b'{"store":%d,"sku":%d,"available":%b,"quantity_at_least":%d}' % (
        store,
        sku,
        b"true" if step else b"false",
        STEPS[step],
    )


async def read_availability(connection: Any, keys: list[str]) -> Mapping[str, bytes]:
    """What is left, by `shelf_key`."""
    parts = [key.split(":") for key in keys]
    lanes, stores, skus = zip(*parts, strict=True)
    rows = await connection.fetch(_READ, lanes, [int(store) for store in stores], [int(sku) for sku in skus])
    return {row["key"]: availability(row["store"], row["sku"], row["step"]) for row in rows}


async def read_steps(connection: Any, row: str) -> Mapping[int, int]:
    """The step of every product on these `shelves`, as its place in STEPS."""
    lane, _, store = row.partition(":")
    found = await connection.fetchrow(_READ_ROW, int(store), lane == "s")
    return dict(zip(found["skus"] or (), found["steps"] or (), strict=True))
