"""A small real HTTP/1.1 server in a thread, that can be told to misbehave, and counts what it sees."""

import asyncio
import itertools
import threading
import time
from collections import Counter
from types import TracebackType
from typing import Self

SMALL = b'{"price": 199}'


def answer(status: str, body: bytes, *headers: str) -> bytes:
    head = "\r\n".join((f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""))
    return head.encode() + body


class LoopbackServer:
    """`with LoopbackServer() as server`. The path of a request says how it is answered."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self.keys: list[str] = []
        self.headers: list[bytes] = []
        self.connections = 0
        self.closes_after = 0
        self.stalled_until = 0.0
        self.orders: set[str] = set()
        self.numbers = itertools.count(1)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(5)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.refuse()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stall(self, length_s: float) -> None:
        """Answer nothing for a while; then everything that came meanwhile."""
        self.stalled_until = time.monotonic() + length_s

    def refuse(self) -> None:
        """Close the listening socket: new connections are refused from now on."""
        self._loop.call_soon_threadsafe(self._server.close)

    async def _listen(self) -> asyncio.Server:
        return await self._loop.create_server(lambda: _Talk(self), "127.0.0.1", 0, backlog=4096)


class _Talk(asyncio.Protocol):
    """One connection."""

    def __init__(self, server: LoopbackServer) -> None:
        self._server = server
        self._buffer = b""
        self._served = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server.connections += 1

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, _, rest = self._buffer.partition(b"\r\n\r\n")
            length = int(next((line[15:] for line in head.split(b"\r\n") if line.startswith(b"Content-Length:")), b"0"))
            if len(rest) < length:
                return
            body, self._buffer = rest[:length], rest[length:]
            self._serve(head, body)

    def _serve(self, head: bytes, body: bytes) -> None:
        method, path, _ = head.partition(b"\r\n")[0].decode().split(" ")
        self._server.seen[path.split("/")[1]] += 1
        if len(self._server.headers) < 100:
            self._server.headers.append(head)
        wait_s = self._server.stalled_until - time.monotonic()
        if wait_s > 0:
            asyncio.get_running_loop().call_later(wait_s, self._respond, method, path, head, body)
        else:
            self._respond(method, path, head, body)

    def _respond(self, method: str, path: str, head: bytes, body: bytes) -> None:
        if self._transport.is_closing():
            return
        self._served += 1
        if path.startswith("/never"):
            return
        if path.startswith("/hangs-up"):
            self._transport.close()
            return
        self._transport.write(self._reply(method, path, head))
        if self._server.closes_after and self._served >= self._server.closes_after:
            self._transport.close()

    def _reply(self, method: str, path: str, head: bytes) -> bytes:
        if method == "POST":
            return self._order(head)
        if path.startswith("/orders/"):
            known = path.removeprefix("/orders/") in self._server.orders
            return answer("200 OK", b"{}") if known else answer("404 Not Found", b"{}")
        replies = {
            "broken": b"SSH-2.0-OpenSSH\r\n\r\n",
            "fails": answer("500 Oh", b"oh"),
            "less": answer("200 OK", SMALL, "X-Degraded: image"),
            "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            "early": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + answer("200 OK", SMALL),
        }
        return replies.get(path.split("/")[1]) or answer("200 OK", SMALL)

    def _order(self, head: bytes) -> bytes:
        key = next(line for line in head.split(b"\r\n") if line.startswith(b"Idempotency-Key: "))[17:].decode()
        self._server.keys.append(key)
        number = next(self._server.numbers)
        if number % 10 == 0:
            return answer("409 Conflict", b'{"error": "sold-out"}')
        self._server.orders.add(str(number))
        return answer("201 Created", b'{\n "id": %d}' % number)
