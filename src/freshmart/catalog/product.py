"""What is sold."""

from typing import NamedTuple


class Product(NamedTuple):
    """One product as the extract states it. `bought`: how many real baskets of the source held it."""

    sku: int
    name: str
    department: str
    category: str
    slug: str
    brand: str
    package: str
    weight_g: int | None
    price_fen: int
    bought: int


class RetailStore(NamedTuple):
    """One store. `baskets`: how many real baskets of the feed are its own."""

    store: int
    baskets: int


class BasketLine(NamedTuple):
    """Some pieces of one product."""

    sku: int
    quantity: int


class Basket(NamedTuple):
    """What one customer bought at once."""

    store: int
    lines: list[BasketLine]
