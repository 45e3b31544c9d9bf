"""What a program of freshmart runs: an ASGI application until SIGTERM or SIGINT: stops accepting, finishes, returns."""

import asyncio
import gc
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.embed import Server

from tenfold.kernel import TenfoldError

HEAD_MAX_MS = 20_000
"""So long may the head of a request take, and a connection, new or kept, stay silent: tills keep theirs."""
CONNECTIONS_MAX = 4096

Application = AbstractAsyncContextManager[Any]
"""Entered before the first connection is accepted, left after the last is answered; it is the ASGI app."""


def run_program(name: str, work: Callable[[], object], failures: tuple[type[Exception], ...] = ()) -> int:
    """Do the program's work; answers its exit status: 2, and one sentence, when that could not be done."""
    known: tuple[type[Exception], ...] = (TenfoldError, OSError, *failures)
    try:
        work()
    except known as error:
        print(f"freshmart.{name}: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


def serve(open_app: Callable[[], Application], port: int) -> None:
    """One process, one event loop, no fork: every connection, cache and breaker is there once."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(open_app, port))


async def _serve(open_app: Callable[[], Application], port: int) -> None:
    async with open_app() as app:
        server = http_server(app, port)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, server.stop)
        _tune_memory()
        await server.serve()


def http_server(app: Any, port: int, *, head_max_ms: int = HEAD_MAX_MS) -> Server:
    """Not serving yet."""
    return Server(
        app,
        address="127.0.0.1",
        port=port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,  # to tell HTTP/2 apart, Granian would wait for a silent connection without a bound
        http1_settings=HTTP1Settings(header_read_timeout=head_max_ms),
        backlog=CONNECTIONS_MAX,
        backpressure=CONNECTIONS_MAX,
        log_level=LogLevels.error,
        websockets=False,
    )


def _tune_memory() -> None:
    """What is there at the start stays; a full collection in the middle of a peak would be a pause."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
