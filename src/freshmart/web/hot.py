"""The hottest routes as plain ASGI, in front of the framework: price, availability, page, image, order, its status.

They are declared in `routes` as well, which documents them and answers the same; this only answers sooner.
"""

import re
from typing import Any

import msgspec

from freshmart.orders import KEY_PATTERN, AskedOrder
from freshmart.web.reply import Reply, problem, send_reply
from freshmart.web.storefront import Storefront, TagWrong

TAG = b"x-tenfold-test"
KEY = b"idempotency-key"
SLUG = re.compile("[a-z0-9-]{1,80}")
BODY_BYTES_MAX = 64 * 1024

_KEY_FORM = re.compile(KEY_PATTERN)
_ORDERS = msgspec.json.Decoder(AskedOrder)


class HotRoutes:
    """An ASGI application around another."""

    def __init__(self, storefront: Storefront, app: Any) -> None:
        self._storefront = storefront
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        reply = await self._answer(scope, receive) if scope["type"] == "http" else None
        if reply is None:
            await self._app(scope, receive, send)
        else:
            await send_reply(reply, send)

    async def _answer(self, scope: Any, receive: Any) -> Reply | None:
        """None: not one of the hottest, or not in their form; the framework answers it. It has read no body then."""
        try:
            if scope["method"] == "GET":
                return await self._read(scope)
            if scope["method"] == "POST" and scope["path"] == "/orders":
                return await self._place(scope, receive)
        except TagWrong as error:
            return problem(403, "tag-wrong", str(error))
        return None

    async def _read(self, scope: Any) -> Reply | None:
        match scope["path"].split("/"):
            case ["", "stores", store, "prices", sku] if _number(store) and _number(sku):
                return await self._storefront.price(int(store), int(sku))
            case ["", "stores", store, "availability", sku] if _number(store) and _number(sku):
                return await self._availability(scope, int(store), int(sku))
            case ["", "stores", store, "categories", slug] if _number(store) and SLUG.fullmatch(slug):
                return await self._storefront.page(int(store), slug)
            case ["", "products", sku, "image"] if _number(sku):
                return await self._storefront.image(int(sku))
            case ["", "orders", order_id]:
                return await self._storefront.order(order_id)
            case ["", "stores", store, "products", sku, *rest] if _number(store) and _number(sku):
                return await self._product(scope, int(store), int(sku), rest)
            case ["", "products", sku, "reviews"] if _number(sku):
                return await self._storefront.reviews(int(sku))
            case ["", "stores", store, feature] if _number(store):
                return await self._of_store(scope, int(store), feature)
        return None

    async def _product(self, scope: Any, store: int, sku: int, rest: list[str]) -> Reply | None:
        if rest == ["recommendations"]:
            return await self._storefront.recommendations(store, sku)
        shadow = self._storefront.is_shadow(_header(scope, TAG))
        return None if rest else await self._storefront.product_page(store, sku, shadow=shadow)

    async def _of_store(self, scope: Any, store: int, feature: str) -> Reply | None:
        if feature == "orders":
            shadow = self._storefront.is_shadow(_header(scope, TAG))
            return await self._storefront.history(store, shadow=shadow)
        if feature == "banners":
            return await self._storefront.banners(store)
        return await self._storefront.slots(store) if feature == "slots" else None

    async def _availability(self, scope: Any, store: int, sku: int) -> Reply:
        shadow = self._storefront.is_shadow(_header(scope, TAG))
        return await self._storefront.availability(store, sku, shadow=shadow)

    async def _place(self, scope: Any, receive: Any) -> Reply | None:
        key = (_header(scope, KEY) or b"").decode("latin-1")
        if not _KEY_FORM.match(key):
            return None
        shadow = self._storefront.is_shadow(_header(scope, TAG))
        body = await _body(receive)
        if body is None:
            return problem(413, "too-large", f"An order's body holds at most {BODY_BYTES_MAX} bytes.")
        try:
            asked = _ORDERS.decode(body)
        except msgspec.DecodeError as error:
            return problem(400, "malformed", str(error))
        return await self._storefront.place(asked, key, shadow=shadow)


def _number(text: str) -> bool:
    """Up to nine ASCII digits: what PostgreSQL calls an integer, and a little less."""
    return len(text) < 10 and text.isascii() and text.isdigit()


def _header(scope: Any, wanted: bytes) -> bytes | None:
    for name, value in scope["headers"]:
        if name == wanted:
            return bytes(value)
    return None


async def _body(receive: Any) -> bytes | None:
    """The whole body; None when it is larger than BODY_BYTES_MAX. A client that has gone has sent what it has sent."""
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        more = message.get("more_body", False)
        if size > BODY_BYTES_MAX:
            return None
    return b"".join(parts)
