"""Tells what has changed: for whoever changes the truth, such as the relay of a database's outbox."""

from collections.abc import Mapping, Sequence
from itertools import islice

from tenfold.engines.valkey import TIMEOUT
from tenfold.engines.valkey.address import Address
from tenfold.engines.valkey.cluster import ValkeyCluster
from tenfold.engines.valkey.connection import ReplyError
from tenfold.engines.valkey.server import Server, ServerUnreachable
from tenfold.kernel import Duration, TenfoldError
from tenfold.protect.reads.valkey.tracking.notice import HOME, Notice, commands_of, name_of, names_of
from tenfold.telemetry import Registry

BATCH_MAX = 1_000
"""Names in one transaction: the server does nothing else meanwhile."""


class AnnouncementFailed(TenfoldError):
    """It is not certain that everyone was told; announce again: versions make repeats harmless."""


class Announcer:
    """Announces to all who track the servers at `url`; `cluster`, when given, is that of a rung at the same `url`, and
    whoever made it closes it. For one event loop.

    A version must be one that whoever fills the target can name too, and not be reached by a value that misses the
    change: of PostgreSQL, `pg_current_wal_lsn()` asked of the primary after the commit, or the row's own number.
    Announce what was committed, until it succeeds: so from an outbox. Remove the values from the cluster *before*, or
    rely on the version that they carry.
    """

    def __init__(
        self,
        name: str,
        url: str,
        *,
        cluster: ValkeyCluster | None = None,
        timeout: Duration = TIMEOUT,
        registry: Registry | None = None,
    ) -> None:
        self.name = name
        self._access = Address.parse(url).access
        self._owns = cluster is None
        self._cluster = cluster or ValkeyCluster(name, url, timeout=timeout, connect_timeout=timeout)
        self._timeout = timeout
        self._server: Server | None = None
        self._doubted = True
        told = (registry or Registry()).counter(
            "tenfold_announcements_total", "Changes announced to all who track.", ("announcer",)
        )
        self._told = told.child(name)

    async def announce(self, prefix: str, versions: Mapping[str, int]) -> None:
        """Each key has changed to its version. When this returns, everyone's message is on its way.

        Raises AnnouncementFailed.
        """
        names = iter(names_of(prefix, versions))
        while batch := list(islice(names, BATCH_MAX)):
            await self._tell(batch)
            self._told.inc(len(batch))

    async def beat(self, prefix: str, version: int = 0) -> None:
        """Whatever had changed up to now has been announced: for those who want beats (`TrackingPace.beat_max`).

        Only after every `announce` of it has returned. Raises AnnouncementFailed.
        """
        await self._tell([name_of(prefix, Notice("", version))])

    async def close(self) -> None:
        self._drop()
        if self._owns:
            await self._cluster.close()

    async def _tell(self, names: Sequence[str]) -> None:
        try:
            replies = await (await self._primary()).ask(*commands_of(names))
        except ServerUnreachable as error:
            self._doubted = True
            raise self._failed(f"did not reach it ({error.__cause__.__class__.__name__})") from error
        refused = next((reply for reply in replies if isinstance(reply, ReplyError)), None)
        if refused is not None:
            self._doubted = True
            raise self._failed(f"was refused ({refused.code})") from refused

    async def _primary(self) -> Server:
        """A connection of its own to the confirmed primary: nobody else's commands come in between."""
        endpoint = self._cluster.primary_of(HOME)
        if endpoint is None or self._doubted:
            await self._cluster.examine()
            endpoint, self._doubted = self._cluster.primary_of(HOME), False
        if endpoint is None:
            raise self._failed("knows no primary")
        if self._server is None or self._server.endpoint != endpoint:
            self._drop()
            self._server = Server(endpoint, self._access, timeout=self._timeout, connect_timeout=self._timeout)
        return self._server

    def _drop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    def _failed(self, what: str) -> AnnouncementFailed:
        return AnnouncementFailed(
            f"Announcer '{self.name}' {what}; who tracks may not have heard.", remedy="Announce it again."
        )
