"""The circuit breaker: leaves a broken dependency alone, and finds out when it is back (Nygard, Release It!, 2007).

              failures                     cool-down is over
    CLOSED ─────────────► OPEN ─────────────────────────────► HALF_OPEN
       ▲                    ▲                                   │   │
       │                    └──── a probe fails, or never reports   │
       └────────────────────────────────────── every probe succeeds ┘

Nothing runs in the background: time passes when somebody asks. A state machine over a Clock, for one thread.
"""

import enum
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tenfold.kernel import Clock, Duration, SystemClock, TenfoldError
from tenfold.protect.breaker.window import Window
from tenfold.telemetry import EventLog, Registry

WINDOW = Duration.from_s(2)
COOL_DOWN = Duration.from_ms(250)
COOL_DOWN_MAX = Duration.from_s(1)
"""A dependency that is back waits no longer than this to be found."""
PROBE_LEASE = Duration.from_s(1)


class BreakerState(enum.Enum):
    CLOSED = "closed"
    HALF_OPEN = "half-open"
    OPEN = "open"


_GAUGE = {BreakerState.CLOSED: 0, BreakerState.HALF_OPEN: 1, BreakerState.OPEN: 2}
_EVENT = {state: f"breaker-{state.value}" for state in BreakerState} | {BreakerState.OPEN: "breaker-opened"}


class CircuitOpen(TenfoldError):
    """The call was not made: its breaker is open, or half open with every probe taken."""


