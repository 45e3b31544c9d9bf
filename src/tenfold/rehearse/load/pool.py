"""The connections of the driver: it opens another whenever an arrival finds none free, up to a bound.

    arrival ──► idle connection (the one used last) ──► sent
        └─────► waiting, in order; another is opened; whichever is free first takes it
                   └── not sent within the timeout, or too many waiting ──► dropped: a promise missed

The connection used last is used next, so that those which the server is about to close for idleness are left alone.
A request that meets such a close all the same (its connection has answered before, nothing of this answer has come) is
sent once more on a fresh connection, if it is idempotent or carries an Idempotency-Key, and counted as retried: what
Go's net/http does, and so what most clients do. Nothing else is retried.
"""

import select
from collections import deque
from typing import Protocol

from tenfold.rehearse.load.address import LoadAddress
from tenfold.rehearse.load.body import ResponseBroken
from tenfold.rehearse.load.connection import DriverConnection
from tenfold.rehearse.load.request import Request
from tenfold.rehearse.load.response import Response

WAITING_MAX = 16_384


class Outcomes(Protocol):
    """Who is told what becomes of each request. Times are CLOCK_MONOTONIC nanoseconds."""

    def waits(self) -> None: ...
    def sent(self) -> None: ...
    def retried(self) -> None: ...
    def dropped(self, request: Request) -> None: ...
    def answered(self, request: Request, response: Response, now_ns: int) -> None: ...
    def failed(self, request: Request, error: str, now_ns: int) -> None: ...


