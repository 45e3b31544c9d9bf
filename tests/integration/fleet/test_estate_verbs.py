"""One estate of real servers: every reference answers, every verb does what it says, under a path with a space."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import pytest
from redis.asyncio import Redis

from tenfold.fleet import (
    FAULTS,
    Estate,
    FaultUnsupported,
    NodeState,
    NodeUnknown,
    RunFolder,
    ServerUnready,
    Service,
    SetupFailed,
    proc,
)
from tenfold.fleet.faults.flap import FLAP_S, Flap
from tenfold.fleet.faults.slow import BURST_S, Slow
from tenfold.fleet.http import status_of
from tenfold.fleet.seaweedfs import GatewayNode
from tenfold.plan.model import Engine, ServerPlan
from tenfold.telemetry import EventLog

pytestmark = pytest.mark.engines

Answer = TypeVar("Answer")

SERVERS = {
    "database": ServerPlan(engine=Engine.POSTGRESQL, replicas=1),
    "main": ServerPlan(engine=Engine.VALKEY, replicas=1),
    "objects": ServerPlan(engine=Engine.SEAWEEDFS, buckets=("media", "evidence")),
}

SERVICE = """
import http.server, os, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/die":
            os._exit(3)
        body = os.environ.get(self.path.strip("/"), "").encode()
        self.send_response(200 if self.path == "/ready" or body else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


SETUP = """
import os
assert os.environ["TENFOLD_RUN"] == "verbs" and os.environ["A"] == "1"
assert "SHELL_EXPORT" not in os.environ
open(os.environ["TENFOLD_EVENTS"], "a").close()
"""


@dataclass
class Opened:
    """An open estate and the loop it lives in."""

    estate: Estate
    events: EventLog
    runner: asyncio.Runner

    def run(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        return self.runner.run(work)

    @property
    def app_url(self) -> str:
        return self.estate.references["database.primary.url"]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    run = RunFolder.create(tmp_path_factory.mktemp("a run") / "with a space", "verbs")
    events = EventLog("tenfold")
    estate = Estate(run, SERVERS, events, "token-of-this-run")
    with asyncio.Runner() as runner:
        runner.run(estate.open())
        yield Opened(estate, events, runner)
        runner.run(estate.close())


async def value(url: str, query: str) -> Any:
    connection = await asyncpg.connect(url, timeout=2)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def eventually(question: Callable[[], Awaitable[Any]], expected: Any, limit_s: float = 5.0) -> None:
    """Ask until the answer is the expected one."""
    async with asyncio.timeout(limit_s):
        while await question() != expected:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def test_every_node_is_ready(opened: Opened) -> None:
    """Names, roles, states, processes, memory: what a view shows."""
    names = [node.name for node in opened.estate.nodes]
    assert names == [
        "database.primary",
        "database.replica",
        "main.primary",
        "main.replica",
        "objects.store",
        "objects.s3",
    ]
    assert {node.state for node in opened.estate.nodes} == {NodeState.READY}
    assert all(node.pid and node.rss_bytes > 1_000_000 and node.address for node in opened.estate.nodes)


def test_references_name_what_a_plan_may_use(opened: Opened) -> None:
    """One for each server that clients speak to, one for the audit, one for the tag's value."""
    assert set(opened.estate.references) == {
        "rehearsal.token",
        "database.primary.url",
        "database.primary.control_url",
        "database.replica.url",
        "main.url",
        "main.primary.url",
        "main.replica.url",
        "objects.s3.url",
    }


def test_database_is_durable_and_app_owns_its_own(opened: Opened) -> None:
    """What is acknowledged is on disk; role app is no superuser and can make its tables."""
    settings = "SELECT current_setting('fsync') || current_setting('synchronous_commit') || current_user"
    assert opened.run(value(opened.app_url, settings)) == "ononapp"
    opened.run(value(opened.app_url, "CREATE TABLE shelf (sku int)"))
    assert opened.run(value(opened.app_url, "SELECT rolsuper FROM pg_roles WHERE rolname = 'app'")) is False


def test_no_secret_is_on_a_command_line_or_in_a_log(opened: Opened) -> None:
    """Passwords are in private files and environments only."""
    references = opened.estate.references
    secrets = [url.split("@")[0].split(":")[-1] for name, url in references.items() if name.endswith("url")]
    lines = b"".join(Path(f"/proc/{node.pid}/cmdline").read_bytes() for node in opened.estate.nodes)
    logs = b"".join(log.read_bytes() for log in opened.estate.run.logs.iterdir())
    assert all(len(secret) > 20 and secret.encode() not in lines + logs for secret in secrets)


def test_servers_listen_on_loopback_only(opened: Opened) -> None:
    """Nobody outside this machine can reach a server of a rehearsal."""
    ours = {f"{node.port:04X}" for node in opened.estate.nodes}
    listening = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    addresses = {line[1].split(":")[0] for line in listening if line[3] == "0A" and line[1].split(":")[1] in ours}
    assert addresses == {"0100007F"}


def test_cache_primary_killed_comes_back_on_its_port(opened: Opened) -> None:
    """Its replica survives it and follows it again."""
    primary, replica = opened.estate.node("main.primary"), opened.estate.node("main.replica")

    async def scenario() -> None:
        address, replica_pid = primary.address, replica.pid
        await primary.kill()
        assert (primary.state, primary.pid) == (NodeState.FAULTED, 0)
        async with Redis.from_url(opened.estate.references["main.replica.url"]) as client:
            assert await client.ping()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", primary.port)
        await primary.start()
        assert (primary.state, primary.address, replica.pid) == (NodeState.READY, address, replica_pid)
        async with Redis.from_url(opened.estate.references["main.primary.url"]) as client:
            await client.set("sku", 1)
        async with Redis.from_url(opened.estate.references["main.replica.url"]) as client:
            await eventually(lambda: client.get("sku"), b"1")

    opened.run(scenario())


def test_cut_ends_the_sessions_of_app_and_lets_none_in(opened: Opened) -> None:
    """Replication and the control role stay; mend lets app in again."""
    primary = opened.estate.node("database.primary")

    async def scenario() -> None:
        session = await asyncpg.connect(opened.app_url)
        cut = FAULTS["cut"](primary)
        await cut.inject()
        assert await cut.remains()
        assert primary.state.value == "faulted"
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            await session.fetchval("SELECT 1")
        with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
            await asyncpg.connect(opened.app_url)
        control = opened.estate.references["database.primary.control_url"]
        assert await value(control, "SELECT count(*) FROM pg_stat_replication") == 1
        assert await value(opened.estate.references["database.replica.url"], "SELECT 1") == 1
        await cut.revert()
        assert not await cut.remains()
        assert primary.state.value == "ready"
        assert await value(opened.app_url, "SELECT 1") == 1

    opened.run(scenario())


def test_replica_stopped_catches_up_when_it_starts(opened: Opened) -> None:
    """What was written meanwhile is there as soon as the replica is ready."""
    replica = opened.estate.node("database.replica")

    async def scenario() -> None:
        await replica.stop()
        await value(opened.app_url, "CREATE TABLE meanwhile AS SELECT generate_series(1, 1000) AS n")
        await replica.start()
        url = opened.estate.references["database.replica.url"]
        assert await value(url, "SELECT count(*) FROM meanwhile") == 1000
        assert await value(url, "SELECT pg_is_in_recovery()") is True

    opened.run(scenario())


def test_database_primary_killed_keeps_what_it_acknowledged(opened: Opened) -> None:
    """A commit that was answered is there after SIGKILL, and the replica follows again."""
    primary = opened.estate.node("database.primary")

    async def scenario() -> None:
        await value(opened.app_url, "CREATE TABLE acknowledged AS SELECT generate_series(1, 1000) AS n")
        await primary.kill()
        await primary.start()
        assert await value(opened.app_url, "SELECT count(*) FROM acknowledged") == 1000
        await value(opened.app_url, "INSERT INTO acknowledged VALUES (0)")
        url = opened.estate.references["database.replica.url"]
        await eventually(lambda: value(url, "SELECT count(*) FROM acknowledged"), 1001, limit_s=10)

    opened.run(scenario())


def test_gateway_refuses_and_mends_without_losing_objects(opened: Opened) -> None:
    """The store behind it keeps what it holds."""
    gateway = opened.estate.node("objects.s3")
    assert isinstance(gateway, GatewayNode)

    async def scenario() -> None:
        assert await gateway.ask("PUT", "/media/apple.png", b"apple") == 200
        refusal = FAULTS["refuse"](gateway)
        await refusal.inject()
        assert await refusal.remains()
        with pytest.raises(ConnectionRefusedError):
            await gateway.ask("GET", "/media/apple.png")
        await refusal.revert()
        assert not await refusal.remains()
        assert await gateway.ask("GET", "/media/apple.png") == 200
        gateway.keys = type(gateway.keys)(access=gateway.keys.access, secret="wrong")
        assert await gateway.ask("GET", "/media/apple.png") == 403

    opened.run(scenario())


def test_a_hung_cache_takes_connections_and_says_nothing_until_it_is_mended(opened: Opened) -> None:
    """The kernel connects for it; nobody answers."""
    primary = opened.estate.node("main.primary")

    async def scenario() -> None:
        hang = FAULTS["hang"](primary)
        await hang.inject()
        assert await hang.remains()
        reader, writer = await asyncio.open_connection("127.0.0.1", primary.port)
        writer.write(b"PING\r\n")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.1)
        writer.close()
        await hang.revert()
        assert not await hang.remains()
        assert primary.state is NodeState.READY
        async with Redis.from_url(opened.estate.references["main.primary.url"]) as client:
            assert await client.ping()

    opened.run(scenario())


def test_a_black_hole_lets_nobody_in_until_it_is_mended(opened: Opened) -> None:
    """A connection neither comes about nor is refused."""
    primary = opened.estate.node("main.primary")

    async def scenario() -> None:
        blackhole = FAULTS["blackhole"](primary)
        await blackhole.inject()
        assert await blackhole.remains()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.open_connection("127.0.0.1", primary.port), 0.2)
        await blackhole.revert()
        assert not await blackhole.remains()
        async with Redis.from_url(opened.estate.references["main.primary.url"]) as client:
            assert await client.ping()

    opened.run(scenario())


