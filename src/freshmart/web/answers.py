"""The answers as documented types. PostgreSQL writes the JSON itself; a test holds it to these."""

from datetime import date, datetime
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
    """`status` is accepted when placed, confirmed when its effects are applied.

    `payment`: authorised before it was placed; deferred, because that took too long; collected, if it was deferred.
    """

    id: UUID
    status: str
    store: int
    shadow: bool
    total_fen: int
    lines: list[OrderLine]
    payment: str
    placed_at: datetime | None = None


class Shielded(msgspec.Struct):
    """In the place of a feature that is shielded, with `X-Degraded`."""

    shielded: str


class Recommended(msgspec.Struct):
    sku: int
    name: str
    unit_price_fen: int
    image: str


class Recommendations(msgspec.Struct):
    """What real baskets held beside it, most often first; at most 6."""

    store: int
    sku: int
    products: list[Recommended]


class Review(msgspec.Struct):
    stars: int
    text: str
    author: str
    written_on: date


class Reviews(msgspec.Struct):
    """`stars` is the mean of all; of the reviews, the newest 5."""

    sku: int
    count: int
    stars: float | None
    reviews: list[Review]


class Banner(msgspec.Struct):
    banner: str
    title: str
    href: str


class Banners(msgspec.Struct):
    store: int
    banners: list[Banner]


class Slot(msgspec.Struct):
    begins_at: datetime
    ends_at: datetime
    deliveries: int


class DeliverySlots(msgspec.Struct):
    """The next 24 hours."""

    store: int
    slots: list[Slot]


class PastOrder(msgspec.Struct):
    id: UUID
    status: str
    payment: str
    total_fen: int
    placed_at: datetime


class History(msgspec.Struct):
    """The newest 20."""

    store: int
    orders: list[PastOrder]


class ProductPage(msgspec.Struct):
    """The first three are always there; of the others those that can be had now, the rest is named in `X-Degraded`."""

    product: ProductAnswer
    price: Price
    availability: Availability
    recommendations: Recommendations | None = None
    reviews: Reviews | None = None
    banners: Banners | None = None


class FeatureAnswer(msgspec.Struct):
    """A feature that the shop can do without: what it is for, who misses it now, and what that saved; null while it is
    not known what one takes.
    """

    name: str
    tier: str
    says: str
    cost: str
    shielded_by: list[str]
    served: int
    spared: int
    saved_s: float | None


class OrderDeclined(msgspec.Struct):
    """Which products are sold out, or unknown to the store. Nothing was taken."""

    error: str
    store: int
    skus: list[int]
    status: str = ""


class StatusAnswer(msgspec.Struct):
    """How the process is, in a word."""

    status: str
