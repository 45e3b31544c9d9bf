"""Decides who is served now, who waits, and who is refused, when not everybody can be served."""

import threading
from collections.abc import Callable

from tenfold.kernel import Clock, Duration, SystemClock
from tenfold.kernel.forks import tell_forks
from tenfold.protect.admission.admit import Admit
from tenfold.protect.admission.line import Line
from tenfold.protect.admission.meters import Meters
from tenfold.protect.admission.pressure import Pressure
from tenfold.protect.admission.ticket import NEVER_NS, Fate, Ticket
from tenfold.protect.limit import End, GradientLimit, Limit
from tenfold.telemetry import EventLog, Registry

SERVICE_NS_MIN, SERVICE_NS_MAX = 5_000_000, 1_000_000_000
SERVICE_NS_GUESSED = 100_000_000
"""How long one takes to be served, while nobody knows."""
PATIENCE_BEST, PATIENCE, PATIENCE_STANDING = 2.0, 1.0, 0.5
"""How long a request may wait, in times of what one takes to be served: of the best tier, whether its line stands or
not, since nobody would be served better by its place; of another; and of another whose line stands."""
INTERVAL = 10.0
"""A line in which nobody had a short wait for so many times of what one takes to be served stands."""
INTERVAL_NS_MIN = 100_000_000
PLACES_MIN, PLACES_STANDING_MIN = 8, 4
_SMOOTHING = 0.05


def _nobody(level: float) -> None:
    """Nobody wants to know."""


