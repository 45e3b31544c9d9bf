"""Figure 5: the main primary is killed, hung and black-holed under 1,000 reads a second, open model.

Two clusters of real Valkey servers, primary and replica each. Contenders take turns, each with the same fault on the
same servers: ours over both servers of each cluster, ours over the primaries alone (so that the standby cluster is the
only one who can help), and redis-py's MultiDBClient over the primaries, as it comes. No near cache: every read goes
out. A read is timed from when it was due. The window is the 2 s that follow the fault.

Black hole without a firewall: the server is stopped and its accept queue filled, so that the kernel drops further
SYNs: new connections hang, and what was connected hears nothing.
"""

import asyncio
import errno
import os
import signal
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from operator import attrgetter
from pathlib import Path
from statistics import median
from typing import NamedTuple, Protocol

from redis.asyncio import Redis
from redis.asyncio.multidb.client import MultiDBClient
from redis.asyncio.multidb.config import DatabaseConfig, MultiDbConfig

from benchmarks.figures import Figure, spread_of
from benchmarks.protect.runner import run
from tenfold.engines.valkey import ValkeyCluster
from tenfold.fleet import Estate, Node, RunFolder
from tenfold.fleet.readiness import until
from tenfold.kernel import Duration, TenfoldError
from tenfold.plan.model import Engine, ServerPlan
from tenfold.protect import Breaker, ReadLadder, Step
from tenfold.protect.reads.found import Found
from tenfold.protect.reads.valkey import ClusterPair, ValkeyRung
from tenfold.protect.testing import MemoryRung
from tenfold.telemetry import EventLog

READS_PER_S = 1_000
BEFORE_S, WINDOW_S = 1.0, 2.0
PATIENCE_S = 5.0
"""A read that has not been answered by then has failed."""
KEYS = [f"key-{number}" for number in range(1_000)]
TTL = Duration.from_s(600)
P99_MS_MAX = {"killed": 50.0, "hung": 100.0, "black-holed": 100.0}
SERVING_MS_MAX = 300.0
OURS, ALONE, PEER = "tenfold", "tenfold, primaries alone", "redis-py MultiDBClient"


class Contender(Protocol):
    async def read(self, key: str) -> str:
        """Answers who served; raises when nobody did."""
        ...


class Trial(NamedTuple):
    """What the callers of one contender saw of one fault. `serving_ms`: until another than the main primary answered
    reads that were due after the fault; `standby_ms`: until the standby cluster did."""

    p99_ms: float
    errors: float
    serving_ms: float
    standby_ms: float


class Ours:
    """main → standby → memory; no near cache."""

    def __init__(self, main_url: str, standby_url: str) -> None:
        self.pair = ClusterPair(ValkeyCluster("main", main_url), ValkeyCluster("standby", standby_url))
        main, standby = self.pair.rungs(ttl=TTL)
        self.ladder = ReadLadder(
            "price",
            steps=[
                Step(main, breaker=Breaker("main"), fills=True, inflight_max=512),
                Step(standby, breaker=Breaker("standby"), fills=True, inflight_max=512),
                Step(MemoryRung("database", {key: key.encode() for key in KEYS}), inflight_max=512),
            ],
        )

    async def read(self, key: str) -> str:
        answer = await self.ladder.read(key)
        if answer.value != key.encode():
            raise ValueError(f"{key} was answered {answer.value!r}")
        return answer.rung


class Peer:
    """MultiDBClient with its defaults, the main weighing more."""

    def __init__(self, main_url: str, standby_url: str) -> None:
        databases = [DatabaseConfig(from_url=main_url, weight=1.0), DatabaseConfig(from_url=standby_url, weight=0.5)]
        self.client = MultiDBClient(MultiDbConfig(databases_config=databases))
        self.main_port = int(main_url.rpartition(":")[2].partition("/")[0])

    async def read(self, key: str) -> str:
        value = await self.client.execute_command("GET", f"plain:{key}")  # type: ignore[no-untyped-call]
        if value != key.encode():
            raise ValueError(f"{key} was answered {value!r}")
        active = self.client.command_executor.active_database
        assert active is not None
        assert isinstance(active.client, Redis)
        port = active.client.connection_pool.connection_kwargs["port"]
        return "main" if port == self.main_port else "standby"


