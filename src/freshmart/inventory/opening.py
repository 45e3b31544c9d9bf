"""How much lies on a shelf when the day begins."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

PLENTY = 5_000
"""Enough of anything for several hundred thousand orders like the real ones."""
SCARCE = 3
"""A festival offer's pieces: gone within minutes, so that every rehearsal sees shelves run empty."""
FESTIVAL_STORES, FESTIVAL_PRODUCTS = 5, 3

Held = tuple[int, Sequence[int]]
"""A basket as far as shelves care: its store, the SKUs it held."""


def festival_shelves(baskets: Collection[Held]) -> list[tuple[int, int]]:
    """(store, SKU) of the offers: what most baskets held in the stores with the most baskets.

    Their share of all orders bounds how many are declined once they are gone: 1.4 % of the real baskets.
    """
    busiest = _most_common(Counter(store for store, _ in baskets), FESTIVAL_STORES)
    return [(store, sku) for store in busiest for sku in _favourites(store, baskets)]


def _favourites(store: int, baskets: Iterable[Held]) -> list[int]:
    held = Counter(sku for of_store, skus in baskets if of_store == store for sku in skus)
    return _most_common(held, FESTIVAL_PRODUCTS)


def _most_common(counted: Counter[int], count: int) -> list[int]:
    return sorted(counted, key=lambda key: (-counted[key], key))[:count]