class Shedder:
    """Lets as many requests run as its limit says, the rest waits in short lines, one for each tier, or is refused.

    The best tier (0) is served first, always; within a tier every tenant has the same right. A full house makes room
    by turning out the lowest tier; and below a line that stands nobody is let in, so that a refusal costs next to
    nothing. How long one may wait follows from how long one is served. For threads, event loops and forks.

    `on_pressure(level)` hears each change of the pressure, 0 to 1, in the thread of the request that made it and
    before that request hears its own refusal; it must be quick and must not raise.
    """

    def __init__(
        self,
        name: str,
        limit: Limit | None = None,
        *,
        tiers: int = 4,
        on_pressure: Callable[[float], None] = _nobody,
        clock: Clock | None = None,
        registry: Registry | None = None,
        events: EventLog | None = None,
    ) -> None:
        self.name = name
        self.limit: Limit = limit or GradientLimit()
        self.now_ns = (clock or SystemClock()).monotonic_ns
        self._lines = [Line() for _ in range(tiers)]
        self._lowest = tiers - 1
        self._inflight = self._waiting = 0
        self._service_ns = float(SERVICE_NS_GUESSED)
        self._served = 0
        self._pressure = Pressure(tiers)
        self._on_pressure = on_pressure
        self._events = events
        self._lock = threading.Lock()
        self._generation = 0
        self._declare(registry or Registry())
        tell_forks(self)

    def _declare(self, registry: Registry) -> None:
        self._meters = Meters(self.name, len(self._lines), registry)
        for name, text, ask in (
            ("tenfold_admission_limit_requests", "Requests allowed at a time now.", lambda: self.limit.value),
            ("tenfold_admission_inflight_requests", "Requests that are served now.", lambda: self._inflight),
            ("tenfold_admission_waiting_requests", "Requests that wait for their turn.", lambda: self._waiting),
            ("tenfold_admission_pressure_ratio", "0: nobody is refused, 1: the best tier is.", lambda: self.pressure),
        ):
            registry.gauge(name, text, ("shedder",)).child(self.name).ask(ask)

    @property
    def inflight(self) -> int:
        return self._inflight

    @property
    def waiting(self) -> int:
        return self._waiting

    @property
    def pressure(self) -> float:
        """0 to 1; looking at it also lets it fall when nothing else happens."""
        self._announce(self.now_ns())
        return self._pressure.level

    def admit(self, tier: int = 0, tenant: str = "", *, deadline_ns: int | None = None) -> Admit:
        """For `with` and `async with`: waits for the turn and raises LoadShed when there will be none.

        `deadline_ns` is monotonic; without it, what `deadline_within` set.
        """
        return Admit(self, tier, tenant, deadline_ns)

    def enter(self, tier: int, tenant: str = "", deadline_ns: int = NEVER_NS) -> Ticket:
        """A request is here. Its ticket is ADMITTED, refused, or WAITING: then give it to `attend`."""
        now_ns = self.now_ns()
        tier = min(max(tier, 0), self._lowest)
        ticket = Ticket(tier, tenant, now_ns, deadline_ns, self._generation)
        with self._lock:
            if deadline_ns <= now_ns:
                self._end(ticket, Fate.LATE, now_ns)
            elif not self._waiting and self._inflight < self.limit.value:
                self._begin(ticket, now_ns)
            elif self._makes_room(ticket, now_ns):
                self._line_up(ticket, now_ns)
            else:
                self._end(ticket, Fate.SHED, now_ns)
        if ticket.fate is not Fate.ADMITTED or self._pressure.level:
            self._announce(now_ns)
        return ticket

    def attend(self, ticket: Ticket, wake: Callable[[], None]) -> None:
        """Have `wake` called once the ticket waits no longer: at once, when that is so already."""
        with self._lock:
            if ticket.fate is Fate.WAITING:
                ticket.wake = wake
                return
        wake()

    def give_up(self, ticket: Ticket, fate: Fate | None = None) -> None:
        """It has waited long enough, or its caller has left (GONE); nothing happens when it waits no longer."""
        now_ns = self.now_ns()
        with self._lock:
            if ticket.fate is not Fate.WAITING or ticket.generation != self._generation:
                return
            self._lines[ticket.tier].remove(ticket, now_ns)
            self._waiting -= 1
            self._end(ticket, fate or (Fate.LATE if now_ns >= ticket.deadline_ns else Fate.EXPIRED), now_ns)
        self._announce(now_ns)

    def leave(self, ticket: Ticket, end: End = End.ANSWERED) -> None:
        """An admitted request is over. Telling it twice, or of one that was not admitted, does nothing."""
        now_ns = self.now_ns()
        with self._lock:
            if ticket.fate is not Fate.ADMITTED or ticket.generation != self._generation:
                return
            ticket.fate = Fate.ENDED
            self._inflight -= 1
            if end is not End.IGNORED:
                self._learn(ticket, now_ns, end)
            if self._waiting:
                self._call_next(now_ns)

    def _learn(self, ticket: Ticket, now_ns: int, end: End) -> None:
        service_ns = now_ns - ticket.admitted_ns
        self.limit.sample(now_ns, service_ns, ticket.inflight, dropped=end is End.DROPPED)
        bounded_ns = min(max(service_ns, SERVICE_NS_MIN), SERVICE_NS_MAX)
        self._served += 1
        self._service_ns += max(_SMOOTHING, 1 / self._served) * (bounded_ns - self._service_ns)

    def _begin(self, ticket: Ticket, now_ns: int) -> None:
        self._inflight += 1
        ticket.fate = Fate.ADMITTED
        ticket.admitted_ns = now_ns
        ticket.inflight = self._inflight
        self._lines[ticket.tier].usage.add(ticket.tenant, now_ns)
        self._meters.fates[ticket.tier][Fate.ADMITTED].value += 1

    def _end(self, ticket: Ticket, fate: Fate, now_ns: int) -> None:
        """It will not be served."""
        ticket.fate = fate
        self._meters.fates[ticket.tier][fate].value += 1
        if fate is Fate.SHED or fate is Fate.EXPIRED:
            self._pressure.refused(ticket.tier, now_ns)
            self._lines[ticket.tier].refused(now_ns)
        if ticket.wake is not None:
            self._wake(ticket.wake)

    def _line_up(self, ticket: Ticket, now_ns: int) -> None:
        line = self._lines[ticket.tier]
        patience = PATIENCE_STANDING if line.stands(now_ns, self._interval_ns) else PATIENCE
        patience = patience if ticket.tier else PATIENCE_BEST
        ticket.until_ns = min(ticket.deadline_ns, now_ns + int(patience * self._service_ns))
        line.push(ticket, now_ns)
        self._waiting += 1
        self._call_next(now_ns)

    def _call_next(self, now_ns: int) -> None:
        """Begin those whose turn it is; whose deadline has passed meanwhile is not begun."""
        short_ns = int(PATIENCE_STANDING * self._service_ns)
        while self._waiting and self._inflight < self.limit.value:
            ticket = next(line for line in self._lines if line).pop(now_ns, short_ns)
            self._waiting -= 1
            if now_ns >= ticket.until_ns:
                self._end(ticket, Fate.LATE if now_ns >= ticket.deadline_ns else Fate.EXPIRED, now_ns)
                continue
            self._begin(ticket, now_ns)
            self._meters.waits[ticket.tier].record_ns(now_ns - ticket.came_ns)
            if ticket.wake is not None and not self._wake(ticket.wake):
                ticket.fate = Fate.GONE
                self._inflight -= 1

    def _wake(self, wake: Callable[[], None]) -> bool:
        """Whether somebody was there to hear it: an event loop may have been closed while its tasks waited."""
        try:
            wake()
        except RuntimeError:
            return False
        return True

    @property
    def _interval_ns(self) -> int:
        return max(INTERVAL_NS_MIN, int(INTERVAL * self._service_ns))

    def _makes_room(self, ticket: Ticket, now_ns: int) -> bool:
        """Whether there is a place to wait in, if need be by turning out somebody lower or greedier."""
        interval_ns, tier = self._interval_ns, ticket.tier
        for better in range(tier):
            if self._lines[better].stands(now_ns, interval_ns):
                return False
        line, limit = self._lines[tier], self.limit.value
        if tier and line.stands(now_ns, interval_ns) and len(line) >= max(PLACES_STANDING_MIN, limit // 2):
            return self._displaces(line, line.greed(ticket.tenant) + 2, now_ns)
        if self._waiting < max(PLACES_MIN, 2 * limit):
            return True
        for lower in range(self._lowest, tier, -1):
            if self._displaces(self._lines[lower], 0, now_ns):
                return True
        return self._displaces(line, line.greed(ticket.tenant) + 2, now_ns)

    def _displaces(self, line: Line, greed_min: int, now_ns: int) -> bool:
        displaced = line.displace(greed_min, now_ns)
        if displaced is None:
            return False
        self._waiting -= 1
        self._end(displaced, Fate.SHED, now_ns)
        return True

    def _announce(self, now_ns: int) -> None:
        if not self._pressure.changed(now_ns):
            return
        level = self._pressure.level
        if self._events is not None:
            self._events.emit(
                "pressure-changed",
                self.name,
                level=level,
                limit=self.limit.value,
                inflight=self._inflight,
                waiting=self._waiting,
                service_ms=round(Duration(int(self._service_ns)).ms, 3),
            )
        self._on_pressure(level)

    def after_fork(self) -> None:
        """Who is served and who waits is the parent's; what was learned stays true."""
        self._lock = threading.Lock()
        self._generation += 1
        self._inflight = self._waiting = 0
        self._lines = [Line() for _ in self._lines]
