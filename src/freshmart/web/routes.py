"""Every read, declared once: its path, how much it matters, who answers it with what.

`door` asks for the tier, `hot` answers by this table, `litestar` documents it.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

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


@dataclass(frozen=True, slots=True, eq=False)
class ReadRoute:
    """One read. In its path names and values, one or two, take turns.

    `answer` is called with the values in their order, and with `shadow` where the read is `tagged`.
    """

    path: str
    tier: int
    answer: Callable[..., Awaitable[Reply]]
    model: Any
    tagged: bool = False
    parameters: tuple[str, ...] = field(init=False)
    forms: tuple[Form, Form | None] = field(init=False)
    length: int = field(init=False)

    def __post_init__(self) -> None:
        first, *second = names = tuple(_NAMED.findall(self.path))
        object.__setattr__(self, "parameters", names)
        object.__setattr__(self, "forms", (_FORMS[first], _FORMS[second[0]] if second else None))
        object.__setattr__(self, "length", len(self.path.split("/")))


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
_FOUND = "freshmart.read"


def route_of(scope: Any) -> tuple[ReadRoute | None, list[str]]:
    """The read that a request asks for, if it is one, and its path in parts; the scope remembers them."""
    found: tuple[ReadRoute | None, list[str]] | None = scope.get(_FOUND)
    if found is None:
        parts = scope["path"].split("/")
        scope[_FOUND] = found = READS.get(names_in(parts)), parts
    return found


def values_in(parts: Sequence[str], route: ReadRoute) -> list[Any] | None:
    """The one value or two of a path; None when one is missing, too many or not of its form."""
    if len(parts) != route.length:
        return None
    first, second = route.forms
    values = [first(parts[2])] if second is None else [first(parts[2]), second(parts[4])]
    return None if None in values else values
