"""The whole of it: one primary, and replicas that are copied from it and follow it."""

import asyncio
from pathlib import Path

from tenfold.fleet.account import own, write_private
from tenfold.fleet.child import Children
from tenfold.fleet.node import Node
from tenfold.fleet.ports import LOOPBACK
from tenfold.fleet.postgres.config import APP, CONFIG, CONTROL
from tenfold.fleet.postgres.installation import Installation
from tenfold.fleet.postgres.node import PostgresNode
from tenfold.fleet.postgres.primary import PrimaryNode
from tenfold.fleet.postgres.replica import ReplicaNode
from tenfold.fleet.valkey import replica_titles
from tenfold.plan.model import ServerPlan
from tenfold.telemetry import EventLog

INIT_LIMIT_S = 30.0


class PostgresCluster:
    """Primary first; then each replica is copied from it and follows it."""

    def __init__(self, name: str, server: ServerPlan, children: Children, events: EventLog) -> None:
        self.name = name
        self._installation = Installation.find()
        self._children = children
        self.primary = PrimaryNode(f"{name}.primary", "database primary", self._installation, children, events)
        self.replicas = [
            ReplicaNode(f"{name}.{title}", self.primary, self._installation, children, events)
            for title in replica_titles(server.replicas)
        ]

    @property
    def nodes(self) -> list[Node]:
        return [self.primary, *self.replicas]

    @property
    def references(self) -> dict[str, str]:
        urls = {f"{node.name}.url": node.url for node in (self.primary, *self.replicas)}
        return urls | {f"{self.primary.name}.control_url": self.primary.control_url}

    async def open(self) -> None:
        """Raises CommandFailed, ServerUnready."""
        await self._make_primary()
        await self.primary.open()
        await self._make_app()
        await asyncio.gather(*(self._open_replica(replica) for replica in self.replicas))

    async def _make_primary(self) -> None:
        """An empty cluster; what it is started with lies in its folder."""
        folder = self._own_folder(self.primary)
        secret = folder.with_name(f"{self.primary.name}.secret")
        write_private(secret, self._installation.control_password + "\n", self._installation.account)
        command = [self._installation.program("initdb"), "-D", str(folder), "-U", CONTROL, "--pwfile", str(secret)]
        command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        command += ["--locale=C", "--no-sync", "--no-instructions"]
        command += ["-c", "dynamic_shared_memory_type=mmap"]  # killed half way, it would leave POSIX segments behind
        await self._children.finish(
            f"{self.primary.name}-initdb",
            command,
            limit_s=INIT_LIMIT_S,
            folder=folder,
            account=self._installation.account,
        )
        secret.unlink()
        self._configure(folder)

    def _configure(self, folder: Path) -> None:
        with (folder / "postgresql.conf").open("a") as config:
            config.write(CONFIG.format(host=LOOPBACK, name=self.name))
        self.primary.write_access("scram-sha-256")

    async def _make_app(self) -> None:
        """The role and the database of what is under rehearsal."""
        async with self.primary.control() as control:
            await control.execute(f"CREATE ROLE {APP} LOGIN PASSWORD '{self._installation.app_password}'")
            await control.execute(f"GRANT pg_checkpoint TO {APP}")
            await control.execute(f"CREATE DATABASE {APP} OWNER {APP} STRATEGY WAL_LOG")

    async def _open_replica(self, replica: ReplicaNode) -> None:
        """A copy of the primary as it is now, with a slot that keeps what it has not streamed yet."""
        folder = self._own_folder(replica)
        slot = replica.name.partition(".")[2].replace("-", "_")
        command = [self._installation.program("pg_basebackup"), "-D", str(folder), "-h", LOOPBACK]
        command += ["-p", str(self.primary.port), "-U", CONTROL, "--no-password", "--checkpoint=fast", "--no-sync"]
        command += ["-X", "stream", "--create-slot", "--slot", slot, "--write-recovery-conf"]
        await self._children.finish(
            f"{replica.name}-basebackup",
            command,
            limit_s=INIT_LIMIT_S,
            environment={"PGPASSWORD": self._installation.control_password},
            folder=folder,
            account=self._installation.account,
        )
        await replica.open()

    def _own_folder(self, node: PostgresNode) -> Path:
        node.folder.mkdir(mode=0o700)
        own(node.folder, self._installation.account)
        return node.folder
