"""A new price, and the note that everybody who remembers the old one must be told: one statement, both or neither."""

from typing import Any

from tenfold.kernel import TenfoldError

_CHANGE = """
    WITH priced AS (
        INSERT INTO price (store, sku, valid_from, unit_price_fen)
        SELECT $1, $2, now(), $3 WHERE EXISTS (SELECT FROM price WHERE store = $1 AND sku = $2)
        ON CONFLICT (store, sku, valid_from) DO UPDATE SET unit_price_fen = excluded.unit_price_fen
        RETURNING store, sku
    )
    INSERT INTO price_change (store, sku) SELECT store, sku FROM priced RETURNING id
"""
PRICE_FEN_MAX = 10_000_000


class PriceRefused(TenfoldError):
    """A price that cannot be, or of something that the store does not sell."""


async def change_price(connection: Any, store: int, sku: int, unit_price_fen: int) -> None:
    """In force when this returns; who remembers another price is told by the worker. Raises PriceRefused."""
    if not 0 < unit_price_fen <= PRICE_FEN_MAX:
        raise PriceRefused(f"{unit_price_fen} fen is no price; 1 to {PRICE_FEN_MAX} may stand here.")
    if await connection.fetchval(_CHANGE, store, sku, unit_price_fen) is None:
        raise PriceRefused(f"Store {store} sells no SKU {sku}; no price was changed.")