class ConnectionPool:
    """`inflight` requests are on the wire; `waiting` ones want a connection."""

    def __init__(
        self, address: LoadAddress, epoll: select.epoll, outcomes: Outcomes, *, connections_max: int, timeout_ns: int
    ) -> None:
        self._address = address
        self._epoll = epoll
        self._outcomes = outcomes
        self._connections_max = connections_max
        self._timeout_ns = timeout_ns
        self._connections: dict[int, DriverConnection] = {}
        self._idle: list[DriverConnection] = []
        self._connecting = 0
        self.waiting: deque[Request] = deque()
        self.inflight = 0

    def __len__(self) -> int:
        return len(self._connections)

    @property
    def idle(self) -> int:
        """How many connections are free."""
        return sum(not connection.closed for connection in self._idle)

    @property
    def is_quiet(self) -> bool:
        """Whether every request that was handed over has ended."""
        return not self.inflight and not self.waiting

    def open(self, count: int, now_ns: int) -> None:
        """Begin this many connections before there is anything to send."""
        for _ in range(min(count, self._connections_max)):
            self._connect(now_ns)

    def send(self, request: Request, now_ns: int) -> None:
        """Send at once when a connection is free; else wait for one, or be dropped when too many wait."""
        idle = self._idle
        while idle:
            connection = idle.pop()
            if not connection.closed:
                self._put(connection, request, now_ns)
                return
        if len(self.waiting) >= WAITING_MAX:
            self._outcomes.dropped(request)
            return
        self._outcomes.waits()
        self.waiting.append(request)
        self._grow(now_ns)

    def handle(self, fd: int, mask: int, now_ns: int) -> None:
        """What epoll saw on one connection."""
        connection = self._connections.get(fd)
        if connection is None:
            return
        try:
            if connection.connecting:
                self._finish_connect(connection, now_ns)
                return
            if mask & select.EPOLLOUT and connection.send_rest():
                self._epoll.modify(fd, select.EPOLLIN)
            if mask & ~select.EPOLLOUT:
                self._receive(connection, now_ns)
        except ConnectionRefusedError:
            self._lose(connection, "refused", now_ns)
        except ResponseBroken:
            self._fail(connection, "broken", now_ns)
        except OSError:
            self._lose(connection, "reset", now_ns)

    def expire(self, now_ns: int) -> None:
        """End every request that has had its time: on the wire as a timeout, waiting as dropped."""
        latest_ns = now_ns - self._timeout_ns
        while self.waiting and self.waiting[0].due_ns <= latest_ns:
            self._outcomes.dropped(self.waiting.popleft())
        for connection in list(self._connections.values()):
            if connection.request is not None and connection.request.sent_ns <= latest_ns:
                self._fail(connection, "timeout", now_ns)

    def close(self) -> None:
        """Close every connection; what is in flight is abandoned."""
        for connection in list(self._connections.values()):
            self._discard(connection)

    def _put(self, connection: DriverConnection, request: Request, now_ns: int) -> None:
        """Send `request` on a free connection."""
        if not request.retried:
            request.sent_ns = now_ns
            self._outcomes.sent()
        self.inflight += 1
        try:
            if not connection.send(request):
                self._epoll.modify(connection.fd, select.EPOLLIN | select.EPOLLOUT)
        except OSError:
            self._lose(connection, "reset", now_ns)

    def _receive(self, connection: DriverConnection, now_ns: int) -> None:
        response, closed = connection.receive()
        request = connection.request
        if response is not None and request is not None:
            self.inflight -= 1
            connection.request = None
            connection.answered += 1
            self._outcomes.answered(request, response, now_ns)
            if response.reusable and not closed:
                self._release(connection, now_ns)
            else:
                self._discard(connection)
                self._grow(now_ns)
        elif closed:
            self._lose(connection, "reset", now_ns)

    def _release(self, connection: DriverConnection, now_ns: int) -> None:
        """A connection is free: the oldest waiting arrival takes it."""
        if self.waiting:
            self._put(connection, self.waiting.popleft(), now_ns)
        else:
            self._idle.append(connection)

    def _grow(self, now_ns: int) -> None:
        """Open another connection if more arrivals wait than connections are on their way, and the bound allows."""
        if len(self.waiting) > self._connecting and len(self._connections) < self._connections_max:
            self._connect(now_ns)

    def _connect(self, now_ns: int, request: Request | None = None) -> None:
        """Begin a connection; `request` has it for itself."""
        try:
            connection = DriverConnection(self._address)
        except OSError:
            self._refuse(request, now_ns)
            return
        connection.request = request
        self._connections[connection.fd] = connection
        self._connecting += 1
        self._epoll.register(connection.fd, select.EPOLLOUT)

    def _finish_connect(self, connection: DriverConnection, now_ns: int) -> None:
        if not connection.connected():
            return
        self._connecting -= 1
        self._epoll.modify(connection.fd, select.EPOLLIN)
        request, connection.request = connection.request, None
        if request is not None:
            self.inflight -= 1
            self._put(connection, request, now_ns)
        else:
            self._release(connection, now_ns)

    def _lose(self, connection: DriverConnection, error: str, now_ns: int) -> None:
        """The connection failed under whatever it carried; an idle one is forgotten silently."""
        request, connecting = connection.request, connection.connecting
        if request is not None and not request.retried and connection.is_stale and request.script.template.idempotent:
            self._discard(connection)
            self._outcomes.retried()
            request.retried = True
            self._connect(now_ns, request)
            return
        self._discard(connection)
        if connecting:
            self._refuse(request, now_ns, error)
        elif request is not None:
            self.inflight -= 1
            self._outcomes.failed(request, error, now_ns)
        self._grow(now_ns)

    def _refuse(self, request: Request | None, now_ns: int, error: str = "refused") -> None:
        """The system took no connection: the arrival that it was for, or the one that waits longest, has failed."""
        if request is not None:
            self.inflight -= 1
        elif self.waiting:
            request = self.waiting.popleft()
            request.sent_ns = now_ns
            self._outcomes.sent()
        if request is not None:
            self._outcomes.failed(request, error, now_ns)

    def _fail(self, connection: DriverConnection, error: str, now_ns: int) -> None:
        """The request on this connection has failed, and the connection with it."""
        request = connection.request
        self._discard(connection)
        if request is not None:
            self.inflight -= 1
            self._outcomes.failed(request, error, now_ns)
        self._grow(now_ns)

    def _discard(self, connection: DriverConnection) -> None:
        if self._connections.pop(connection.fd, None) is None:
            return
        if connection.connecting:
            self._connecting -= 1
        self._epoll.unregister(connection.fd)
        connection.close()
