"""SeaweedFS: one process that stores (master, volumes, filer), and the S3 gateway in front of it as another.

Apart, so that the gateway can refuse and come back in milliseconds while the store keeps running. Whoever wants
something of the store asks the gateway, with the run's keys; the store itself hears the gateway alone.
"""

import asyncio
import secrets
import signal
import ssl
from datetime import UTC, datetime
from functools import partial

import msgspec

from tenfold.fleet import binaries
from tenfold.fleet.account import write_private
from tenfold.fleet.child import Child, Children
from tenfold.fleet.http import status_of
from tenfold.fleet.node import Node
from tenfold.fleet.ports import LOOPBACK, free_port
from tenfold.fleet.readiness import ServerUnready, until
from tenfold.fleet.signature import AccessKeys, sign
from tenfold.fleet.store_security import StoreSecurity
from tenfold.plan.model import ServerPlan
from tenfold.telemetry import EventLog

VOLUME_MB = 64
VOLUMES_PER_BUCKET = 8
STORE_PARTS = ("master", "volume", "filer")


class StoreNode(Node):
    """`weed server`: it tells nobody about itself, keeps to loopback, and takes disk space only as it needs it.

    `-master.peers=none` spares it an election among one (measured: up to 7.4 s to the first stored object).
    """

    close_signal = signal.SIGKILL  # its orderly shutdown takes 25 s (measured), and its data is thrown away

    def __init__(self, name: str, children: Children, events: EventLog, bucket_count: int) -> None:
        super().__init__(name, "object store", children, events)
        self._volumes_max = VOLUMES_PER_BUCKET * (bucket_count + 1)
        self._program = binaries.seaweedfs()
        self._folder = children.run.data / name.replace(".", "-")
        self.security = StoreSecurity(children.run.data / f"{name.replace('.', '-')}-keys")
        self._tls: ssl.SSLContext | None = None
        self.ports: dict[str, int] = {}

    def prepare(self) -> None:
        self._folder.mkdir(mode=0o700)
        self.security.prepare()
        self._tls = self.security.tls()

    @property
    def filer(self) -> str:
        """How a gateway is told where the filer is: address and gRPC port."""
        return f"{self.address}.{self.ports['filer.grpc']}"

    def _choose_ports(self) -> None:
        self.ports = {name: free_port() for part in STORE_PARTS for name in (part, f"{part}.grpc")}
        self.port = self.ports["filer"]

    def _launch(self) -> Child:
        listen = [f"-{part}.port={self.ports[part]}" for part in STORE_PARTS]
        listen += [f"-{part}.port.grpc={self.ports[f'{part}.grpc']}" for part in STORE_PARTS]
        command = [str(self._program), *self.security.flags, "server", f"-ip={LOOPBACK}", f"-ip.bind={LOOPBACK}"]
        command += ["-filer", "-disableHttp", "-filer.disableHttp", *listen]
        command += [f"-dir={self._folder}", f"-volume.max={self._volumes_max}", "-volume.preStopSeconds=0"]
        command += [f"-master.volumeSizeLimitMB={VOLUME_MB}", "-master.telemetry=false", "-master.peers=none"]
        return self._children.start(
            self.name, command, folder=self._folder, leaves=[s for port in self.ports.values() for s in sockets(port)]
        )

    async def _answers(self) -> bool:
        """The filer listens (there is nothing that it answers by HTTP), and the volume server serves: that is when it
        tells the master where to store.
        """
        return (
            await status_of(self.port, "GET", "/", tls=self._tls) == 404
            and await status_of(self.ports["volume"], "GET", "/status", tls=self._tls) == 200
        )


class GatewayNode(Node):
    """`weed s3`: every request must be signed with the run's keys."""

    def __init__(self, name: str, children: Children, events: EventLog, store: StoreNode) -> None:
        super().__init__(name, "S3 gateway", children, events)
        self._program = binaries.seaweedfs()
        self._config = children.run.data / f"{name.replace('.', '-')}.json"
        self._store = store
        self._grpc_port = 0
        self.keys = AccessKeys(access=secrets.token_hex(10), secret=secrets.token_hex(20))

    def prepare(self) -> None:
        credentials = [{"accessKey": self.keys.access, "secretKey": self.keys.secret}]
        identity = {
            "name": "tenfold",
            "credentials": credentials,
            "actions": ["Admin", "Read", "List", "Tagging", "Write"],
        }
        write_private(self._config, msgspec.json.encode({"identities": [identity]}).decode())

    @property
    def url(self) -> str:
        return f"http://{self.keys.access}:{self.keys.secret}@{self.address}"

    async def ask(self, method: str, path: str, body: bytes = b"") -> int:
        """The status of one signed request."""
        headers = sign(self.keys, method, self.address, path, body, datetime.now(UTC))
        return await status_of(self.port, method, path, headers=headers, body=body)

    def _choose_ports(self) -> None:
        self.port, self._grpc_port = free_port(), free_port()

    def _launch(self) -> Child:
        command = [str(self._program), *self._store.security.flags, "s3"]
        command += [f"-ip.bind={LOOPBACK}", f"-filer={self._store.filer}"]
        command += [f"-port={self.port}", f"-port.grpc={self._grpc_port}", "-port.iceberg=0", "-port.lance=0"]
        command += [f"-config={self._config}"]
        leaves = [*sockets(self.port), *sockets(self._grpc_port)]
        return self._children.start(self.name, command, folder=self._config.parent, leaves=leaves)

    async def _answers(self) -> bool:
        return await self.ask("GET", "/") == 200


class SeaweedStore:
    """The store, its gateway, its buckets."""

    bucket_limit_s = 20.0

    def __init__(self, name: str, server: ServerPlan, children: Children, events: EventLog) -> None:
        self.name = name
        self._buckets = server.buckets
        self.store = StoreNode(f"{name}.store", children, events, len(server.buckets))
        self.s3 = GatewayNode(f"{name}.s3", children, events, self.store)

    @property
    def nodes(self) -> list[Node]:
        return [self.store, self.s3]

    @property
    def references(self) -> dict[str, str]:
        return {f"{self.s3.name}.url": self.s3.url}

    async def open(self) -> None:
        """Ready when every bucket takes and returns an object. Raises ServerUnready."""
        self.store.prepare()
        self.s3.prepare()
        await self.store.open()
        await self.s3.open()
        try:
            async with asyncio.timeout(self.bucket_limit_s):
                for bucket in self._buckets:
                    await self._make(bucket)
        except TimeoutError as cause:
            raise ServerUnready(
                f"S3 gateway '{self.s3.name}' stored nothing within {self.bucket_limit_s:g} s; the run cannot go on.",
                remedy="The logs of the store and its gateway say why; is the disk full?",
            ) from cause

    async def _make(self, bucket: str) -> None:
        probe = f"/{bucket}/tenfold-ready"
        for method, path, body, right in (
            ("PUT", f"/{bucket}", b"", (200, 409)),
            ("PUT", probe, b"ready", (200,)),
            ("DELETE", probe, b"", (200, 204)),
        ):
            await until(partial(self._right, method, path, body, right))

    async def _right(self, method: str, path: str, body: bytes, right: tuple[int, ...]) -> bool:
        try:
            return await self.s3.ask(method, path, body) in right
        except (OSError, EOFError):
            return False


def sockets(port: int) -> list[str]:
    """Unix sockets that SeaweedFS makes beside every port, at paths of its own choosing, and leaves when killed."""
    parts = ("master", "volume", "filer", "s3")
    return [f"/tmp/seaweedfs-{part}{kind}-{port}.sock" for part in parts for kind in ("", "-grpc")]  # noqa: S108
