"""The duty officer at a console that others fill: signs in, looks and changes, each within a second."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlencode

import msgspec
import pytest
from tests.console_visitor import fields_of
from tests.wire import Told, Wire, port_of

from tenfold.console import Console, Publisher
from tenfold.console.publisher import VIEWERS_MAX
from tenfold.protect.live.switches import Declaration
from tenfold.protect.live.switches.declaration import DECLARED
from tenfold.respond.control import ControlNode, Put, SqliteStore
from tenfold.respond.control.server import ControlServer
from tenfold.respond.switchboard import Switchboard
from tenfold.serving import body
from tenfold.serving.door import WAITING_MAX

WITHIN_S = 1.0
TOKEN = "secret"


class Officer:
    """A browser without a window, at a real port."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._cookie: list[str] = []

    async def get(self, address: str) -> Told:
        return await self._within(self._wire.ask("GET", address, *self._cookie))

    async def post(self, address: str, fields: dict[str, str]) -> Told:
        origin = f"Origin: http://127.0.0.1:{self._wire.port}"
        kind = "Content-Type: application/x-www-form-urlencoded"
        asked = self._wire.ask("POST", address, origin, kind, *self._cookie, body=urlencode(fields).encode())
        told = await self._within(asked)
        for cookie in told.all("set-cookie"):
            self._cookie = [f"Cookie: {cookie.partition(';')[0]}"]
        return told

    async def follow(self, address: str) -> Told:
        return await self._within(self._wire.head("GET", address, *self._cookie))

    async def _within(self, work: Awaitable[Told]) -> Told:
        async with asyncio.timeout(WITHIN_S):
            return await work


@asynccontextmanager
async def war_room(folder: Path) -> AsyncIterator[tuple[Wire, list[str], Publisher]]:
    """A console, and a control node with one switch; the links that the terminal showed."""
    store = SqliteStore(folder / "control.db", now_ns=time.time_ns())
    node = ControlNode(store)
    server, board = ControlServer(node, TOKEN), Switchboard(node)
    url = await server.open()
    board.open()
    declared = msgspec.json.encode(Declaration(name="reviews", kind="boolean", default=True, stores_max=None))
    await node.put(Put(topic=DECLARED, key="reviews", value=declared, by="code"))
    links: list[str] = []
    publisher = Publisher()
    console = Console(publisher, on_link=links.append)
    wire = Wire(port_of(await console.open()))
    console.follow_control(url, TOKEN)
    yield wire, links, publisher
    await console.close()
    await board.close()
    await server.close()
    store.close()


def code_in(links: list[str]) -> str:
    return links[-1].rpartition("#code=")[2]


def test_the_officer_changes_a_switch_while_viewers_and_silence_fill_the_console(tmp_path: Path) -> None:
    """1,000 pages follow the run and 300 connections say nothing: 129 and 140 shut the console once."""

    async def scene() -> None:
        async with war_room(tmp_path) as (wire, links, publisher):
            follow = f"GET /events HTTP/1.1\r\nHost: 127.0.0.1:{wire.port}\r\n\r\n".encode()
            pages = await wire.hang(VIEWERS_MAX, follow)
            async with asyncio.timeout(10):
                while publisher.viewers < VIEWERS_MAX:  # noqa: ASYNC110 (what is asked has no event of its own)
                    await asyncio.sleep(0.01)
            silent = await wire.hang(300)
            officer = Officer(wire)
            assert (await officer.follow("/events")).status == 503
            assert (await officer.post("/sign-in", {"code": code_in(links), "name": "Ann"})).status == 303
            assert (await officer.get("/switches")).status == 200
            assert (await officer.follow("/events")).status == 200
            address = "/switches/set/reviews"
            form = fields_of((await officer.get(address)).body.decode(), address)
            told = await officer.post(address, {**form, "reason": "slow"})
            assert (told.status, bool(re.match("/switches/of/reviews", told.one("location")))) == (303, True)
            for writer in [*pages, *silent]:
                writer.close()

    asyncio.run(scene())


def test_guessers_wait_and_the_officer_does_not(tmp_path: Path) -> None:
    """All come from one address. More than can wait are told to come later."""

    async def scene() -> None:
        async with war_room(tmp_path) as (wire, links, _):
            eve = Officer(wire)
            for _ in range(3):
                assert (await eve.post("/sign-in", {"code": "wrong", "name": "Eve"})).status == 403
            wrong = {"code": "wrong", "name": "Eve"}
            guesses = [asyncio.create_task(Officer(wire).post("/sign-in", wrong)) for _ in range(WAITING_MAX + 10)]
            async with asyncio.timeout(5):
                while sum(guess.done() for guess in guesses) < 10:  # noqa: ASYNC110 (what is asked has no event of its own)
                    await asyncio.sleep(0.01)
            told = [guess.result() for guess in guesses if guess.done() and guess.exception() is None]
            assert 429 in {one.status for one in told}
            assert sum(not guess.done() for guess in guesses) > WAITING_MAX / 2
            assert (await Officer(wire).post("/sign-in", {"code": code_in(links), "name": "Ann"})).status == 303
            for guess in guesses:
                guess.cancel()
            await asyncio.gather(*guesses, return_exceptions=True)

    asyncio.run(scene())


def test_a_form_that_stalls_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With 408, and before anybody is signed in."""
    monkeypatch.setattr(body, "PATIENCE_S", 0.2)

    async def scene() -> None:
        async with war_room(tmp_path) as (wire, _, _):
            origin = f"Origin: http://127.0.0.1:{wire.port}"
            kind = "Content-Type: application/x-www-form-urlencoded"
            assert (await wire.ask("POST", "/sign-in", origin, kind, body=b"code=", length=100)).status == 408

    asyncio.run(scene())
