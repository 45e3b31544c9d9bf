"""Server-Sent Events (WHATWG HTML, section 9.2), one way, over plain HTTP; and the viewers who follow them.

Every stream begins with RETRY, sends an `alive` event each HEARTBEAT_S when nothing is new (an event and no comment,
since a page cannot hear comments), and ends with CLOSED.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

HEARTBEAT_S = 10.0
"""This often an `alive` event shows both ends that the other is there."""
RETRY_MS = 1000
MEDIA_TYPE = "text/event-stream"


def event(kind: str, data: bytes = b"{}", *, number: int | None = None) -> bytes:
    """JSON has no raw line break, so one data line is enough."""
    head = b"" if number is None else b"id: %d\n" % number
    return head + b"event: %s\ndata: %s\n\n" % (kind.encode(), data)


RETRY = b"retry: %d\n\n" % RETRY_MS
CLOSED = event("closed")


def event_stream(request: Request, parts: Callable[[], AsyncIterator[bytes]]) -> Response:
    """What a page follows; to HEAD its head alone, and no place is taken."""
    if request.method == "HEAD":
        return Response(media_type=MEDIA_TYPE)
    return StreamingResponse(parts(), media_type=MEDIA_TYPE)


class Viewers:
    """The pages that follow one stream: woken together, and none holds its server open.

    At most `most` of whoever comes; `kept` more places are for people who are signed in, so that nobody without a
    session can shut them out.
    """

    def __init__(self, most: int, kept: int = 0) -> None:
        self._most = most
        self._kept = kept
        self._serving: dict[asyncio.Event, asyncio.Task[Any] | None] = {}
        self._last_left = asyncio.Event()

    def __len__(self) -> int:
        return len(self._serving)

    def full(self, *, signed_in: bool = False) -> bool:
        return len(self._serving) >= self._most + (self._kept if signed_in else 0)

    @contextmanager
    def join(self, serving: "asyncio.Task[Any] | None" = None) -> Iterator[asyncio.Event]:
        """A place for as long as the block lasts, and the event that wakes it; `serving` is the task that writes."""
        news = asyncio.Event()
        self._serving[news] = serving
        self._last_left.clear()
        try:
            yield news
        finally:
            del self._serving[news]
            if not self._serving:
                self._last_left.set()

    def wake(self) -> None:
        for news in self._serving:
            news.set()

    async def see_off(self, *, patience_s: float) -> None:
        """Wait until the last has left, and end the task of each that does not take its farewell in time."""
        self.wake()
        if self._serving:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._last_left.wait(), patience_s)
        for serving in self._serving.values():
            if serving is not None:
                serving.cancel()