def test_scrambled_values_change_places_within_their_kind_and_are_dropped_when_mended(opened: Opened) -> None:
    """One that was repaired meanwhile stays; no key gains or loses its lifetime."""
    primary = opened.estate.node("main.primary")
    values = {f"price:{number}": f"p{number}".encode() for number in range(200)}
    values |= {f"page:{number}": f"g{number}".encode() for number in range(3)}

    async def scenario() -> None:
        async with Redis.from_url(opened.estate.references["main.primary.url"]) as client:
            await client.flushall()
            for key, value in values.items():
                await client.set(key, value, ex=100)
            scramble = FAULTS["scramble"](primary, 0.05)
            await scramble.inject()
            assert await scramble.remains()
            now = {key: await client.get(key) for key in values}
            wrong = [key for key in values if now[key] != values[key]]
            assert len([key for key in wrong if key.startswith("price")]) == 10
            assert all(str(now[key])[:3] == str(values[key])[:3] for key in wrong)
            assert all([0 < await client.ttl(key) <= 100 for key in wrong])
            await client.set(wrong[0], values[wrong[0]])
            await scramble.revert()
            assert not await scramble.remains()
            left = {key: await client.get(key) for key in values}
        assert {key for key in values if left[key] is None} == set(wrong[1:])
        assert all(left[key] in (None, values[key]) for key in values)

    opened.run(scenario())


