"""Whoever holds no key of the run reads nothing in its object store, writes nothing and learns nothing of it."""

import asyncio
import stat
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
from tests.integration.fleet.intruder import answer, listening_ports, requests, speaks_grpc, status

from tenfold.fleet import Estate, RunFolder
from tenfold.fleet.seaweedfs import GatewayNode
from tenfold.plan.model import Engine, ServerPlan
from tenfold.telemetry import EventLog

pytestmark = pytest.mark.engines

Answer = TypeVar("Answer")

DRAWING = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
KEPT, SECRET = "/media/kept.txt", b"only for those who hold the key"
TEMPORARY = Path("/tmp")


@dataclass
class Store:
    """An object store as the fleet starts it."""

    estate: Estate
    runner: asyncio.Runner

    def run(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        return self.runner.run(work)

    @property
    def gateway(self) -> GatewayNode:
        node = self.estate.node("objects.s3")
        assert isinstance(node, GatewayNode)
        return node

    @property
    def ports(self) -> list[int]:
        return [port for node in self.estate.nodes for port in listening_ports(node.pid)]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    run = RunFolder.create(tmp_path_factory.mktemp("closed"), "closed")
    servers = {"objects": ServerPlan(engine=Engine.SEAWEEDFS, buckets=("media",))}
    estate = Estate(run, servers, EventLog("tenfold"), "token")
    with asyncio.Runner() as runner:
        runner.run(estate.open())
        try:
            opened = Store(estate, runner)
            assert opened.run(opened.gateway.ask("PUT", KEPT, SECRET)) == 200
            yield opened
        finally:
            runner.run(estate.close())


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_a_stranger_reads_and_writes_nothing_at_any_port(store: Store, tls: bool) -> None:
    """Listings, `/dir/assign`, forms, deletes, foreign Host: refused at each port, and nothing is told."""
    answered = {}
    for port in store.ports:
        for request in requests(port, "/buckets/media/planted.svg", f"/buckets{KEPT}", DRAWING):
            said = answer(port, request, tls=tls)
            assert SECRET not in said
            if 200 <= status(said) < 400 and said.partition(b"\r\n\r\n")[2]:
                answered[port, request.partition(b"\r\n")[0]] = said[:200]
    assert answered == {}
    assert store.run(store.gateway.ask("GET", "/media/planted.svg")) == 404
    assert store.run(store.gateway.ask("GET", KEPT)) == 200


def test_a_stranger_is_not_heard_by_grpc(store: Store) -> None:
    """Neither in the clear nor by TLS without the run's certificate: a call cannot even begin."""
    heard = [(port, tls) for port in store.ports for tls in (False, True) if speaks_grpc(port, tls=tls)]
    assert len(store.ports) >= 8
    assert heard == []


def test_a_stranger_finds_the_gateway_locked(store: Store) -> None:
    """The one port that answers without TLS wants a signature for whatever it is asked."""
    port = store.gateway.port
    for path in ("/", "/media", KEPT, "/media/planted.svg"):
        for method in ("GET", "PUT", "POST", "DELETE"):
            request = f"{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            assert status(answer(port, request.encode())) in {400, 403, 405}


def test_keys_and_logs_are_for_the_owner_alone(store: Store) -> None:
    """Whatever holds a key, and what the store says of itself."""
    run = store.estate.run
    keys = [path for path in run.data.rglob("*") if path.suffix in {".toml", ".pem", ".json"}]
    assert len(keys) >= 4
    assert {stat.S_IMODE(path.stat().st_mode) for path in keys} == {0o600}
    assert stat.S_IMODE(run.logs.stat().st_mode) == 0o700
    assert (run.logs / "objects.store.log").stat().st_size > 0


def test_no_log_lies_in_the_temporary_folder(store: Store) -> None:
    """SeaweedFS writes its logs there, for everybody to read, unless it is told otherwise."""
    assert [path for node in store.estate.nodes for path in TEMPORARY.glob(f"weed.*.{node.pid}")] == []
