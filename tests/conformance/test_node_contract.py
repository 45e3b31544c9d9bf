"""Every kind of node, whatever engine it is, keeps the promises that a drill relies on."""

import asyncio
import socket
from collections.abc import Iterator

import pytest

from tenfold.fleet import Estate, Node, NodeState, RunFolder
from tenfold.plan.model import Engine, ServerPlan
from tenfold.telemetry import EventLog

pytestmark = pytest.mark.engines

SERVERS = {
    "database": ServerPlan(engine=Engine.POSTGRESQL, replicas=1),
    "main": ServerPlan(engine=Engine.VALKEY, replicas=1),
    "objects": ServerPlan(engine=Engine.SEAWEEDFS, buckets=("media",)),
}
NODES = ["database.primary", "database.replica", "main.primary", "main.replica", "objects.store", "objects.s3"]

Opened = tuple[Estate, asyncio.Runner]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    run = RunFolder.create(tmp_path_factory.mktemp("contract"), "contract")
    estate = Estate(run, SERVERS, EventLog("tenfold"), "token")
    with asyncio.Runner() as runner:
        runner.run(estate.open())
        yield estate, runner
        runner.run(estate.close())


def listens(node: Node) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", node.port)) == 0


@pytest.mark.parametrize("name", NODES)
def test_killed_node_is_gone_and_start_brings_it_back_where_it_was(opened: Opened, name: str) -> None:
    """`kill` is over when nobody listens; `start` is over when it serves again, on the same port."""
    estate, runner = opened
    node = estate.node(name)
    address, pid = node.address, node.pid
    runner.run(node.kill())
    assert (node.state, node.pid, node.rss_bytes, listens(node)) == (NodeState.FAULTED, 0, 0, False)
    runner.run(node.start())
    assert (node.state, node.address, listens(node)) == (NodeState.READY, address, True)
    assert node.pid not in (0, pid)


@pytest.mark.parametrize("name", [name for name in NODES if name != "objects.store"])
def test_stopped_node_is_gone_and_start_brings_it_back_where_it_was(opened: Opened, name: str) -> None:
    """`stop` does not wait for clients. (The store's own orderly stop takes longer than a drill: `kill` it.)"""
    estate, runner = opened
    node = estate.node(name)
    address = node.address
    runner.run(node.stop())
    assert (node.state, node.pid, listens(node)) == (NodeState.FAULTED, 0, False)
    runner.run(node.start())
    assert (node.state, node.address, listens(node)) == (NodeState.READY, address, True)


@pytest.mark.parametrize("name", NODES)
def test_verbs_are_safe_to_call_twice(opened: Opened, name: str) -> None:
    """A revert that is tried again does no harm: start of one that runs, mend of one that was not broken."""
    estate, runner = opened
    node = estate.node(name)
    pid = node.pid
    runner.run(node.start())
    runner.run(node.mend())
    assert (node.pid, node.state) == (pid, NodeState.READY)
    runner.run(node.kill())
    runner.run(node.kill())
    runner.run(node.start())
    assert node.state is NodeState.READY
