"""Lets go of what matters least while this process is asked for more than it can do.

What is short is the one event loop, and most requests never wait inside: they are answered in one turn, and what they
wait for is the turn itself. So neither their latency nor how many are under way says anything; how late the loop is
says it all. (A limit that follows latency was tried, over all routes: orders take 20 ms and prices 0.05 ms, so the mix
moves the mean, and it refused half of the peak while the loop was idle for the other half.) How late is too late
follows CoDel (Nichols and Jacobson, 2012) and DAGOR (Zhou et al., Overload Control for Scaling WeChat Microservices,
2018): a queue that stands, by tier.

    level 0        1          2          3
          ├─ P3 ───┼── P2 ────┼── P1 ────┤          P0 is never refused
          features are shielded   refused with 503
"""

import asyncio
import math
from collections.abc import Callable
from statistics import median

from tenfold.kernel import Clock, Duration
from tenfold.telemetry import EventLog, Registry

LATE, IN_TIME = Duration.from_ms(10), Duration.from_ms(5)
"""The median lag of a window: above the one it is overloaded, below the other it has room."""
LOOK_EVERY = Duration.from_ms(5)
WINDOW = Duration.from_ms(100)
LATE_WINDOWS = 2
"""So many in a row: one alone may be a pause of the machine."""
RISE, FALL, LEVEL_MAX = 0.5, 0.1, 3.0
P1 = 1


class Gate:
    """`on_level` hears the pressure, 0 to 1, as shields understand it: a quarter for each tier that is touched."""

    def __init__(
        self, name: str, *, on_level: Callable[[float], None], registry: Registry, events: EventLog | None = None
    ) -> None:
        self.name = name
        self.level = 0.0
        self._on_level = on_level
        self._events = events
        self._pressure = 0.0
        self._late = 0
        self._refusable = 0.0
        self._refused = registry.counter("freshmart_requests_refused_total", "Requests of P1 refused for load.").child()
        self._lag = registry.timer("freshmart_loop_lag_seconds", "How late the event loop was.").child()
        registry.gauge("freshmart_shed_level", "0 nobody, 1 all of P3, 2 of P2 too, 3 of P1 too.").child().ask(
            lambda: self.level
        )

    def admits(self, tier: int) -> bool:
        """Whether to begin a request. Of P2 and P3 all are features: their shields answer in their place."""
        if tier != P1 or self.level <= LEVEL_MAX - 1:
            return True
        self._refusable += self.level - (LEVEL_MAX - 1)
        if self._refusable < 1:
            return True
        self._refusable -= 1
        self._refused.value += 1
        return False

    def look(self, lag_ns: float) -> None:
        """One window is over, in which the loop was usually this late."""
        self._lag.record_ns(int(lag_ns))
        self._late = self._late + 1 if lag_ns > LATE.ns else 0
        if self._late >= LATE_WINDOWS:
            self._become(min(LEVEL_MAX, self.level + RISE))
        elif lag_ns < IN_TIME.ns and self.level:
            self._become(max(0.0, round(self.level - FALL, 3)))

    async def watch(self, clock: Clock) -> None:
        """Until cancelled."""
        while True:
            lags: list[int] = []
            began_ns = before_ns = clock.monotonic_ns()
            while before_ns - began_ns < WINDOW.ns:
                await asyncio.sleep(LOOK_EVERY.s)
                now_ns = clock.monotonic_ns()
                lags.append(max(0, now_ns - before_ns - LOOK_EVERY.ns))
                before_ns = now_ns
            self.look(median(lags))

    def _become(self, level: float) -> None:
        before, self.level = self.level, level
        pressure = math.ceil(level) / 4
        if pressure != self._pressure:
            self._pressure = pressure
            self._on_level(pressure)
        if self._events is not None and (before == 0) != (level == 0):
            self._events.emit("shed-begun" if level else "shed-ended", self.name)
