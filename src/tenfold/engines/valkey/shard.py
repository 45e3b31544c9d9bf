"""The servers that hold the same keys: a primary and its replicas, of which at least one should answer."""

import asyncio
from collections.abc import Sequence
from typing import Any

from tenfold.engines.amplification import AmplificationBudget
from tenfold.engines.valkey.address import Endpoint
from tenfold.engines.valkey.connection import Command
from tenfold.engines.valkey.observer import ClusterObserver
from tenfold.engines.valkey.server import Server, ServerUnreachable
from tenfold.engines.valkey.succession import Health, RoleReport, Succession
from tenfold.engines.valkey.suspicion import Hedge, Suspicion, Trust
from tenfold.kernel import Clock, Duration, TenfoldError

LATE_LOOP_S = 0.005
"""When our own event loop is this late, it is not the server that is slow."""


UNKNOWN = Health(readable=True, primary=False)
"""Before anybody has been asked."""


class ClusterUnreachable(TenfoldError):
    """No server of the cluster that holds the key answers."""


class PrimaryUnknown(TenfoldError):
    """No server has been confirmed as the primary; nothing is written, for it might be the wrong one."""


class Shard:
    """Reads go to the primary, and to a replica as soon as the primary is late or suspected; writes to a confirmed
    primary only.

    Lateness and failures of the traffic make a server suspected (`observer` is told, once); only an `examine` clears
    it: by ROLE and the replication id, never by a write. That a replica is asked because the primary is late is a call
    on top of the real ones, and asked of `extra`; because the primary failed, it is not.
    """

    def __init__(
        self,
        servers: Sequence[Server],
        *,
        clock: Clock,
        observer: ClusterObserver,
        extra: AmplificationBudget,
    ) -> None:
        self.servers = list(servers)
        self._by_name = {server.name: server for server in servers}
        self._trust = {server.name: Suspicion(clock=clock) for server in servers}
        self._succession = Succession()
        self._hedge = Hedge()
        self._extra = extra
        self._observer = observer
        self._late: set[asyncio.Task[list[Any]]] = set()
        self._order = list(servers)
        self.examined = False

    @property
    def endpoints(self) -> frozenset[Endpoint]:
        return frozenset(server.endpoint for server in self.servers)

    @property
    def primary(self) -> Server | None:
        """The confirmed primary; None while there is none, or while it is suspected."""
        name = self._succession.standing.primary
        return self._by_name[name] if name is not None and self._trust[name].state is Trust.TRUSTED else None

    @property
    def health(self) -> Health:
        """As the last examination found it."""
        standing = self._succession.standing
        if not self.examined:
            return UNKNOWN
        return Health(readable=bool(standing.readable), primary=standing.primary is not None)

    @property
    def trusted(self) -> bool:
        """True when the shard has a server that is not suspected."""
        return any(self._trust[server.name].state is Trust.TRUSTED for server in self._order)

    @property
    def settled(self) -> bool:
        """True when no server is suspected, and the primary is known."""
        trusted = all(suspicion.state is Trust.TRUSTED for suspicion in self._trust.values())
        return trusted and self.examined and self._succession.standing.primary is not None

    async def read(self, *commands: Command) -> list[Any]:
        """The replies of whoever answers first and well. Raises ClusterUnreachable."""
        self._extra.called()
        readers = self._readers()
        if not readers:
            raise ClusterUnreachable(f"No server of {self} answers.")
        if len(readers) == 1:
            return await self._ask(readers[0], *commands)
        return await self._ask_hedged(readers[0], readers[1], *commands)

    async def write(self, *commands: Command) -> list[Any]:
        """Raises PrimaryUnknown, ServerUnreachable."""
        return await self._ask(self._confirmed(), *commands)

    async def write_aside(self, command: Command, wait: Duration) -> Any:
        """As `write`, for a command that may wait on the server for `wait`: nobody waits behind it."""
        return await self._confirmed().ask_aside(command, wait)

    async def examine(self) -> Health:
        """Ask every server who it is, and judge. Ends within the servers' own deadlines."""
        reports = await asyncio.gather(*(server.report() for server in self.servers))
        answers: dict[str, RoleReport | None] = {}
        for server, report in zip(self.servers, reports, strict=True):
            self._trust[server.name].probed(report is not None)
            answers[server.name] = report
        before = self._succession.standing
        standing = self._succession.judge(answers)
        self.examined = True
        self._put_in_order()
        if standing.primary != before.primary or standing.renewed:
            self._observer.changed(standing)
        return self.health

    def close(self) -> None:
        for task in self._late:
            task.cancel()
        for server in self.servers:
            server.close()

    def __str__(self) -> str:
        return "/".join(server.name for server in self.servers)

    def _confirmed(self) -> Server:
        name = self._succession.standing.primary
        if name is None or self._trust[name].state is Trust.LOST:
            raise PrimaryUnknown(f"No primary of {self} has been confirmed; nothing was written.")
        return self._by_name[name]

    def _readers(self) -> list[Server]:
        """The servers that may be asked: the trusted, the primary first; without one, the suspected."""
        trusted = [server for server in self._order if self._trust[server.name].state is Trust.TRUSTED]
        if trusted:
            return trusted
        return [server for server in self._order if self._trust[server.name].state is Trust.SUSPECTED]

    def _put_in_order(self) -> None:
        """Primary first, then who else holds its history; strangers are left out."""
        standing = self._succession.standing
        readable = [server for server in self.servers if server.name in standing.readable]
        self._order = sorted(readable, key=lambda server: server.name != standing.primary) or self._order

    async def _ask(self, server: Server, *commands: Command) -> list[Any]:
        """One call, whose lateness and failure are held against the server."""
        loop = asyncio.get_running_loop()
        trust = self._trust[server.name]
        began_s = loop.time()
        due_s = began_s + self._hedge.delay_s
        late = loop.call_at(due_s, self._blame_lateness, server, due_s)
        try:
            replies = await server.ask(*commands)
        except ServerUnreachable as error:
            self._blame(server, str(error))
            raise
        finally:
            late.cancel()
        trust.answered()
        self._hedge.answered(loop.time() - began_s)
        return replies

    async def _ask_hedged(self, first: Server, second: Server, *commands: Command) -> list[Any]:
        """The second is asked when the first is late or fails; the loser is left to its own deadline."""
        racing = {self._race(first, *commands)}
        done, _ = await asyncio.wait(racing, timeout=self._hedge.delay_s)
        if not done and not self._extra.take("hedge"):
            done, _ = await asyncio.wait(racing)
        if not any(_went_well(task) for task in done):
            self._observer.hedged()
            racing.add(self._race(second, *commands))
        while racing:
            done, racing = await asyncio.wait(racing, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if _went_well(task):
                    return task.result()
        raise ClusterUnreachable(f"No server of {self} answers.") from task.exception()

    def _race(self, server: Server, *commands: Command) -> asyncio.Task[list[Any]]:
        task = asyncio.get_running_loop().create_task(self._ask(server, *commands))
        self._late.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[list[Any]]) -> None:
        self._late.discard(task)
        if not task.cancelled():
            task.exception()

    def _blame_lateness(self, server: Server, due_s: float) -> None:
        if asyncio.get_running_loop().time() - due_s < LATE_LOOP_S:
            self._blame(server, "late")

    def _blame(self, server: Server, reason: str) -> None:
        if self._trust[server.name].failed():
            self._observer.doubted(f"{server.name}: {reason}")


def _went_well(task: asyncio.Task[list[Any]]) -> bool:
    return not task.cancelled() and task.exception() is None
