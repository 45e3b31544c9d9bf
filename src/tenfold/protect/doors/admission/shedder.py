"""Decides who is served now, who waits, and who is refused, when not everybody can be served."""

import threading
from collections.abc import Callable

from tenfold.kernel import Clock, Duration, SystemClock
from tenfold.kernel.forks import tell_forks
from tenfold.protect.calls.limit import End, GradientLimit, Limit
from tenfold.protect.doors.admission.admit import Admit
from tenfold.protect.doors.admission.lines import Lines
from tenfold.protect.doors.admission.metrics import AdmissionMetrics
from tenfold.protect.doors.admission.overload import Overload
from tenfold.protect.doors.admission.pressure import Pressure
from tenfold.protect.doors.admission.service_time import ServiceTime
from tenfold.protect.doors.admission.ticket import NEVER_NS, Fate, Ticket
from tenfold.telemetry import EventLog, Registry

_WAITING, _ADMITTED, _SHED, _LATE, _ENDED = Fate.WAITING, Fate.ADMITTED, Fate.SHED, Fate.LATE, Fate.ENDED
_IGNORED, _DROPPED = End.IGNORED, End.DROPPED
"""To ask an enum for a member costs as much as all else that a comparison does: each request would ask ten times."""


def _nobody(level: float) -> None:
    """Nobody wants to know."""


