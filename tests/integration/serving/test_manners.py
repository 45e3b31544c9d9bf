"""Every address of the console, of the control node and of freshmart's small programs, asked in every way."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from tests.integration.serving.test_hangers_on import listening
from tests.manners import ELSEWHERE, check_address, check_refusal
from tests.wire import Wire, port_of

from freshmart.payment import open_sandbox
from freshmart.serve import http_server
from tenfold.console import Console, Publisher
from tenfold.fleet.ports import free_port
from tenfold.respond.control import ControlNode, SqliteStore
from tenfold.respond.control.app import control_app
from tenfold.respond.control.server import ControlServer

TOKEN = "Authorization: Bearer secret"


def addresses_of(app: Starlette) -> dict[str, set[str]]:
    """Each address with every method that one of its routes takes; names in it filled in."""
    found: dict[str, set[str]] = {}
    for route in app.routes:
        if isinstance(route, Route):
            path = re.sub(r"\{(\w+)(:\w+)?\}", lambda name: "7" if name[1] == "epoch" else "reviews", route.path)
            found.setdefault(path, set()).update(route.methods or ())
    return found


def at_control(tmp_path: Path, scene: Callable[[Wire, dict[str, set[str]]], Awaitable[None]]) -> None:
    async def run() -> None:
        store = SqliteStore(tmp_path / "control.db", now_ns=time.time_ns())
        node = ControlNode(store)
        server = ControlServer(node, "secret")
        app = control_app(node, "secret")
        assert isinstance(app, Starlette)
        await scene(Wire(port_of(await server.open())), addresses_of(app))
        await server.close()
        store.close()

    asyncio.run(run())


def test_the_control_nodes_addresses_have_manners(tmp_path: Path) -> None:
    """Whoever shows the token; without, each is a 401 that says what is asked for."""

    async def scene(wire: Wire, addresses: dict[str, set[str]]) -> None:
        assert len(addresses) >= 14
        for path, methods in addresses.items():
            await check_address(wire, path, methods, TOKEN)
            told = await wire.ask("BREW", path)
            check_refusal(told)
            if path not in ("/health", "/metrics"):
                assert (told.status, told.one("www-authenticate")) == (401, "Bearer")
        told = await wire.ask("GET", "/nowhere", TOKEN)
        check_refusal(told)
        assert told.status == 404

    at_control(tmp_path, scene)


@pytest.mark.parametrize(
    "twice",
    [
        (TOKEN, TOKEN),
        (TOKEN, "Host: 127.0.0.1"),
        (TOKEN, "Content-Length: 2", "Content-Length: 3"),
        (TOKEN, 'If-Match: "0"', 'If-Match: "1"'),
        (TOKEN, "Tenfold-By: Ann", "Tenfold-By: Ben"),
        (TOKEN, "Idempotency-Key: a", "Idempotency-Key: b"),
    ],
)
def test_a_header_that_decides_is_stated_once(tmp_path: Path, twice: tuple[str, ...]) -> None:
    """Even when both say the same; two lengths that do, the server takes for one (RFC 9110, section 8.6)."""

    async def scene(wire: Wire, _: dict[str, set[str]]) -> None:
        told = await wire.ask("PUT", "/control/v1/topics/switches/a", *twice, body=b"" if len(twice) == 3 else b"{}")
        assert told.status == 400
        if told.body:
            check_refusal(told)

    at_control(tmp_path, scene)


@pytest.mark.parametrize(("method", "path"), [("PUT", "topics/switches/a"), ("POST", "acks"), ("POST", "reports")])
def test_a_name_stands_once_in_an_object(tmp_path: Path, method: str, path: str) -> None:
    """However it is written."""
    body = {
        "topics/switches/a": b'{"value":1,"\\u0076alue":2}',
        "acks": b'{"process":"p1","incarnation":"i","applied":[],"applied":[]}',
        "reports": b'{"process":"p1","reports":[],"reports":[]}',
    }[path]

    async def scene(wire: Wire, _: dict[str, set[str]]) -> None:
        told = await wire.ask(method, f"/control/v1/{path}", TOKEN, body=body)
        assert b"stands twice" in told.body
        check_refusal(told)
        assert told.status == 400

    at_control(tmp_path, scene)


def test_the_consoles_addresses_have_manners() -> None:
    """Programs hear problems; a browser hears a sentence."""

    async def scene() -> None:
        console = Console(Publisher())
        wire = Wire(port_of(await console.open()))
        for path, methods in addresses_of(console.app).items():
            await check_address(wire, path, methods, pages=True)
        await check_address(wire, "/static/nothing.css", {"GET", "HEAD"}, pages=True)
        for path in ("//health", "/nowhere", "/report", "/verdict.json"):
            told = await wire.ask("GET", path)
            check_refusal(told)
            assert told.status == 404
            page = await wire.ask("GET", path, "Accept: text/html,*/*")
            assert page.one("content-type").startswith("text/plain")
            assert not any(name in page.body for name in ELSEWHERE)
        assert (await wire.ask("GET", "/", "Host: 127.0.0.1")).status == 400
        assert (await wire.ask("GET", "/", "Cookie: a=1", "Cookie: a=2")).status == 400
        await console.close()

    asyncio.run(scene())


def test_the_payment_sandbox_has_manners() -> None:
    """As the worker does, by the same table."""

    async def scene() -> None:
        port = free_port()
        async with open_sandbox() as app:
            server = http_server(app, port)
            serving = asyncio.create_task(server.serve())
            wire = Wire(port)
            await listening(wire)
            for path in ("/ready", "/metrics"):
                await check_address(wire, path, {"GET", "HEAD"})
            for path in ("/charges", "/authorisations"):
                await check_address(wire, path, {"POST"})
                told = await wire.ask("POST", path, body=b'[{"key":"a","key":"b","amount_fen":1}]')
                check_refusal(told)
            check_refusal(await wire.ask("GET", "/nowhere"))
            check_refusal(await wire.ask("GET", "/ready", "Host: elsewhere"))
            assert (await wire.ask("POST", "/charges", body=b" " * (1 << 20) + b"[]")).status == 413
            server.stop()
            await serving

    asyncio.run(scene())