@asynccontextmanager
async def opened_ours(estate: Estate, *, replicas: bool = True) -> AsyncIterator[Contender]:
    """Warm on both sides, settled."""
    ours = Ours(*(_url(estate, name, replicas=replicas) for name in ("main", "standby")))
    for rung in ours.pair.rungs(ttl=TTL):
        async with asyncio.timeout(20):
            await until(partial(_warmed, rung))
    await asyncio.sleep(0.1)
    try:
        yield ours
    finally:
        await ours.ladder.close()
        await ours.pair.close()


async def _warmed(rung: ValkeyRung) -> bool:
    """Whether it took everything; a server that has only just started may not have been confirmed yet."""
    try:
        await rung.fill({key: Found(key.encode(), 1) for key in KEYS})
    except TenfoldError:
        return False
    return True


@asynccontextmanager
async def opened_peer(estate: Estate) -> AsyncIterator[Contender]:
    peer = Peer(*(_url(estate, name, replicas=False) for name in ("main", "standby")))
    await peer.client.initialize()  # type: ignore[no-untyped-call]
    for database, _ in peer.client.get_databases():
        await database.client.mset({f"plain:{key}": key for key in KEYS})
    for _ in range(20):  # its connections open, since a first burst of more than 100 makes it give the database up
        await asyncio.gather(*(peer.read(key) for key in KEYS[:20]))
    try:
        yield peer
    finally:
        await peer.client.aclose()  # type: ignore[no-untyped-call]
        for database, _ in peer.client.get_databases():
            await database.client.aclose()


