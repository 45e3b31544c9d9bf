"""The answers as documented types. PostgreSQL writes the JSON itself; a test holds it to these."""

from datetime import datetime
from uuid import UUID

import msgspec


class Price(msgspec.Struct):
    store: int
    sku: int
    unit_price_fen: int
    valid_from: datetime


class Availability(msgspec.Struct):
    """`quantity_at_least` goes in steps: 0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000."""

    store: int
    sku: int
    available: bool
    quantity_at_least: int


class Listed(msgspec.Struct):
    sku: int
    name: str
    brand: str
    unit_price_fen: int
    image: str


class CategoryPage(msgspec.Struct):
    """At most 24 products, the most bought first."""

    store: int
    category: str
    title: str
    department: str
    products: list[Listed]


class ProductAnswer(msgspec.Struct):
    sku: int
    name: str
    category: str
    title: str
    department: str
    brand: str
    package: str
    weight_g: int | None
    image: str


class OrderLine(msgspec.Struct):
    sku: int
    quantity: int
    unit_price_fen: int


class OrderAnswer(msgspec.Struct):
    """`status` is accepted when placed, confirmed when its effects are applied."""

    id: UUID
    status: str
    store: int
    shadow: bool
    total_fen: int
    lines: list[OrderLine]
    placed_at: datetime | None = None


class OrderDeclined(msgspec.Struct):
    """Which products are sold out, or unknown to the store. Nothing was taken."""

    error: str
    store: int
    skus: list[int]
    status: str = ""
