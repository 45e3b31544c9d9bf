"""Every read, declared once: its path, how much it matters, who answers it with what.

`door` asks for the tier, `hot` answers by this table, `litestar` documents it.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

from freshmart.web import answers
from freshmart.web.answers import Shielded
from freshmart.web.reply import Reply
from freshmart.web.storefront import Storefront

P0, P1, P2, P3 = range(4)
SLUG = "^[a-z0-9-]{1,80}$"

_SLUG = re.compile(SLUG)
_NAMED = re.compile(r"\{(\w+):\w+\}")

Form = Callable[[str], Any]
"""Reads a value out of a path; None: it is not of that form."""


def _number(text: str) -> int | None:
    """Up to nine ASCII digits: what PostgreSQL calls an integer, and a little less."""
    return int(text) if len(text) < 10 and text.isascii() and text.isdigit() else None


def _slug(text: str) -> str | None:
    return text if _SLUG.fullmatch(text) else None


_FORMS: dict[str, Form] = {"store": _number, "sku": _number, "slug": _slug, "order_id": str}


class ReadRoute(NamedTuple):
    """One read. In its path names and values take turns.

    `answer` is called with the values in their order, and with `shadow` where the read is `tagged`.
    """

    path: str
    tier: int
    answer: Callable[..., Awaitable[Reply]]
    model: Any
    tagged: bool = False

    @property
    def parameters(self) -> list[str]:
        return _NAMED.findall(self.path)


_DECLARED = (
    ReadRoute("/stores/{store:int}/prices/{sku:int}", P0, Storefront.price, answers.Price),
    ReadRoute(
        "/stores/{store:int}/availability/{sku:int}", P0, Storefront.availability, answers.Availability, tagged=True
    ),
    ReadRoute("/stores/{store:int}/categories/{slug:str}", P1, Storefront.category, answers.CategoryPage),
    ReadRoute("/products/{sku:int}", P1, Storefront.product, answers.ProductAnswer),
    ReadRoute("/products/{sku:int}/image", P2, Storefront.image, bytes),
    ReadRoute("/stores/{store:int}/products/{sku:int}", P1, Storefront.product_page, answers.ProductPage, tagged=True),
    ReadRoute(
        "/stores/{store:int}/products/{sku:int}/recommendations",
        P3,
        Storefront.recommendations,
        answers.Recommendations | Shielded,
    ),
    ReadRoute("/products/{sku:int}/reviews", P3, Storefront.reviews, answers.Reviews | Shielded),
    ReadRoute("/stores/{store:int}/banners", P3, Storefront.banners, answers.Banners | Shielded),
    ReadRoute("/stores/{store:int}/slots", P2, Storefront.slots, answers.DeliverySlots | Shielded),
    ReadRoute("/stores/{store:int}/orders", P2, Storefront.history, answers.History | Shielded, tagged=True),
    ReadRoute("/orders/{order_id:str}", P1, Storefront.order, answers.OrderAnswer),
)


def names_in(parts: Sequence[str]) -> tuple[str, ...]:
    """Of a path that was split at its slashes: what READS knows a read by."""
    return tuple(parts[1::2])


READS = {names_in(route.path.split("/")): route for route in _DECLARED}
_FORMS_OF = {route: [_FORMS[name] for name in route.parameters] for route in _DECLARED}


def find_read(path: str) -> tuple[ReadRoute, list[Any]] | None:
    """Which read a path asks for, and its values; None when it asks for none, or not in its form."""
    parts = path.split("/")
    route = READS.get(names_in(parts))
    if route is None:
        return None
    texts, forms = parts[2::2], _FORMS_OF[route]
    if len(texts) != len(forms):
        return None
    values = [form(text) for form, text in zip(forms, texts, strict=True)]
    return None if None in values else (route, values)