Fault = Callable[[Node], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def killed(node: Node) -> AsyncIterator[None]:
    os.kill(node.pid, signal.SIGKILL)
    yield
    await node.kill()


@asynccontextmanager
async def hung(node: Node) -> AsyncIterator[None]:
    os.kill(node.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(node.pid, signal.SIGCONT)


@asynccontextmanager
async def black_holed(node: Node) -> AsyncIterator[None]:
    os.kill(node.pid, signal.SIGSTOP)
    plugs = _fill_accept_queue(node.port)
    try:
        yield
    finally:
        for plug in plugs:
            plug.close()
        os.kill(node.pid, signal.SIGCONT)


def _fill_accept_queue(port: int) -> list[socket.socket]:
    """Connect until the kernel takes no more; the last ones go on trying, which keeps it full."""
    plugs: list[socket.socket] = []
    left = 0
    while left < 8:
        plug = socket.socket()
        plug.setblocking(False)
        if plug.connect_ex(("127.0.0.1", port)) == errno.EINPROGRESS and len(plugs) > 400:
            time.sleep(0.001)
            left += plug.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO) == 2  # TCP_SYN_SENT: its SYN was dropped
        plugs.append(plug)
    return plugs


FAULTS: dict[str, Fault] = {"killed": killed, "hung": hung, "black-holed": black_holed}
CONTENDERS: dict[str, Callable[[Estate], AbstractAsyncContextManager[Contender]]] = {
    OURS: opened_ours,
    ALONE: partial(opened_ours, replicas=False),
    PEER: opened_peer,
}


class Load:
    """Reads that begin when they are due, whatever became of those before."""

    def __init__(self, contender: Contender) -> None:
        self.reads: list[tuple[float, float, str]] = []
        """When each was due and when it ended, and who served: "" when nobody did."""
        self._contender = contender

    async def run(self, length_s: float) -> None:
        began_s, sent = time.monotonic(), 0
        async with asyncio.TaskGroup() as group:
            while (elapsed_s := time.monotonic() - began_s) < length_s:
                for _ in range(int(elapsed_s * READS_PER_S) - sent):
                    group.create_task(self._read(KEYS[sent % len(KEYS)], began_s + sent / READS_PER_S))
                    sent += 1
                await asyncio.sleep(0.001)

    async def _read(self, key: str, due_s: float) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                served = await self._contender.read(key)
        except Exception:  # whatever it is, the caller has no answer
            served = ""
        self.reads.append((due_s, time.monotonic(), served))


async def tried(
    estate: Estate, opened: Callable[[Estate], AbstractAsyncContextManager[Contender]], fault: Fault
) -> Trial:
    """One contender, one fault, and the servers whole again afterwards."""
    primary = estate.node("main.primary")
    async with opened(estate) as contender:
        load = Load(contender)
        running = asyncio.create_task(load.run(BEFORE_S + WINDOW_S))
        await asyncio.sleep(BEFORE_S)
        fault_s = time.monotonic()
        async with fault(primary):
            await running
    await _whole_again(estate)
    return _judged(load.reads, fault_s)


def _judged(reads: list[tuple[float, float, str]], fault_s: float) -> Trial:
    after = [read for read in reads if read[0] >= fault_s]
    waits_ms = sorted((ended_s - due_s) * 1e3 for due_s, ended_s, _ in after)
    return Trial(
        p99_ms=waits_ms[int(0.99 * len(waits_ms))],
        errors=sum(not served for _, _, served in after),
        serving_ms=_first_ms(after, fault_s, bool),
        standby_ms=_first_ms(after, fault_s, lambda served: served == "standby"),
    )


def _first_ms(reads: list[tuple[float, float, str]], fault_s: float, serves: Callable[[str], bool]) -> float:
    ended = [ended_s for _, ended_s, served in reads if serves(served)]
    return (min(ended) - fault_s) * 1e3 if ended else PATIENCE_S * 1e3


async def _whole_again(estate: Estate) -> None:
    """Primary up, replica in its wake."""
    await estate.node("main.primary").start()
    for name in ("main.primary", "main.replica"):
        node = estate.node(name)
        async with asyncio.timeout(20):
            await until(node.serves)


def _url(estate: Estate, cluster: str, *, replicas: bool) -> str:
    """The primary, or primary and replica in one address."""
    primary = estate.references[f"{cluster}.primary.url"]
    head, _, db = primary.rpartition("/")
    return f"{head},{estate.node(f'{cluster}.replica').address}/{db}" if replicas else primary


async def _measured(rounds: int) -> dict[tuple[str, str], list[Trial]]:
    trials: dict[tuple[str, str], list[Trial]] = {}
    server = ServerPlan(engine=Engine.VALKEY, replicas=1)
    with tempfile.TemporaryDirectory(prefix="tenfold-failover-") as folder:
        run_folder = RunFolder.create(Path(folder), "failover")
        estate = Estate(run_folder, {"main": server, "standby": server}, EventLog("benchmark"), token="unused")
        await estate.open()
        try:
            for _ in range(rounds):
                for fault_name, fault in FAULTS.items():
                    for name, opened in CONTENDERS.items():
                        trial = await tried(estate, opened, fault)
                        trials.setdefault((fault_name, name), []).append(trial)
        finally:
            await estate.close()
    return trials


def measure(rounds: int) -> list[Figure]:
    trials = asyncio.run(_measured(rounds))
    figures = []
    for fault in FAULTS:
        for who in (OURS, ALONE):
            what = f"main primary {fault}" + ("" if who == OURS else ", no replicas")
            ours, peers = trials[fault, who], trials[fault, PEER]
            figures += [
                _figure(f"reads that failed, {what}", "reads", 0.0, ours, peers, attrgetter("errors")),
                _figure(f"p99 in the 2 s after, {what}", "ms", P99_MS_MAX[fault], ours, peers, attrgetter("p99_ms")),
                _figure(f"another server serves, {what}", "ms", SERVING_MS_MAX, ours, peers, attrgetter("serving_ms")),
                _figure(f"the standby serves, {what}", "ms", SERVING_MS_MAX, ours, peers, attrgetter("standby_ms")),
            ]
    return figures


def _figure(
    name: str, unit: str, target: float, ours: list[Trial], peers: list[Trial], measure_of: Callable[[Trial], float]
) -> Figure:
    """A target of none is held only when no round had any."""
    rounds = [measure_of(trial) for trial in ours]
    return Figure(
        figure=5,
        name=name,
        value=max(rounds) if target == 0.0 else median(rounds),
        unit=unit,
        target=target,
        held=(max(rounds) if target == 0.0 else median(rounds)) <= target,
        peers={PEER: median(measure_of(trial) for trial in peers)},
        spread=spread_of(rounds),
        rounds=rounds,
    )


if __name__ == "__main__":
    run(measure)
