"""Whoever connects and does not ask is gone in time, and shuts nobody out meanwhile."""

import asyncio
import time
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send
from tests.wire import Wire, port_of

from freshmart.payment import open_sandbox
from freshmart.serve import http_server
from freshmart.web import body as freshmart_body
from tenfold.fleet.ports import free_port
from tenfold.respond.control import ControlNode, SqliteStore
from tenfold.respond.control.server import ControlServer
from tenfold.serving import AppServer, ServerName, body

HEAD_MAX_MS = 400
NAME = ServerName("The test's server", "nothing is tested", "Run it again.")
HANGERS_ON = {
    "silent": b"",
    "half a request line": b"GET / HT",
    "half a head": b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n",
    "an HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "silent after an answer": b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
}


async def plain(scope: Scope, receive: Receive, send: Send) -> None:
    answer: Response = PlainTextResponse("ok")
    assert Request(scope).url.path == "/health"
    await answer(scope, receive, send)


async def all_gone(wire: Wire) -> None:
    """Each is closed by the server, soon after HEAD_MAX_MS."""
    began = time.monotonic()
    await asyncio.gather(*(wire.say(text) for text in HANGERS_ON.values()))
    assert time.monotonic() - began < HEAD_MAX_MS / 1000 * 2 + 1


def test_a_house_server_ends_who_says_nothing() -> None:
    """A silent connection once stayed for ever, to be told whether it spoke HTTP/2."""

    async def scene() -> None:
        server = AppServer(plain, NAME, head_max_ms=HEAD_MAX_MS)
        wire = Wire(port_of(await server.open()))
        await all_gone(wire)
        await server.close()

    asyncio.run(scene())


def test_freshmarts_servers_end_who_says_nothing() -> None:
    """As they are made for every program of freshmart."""

    async def scene() -> None:
        port = free_port()
        server = http_server(plain, port, head_max_ms=HEAD_MAX_MS)
        serving = asyncio.create_task(server.serve())
        wire = Wire(port)
        await listening(wire)
        await all_gone(wire)
        server.stop()
        await serving

    asyncio.run(scene())


async def listening(wire: Wire) -> None:
    while True:
        try:
            (await wire.connect())[1].close()
            return
        except ConnectionRefusedError:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("text", [HANGERS_ON["silent"], HANGERS_ON["half a head"]])
def test_thousands_who_hang_around_are_waited_out(text: bytes) -> None:
    """Even when they hold every place that there is, the next is answered when their time is over."""

    async def scene() -> None:
        server = AppServer(plain, NAME, head_max_ms=HEAD_MAX_MS, connections_max=200)
        wire = Wire(port_of(await server.open()))
        hanging = await wire.hang(300, text)
        assert (await wire.ask("GET", "/health")).status == 200
        for writer in hanging:
            writer.close()
        await server.close()

    asyncio.run(scene())


def test_three_hundred_silent_shut_nobody_out() -> None:
    """Their number was 128 once."""

    async def scene() -> None:
        server = AppServer(plain, NAME)
        wire = Wire(port_of(await server.open()))
        hanging = await wire.hang(300)
        async with asyncio.timeout(1.0):
            assert (await wire.ask("GET", "/health")).status == 200
        for writer in hanging:
            writer.close()
        await server.close()

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "/control/v1/topics/switches/a"), ("POST", "/control/v1/acks"), ("POST", "/control/v1/reports")],
)
def test_a_body_that_stalls_ends_at_the_control_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    """With 408; who has no token hears 401 before anything is read."""
    monkeypatch.setattr(body, "PATIENCE_S", 0.2)

    async def scene() -> None:
        store = SqliteStore(tmp_path / "control.db", now_ns=time.time_ns())
        server = ControlServer(ControlNode(store), "secret")
        wire = Wire(port_of(await server.open()))
        told = await wire.ask(method, path, "Authorization: Bearer secret", body=b'{"a', length=100)
        assert (told.status, told.one("content-type")) == (408, "application/problem+json")
        assert (await wire.ask(method, path, body=b'{"a', length=100)).status == 401
        await server.close()
        store.close()

    asyncio.run(scene())


@pytest.mark.parametrize("path", ["/charges", "/authorisations"])
def test_a_body_that_stalls_ends_at_freshmart(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """With 408, in every program: they read bodies in one way."""
    monkeypatch.setattr(freshmart_body, "BODY_PATIENCE_S", 0.2)

    async def scene() -> None:
        port = free_port()
        async with open_sandbox() as app:
            server = http_server(app, port)
            serving = asyncio.create_task(server.serve())
            wire = Wire(port)
            await listening(wire)
            told = await wire.ask("POST", path, body=b"[{", length=100)
            assert (told.status, told.one("content-type")) == (408, "application/problem+json")
            assert (await wire.ask("POST", path, body=b"[]")).status == 200
            server.stop()
            await serving

    asyncio.run(scene())