class Breaker:
    """Opens after `failures_max` failures in a row, or when `ratio` of at least `calls_min` in `window` failed.

    After `cool_down`, doubled after each failed probe up to `cool_down_max`, `probes` calls are let through, each
    with a lease of `probe_lease`: they must all succeed to close it, and one that never reports has failed.
    """

    def __init__(
        self,
        name: str,
        *,
        clock: Clock | None = None,
        registry: Registry | None = None,
        events: EventLog | None = None,
        failures_max: int = 5,
        window: Duration = WINDOW,
        ratio: float = 0.5,
        calls_min: int = 20,
        cool_down: Duration = COOL_DOWN,
        cool_down_max: Duration = COOL_DOWN_MAX,
        probes: int = 1,
        probe_lease: Duration = PROBE_LEASE,
    ) -> None:
        self.name = name
        self._now_ns = (clock or SystemClock()).monotonic_ns
        self._events = events
        self._failures_max = failures_max
        self._ratio = ratio
        self._calls_min = calls_min
        self._first_cool_down_ns = self._cool_down_ns = cool_down.ns
        self._cool_down_max_ns = max(cool_down.ns, cool_down_max.ns)
        self._probes = probes
        self._probe_lease_ns = probe_lease.ns
        self._state = BreakerState.CLOSED
        self._epoch = 1
        self._in_a_row = 0
        self._window = Window(window.ns)
        self._opened_at_ns = self._retry_at_ns = 0
        self._leases: deque[int] = deque()
        self._proven = 0
        self._declare(registry or Registry())

    def _declare(self, registry: Registry) -> None:
        state = registry.gauge("tenfold_breaker_state", "0 closed, 1 half open, 2 open.", ("breaker",))
        state.child(self.name).ask(lambda: _GAUGE[self._state])
        transitions = registry.counter(
            "tenfold_breaker_transitions_total", "Changes of state, by the state that began.", ("breaker", "to")
        )
        self._transitions = {state: transitions.child(self.name, state.value) for state in BreakerState}

    @property
    def state(self) -> BreakerState:
        return self._state

    def allows(self) -> bool:
        """Whether a call may be made now; then say how it went, by `succeeded`, `failed` or `abandoned`."""
        return self.admit() != 0

    def admit(self) -> int:
        """Like `allows`; answers the epoch that admitted the call, 0 when refused.

        Reporting with the epoch keeps the late word of a call that began before the last change out of this one.
        """
        if self._state is BreakerState.CLOSED:
            return self._epoch
        now_ns = self._now_ns()
        if self._state is BreakerState.OPEN:
            if now_ns < self._retry_at_ns:
                return 0
            self._half_open(now_ns)
        elif self._leases and now_ns >= self._leases[0]:
            self._open(now_ns, reason="a probe never reported")
            return 0
        return self._lease_probe(now_ns)

    def succeeded(self, epoch: int | None = None) -> None:
        """The call was answered, whatever the answer was."""
        if epoch is not None and epoch != self._epoch:
            return
        if self._state is BreakerState.CLOSED:
            self._in_a_row = 0
            self._window.record(self._now_ns(), failed=False)
        elif self._end_probe():
            self._proven += 1
            if self._proven >= self._probes:
                self._close()

    def failed(self, reason: str, epoch: int | None = None) -> None:
        """The dependency did not answer the call; `reason` becomes the evidence of what follows from it."""
        if epoch is not None and epoch != self._epoch:
            return
        now_ns = self._now_ns()
        if self._state is BreakerState.CLOSED:
            self._in_a_row += 1
            self._window.record(now_ns, failed=True)
            calls, failures = self._window.totals(now_ns)
            crowd = calls >= self._calls_min and failures >= self._ratio * calls
            if crowd or self._in_a_row >= self._failures_max:
                self._open(now_ns, reason=reason, in_a_row=self._in_a_row, calls=calls, failures=failures)
        elif self._end_probe():
            self._open(now_ns, reason=reason)

    def abandoned(self, epoch: int | None = None) -> None:
        """The caller left before the call ended, which says nothing of the dependency: a probe's lease is free."""
        if epoch is None or epoch == self._epoch:
            self._end_probe()

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Make a call inside, sync or async: raises CircuitOpen instead of beginning, reports what came of it.

        An exception is a failure; a cancellation says nothing. So put a timeout inside, never around.
        """
        epoch = self.admit()
        if not epoch:
            raise CircuitOpen(f"Breaker '{self.name}' is {self._state.value}; the call was not made.")
        try:
            yield
        except Exception as error:
            self.failed(type(error).__name__, epoch)
            raise
        except BaseException:
            self.abandoned(epoch)
            raise
        self.succeeded(epoch)

    def _lease_probe(self, now_ns: int) -> int:
        if len(self._leases) + self._proven >= self._probes:
            return 0
        self._leases.append(now_ns + self._probe_lease_ns)
        return self._epoch

    def _end_probe(self) -> bool:
        """Give one lease back; false when nobody holds one, as when a late word comes from before the opening."""
        if not self._leases:
            return False
        self._leases.popleft()
        return True

    def _open(self, now_ns: int, **evidence: Any) -> None:
        if self._state is BreakerState.CLOSED:
            self._opened_at_ns = now_ns
        else:
            self._cool_down_ns = min(self._cool_down_ns * 2, self._cool_down_max_ns)
        self._retry_at_ns = now_ns + self._cool_down_ns
        self._become(BreakerState.OPEN, **evidence, cool_down_ms=self._cool_down_ns / 1e6)

    def _half_open(self, now_ns: int) -> None:
        self._become(BreakerState.HALF_OPEN, open_ms=(now_ns - self._opened_at_ns) / 1e6, probes=self._probes)

    def _close(self) -> None:
        self._cool_down_ns = self._first_cool_down_ns
        self._in_a_row = 0
        self._window.clear()
        open_ms = (self._now_ns() - self._opened_at_ns) / 1e6
        self._become(BreakerState.CLOSED, open_ms=open_ms, probes=self._proven)

    def _become(self, state: BreakerState, **evidence: Any) -> None:
        self._state = state
        self._epoch += 1
        self._leases.clear()
        self._proven = 0
        self._transitions[state].inc()
        if self._events is not None:
            self._events.emit(_EVENT[state], self.name, **evidence)
