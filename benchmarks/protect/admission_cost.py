"""What admission adds to a request: a trivial application with the middleware and without, alternated.

    python -m benchmarks.protect.admission_cost

Once in the process, call by call, and once through a real server: Granian in a process of its own (that is what
`serve WHICH PORT` is for), one connection, one request after the other.
"""

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server.embed import Server

from benchmarks.figures import Figure, spread_of
from benchmarks.protect.runner import run
from tenfold.fleet.ports import free_port
from tenfold.protect.calls.limit import GradientLimit
from tenfold.protect.doors.admission import AdmissionMiddleware, Shedder
from tenfold.protect.doors.admission.caller import Application, Message, Receive, Scope, Send

FIGURE = 9
CALLS = 4_000
TARGET_US = 30.0
SCOPE: Scope = {
    "type": "http",
    "path": "/price/7/4711",
    "headers": [(b"host", b"shop"), (b"accept", b"*/*"), (b"user-agent", b"bench"), (b"tenfold-deadline-ms", b"500")],
}


async def trivial(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


async def receive() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def send(_message: Message) -> None:
    await asyncio.sleep(0)  # as a server that takes its time


def tier(scope: Scope) -> int:
    return 1 if scope["path"].startswith("/price/") else 2


def tenant(scope: Scope) -> str:
    return str(scope["path"].split("/", 3)[2])


def guarded() -> AdmissionMiddleware:
    return AdmissionMiddleware(trivial, Shedder("bench", GradientLimit()), tier=tier, tenant=tenant)


async def p50_us(app: Application) -> float:
    took_ns = []
    for _ in range(CALLS):
        began_ns = time.perf_counter_ns()
        await app(SCOPE, receive, send)
        took_ns.append(time.perf_counter_ns() - began_ns)
    return median(took_ns) / 1e3


def cost(rounds: int) -> Figure:
    """Median over the rounds of (p50 with - p50 without), each round compared with itself."""
    behind = guarded()
    added, plain = [], []
    for _ in range(max(3, rounds)):
        without = asyncio.run(p50_us(trivial))
        added.append(asyncio.run(p50_us(behind)) - without)
        plain.append(without)
    name = "what the admission middleware adds to a request at p50 (tier, tenant and deadline read)"
    return _added(name, added, plain)


def _added(name: str, added: list[float], plain: list[float]) -> Figure:
    return Figure(
        figure=FIGURE,
        name=name,
        value=median(added),
        unit="us",
        target=TARGET_US,
        held=median(added) <= TARGET_US,
        peers={"the request without it": median(plain)},
        spread=spread_of(added),
        rounds=added,
    )


@contextmanager
def served(which: str) -> Iterator[socket.socket]:
    """A connection to a Granian that serves it."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.protect.admission_cost", "serve", which, str(port)]
    with subprocess.Popen(command) as process:
        try:
            with connected(port) as connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                yield connection
        finally:
            process.terminate()
            process.wait(timeout=10)


def connected(port: int, deadline_s: float = 10.0) -> socket.socket:
    ends_s = time.monotonic() + deadline_s
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=5)
        except OSError:
            if time.monotonic() > ends_s:
                raise
            time.sleep(0.02)


def served_p50_us(connection: socket.socket) -> float:
    took_ns = []
    for _ in range(CALLS // 4):
        began_ns = time.perf_counter_ns()
        connection.sendall(b"GET /price/7/4711 HTTP/1.1\r\nhost: shop\r\ntenfold-deadline-ms: 500\r\n\r\n")
        answer = connection.recv(4096)
        while not answer.endswith(b"ok"):
            answer += connection.recv(4096)
        took_ns.append(time.perf_counter_ns() - began_ns)
    return median(took_ns) / 1e3


def served_cost(rounds: int) -> Figure:
    """The same through Granian, the two servers asked by turns."""
    added, plain = [], []
    with served("plain") as without, served("guarded") as behind:
        for _ in range(max(3, rounds)):
            plain.append(served_p50_us(without))
            added.append(served_p50_us(behind) - plain[-1])
    return _added("what the admission middleware adds to a request through Granian at p50", added, plain)


def serve(which: str, port: str) -> None:
    app = guarded() if which == "guarded" else trivial
    server = Server(
        app,
        address="127.0.0.1",
        port=int(port),
        interface=Interfaces.ASGINL,
        log_level=LogLevels.error,
        websockets=False,
    )
    asyncio.run(server.serve())


def measure(rounds: int) -> list[Figure]:
    return [cost(rounds), served_cost(rounds)]


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(*sys.argv[2:])
    else:
        run(measure)