async def start_answering(opened: Opened, folder: Path, name: str) -> Service:
    program = folder / "service.py"
    program.write_text(SERVICE)
    return await opened.estate.start_service(name, ("python", str(program)), {}, ready="/ready")


async def asked_s(service: Service) -> float:
    began_s = time.monotonic()
    assert await status_of(service.port, "GET", "/ready") == 200
    return time.monotonic() - began_s


def test_a_slowed_service_takes_its_time_until_it_is_mended(opened: Opened, tmp_path: Path) -> None:
    """Stopped for nine tenths of the time: the slowest of some requests waits for most of such a pause."""

    async def scenario() -> None:
        service = await start_answering(opened, tmp_path, "slow")
        slow = Slow(service, 10.0)
        await slow.inject()
        assert await slow.remains()
        slowest_s = max([await asked_s(service) for _ in range(12)])
        assert slowest_s > BURST_S
        await slow.revert()
        assert not await slow.remains()
        stat = proc.stat(service.pid)
        assert service.state is NodeState.READY
        assert stat is not None
        assert stat.state != "T"
        await service.stop()

    opened.run(scenario())


def test_a_flapping_service_says_nothing_and_answers_in_turn(opened: Opened, tmp_path: Path) -> None:
    """It begins with silence; ending it in the middle of one leaves it running."""

    async def scenario() -> None:
        service = await start_answering(opened, tmp_path, "flapping")
        flap = Flap(service)
        await flap.inject()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asked_s(service), 0.2)
        await asyncio.wait_for(asked_s(service), 5 * FLAP_S)
        await flap.inject()
        await flap.revert()
        assert not await flap.remains()
        assert await asked_s(service) < FLAP_S
        await service.stop()

    opened.run(scenario())


