"""A PostgreSQL cluster: a durable primary and its streaming replicas.

role tenfold   superuser; control, audit, replication
role app       owns database app; what the system under rehearsal connects as; what `cut` cuts
"""

import asyncio
import secrets
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg

from tenfold.fleet import binaries
from tenfold.fleet.account import Account, own, unprivileged, write_private
from tenfold.fleet.child import Child, Children
from tenfold.fleet.node import Node, ServerUnready, State, until
from tenfold.fleet.ports import LOOPBACK
from tenfold.fleet.valkey import replica_titles
from tenfold.plan.model import Server
from tenfold.telemetry import EventLog

CONTROL = "tenfold"
APP = "app"
INIT_LIMIT_S = 30.0
CUT_LIMIT_S = 5.0

# A commit that was acknowledged is on the primary's disk (fsync, synchronous_commit), as in production; only the
# making of the empty cluster skips the disk's word. A run lasts minutes, so no checkpoint falls into its steps.
# Nothing is left outside the data folder: no Unix sockets, no POSIX shared memory.
_CONFIG = """
listen_addresses = '{host}'
unix_socket_directories = ''
max_connections = 60
password_encryption = 'scram-sha-256'
fsync = on
synchronous_commit = on
full_page_writes = on
wal_level = replica
max_wal_senders = 8
max_replication_slots = 8
max_slot_wal_keep_size = '1GB'
hot_standby = on
hot_standby_feedback = on
wal_receiver_status_interval = '1s'
wal_retrieve_retry_interval = '200ms'
shared_buffers = '128MB'
shared_memory_type = mmap
dynamic_shared_memory_type = mmap
min_dynamic_shared_memory = '16MB'
max_wal_size = '2GB'
checkpoint_timeout = '15min'
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_checkpoints = on
cluster_name = '{name}'
"""

_ACCESS = """\
# type  database     user     address        method
host    replication  tenfold  127.0.0.1/32   scram-sha-256
host    all          tenfold  127.0.0.1/32   scram-sha-256
host    app          app      127.0.0.1/32   {app}
"""


class PostgresNode(Node):
    """One `postgres`. Its orderly shutdown is PostgreSQL's fast one: it does not wait for clients to leave."""

    stop_signal = signal.SIGINT
    close_signal = signal.SIGQUIT  # the immediate shutdown: nobody will recover this data

    def __init__(self, name: str, role: str, cluster: "PostgresCluster", children: Children, events: EventLog) -> None:
        super().__init__(name, role, children, events)
        self.folder = children.run.data / name.replace(".", "-")
        self._cluster = cluster

    @property
    def url(self) -> str:
        return f"postgresql://{APP}:{self._cluster.app_password}@{self.address}/{APP}"

    @property
    def control_url(self) -> str:
        return f"postgresql://{CONTROL}:{self._cluster.control_password}@{self.address}/{APP}"

    @asynccontextmanager
    async def control(self, database: str = "postgres") -> AsyncIterator[Any]:
        """A superuser's connection. Raises OSError or asyncpg.PostgresError."""
        connection = await asyncpg.connect(
            host=LOOPBACK,
            port=self.port,
            user=CONTROL,
            password=self._cluster.control_password,
            database=database,
            timeout=2,
            command_timeout=5,
        )
        try:
            yield connection
        finally:
            await connection.close(timeout=1)

    def _launch(self) -> Child:
        command = [str(self._cluster.programs / "postgres"), "-D", str(self.folder), "-p", str(self.port)]
        return self._children.start(self.name, command, folder=self.folder, account=self._cluster.account)

    async def _answers(self) -> bool:
        try:
            async with self.control() as control:
                return await self._serves(control)
        except asyncpg.PostgresError:
            return False

    async def _serves(self, control: Any) -> bool:
        return not await control.fetchval("SELECT pg_is_in_recovery()")


