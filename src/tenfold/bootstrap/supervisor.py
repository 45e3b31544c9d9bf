"""Starts a service once more that crashed. A server that is lost ends the run: what it held may be gone with it."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Sequence

from tenfold.bootstrap.ending import cancelled
from tenfold.bootstrap.lifeline import Lifeline, ServiceLost
from tenfold.bootstrap.restart_bound import RESTARTS_MAX, WITHIN, RestartBound
from tenfold.fleet import CommandUnusable, Estate, NodeState, ServerUnready, Service
from tenfold.kernel import Clock
from tenfold.rehearse import CrashVerdict, RunRecord
from tenfold.telemetry import EventLog

CRASHES_KEPT = 500


class Supervisor:
    """Of one run. In a rehearsal each crash is a finding, so it goes on to its verdict whatever crashes how often."""

    def __init__(
        self, estate: Estate, record: RunRecord, events: EventLog, lifeline: Lifeline, clock: Clock, *, rehearsing: bool
    ) -> None:
        self._estate = estate
        self._record = record
        self._events = events
        self._lifeline = lifeline
        self._clock = clock
        self._rehearsing = rehearsing
        self._bounds: defaultdict[str, RestartBound] = defaultdict(RestartBound)
        self._restarting: dict[str, asyncio.Task[None]] = {}
        self._crashes: deque[CrashVerdict] = deque(maxlen=CRASHES_KEPT)

    @property
    def crashes(self) -> Sequence[CrashVerdict]:
        """The newest CRASHES_KEPT so far, in order of time: more than a rehearsal can have."""
        return tuple(self._crashes)

    def left(self, name: str, status: int) -> None:
        """That process ended without being told to."""
        service = next((service for service in self._estate.services if service.name == name), None)
        if service is None:
            return self._lifeline.cut(name, status)
        crash = CrashVerdict(service=name, status=status, at=self._record.moment)
        self._crashes.append(crash)
        self._record.say("bad", crash.says)
        self._restarting[name] = asyncio.create_task(self._restart(service, status))
        return None

    async def close(self) -> None:
        """Nothing is started from now on."""
        for task in list(self._restarting.values()):
            await cancelled(task)

    async def _restart(self, service: Service, status: int) -> None:
        """Until it serves, or a drill or the run's end has its hands on it, or there were too many."""
        while (wait_s := self._bounds[service.name].next_s(self._clock.monotonic_ns())) is not None:
            await asyncio.sleep(wait_s)
            if service.state is not NodeState.FAILED:
                return
            if await self._started(service):
                return
        self._give_up(service, status)

    async def _started(self, service: Service) -> bool:
        service.restarts += 1
        try:
            await service.start()
        except (ServerUnready, CommandUnusable) as error:
            self._record.say("bad", str(error))
            return False
        self._events.emit("service-restarted", service.name, restarts=service.restarts, pid=service.pid)
        return True

    def _give_up(self, service: Service, status: int) -> None:
        self._events.emit("service-lost", service.name, restarts=service.restarts, status=status)
        lost = ServiceLost(
            f"Service '{service.name}' crashed (status {status}) after {RESTARTS_MAX} restarts within "
            f"{WITHIN.s:g} s; it is not started again.",
            remedy=f"Its log is {self._estate.run.logs / service.name}.log.",
        )
        if self._rehearsing:
            self._record.warn(str(lost))
        else:
            self._lifeline.lose(lost)
