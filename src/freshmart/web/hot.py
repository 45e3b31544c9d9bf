"""Reads and the placing of orders as plain ASGI, in front of the framework.

The framework documents them and answers the same; this only answers sooner.
"""

import re
from collections.abc import Awaitable
from typing import Any

import msgspec

from freshmart.orders import KEY_PATTERN, AskedOrder
from freshmart.web.reply import Reply, problem, read_body, send_reply
from freshmart.web.routes import route_of, values_in
from freshmart.web.storefront import Storefront, TagWrong

TAG = b"x-tenfold-test"
KEY = b"idempotency-key"
BODY_BYTES_MAX = 64 * 1024

_KEY_FORM = re.compile(KEY_PATTERN)
_ORDERS = msgspec.json.Decoder(AskedOrder)


class HotRoutes:
    """An ASGI application around another."""

    def __init__(self, storefront: Storefront, app: Any) -> None:
        self._storefront = storefront
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """What is neither, or not in their form, the framework answers; nothing has read its body then."""
        try:
            answer = self._begin(scope, receive) if scope["type"] == "http" else None
            reply = None if answer is None else await answer
        except TagWrong as error:
            reply = problem(403, "tag-wrong", str(error))
        if reply is None:
            await self._app(scope, receive, send)
        else:
            await send_reply(reply, send)

    def _begin(self, scope: Any, receive: Any) -> Awaitable[Reply | None] | None:
        if scope["method"] == "GET":
            return self._read(scope)
        return self._place(scope, receive) if scope["method"] == "POST" and scope["path"] == "/orders" else None

    def _read(self, scope: Any) -> Awaitable[Reply] | None:
        route, parts = route_of(scope)
        values = None if route is None else values_in(parts, route)
        if route is None or values is None:
            return None
        if not route.tagged:
            return route.answer(self._storefront, *values)
        return route.answer(self._storefront, *values, shadow=self._is_shadow(scope))

    async def _place(self, scope: Any, receive: Any) -> Reply | None:
        key = (_header(scope, KEY) or b"").decode("latin-1")
        if not _KEY_FORM.match(key):
            return None
        shadow = self._is_shadow(scope)
        body = await read_body(receive, BODY_BYTES_MAX)
        if body is None:
            return problem(413, "too-large", f"An order's body holds at most {BODY_BYTES_MAX} bytes.")
        try:
            asked = _ORDERS.decode(body)
        except msgspec.DecodeError as error:
            return problem(400, "malformed", str(error))
        return await self._storefront.place(asked, key, shadow=shadow)

    def _is_shadow(self, scope: Any) -> bool:
        return self._storefront.is_shadow(_header(scope, TAG))


def _header(scope: Any, wanted: bytes) -> bytes | None:
    for name, value in scope["headers"]:
        if name == wanted:
            return bytes(value)
    return None
