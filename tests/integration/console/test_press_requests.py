"""What one press in the console costs a real control node: connections and requests, counted on the wire."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import time_ns

import msgspec
import pytest
from tests.console_visitor import Visitor, fields_of

from tenfold.console import Publisher, console_app
from tenfold.console.drawing import draw
from tenfold.console.switchboard import HOME, NodeGateway, Watch, switch_routes
from tenfold.protect.live.switches import Declaration
from tenfold.protect.live.switches.declaration import DECLARED
from tenfold.respond.control import ControlNode, Put, SqliteStore
from tenfold.respond.control.server import ControlServer
from tenfold.respond.switchboard import Switchboard
from tenfold.serving import Door, Sessions

TOKEN = "secret"
REQUEST = re.compile(rb"^(GET|PUT|DELETE|POST) (\S+) HTTP/1\.1\r$", re.MULTILINE)


@dataclass
class Relay:
    """Carries bytes between the console and the node, and counts what the console asks."""

    port: int
    connections: int = 0
    asked: list[tuple[str, str]] = field(default_factory=list)
    own_port: int = 0

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.own_port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        self._server.close()

    def reset(self) -> None:
        self.connections = 0
        self.asked.clear()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        node_reader, node_writer = await asyncio.open_connection("127.0.0.1", self.port)
        with suppress(ConnectionError):
            await asyncio.gather(self._pump(reader, node_writer, counted=True), self._pump(node_reader, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, counted: bool = False) -> None:
        while part := await reader.read(1 << 16):
            if counted:
                self.asked += [(verb.decode(), path.decode()) for verb, path in REQUEST.findall(part)]
            writer.write(part)
            await writer.drain()
        writer.close()


@dataclass
class Room:
    """A signed-in person at a console whose every word to a real node goes through the relay."""

    relay: Relay
    ann: Visitor

    def press(self, address: str, fields: dict[str, str]) -> list[tuple[str, str]]:
        self.relay.reset()
        answer = self.ann.post(address, fields)
        assert answer.status == 303, answer.text
        return list(self.relay.asked)


async def opened(server: ControlServer, board: Switchboard) -> Relay:
    relay = Relay(int((await server.open()).rpartition(":")[2]))
    board.open()
    await relay.open()
    return relay


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with asyncio.Runner() as runner:
        store = SqliteStore(tmp_path / "control.db", now_ns=time_ns())
        node = ControlNode(store)
        server, board = ControlServer(node, TOKEN), Switchboard(node)
        relay = runner.run(opened(server, board))
        declared = msgspec.json.encode(Declaration(name="reviews", kind="boolean", default=True, stores_max=None))
        runner.run(node.put(Put(topic=DECLARED, key="reviews", value=declared, by="code")))
        gateway, sessions = NodeGateway(), Sessions()
        gateway.attach(f"http://127.0.0.1:{relay.own_port}", TOKEN)
        sessions.open()
        pages = switch_routes(gateway, Watch(gateway), Door(sessions, draw, HOME))
        ann = Visitor(console_app(Publisher(), pages), runner)
        assert ann.sign_in(sessions.code, "Ann").status == 303
        yield Room(relay, ann)
        gateway.close()
        relay.close()
        runner.run(board.close())
        runner.run(server.close())
        store.close()


def test_a_press_is_one_connection_and_two_requests(room: Room) -> None:
    """What is there, with its declaration, and the change: to set, to unset, and to undo alike."""
    look = ("GET", f"/control/v1/keys/reviews?topic=switches&topic={DECLARED}&changes=0")
    address = "/switches/set/reviews"
    form = {**fields_of(room.ann.get(address).text, address), "reason": "slow"}
    assert room.press(address, form) == [look, ("PUT", "/control/v1/topics/switches/reviews")]
    assert room.relay.connections == 1

    page = room.ann.get("/switches/of/reviews").text
    [link] = re.findall(r'href="(/switches/unset/reviews\?rule=[^"]+)"', page)
    unset = fields_of(room.ann.get(link.replace("&amp;", "&")).text, "/switches/unset/reviews")
    asked = room.press("/switches/unset/reviews", {**unset, "reason": "over"})
    assert asked == [look, ("DELETE", "/control/v1/topics/switches/reviews")]
    assert room.relay.connections == 1

    undo = room.ann.form_at("/switches/of/reviews", "/switches/undo/reviews")
    asked = room.press("/switches/undo/reviews", undo)
    assert [verb for verb, _ in asked] == ["GET", "PUT"]
    assert room.relay.connections == 1
