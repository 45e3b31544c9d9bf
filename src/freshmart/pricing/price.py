"""What a product costs in a store. Money is integer fen, rounded half up, never a float."""

LOWEST_PERCENT, PERCENTS = 95, 11


def store_price_fen(list_price_fen: int, store: int, sku: int) -> int:
    """The list price, 95 % to 105 % of it by store and product, at least one fen. `STORE_PRICE` is the same in SQL."""
    percent = LOWEST_PERCENT + (store * 31 + sku * 17) % PERCENTS
    return max(1, (list_price_fen * percent + 50) // 100)


STORE_PRICE = f"""
    greatest(1, (list_price_fen * ({LOWEST_PERCENT} + (store::bigint * 31 + sku::bigint * 17) % {PERCENTS}) + 50) / 100)
"""
