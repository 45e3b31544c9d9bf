"""The load driver's one loop: an alarm for the next arrival, the connections, and the pipe from the rehearsal.

One thread, one epoll, no event loop of another's. Between any two handfuls of events the arrivals that have fallen due
go first.

    wait ──► handle at most 16 events ──► send what is due ──► tick? ──► wait …
"""

import gc
import select
import time
from collections import deque
from pathlib import Path
from random import Random

from tenfold.kernel import TenfoldError, derive_seed
from tenfold.plan.model import Plan
from tenfold.rehearse.load.address import loopback_address
from tenfold.rehearse.load.arrivals import arrivals
from tenfold.rehearse.load.course import TICK_NS, Course
from tenfold.rehearse.load.feed import Feed, read_rows
from tenfold.rehearse.load.journal import Journal
from tenfold.rehearse.load.mailbox import Mailbox, MailInvalid
from tenfold.rehearse.load.memory import Memory
from tenfold.rehearse.load.messages import LoadTarget, Order, Stage, StageEnd
from tenfold.rehearse.load.pool import ConnectionPool
from tenfold.rehearse.load.recorder import Recorder
from tenfold.rehearse.load.request import Script
from tenfold.rehearse.load.tally import StageTally
from tenfold.rehearse.load.targeter import Targeter
from tenfold.rehearse.load.timer import TimerFd
from tenfold.telemetry import Registry

LEAD_NS = 2_000_000
"""From the order to a stage's first moment, so that its first arrival is not late."""
_EVENTS_MAX = 16
"""Handled between two looks at what is due: more would be lateness, fewer would be calls."""
_OPEN_CONNECTIONS = 8
_OPEN_LIMIT_NS = 5_000_000_000


class SystemUnreachable(TenfoldError):
    """The system under rehearsal takes no connection."""


class Generator:
    """Carries out the orders of one rehearsal against one target."""

    def __init__(self, target: LoadTarget, plan: Plan, mailbox: Mailbox, registry: Registry) -> None:
        random = Random(derive_seed(target.seed, "feed"))
        scripts = scripts_of(target, plan)
        rows = read_rows(plan.traffic.feed, set().union(*(script.template.fields for script in scripts)))
        memory = Memory(Random(derive_seed(target.seed, "memory")))
        self._seed = target.seed
        self._mailbox = mailbox
        self._orders: deque[Order] = deque()
        self._stopped = False
        self._tally = StageTally(scripts, registry)
        self._journal = Journal(Path(target.journal))
        self._targeter = Targeter(scripts, Feed(rows, random), memory, target.seed, target.token)
        self._timer = TimerFd()
        self._epoll = select.epoll()
        self._epoll.register(self._timer.fd, select.EPOLLIN)
        self._epoll.register(mailbox.fd, select.EPOLLIN)
        self._pool = ConnectionPool(
            loopback_address(target.base_url),
            self._epoll,
            Recorder(self._tally, memory, self._journal),
            connections_max=target.connections_max,
            timeout_ns=plan.traffic.timeout.ns,
        )

    def open(self) -> None:
        """Hold a few open connections. Raises SystemUnreachable."""
        deadline_ns = time.monotonic_ns() + _OPEN_LIMIT_NS
        self._pool.open(_OPEN_CONNECTIONS, time.monotonic_ns())
        while len(self._pool) and self._pool.idle < len(self._pool) and time.monotonic_ns() < deadline_ns:
            self._timer.set(deadline_ns)
            self._turn()
        if not self._pool.idle:
            raise SystemUnreachable("The system under rehearsal takes no connection, so no load can be sent.")

    def serve(self) -> None:
        """Carry out orders until told to stop. Raises ParentGone, JournalFailed, MailInvalid."""
        while not self._stopped:
            order = self._orders.popleft() if self._orders else None
            if isinstance(order, Stage):
                self._drive(order)
            elif isinstance(order, LoadTarget):
                raise MailInvalid("A second target was named; a driver has one.")
            elif order is None:
                self._timer.set(time.monotonic_ns() + TICK_NS)
                self._turn()

    def stop(self) -> None:
        """Leave at the next turn, which is not later than the next tick."""
        self._stopped = True

    def close(self) -> None:
        """Abandon what is in flight; what was answered is in the journal."""
        self._pool.close()
        self._epoll.close()
        self._timer.close()
        self._journal.close()

    def _drive(self, stage: Stage) -> None:
        """Send the stage's arrivals and wait until each has ended; a tick every TICK_NS, the last one marked."""
        random = Random(derive_seed(self._seed, "arrivals", stage.name))
        course = Course(stage, arrivals(stage.segments, random), time.monotonic_ns() + LEAD_NS)
        self._tally.begin(stage.name)
        while not self._stopped and not (course.is_over(time.monotonic_ns()) and self._pool.is_quiet):
            self._timer.set(course.alarm_ns)
            self._turn()
            self._begin_due(course)
            if course.ticks(time.monotonic_ns()):
                self._tick()
            if self._orders:
                self._heed(stage, course)
        self._journal.flush()
        if not self._stopped:
            self._tick(last_of=course)
        gc.collect()

    def _heed(self, stage: Stage, course: Course) -> None:
        """An order to end this stage is carried out at once; any other waits until it is over."""
        if StageEnd(stage.name) in self._orders:
            self._orders.remove(StageEnd(stage.name))
            course.end_early()

    def _turn(self) -> None:
        """Wait for something to happen and handle it; the alarm is nothing to handle."""
        clock, handle = time.monotonic_ns, self._pool.handle
        for fd, mask in self._epoll.poll(-1, _EVENTS_MAX):
            if fd == self._mailbox.fd:
                self._orders.extend(self._mailbox.read())
            elif fd != self._timer.fd:
                handle(fd, mask, clock())

    def _begin_due(self, course: Course) -> None:
        """Send every arrival that has fallen due, each as its segment wants it."""
        now_ns = time.monotonic_ns()
        while (due_ns := course.pacer.take(now_ns)) is not None:
            request = self._targeter.make(due_ns, course.segment_at(due_ns))
            now_ns = time.monotonic_ns()
            self._tally.due(now_ns - due_ns)
            self._pool.send(request, now_ns)

    def _tick(self, *, last_of: Course | None = None) -> None:
        now_ns = time.monotonic_ns()
        self._pool.expire(now_ns)
        tick = self._tally.take(
            at_ns=now_ns,
            cpu_ns=time.process_time_ns(),
            inflight=self._pool.inflight,
            waiting=len(self._pool.waiting),
            lasted_ns=last_of.lasted_ns if last_of else None,
        )
        self._mailbox.write(tick)


def scripts_of(target: LoadTarget, plan: Plan) -> list[Script]:
    """The plan's journeys, ready; every request names the host it goes to and carries the tag of test traffic."""
    host = target.base_url.removeprefix("http://").rstrip("/")
    constant = {"Host": host, "User-Agent": "tenfold", plan.traffic.tag: target.token}
    return [Script(name, journey, constant) for name, journey in plan.journeys.items()]
