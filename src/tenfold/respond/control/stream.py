"""The stream of one process as an ASGI endpoint: nothing but bytes from its queue to its socket."""

import asyncio

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tenfold.channel import Process
from tenfold.respond.control.callers import CALLER
from tenfold.respond.control.fanout import FollowerQueue
from tenfold.respond.control.hearing import in_short
from tenfold.respond.control.node import ControlNode
from tenfold.serving import problem
from tenfold.serving.body import number_in

_NDJSON = "application/x-ndjson"
_HEAD = [(b"content-type", _NDJSON.encode()), (b"cache-control", b"no-store")]


class StreamEndpoint:
    """Joins the process to the fanout, with what it missed as its first line, and leaves when either side does."""

    def __init__(self, node: ControlNode) -> None:
        self._node = node

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        try:
            process, epoch = Process.from_headers(headers), _epoch_in(headers)
        except ValueError as error:
            return await problem(400, f"Who asks? {error}")(scope, receive, send)
        if why := self._node.refuses(process, scope[CALLER]):
            return await problem(403, why)(scope, receive, send)
        if self._node.fanout.full:
            return await problem(503, "Too many processes follow this node.")(scope, receive, send)
        if scope["method"] == "HEAD":
            return await Response(media_type=_NDJSON)(scope, receive, send)
        await self._serve(process, epoch, headers, receive, send)
        return None

    async def _serve(self, process: Process, epoch: int, headers: Headers, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _HEAD})
        knows = headers.get("tenfold-incarnation", ""), headers.get("tenfold-boot", "")
        log = self._node.log
        follows = knows[0] == log.incarnation and epoch <= log.epoch
        holds = "" if follows else in_short(knows[0])
        sending = asyncio.current_task()
        # From here to the first await nothing can be published, so that the first line and the next fit together.
        first = log.catch_up(*knows, epoch)
        with self._node.fanout.follower(process, first, sending) as follower:
            self._node.ledger.joined(process, epoch if follows else 0, self._node.clock.monotonic_ns(), holds=holds)
            watching = asyncio.create_task(_until_gone(receive, sending))
            try:
                await _send_all(follower, send)
            finally:
                watching.cancel()
                self._node.ledger.left(process, self._node.clock.monotonic_ns())


def _epoch_in(headers: Headers) -> int:
    """Raises ValueError."""
    epoch = number_in(headers, "tenfold-epoch") if "tenfold-epoch" in headers else 0
    if epoch is None:
        raise ValueError("'Tenfold-Epoch' is a whole number.")
    return epoch


async def _send_all(follower: FollowerQueue, send: Send) -> None:
    while text := await follower.next():
        await send({"type": "http.response.body", "body": text, "more_body": True})


async def _until_gone(receive: Receive, sending: "asyncio.Task[None] | None") -> None:
    """End the sending once the process has left: writing to nobody raises nothing."""
    while (await receive())["type"] != "http.disconnect":
        pass
    if sending is not None:
        sending.cancel()