def test_a_slowed_service_can_be_ended_and_leaves_nobody_to_stop_it(opened: Opened, tmp_path: Path) -> None:
    """With the run, or killed by a second fault."""

    async def scenario() -> None:
        service = await start_answering(opened, tmp_path, "ended")
        await Slow(service, 10.0).inject()
        await service.close(grace_s=1.0)
        assert service.pid == 0
        assert not [task for task in asyncio.all_tasks() if task.get_name() == "pulse-ended"]

    opened.run(scenario())


def test_fault_that_an_engine_does_not_know_is_refused(opened: Opened) -> None:
    """With the node's name, and nothing is done to it."""
    with pytest.raises(FaultUnsupported, match="main\\.primary"):
        FAULTS["cut"](opened.estate.node("main.primary"))
    with pytest.raises(NodeUnknown, match="There are: database\\.primary"):
        opened.estate.node("main.third")


def test_setup_runs_to_its_end_with_the_promised_environment(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """`python` is ours; TENFOLD_RUN, TENFOLD_EVENTS and what the plan states are there, the shell's exports are not."""
    monkeypatch.setenv("SHELL_EXPORT", "1")
    opened.run(opened.estate.run_setup(("python", "-c", SETUP), {"A": "1"}))


def test_setup_that_fails_says_how(opened: Opened) -> None:
    """Status and last lines of its log."""
    with pytest.raises(SetupFailed, match="status 7") as caught:
        opened.run(opened.estate.run_setup(("python", "-c", "print('no such store'); raise SystemExit(7)"), {}))
    assert "no such store" in str(caught.value)


def test_service_that_dies_is_an_event_and_a_call(opened: Opened, tmp_path: Path) -> None:
    """A child that ends without being told to is news; one that was told to is none."""
    program = tmp_path / "service.py"
    program.write_text(SERVICE)
    told: list[tuple[str, int]] = []

    async def scenario() -> None:
        await opened.estate.watch(lambda name, status: told.append((name, status)))
        service = await opened.estate.start_service("api", ("python", str(program)), {}, ready="/ready")
        assert service.url == f"http://127.0.0.1:{service.port}"
        assert service.state is NodeState.READY
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        writer.write(b"GET /die HTTP/1.0\r\n\r\n")
        await writer.drain()
        await reader.read()
        writer.close()

        async def state() -> NodeState:
            return service.state

        await eventually(state, NodeState.FAILED)
        await service.start()
        await service.stop()

    opened.run(scenario())
    assert told == [("api", 3)]
    assert [event.subject for event in opened.events if event.kind == "child-exited"] == ["api"]


def test_service_that_does_not_start_says_why(opened: Opened) -> None:
    """The last lines of its log, and no process of it."""
    with pytest.raises(ServerUnready, match="status 1 at its start") as caught:
        opened.run(opened.estate.start_service("worker", ("python", "-c", "raise OSError('no outbox')"), {}, "/ready"))
    assert "no outbox" in str(caught.value)
    assert opened.estate.services[-1].pid == 0


def test_usage_of_a_database_counts_its_backends(opened: Opened) -> None:
    """PostgreSQL is many processes; the view shows them as one."""
    node = opened.estate.node("database.primary")
    assert node.usage().cpu_s >= proc.usage(node.pid).cpu_s > 0