class PrimaryNode(PostgresNode):
    """Writes go here; `cut` shuts role app out and leaves replication and control alone."""

    async def cut(self) -> None:
        """No session of role app is left and none comes in. Raises ServerUnready."""
        self._break("cut")
        await self._admit("reject")
        async with self._within(CUT_LIMIT_S, "cut"):
            await until(self._app_shut_out)
            await self._end_app_sessions()

    async def mend(self) -> None:
        """Role app comes in again. Raises ServerUnready."""
        await self._admit("scram-sha-256")
        async with self._within(CUT_LIMIT_S, "mended"):
            await until(self._app_enters)
        self.state = State.READY
        self._events.emit("node-mended", self.name)

    def write_access(self, app: str) -> None:
        """Replace pg_hba.conf, whole or not at all; the file before lies beside it, safe on disk."""
        path = self.folder / "pg_hba.conf"
        write_private(path.with_suffix(".before"), path.read_text(), self._cluster.account)
        write_private(path, _ACCESS.format(app=app), self._cluster.account)

    async def _admit(self, app: str) -> None:
        self.write_access(app)
        async with self.control() as control:
            await control.execute("SELECT pg_reload_conf()")
            if app == "reject":
                await control.execute(_END_SESSIONS, APP)

    async def _end_app_sessions(self) -> None:
        """Those that came in between the first sweep and the reload."""
        async with self.control() as control:
            await control.execute(_END_SESSIONS, APP)

    async def _app_enters(self) -> bool:
        return await self._refusal_of_app() is None

    async def _app_shut_out(self) -> bool:
        return isinstance(await self._refusal_of_app(), asyncpg.InvalidAuthorizationSpecificationError)

    async def _refusal_of_app(self) -> Exception | None:
        """Why role app may not come in now; None when it may."""
        try:
            connection = await asyncpg.connect(self.url, timeout=1)
        except (asyncpg.PostgresError, OSError, TimeoutError) as refusal:
            return refusal
        await connection.close(timeout=1)
        return None

    @asynccontextmanager
    async def _within(self, limit_s: float, what: str) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(limit_s):
                yield
        except TimeoutError as cause:
            raise ServerUnready(
                f"Database primary '{self.name}' on {self.address} could not be {what} within {limit_s:g} s.",
                remedy="Its log says why.",
            ) from cause


_END_SESSIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1"


class ReplicaNode(PostgresNode):
    """Reads may go here; ready when it streams from its primary and has replayed what was written before its start."""

    _written_before: str | None = None

    def _launch(self) -> Child:
        self._written_before = None
        return super()._launch()

    async def _serves(self, control: Any) -> bool:
        primary = self._cluster.primary
        if not primary.pid:
            return bool(await control.fetchval("SELECT pg_is_in_recovery()"))
        if self._written_before is None:
            async with primary.control() as source:
                self._written_before = await source.fetchval("SELECT pg_current_wal_flush_lsn()::text")
        return bool(await control.fetchval(_CAUGHT_UP, self._written_before))


_CAUGHT_UP = """
SELECT EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming')
   AND pg_last_wal_replay_lsn() >= ($1::text)::pg_lsn
"""


class PostgresCluster:
    """Primary first; then each replica is copied from it and follows it."""

    def __init__(self, name: str, server: Server, children: Children, events: EventLog) -> None:
        self.name = name
        self.account: Account | None = unprivileged()
        self.programs: Path = binaries.postgresql(self.account)
        self.control_password = secrets.token_urlsafe(24)
        self.app_password = secrets.token_urlsafe(24)
        self._children = children
        self.primary = PrimaryNode(f"{name}.primary", "database primary", self, children, events)
        self.replicas = [
            ReplicaNode(f"{name}.{title}", "database replica", self, children, events)
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
        folder = self._own_folder(self.primary)
        secret = folder.with_name(f"{self.primary.name}.secret")
        write_private(secret, self.control_password + "\n", self.account)
        command = [str(self.programs / "initdb"), "-D", str(folder), "-U", CONTROL, "--pwfile", str(secret)]
        command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        command += ["--locale=C", "--no-sync", "--no-instructions"]
        command += ["-c", "dynamic_shared_memory_type=mmap"]  # killed half way, it would leave POSIX segments behind
        await self._children.finish(
            f"{self.primary.name}-initdb", command, limit_s=INIT_LIMIT_S, folder=folder, account=self.account
        )
        secret.unlink()
        with (folder / "postgresql.conf").open("a") as config:
            config.write(_CONFIG.format(host=LOOPBACK, name=self.name))
        self.primary.write_access("scram-sha-256")

    async def _make_app(self) -> None:
        async with self.primary.control() as control:
            await control.execute(f"CREATE ROLE {APP} LOGIN PASSWORD '{self.app_password}'")  # token_urlsafe: no quote
            await control.execute(f"GRANT pg_checkpoint TO {APP}")
            await control.execute(f"CREATE DATABASE {APP} OWNER {APP} STRATEGY WAL_LOG")

    async def _open_replica(self, replica: ReplicaNode) -> None:
        folder = self._own_folder(replica)
        slot = replica.name.partition(".")[2].replace("-", "_")
        command = [str(self.programs / "pg_basebackup"), "-D", str(folder), "-h", LOOPBACK]
        command += ["-p", str(self.primary.port), "-U", CONTROL, "--no-password", "--checkpoint=fast", "--no-sync"]
        command += ["-X", "stream", "--create-slot", "--slot", slot, "--write-recovery-conf"]
        await self._children.finish(
            f"{replica.name}-basebackup",
            command,
            limit_s=INIT_LIMIT_S,
            environment={"PGPASSWORD": self.control_password},
            folder=folder,
            account=self.account,
        )
        await replica.open()

    def _own_folder(self, node: PostgresNode) -> Path:
        node.folder.mkdir(mode=0o700)
        own(node.folder, self.account)
        return node.folder
