"""Reads and the placing of orders as plain ASGI, in front of the framework.

The framework documents them and answers the same; this only answers sooner.
"""

import re
from collections.abc import Awaitable
from typing import Any

import msgspec

from freshmart.orders import KEY_PATTERN, AskedOrder
from freshmart.web.body import BodyStalled, read_body
from freshmart.web.desk import HeaderTwice
from freshmart.web.reply import Reply, problem, send_reply
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
        except (HeaderTwice, BodyStalled) as error:
            reply = error.reply
        if reply is None:
            await self._other(scope, receive, send)
        else:
            await send_reply(reply, send)

    async def _other(self, scope: Any, receive: Any, send: Any) -> None:
        """HEAD is answered as GET is; of its body the server sends nothing."""
        method = scope["method"] if scope["type"] == "http" else ""
        if method == "HEAD":
            await self({**scope, "method": "GET"}, receive, send)
        else:
            await self._app(scope, receive, _with_head(send) if method == "OPTIONS" else send)

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

    async def _place(self, scope: Any, receive: Any) -> Reply:
        stated_key, tag = _key_and_tag(scope["headers"])
        key = stated_key.decode("latin-1")
        if not _KEY_FORM.match(key):
            return problem(400, "malformed", f"An order has an Idempotency-Key of the form {KEY_PATTERN}.")
        shadow = self._storefront.is_shadow(tag)
        body = await read_body(receive, BODY_BYTES_MAX)
        if body is None:
            return problem(413, "too-large", f"An order's body holds at most {BODY_BYTES_MAX} bytes.")
        try:
            asked = _ORDERS.decode(body)
        except msgspec.DecodeError as error:
            return problem(400, "malformed", str(error))
        if _has_names_twice(body, asked):
            return problem(400, "malformed", "A name stands twice in one object; which one is meant is not known.")
        return await self._storefront.place(asked, key, shadow=shadow)

    def _is_shadow(self, scope: Any) -> bool:
        return self._storefront.is_shadow(_tag(scope["headers"]))


def _with_head(send: Any) -> Any:
    """The framework knows nothing of HEAD, which is answered above it."""

    async def sending(message: Any) -> None:
        if message["type"] == "http.response.start":
            headers = [(name, allowed(value) if name == b"allow" else value) for name, value in message["headers"]]
            message = {**message, "headers": headers}
        await send(message)

    return sending


def allowed(methods: bytes) -> bytes:
    """What takes GET takes HEAD."""
    named = {name.strip() for name in methods.split(b",")}
    return b", ".join(sorted(named | ({b"HEAD"} if b"GET" in named else set())))


def _tag(headers: Any) -> bytes | None:
    """Raises HeaderTwice. Reads look at no other header."""
    found = None
    for name, value in headers:
        if name == TAG:
            if found is not None:
                raise HeaderTwice.of(name)
            found = value
    return found


def _key_and_tag(headers: Any) -> tuple[bytes, bytes | None]:
    """In one look: an order is told apart by them. Raises HeaderTwice."""
    key = tag = host = None
    for name, value in headers:
        if name == KEY:
            if key is not None:
                raise HeaderTwice.of(name)
            key = value
        elif name == TAG:
            if tag is not None:
                raise HeaderTwice.of(name)
            tag = value
        elif name == b"host":
            if host is not None:
                raise HeaderTwice.of(name)
            host = value
    return key or b"", tag


def _has_names_twice(body: bytes, asked: AskedOrder) -> bool:
    """An order that could be read has each of its names at least once, no other, and nothing else in quotes."""
    return body.count(b'"') != 4 + 4 * len(asked.lines)
