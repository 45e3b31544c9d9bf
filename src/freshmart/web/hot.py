"""The hottest reads as plain ASGI, in front of the framework: price, availability, page, image, order status.

They are declared in `routes` as well, which documents them and answers the same; this only answers sooner.
"""

import re
from typing import Any

from freshmart.web.reply import Reply, problem, send_reply
from freshmart.web.storefront import Storefront, TagWrong

TAG = b"x-tenfold-test"
SLUG = re.compile("[a-z0-9-]{1,80}")


class HotReads:
    """An ASGI application around another."""

    def __init__(self, storefront: Storefront, app: Any) -> None:
        self._storefront = storefront
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["method"] == "GET":
            reply = await self._answer(scope)
            if reply is not None:
                await send_reply(reply, send)
                return
        await self._app(scope, receive, send)

    async def _answer(self, scope: Any) -> Reply | None:
        """None: not one of the hottest, or not in their form; the framework answers it."""
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
        return None

    async def _availability(self, scope: Any, store: int, sku: int) -> Reply:
        try:
            shadow = self._storefront.is_shadow(_tag(scope["headers"]))
        except TagWrong as error:
            return problem(403, "tag-wrong", str(error))
        return await self._storefront.availability(store, sku, shadow=shadow)


def _number(text: str) -> bool:
    """Up to nine ASCII digits: what PostgreSQL calls an integer, and a little less."""
    return len(text) < 10 and text.isascii() and text.isdigit()


def _tag(headers: Any) -> bytes | None:
    for name, value in headers:
        if name == TAG:
            return bytes(value)
    return None
