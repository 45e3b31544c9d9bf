"""The stream that a page follows: Server-Sent Events (WHATWG HTML, section 9.2), one way, over plain HTTP.

snapshot   the first frame of a connection: everything known, with the history of samples
progress   what is newest, with the samples since the frame before
alive      nothing is new; sent every HEARTBEAT_S (an event and no comment, since a page cannot hear comments)
closed     the run is over; nothing newer will come from this server
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from tenfold.console.publisher import Frame, Publisher

HEARTBEAT_S = 10.0
"""This often an `alive` event shows both ends that the other is there."""
RETRY_MS = 1000


async def event_stream(
    publisher: Publisher, serving: "asyncio.Task[Any] | None" = None, *, heartbeat_s: float = HEARTBEAT_S
) -> AsyncIterator[bytes]:
    """What one viewer is sent, until the publisher closes or the viewer leaves; `serving` is the task that sends."""
    with publisher.viewer(serving) as viewer:
        yield b"retry: %d\n\n" % RETRY_MS
        while True:
            frame = await viewer.next(patience_s=heartbeat_s)
            if frame is not None:
                yield encode(frame)
            elif publisher.closed:
                yield b"event: closed\ndata: {}\n\n"
                return
            else:
                yield b"event: alive\ndata: {}\n\n"


def encode(frame: Frame) -> bytes:
    """JSON has no raw line break, so one data line is enough."""
    kind = b"snapshot" if frame.first else b"progress"
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (frame.number, kind, frame.body)
