"""Everything that one run starts: servers, setup commands, services; opened together, closed within a bound."""

import asyncio
import shutil
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tenfold.fleet.child import Children, CommandFailed
from tenfold.fleet.guard_handle import GuardHandle
from tenfold.fleet.node import ExitListener, Node
from tenfold.fleet.postgres import PostgresCluster
from tenfold.fleet.run import RunFolder
from tenfold.fleet.seaweedfs import SeaweedStore
from tenfold.fleet.service import Service, resolved
from tenfold.fleet.sweep import clear_run
from tenfold.fleet.valkey import ValkeyServers
from tenfold.kernel import TenfoldError
from tenfold.plan.model import Engine, Fault, ServerPlan
from tenfold.telemetry import EventLog

FREE_BYTES_NEEDED = 1_500_000_000
SERVICE_GRACE_S = 2.5
SERVER_GRACE_S = 1.0
SETUP_LIMIT_S = 180.0

Cluster = PostgresCluster | ValkeyServers | SeaweedStore

ENGINES: Mapping[Engine, Callable[[str, ServerPlan, Children, EventLog], Cluster]] = {
    Engine.POSTGRESQL: PostgresCluster,
    Engine.VALKEY: ValkeyServers,
    Engine.SEAWEEDFS: SeaweedStore,
}


class DiskFull(TenfoldError):
    """There is too little room for the servers' data."""


class NodeUnknown(TenfoldError):
    """A node was named that the plan does not have."""


class SetupFailed(CommandFailed):
    """A setup command of the plan did not succeed."""


class Estate:
    """The servers and services of one run. `token` is what marks this run's own test traffic."""

    def __init__(self, run: RunFolder, servers: Mapping[str, ServerPlan], events: EventLog, token: str) -> None:
        self.run = run
        self.free_bytes_needed = FREE_BYTES_NEEDED
        self._servers = servers
        self._events = events
        self._token = token
        self._children = Children(run)
        self._clusters: list[Cluster] = []
        self._services: list[Service] = []
        self._exit_listeners: list[ExitListener] = []
        self._guard: GuardHandle | None = None
        self._setups_run = 0

    async def open(self) -> None:
        """Start the guard, then all servers together; when one fails, nothing is left of any.

        Raises DiskFull, BinaryMissing, AccountMissing, CommandUnusable, CommandFailed, ServerUnready.
        """
        try:
            require_room(self.run.data, self.free_bytes_needed)
            self._guard = GuardHandle(self.run)
            for name, server in self._servers.items():
                self._clusters.append(ENGINES[server.engine](name, server, self._children, self._events))
            self._listen(self.nodes)
            await _all(*(cluster.open() for cluster in self._clusters))
        except BaseException:
            await self.close()
            raise

    @property
    def nodes(self) -> list[Node]:
        """Every server, in the plan's order."""
        return [node for cluster in self._clusters for node in cluster.nodes]

    @property
    def services(self) -> list[Service]:
        """Every service, in the order of their starts."""
        return list(self._services)

    @property
    def references(self) -> dict[str, str]:
        """What the plan's `${…}` stand for. They hold passwords: for environments only, never for a log."""
        found = {"rehearsal.token": self._token}
        for cluster in self._clusters:
            found |= cluster.references
        return found | {f"{service.name}.url": service.url for service in self._services if service.port}

    def node(self, name: str) -> Node:
        """The server or service that the plan calls `name`. Raises NodeUnknown."""
        everyone = [*self.nodes, *self._services]
        for node in everyone:
            if node.name == name:
                return node
        known = ", ".join(node.name for node in everyone)
        raise NodeUnknown(f"There is no node '{name}' in this run.", remedy=f"There are: {known}.")

    def struck_by(self, fault: Fault) -> list[Node]:
        """The nodes that the fault names; a server's name stands for all its nodes, primary first."""
        everyone = [*self.nodes, *self._services]
        return [node for name in fault.at for node in everyone if name in (node.name, node.name.partition(".")[0])]

    async def run_setup(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Run one of the plan's setup commands to its end. Raises SetupFailed, CommandUnusable."""
        self._setups_run += 1
        name = f"setup-{self._setups_run}"
        try:
            await self._children.finish(
                name, resolved(command), limit_s=SETUP_LIMIT_S, environment=environment, folder=self.run.root
            )
        except CommandFailed as failed:
            raise SetupFailed(failed.args[0], remedy=failed.remedy) from failed

    async def start_service(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        ready: str,
        *,
        leaves: Iterable[str] = (),
    ) -> Service:
        """Start a program and wait until it serves; nothing of it is left when it does not. Raises ServerUnready.

        `leaves` are files that go when the run ends, however it ends.
        """
        service = Service(name, command, environment, ready, self._children, self._events, leaves)
        self._listen([service])
        self._services.append(service)
        await service.open()
        return service

    async def watch(self, on_exit: ExitListener) -> None:
        """From now on call `on_exit` with name and status of a process that ends without being told to."""
        self._exit_listeners.append(on_exit)

    async def close(self) -> None:
        """End everything within 5 s, services before the servers they use; remove the data, keep the logs.

        Nothing to do when it was closed before. A process of this run that somebody else started is ended too.
        """
        if self.run.ended:
            return
        await _quietly(*(service.close(grace_s=SERVICE_GRACE_S) for service in self._services))
        await _quietly(*(node.close(grace_s=SERVER_GRACE_S) for node in self.nodes))
        await _quietly(self._children.end())
        await asyncio.to_thread(clear_run, self.run, by="tenfold")
        if self._guard is not None:
            await asyncio.to_thread(self._guard.dismiss)
        self.run.release()

    def environment(self, name: str) -> dict[str, str]:
        """What fleet promises a process of this run: for a child that somebody else starts (the load driver)."""
        return self._children.environment(name)

    def _listen(self, nodes: Sequence[Node]) -> None:
        for node in nodes:
            node.on_exit.append(self._exited)

    def _exited(self, name: str, status: int) -> None:
        for listener in self._exit_listeners:
            listener(name, status)


def require_room(folder: Path, needed_bytes: int) -> None:
    """Raises DiskFull when less than `needed_bytes` are free where `folder` lies."""
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < needed_bytes:
        raise DiskFull(
            f"The disk of {folder} has {free_bytes / 1e6:.0f} MB free and the servers need {needed_bytes / 1e6:.0f} MB;"
            " nothing was started.",
            remedy="Free some space and start again.",
        )


async def _all(*work: Coroutine[Any, Any, None]) -> None:
    """Together; the first failure cancels the others and is raised as itself."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _quietly(*work: Coroutine[Any, Any, None]) -> None:
    """Together, each to its end: one that cannot be stopped in time must not keep the next from being stopped."""
    await asyncio.gather(*work, return_exceptions=True)