class Shedder:
    """Lets as many requests run as its limit says, the rest waits in short lines, one for each tier, or is refused.

    The best tier (0) is served first, always; within a tier every tenant has the same right. A full house makes room
    by turning out the lowest tier; and below a line that stands nobody is let in, so that a refusal costs next to
    nothing. How long one may wait follows from how long one is served. For threads, event loops and forks.

    `overload` refuses at the door, too, while what is short is the turn of an event loop, which no limit can see.

    `on_pressure(level)` hears each change of the pressure, 0 to 1, in the thread of the request that made it and
    before those who were refused hear of it; it must be quick and must not raise.
    """

    def __init__(
        self,
        name: str,
        limit: Limit | None = None,
        *,
        tiers: int = 4,
        overload: Overload | None = None,
        on_pressure: Callable[[float], None] = _nobody,
        clock: Clock | None = None,
        registry: Registry | None = None,
        events: EventLog | None = None,
    ) -> None:
        self.name = name
        self.limit: Limit = limit or GradientLimit()
        self.now_ns = (clock or SystemClock()).monotonic_ns
        self._tiers = tiers
        self._service = ServiceTime()
        self._lines = Lines(tiers, self._service)
        self._inflight = 0
        self.came = 0
        """Requests since it was made, whatever became of them."""
        self._turned_out: list[Ticket] = []
        """Tickets that waited in vain and have not been told so yet."""
        self._overload = overload
        self._pressure = Pressure(tiers, self._tell_pressure)
        self._on_pressure = on_pressure
        self._events = events
        self._lock = threading.Lock()
        self._generation = 0
        self._declare(registry or Registry())
        tell_forks(self)

    def _declare(self, registry: Registry) -> None:
        self._metrics = AdmissionMetrics(self.name, self._tiers, registry)
        for name, text, ask in (
            ("tenfold_admission_limit_requests", "Requests allowed at a time now.", lambda: self.limit.value),
            ("tenfold_admission_inflight_requests", "Requests that are served now.", lambda: self._inflight),
            ("tenfold_admission_waiting_requests", "Requests that wait for their turn.", lambda: self._lines.length),
            ("tenfold_admission_pressure_ratio", "0: nobody is refused, 1: the best tier is.", lambda: self.pressure),
        ):
            registry.gauge(name, text, ("shedder",)).child(self.name).ask(ask)

    @property
    def inflight(self) -> int:
        return self._inflight

    @property
    def waiting(self) -> int:
        return self._lines.length

    @property
    def pressure(self) -> float:
        """0 to 1; looking at it also lets it fall when nothing else happens."""
        return self._pressure.look(self.now_ns())

    def admit(self, tier: int = 0, tenant: str = "", *, deadline_ns: int | None = None) -> Admit:
        """For `with` and `async with`: waits for the turn and raises LoadShed when there will be none.

        `deadline_ns` is monotonic; without it, what `deadline_within` set.
        """
        return Admit(self, tier, tenant, deadline_ns)

    def enter(self, tier: int, tenant: str = "", deadline_ns: int = NEVER_NS) -> Ticket:
        """A request is here. Its ticket is ADMITTED, refused, or WAITING: then give it to `attend`."""
        now_ns = self.now_ns()
        if not 0 <= tier < self._tiers:
            tier = 0 if tier < 0 else self._tiers - 1
        ticket = Ticket(tier, tenant, now_ns, deadline_ns, self._generation)
        with self._lock:
            self.came += 1
            if deadline_ns <= now_ns:
                self._end(ticket, _LATE, now_ns)
            elif self._overload is not None and self._is_too_much(self._overload, ticket):
                self._end(ticket, _SHED, now_ns)
            elif not self._lines.length and self._inflight < self.limit.value:
                self._begin(ticket, now_ns)
            else:
                self._line_up(ticket, now_ns)
        if ticket.fate is not _ADMITTED or self._pressure.level or self._turned_out:
            self._look(now_ns)
        return ticket

    def attend(self, ticket: Ticket, wake: Callable[[], None]) -> None:
        """Have `wake` called once the ticket waits no longer: at once, when that is so already."""
        with self._lock:
            if ticket.fate is Fate.WAITING:
                ticket.wake = wake
                return
        if ticket.fate is not Fate.ADMITTED:  # another thread has just turned it out, and may not have looked yet
            self._look(self.now_ns())
        wake()

    def give_up(self, ticket: Ticket, fate: Fate | None = None) -> None:
        """It has waited long enough, or its caller has left (GONE); nothing happens when it waits no longer."""
        now_ns = self.now_ns()
        with self._lock:
            if ticket.fate is Fate.WAITING and ticket.generation == self._generation:
                self._lines.remove(ticket, now_ns)
                self._turn_out(ticket, fate or _too_late(ticket, now_ns), now_ns)
        self._look(now_ns)

    def leave(self, ticket: Ticket, end: End = End.ANSWERED) -> None:
        """An admitted request is over. Telling it twice, or of one that was not admitted, does nothing."""
        now_ns = self.now_ns()
        with self._lock:
            if ticket.fate is not _ADMITTED or ticket.generation != self._generation:
                return
            ticket.fate = _ENDED
            self._inflight -= 1
            if end is not _IGNORED:
                self._learn(ticket, now_ns, end)
            if self._lines.length:
                self._call_next(now_ns)
        if self._turned_out:
            self._look(now_ns)

    def _learn(self, ticket: Ticket, now_ns: int, end: End) -> None:
        service_ns = now_ns - ticket.admitted_ns
        self.limit.sample(now_ns, service_ns, ticket.inflight, dropped=end is _DROPPED)
        self._service.learn(service_ns)

    def _is_too_much(self, overload: Overload, ticket: Ticket) -> bool:
        return overload.level > 0 and overload.refuses(ticket.tier, greedy=self._lines.is_greedy(ticket))

    def _begin(self, ticket: Ticket, now_ns: int) -> None:
        self._inflight += 1
        ticket.fate = _ADMITTED
        ticket.admitted_ns = now_ns
        ticket.inflight = self._inflight
        self._lines.admitted(ticket, now_ns)
        self._metrics.admitted[ticket.tier].value += 1

    def _end(self, ticket: Ticket, fate: Fate, now_ns: int) -> None:
        """It will not be served. Its fate is written last: other threads read it as soon as it stands."""
        self._metrics.fates[ticket.tier][fate].value += 1
        if fate is Fate.SHED or fate is Fate.EXPIRED:
            self._pressure.refused(ticket.tier, now_ns)
            self._lines.refused(ticket, now_ns)
        ticket.fate = fate

    def _turn_out(self, ticket: Ticket, fate: Fate, now_ns: int) -> None:
        """It waited in vain, and hears so at the next look."""
        self._end(ticket, fate, now_ns)
        self._turned_out.append(ticket)

    def _line_up(self, ticket: Ticket, now_ns: int) -> None:
        limit = self.limit.value
        if not self._lines.has_room(ticket, limit, now_ns):
            displaced = self._lines.make_room(ticket, limit, now_ns)
            if displaced is None:
                self._end(ticket, Fate.SHED, now_ns)
            else:
                self._turn_out(displaced, Fate.SHED, now_ns)
        if ticket.fate is Fate.WAITING:
            self._lines.push(ticket, now_ns)
            self._call_next(now_ns)

    def _call_next(self, now_ns: int) -> None:
        """Begin those whose turn it is; whose deadline has passed meanwhile is not begun."""
        while self._lines.length and self._inflight < self.limit.value:
            ticket = self._lines.pop(now_ns)
            if now_ns >= ticket.until_ns:
                self._turn_out(ticket, _too_late(ticket, now_ns), now_ns)
                continue
            self._begin(ticket, now_ns)
            self._metrics.waits[ticket.tier].record_ns(now_ns - ticket.came_ns)
            if ticket.wake is not None and not self._wake(ticket.wake):
                ticket.fate = Fate.GONE
                self._inflight -= 1

    def _look(self, now_ns: int) -> None:
        """Tell how bad it is, and then those who were turned out: what answers to the pressure has acted by then."""
        turned_out: list[Ticket] = []
        if self._turned_out:
            with self._lock:
                turned_out, self._turned_out = self._turned_out, turned_out
        try:
            self._pressure.look(now_ns)
        finally:
            for ticket in turned_out:
                if ticket.wake is not None:
                    self._wake(ticket.wake)

    def _wake(self, wake: Callable[[], None]) -> bool:
        """True when the waiter could be told: an event loop may have been closed while its tasks waited."""
        try:
            wake()
        except RuntimeError:
            return False
        return True

    def _tell_pressure(self, level: float, before: float) -> None:
        if self._events is not None:
            kind = "shed-ended" if not level else "pressure-changed" if before else "shed-begun"
            self._events.emit(
                kind,
                self.name,
                level=level,
                limit=self.limit.value,
                inflight=self._inflight,
                waiting=self._lines.length,
                service_ms=round(Duration(int(self._service.ns)).ms, 3),
            )
        self._on_pressure(level)

    def after_fork(self) -> None:
        """Requests that are served or wait are the parent's; what the shedder has learned stays true."""
        self._lock = threading.Lock()
        self._generation += 1
        self._inflight = 0
        self._lines = Lines(self._tiers, self._service)
        self._turned_out = []
        self._pressure.after_fork()


def _too_late(ticket: Ticket, now_ns: int) -> Fate:
    return Fate.LATE if now_ns >= ticket.deadline_ns else Fate.EXPIRED
