"""Who asked over ASGI, and whether they are still there."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

HEARD_MAX = 4
"""Parts of a body that are kept for the application while its request waits; whoever has more is not listened to."""


class Caller:
    """Listens while the request waits for its turn, keeps what was said, and calls `on_gone` at a farewell."""

    def __init__(self, receive: Receive, on_gone: Callable[[], None]) -> None:
        self._receive = receive
        self._on_gone = on_gone
        self._heard: deque[Message] = deque()
        self._pending: asyncio.Future[Message] | None = None
        self._waits = True
        self._listen()

    async def receive(self) -> Message:
        """For the application: first what was said while it waited."""
        self._waits = False
        if self._heard:
            return self._heard.popleft()
        pending, self._pending = self._pending, None
        return await (pending if pending is not None else self._receive())

    def stop(self) -> None:
        """The request is over."""
        self._waits = False
        if self._pending is not None:
            self._pending.cancel()

    def _listen(self) -> None:
        self._pending = asyncio.ensure_future(self._receive())
        self._pending.add_done_callback(self._hear)

    def _hear(self, pending: asyncio.Future[Message]) -> None:
        if not self._waits or pending.cancelled() or pending.exception() is not None:
            return  # what the server raised, the application hears when it asks
        self._pending = None
        message = pending.result()
        self._heard.append(message)
        if message["type"] == "http.disconnect":
            self._on_gone()
        elif len(self._heard) < HEARD_MAX:
            self._listen()
