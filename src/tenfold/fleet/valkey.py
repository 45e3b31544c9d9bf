"""A Valkey cluster: a primary and its replicas, each a `valkey-server` of its own.

A cache: nothing is written to disk, and memory is bounded; what is asked for least goes first.
"""

import asyncio
import secrets
from pathlib import Path

from tenfold.fleet import binaries
from tenfold.fleet.account import write_private
from tenfold.fleet.child import Child, Children
from tenfold.fleet.node import Node
from tenfold.fleet.ports import LOOPBACK
from tenfold.plan.model import ServerPlan
from tenfold.telemetry import EventLog

MEMORY_BYTES = 96 * 1024 * 1024

_CONFIG = """\
bind {host}
protected-mode yes
requirepass {password}
primaryauth {password}
maxmemory {memory_bytes}
maxmemory-policy allkeys-lfu
save ""
appendonly no
daemonize no
tcp-backlog 128
repl-diskless-sync yes
repl-diskless-sync-delay 0
"""


class ValkeyNode(Node):
    """One `valkey-server`; with `primary`, a replica of it."""

    ready_limit_s = 10.0

    def __init__(self, name: str, children: Children, events: EventLog, config: Path, primary: Node | None) -> None:
        super().__init__(name, "cache replica" if primary else "cache primary", children, events)
        self._config = config
        self._primary = primary
        self._program = binaries.valkey()
        self.password = ""

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@{self.address}/0"

    def _launch(self) -> Child:
        follow = ["--replicaof", LOOPBACK, str(self._primary.port)] if self._primary else []
        command = [str(self._program), str(self._config), "--port", str(self.port), *follow]
        return self._children.start(self.name, command, folder=self._config.parent)

    async def _answers(self) -> bool:
        """PONG; a replica must have its primary's data too (it answers LOADING or MASTERDOWN before)."""
        reader, writer = await asyncio.open_connection(LOOPBACK, self.port)
        try:
            writer.write(f"AUTH {self.password}\r\nPING\r\nINFO replication\r\n".encode())
            await writer.drain()
            if await reader.readline() != b"+OK\r\n" or await reader.readline() != b"+PONG\r\n":
                return False
            size = int((await reader.readline()).lstrip(b"$"))
            facts = await reader.readexactly(size)
        except ValueError:
            return False
        finally:
            writer.close()
        return self._primary is None or not self._primary.pid or b"master_link_status:up" in facts


class ValkeyServers:
    """Primary first, then its replicas together."""

    def __init__(self, name: str, server: ServerPlan, children: Children, events: EventLog) -> None:
        self._password = secrets.token_urlsafe(24)
        self._memory_bytes = server.memory_bytes or MEMORY_BYTES
        self._data = children.run.data
        self.name = name
        self.primary = ValkeyNode(f"{name}.primary", children, events, self._config_of("primary"), None)
        self.replicas = [
            ValkeyNode(f"{name}.{title}", children, events, self._config_of(title), self.primary)
            for title in replica_titles(server.replicas)
        ]
        for node in (self.primary, *self.replicas):
            node.password = self._password

    @property
    def nodes(self) -> list[Node]:
        return [self.primary, *self.replicas]

    @property
    def references(self) -> dict[str, str]:
        """Each node's own address, and `name.url`: one that names them all, primary first."""
        everyone = [self.primary, *self.replicas]
        hosts = ",".join(node.address for node in everyone)
        whole = f"redis://:{self._password}@{hosts}/0"
        return {f"{self.name}.url": whole} | {f"{node.name}.url": node.url for node in everyone}

    async def open(self) -> None:
        """Raises ServerUnready."""
        for node in (self.primary, *self.replicas):
            self._configure(node)
        await self.primary.open()
        await asyncio.gather(*(replica.open() for replica in self.replicas))

    def _config_of(self, title: str) -> Path:
        return self._data / f"{self.name}-{title}" / "valkey.conf"

    def _configure(self, node: ValkeyNode) -> None:
        path = self._config_of(node.name.partition(".")[2])
        path.parent.mkdir(mode=0o700)
        text = _CONFIG.format(host=LOOPBACK, password=self._password, memory_bytes=self._memory_bytes)
        write_private(path, text)


def replica_titles(count: int) -> list[str]:
    """`replica`, then `replica-2`, `replica-3` …"""
    return [f"replica-{number}" if number > 1 else "replica" for number in range(1, count + 1)]
