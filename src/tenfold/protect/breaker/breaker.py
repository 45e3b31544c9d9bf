"""The circuit breaker: leaves a broken dependency alone, and finds out when it is back (Nygard, Release It!, 2007).

              failures                     cool-down is over
    CLOSED ─────────────► OPEN ─────────────────────────────► HALF_OPEN: probes ──► ramp
       ▲                    ▲                                   │   │                │ │
       │                    └──── a probe fails, or never reports   │                │ │
       │                    └──── failures in a row, or silence ────│────────────────┘ │
       └──── every probe succeeds, and the ramp is at its end ──────┴──────────────────┘

Nothing runs in the background: time passes when somebody asks. A call in CLOSED takes no lock; all else does, so a
breaker may be used by many threads and loops at once. Only lengths of monotonic time are looked at.
"""

import sys
import threading
import time
from collections.abc import Callable
from typing import Any, Unpack

from tenfold.kernel import Clock, Duration
from tenfold.kernel.forks import tell_forks
from tenfold.protect.breaker.guard import Guard, Guarded
from tenfold.protect.breaker.meters import Meters
from tenfold.protect.breaker.policy import Policy, Thresholds
from tenfold.protect.breaker.probes import Probes
from tenfold.protect.breaker.ramp import RATE_MIN_PER_S, Ramp
from tenfold.protect.breaker.rest import Rest
from tenfold.protect.breaker.state import BreakerState, Hold, Standing
from tenfold.protect.breaker.window import CountWindow, TimeWindow, Window
from tenfold.telemetry import EventLog, Registry

FIRST_EPOCH = 1
DOUBT = Duration.from_ms(100)
"""Nothing but failures for so long, and more than one: told to others, who may have seen the same."""
PATIENCE = Duration.from_s(4)
"""So long we wait for those who probe for us, in case they die, ..."""
WAIT_MAX = Duration.from_s(20)
"""... and so long for those who live, in case it is they who cannot reach it."""
_DEFAULT = Policy()
_CLOSED, _HALF_OPEN, _OPEN = BreakerState.CLOSED, BreakerState.HALF_OPEN, BreakerState.OPEN


class Breaker:
    """One dependency, or one operation of it; thresholds as in Policy, from `policy` or stated one by one.

    Whoever is admitted reports how the call went, once, with the epoch it was given. `meters` are given where many
    breakers show themselves as one.
    """

    __slots__ = (
        "__weakref__",
        "_believes",
        "_closed_epoch",
        "_doubts",
        "_epoch",
        "_guard_now_ns",
        "_healthy_per_s",
        "_hold",
        "_in_a_row",
        "_listeners",
        "_lock",
        "_meters",
        "_now_ns",
        "_opened_at_ns",
        "_policy",
        "_probes",
        "_ramp",
        "_rest",
        "_row_began_ns",
        "_slow_ns",
        "_state",
        "_window",
        "name",
    )

    def __init__(
        self,
        name: str,
        *,
        policy: Policy = _DEFAULT,
        clock: Clock | None = None,
        registry: Registry | None = None,
        events: EventLog | None = None,
        meters: Meters | None = None,
        **thresholds: Unpack[Thresholds],
    ) -> None:
        self.name = name
        policy = self._policy = policy.but(**thresholds) if thresholds else policy
        self._now_ns = clock.monotonic_ns if clock else time.monotonic_ns
        self._slow_ns = policy.slow.ns or sys.maxsize
        self._guard_now_ns = self._now_ns if policy.slow.ns else None
        self._state = _CLOSED
        self._epoch = self._closed_epoch = FIRST_EPOCH
        self._in_a_row = self._row_began_ns = 0
        self._doubts = False
        self._window: Window = CountWindow(policy.window_calls) if policy.window_calls else TimeWindow(policy.window.ns)
        self._rest = Rest(policy.cool_down.ns, policy.cool_down_max.ns, policy.calm.ns)
        self._probes = Probes(policy.probes, policy.probe_lease.ns)
        self._ramp: Ramp | None = None
        self._hold: Hold | None = None
        self._believes = False
        self._healthy_per_s = 0.0
        self._opened_at_ns = 0
        self._listeners: tuple[Callable[[Breaker], None], ...] = ()
        self._lock = threading.RLock()
        self._meters = meters or Meters(name, registry, events)
        if meters is None:
            self._meters.show(lambda: self.state, lambda: self._hold is not None)
        tell_forks(self)

    @property
    def state(self) -> BreakerState:
        return self._state

    @property
    def hold(self) -> Hold | None:
        """Who holds it where it is, and why; None while it decides by itself."""
        return self._hold

    @property
    def standing(self) -> Standing:
        """What this process can tell others of the dependency."""
        if self._hold is not None:
            return Standing.WELL
        if self._state is _CLOSED:
            return Standing.DOUBTED if self._doubts and self._in_a_row else Standing.WELL
        if self._ramp is not None:
            return Standing.BACK
        return Standing.BELIEVED if self._believes else Standing.BROKEN

    @property
    def is_calm(self) -> bool:
        """Whether nothing would be lost with it: CLOSED, held by nobody, and no trouble to remember."""
        if self._state is not _CLOSED or self._hold is not None or self._in_a_row:
            return False
        now_ns = self._now_ns()
        return not self._window.totals(now_ns).failures and self._rest.is_forgotten(now_ns)

    def listen(self, on_change: Callable[["Breaker"], None]) -> None:
        """Call `on_change` whenever the standing or the state has changed for the worse or for good; it must be quick.

        Called in the thread that caused it. That a doubt was unfounded is not told.
        """
        self._listeners = (*self._listeners, on_change)

    def allows(self) -> bool:
        """Whether a call may be made now; then say how it went, by `succeeded`, `failed` or `abandoned`."""
        return self.admit() != 0

    def admit(self) -> int:
        """Like `allows`; answers the epoch that admitted the call, 0 when refused.

        Reporting with the epoch keeps the late word of a call that began before the last change out of this one.
        """
        return self._closed_epoch or self._admit()

    def succeeded(self, epoch: int | None = None, *, took_ns: int = 0) -> None:
        """The call was answered, whatever the answer was; say how long it took where answers may be slow."""
        if epoch == self._closed_epoch and took_ns < self._slow_ns:
            if self._in_a_row:
                self._in_a_row = 0
            self._window.at(self._now_ns()).calls += 1
        else:
            self._succeeded(epoch, took_ns)

    def failed(self, reason: str, epoch: int | None = None, *, timeout: bool = False) -> None:
        """The dependency did not answer the call; `reason` becomes the evidence of what follows from it."""
        with self._lock:
            if epoch is not None and epoch != self._epoch:
                return
            now_ns = self._now_ns()
            if self._state is _CLOSED:
                self._lengthen_row(now_ns)
                tally = self._window.at(now_ns)
                tally.calls += 1
                tally.failures += 1
                tally.timeouts += timeout
                self._judge(now_ns, reason)
            else:
                self._failed_on_the_way_back(now_ns, reason)

    def abandoned(self, epoch: int | None = None) -> None:
        """The caller left before the call ended, which says nothing of the dependency: a probe's lease is free."""
        if epoch == self._closed_epoch:
            return
        with self._lock:
            if epoch is not None and epoch != self._epoch:
                return
            if self._ramp is not None:
                self._ramp.abandoned()
            else:
                self._probes.end()

    def guard(self) -> Guard:
        """Make a call inside, sync or async: raises CircuitOpen instead of beginning, reports what came of it.

        An exception is a failure, a TimeoutError a timeout; a cancellation says nothing. So put a timeout inside,
        never around.
        """
        return Guard(self, self._guard_now_ns)

    def guard_for(self, part: Guarded) -> Guard:
        """A guard of what is a part of this; measured by the same clock."""
        return Guard(part, self._guard_now_ns)

    def force_open(self, *, owner: str, reason: str) -> None:
        """Refuse every call, probes too, until `release`."""
        self._force(Hold(_OPEN, owner, reason))

    def force_closed(self, *, owner: str, reason: str) -> None:
        """Admit every call, whatever fails, until `release`."""
        self._force(Hold(_CLOSED, owner, reason))

    def release(self, *, owner: str, reason: str) -> None:
        """Let it decide by itself again; after having been held OPEN by way of probes."""
        with self._lock:
            hold, self._hold = self._hold, None
            if hold is None:
                return
            self._meters.tell("breaker-released", self.name, {"owner": owner, "reason": reason, "held_by": hold.owner})
            if hold.state is _OPEN:
                self._rest.rest(self._now_ns(), 0)

    def suspect(self, *, others: int) -> None:
        """`others` that call the same have found it broken: so the first failure of our own is enough.

        A success of our own ends it. For those who have heard nothing of their own in the window the others' word is
        as good: it opens.
        """
        with self._lock:
            if self._state is not _CLOSED or self._hold is not None:
                return
            now_ns = self._now_ns()
            if not self._window.totals(now_ns).calls:
                self._open(now_ns, reason="others found it broken", others=others)
            elif self._policy.failures_max:
                self._in_a_row = max(self._in_a_row, self._policy.failures_max - 1)
                self._row_began_ns = now_ns

    def wait(self) -> None:
        """Others probe for us: rest for PATIENCE from now on; said again and again, for WAIT_MAX in all."""
        with self._lock:
            if self._state is _OPEN and self._hold is None:
                self._rest.extend(self._now_ns(), PATIENCE.ns, longest_ns=WAIT_MAX.ns)

    def wake(self) -> None:
        """Others found it back: the next call is a probe."""
        with self._lock:
            if self._state is _OPEN and self._hold is None:
                self._rest.rest(self._now_ns(), 0)

    def after_fork(self) -> None:
        """In a forked child: the lock may be held by a thread that is not here, in the middle of a change; and what
        is out, probes too, is the parent's.
        """
        self._lock = threading.RLock()
        self._epoch += 1
        self._closed_epoch = self._epoch if self._state is _CLOSED else 0
        self._probes.clear()
        self._ramp = None

    def _admit(self) -> int:
        with self._lock:
            if self._hold is not None or self._state is _CLOSED:
                return self._closed_epoch
            now_ns = self._now_ns()
            if self._state is _OPEN:
                if not self._rest.is_over(now_ns):
                    return 0
                self._half_open(now_ns)
            if self._ramp is not None:
                return self._admit_to_ramp(self._ramp, now_ns)
            if self._probes.is_lost(now_ns):
                self._open(now_ns, reason="a probe never reported")
                return 0
            return self._epoch if self._probes.lease(now_ns) else 0

    def _admit_to_ramp(self, ramp: Ramp, now_ns: int) -> int:
        if ramp.is_broken(now_ns):
            self._open(now_ns, reason="no call reported")
            return 0
        if ramp.is_over(now_ns):
            self._close(now_ns)
            return self._epoch
        return self._epoch if ramp.admit(now_ns) else 0

    def _succeeded(self, epoch: int | None, took_ns: int) -> None:
        """What is not a quick answer to a call in CLOSED."""
        with self._lock:
            if epoch is not None and epoch != self._epoch:
                return
            now_ns = self._now_ns()
            slow = took_ns >= self._slow_ns
            if self._state is _CLOSED:
                self._in_a_row = 0
                tally = self._window.at(now_ns)
                tally.calls += 1
                tally.slow += slow
                if slow:
                    self._judge(now_ns, "slow")
            elif slow:
                self._failed_on_the_way_back(now_ns, "slow")
            else:
                self._succeeded_on_the_way_back(now_ns)

    def _lengthen_row(self, now_ns: int) -> None:
        """One more failure in a row. A row that lasts makes us doubt, before it is long enough to open."""
        self._in_a_row += 1
        if self._in_a_row == 1:
            self._row_began_ns = now_ns
            self._doubts = False
        elif not self._doubts and now_ns - self._row_began_ns >= DOUBT.ns:
            self._doubts = True
            self._tell_listeners()

    def _judge(self, now_ns: int, reason: str) -> None:
        """Open, if that is what the last calls say."""
        policy = self._policy
        calls, failures, timeouts, slow = self._window.totals(now_ns)
        row = 0 < policy.failures_max <= self._in_a_row
        crowd = calls >= policy.calls_min and (
            failures >= policy.ratio * calls
            or timeouts >= policy.timeout_ratio * calls
            or slow >= policy.slow_ratio * calls
        )
        if self._hold is None and (row or crowd):
            seen = {"calls": calls, "failures": failures, "timeouts": timeouts, "slow": slow}
            self._open(now_ns, reason=reason, in_a_row=self._in_a_row, **{k: n for k, n in seen.items() if n})

    def _failed_on_the_way_back(self, now_ns: int, reason: str) -> None:
        if self._ramp is not None:
            self._in_a_row += 1
            self._ramp.failed(now_ns)
            if self._in_a_row >= max(1, self._policy.failures_max):
                self._open(now_ns, reason=reason, in_a_row=self._in_a_row)
        elif self._probes.end():
            self._open(now_ns, reason=reason)

    def _succeeded_on_the_way_back(self, now_ns: int) -> None:
        if self._ramp is not None:
            self._in_a_row = 0
            self._ramp.succeeded(now_ns)
            if self._ramp.is_over(now_ns):
                self._close(now_ns)
        elif self._probes.end() and self._probes.prove():
            self._begin_ramp(now_ns)

    def _begin_ramp(self, now_ns: int) -> None:
        policy = self._policy
        if not policy.ramp.ns or self._healthy_per_s <= RATE_MIN_PER_S:
            self._close(now_ns)
            return
        self._in_a_row = 0
        self._ramp = Ramp(
            self._healthy_per_s,
            length_ns=policy.ramp.ns,
            start=policy.ramp_from,
            quiet_ns=policy.probe_lease.ns,
            now_ns=now_ns,
        )
        self._tell_listeners()

    def _open(self, now_ns: int, *, others: int = 0, **evidence: Any) -> None:
        self._believes = others > 0
        if self._state is _CLOSED:
            self._opened_at_ns = now_ns
            self._healthy_per_s = max(self._window.rate_per_s(now_ns), self._healthy_before(now_ns))
        self._rest.begin(now_ns)
        evidence = evidence | ({"others": others} if others else {})
        self._become(_OPEN, {**evidence, "cool_down_ms": self._rest.length_ns / 1e6})

    def _healthy_before(self, now_ns: int) -> float:
        """What was borne before the last opening, while that is not long ago."""
        return 0.0 if self._rest.is_forgotten(now_ns) else self._healthy_per_s

    def _half_open(self, now_ns: int) -> None:
        self._become(_HALF_OPEN, {"open_ms": self._open_ms(now_ns), "probes": self._policy.probes})

    def _close(self, now_ns: int) -> None:
        self._rest.calm(now_ns)
        self._window.clear()
        self._become(_CLOSED, {"open_ms": self._open_ms(now_ns), "probes": self._probes.proven})

    def _force(self, hold: Hold) -> None:
        with self._lock:
            self._hold = hold
            now_ns = self._now_ns()
            evidence = {"owner": hold.owner, "reason": hold.reason}
            self._meters.tell("breaker-forced", self.name, {"to": hold.state.value, **evidence})
            if hold.state is self._state:
                return
            if hold.state is _OPEN and self._state is _CLOSED:
                self._opened_at_ns = now_ns
                self._healthy_per_s = self._window.rate_per_s(now_ns)
            self._window.clear()
            self._rest.calm(now_ns)
            self._become(hold.state, evidence)

    def _open_ms(self, now_ns: int) -> float:
        return (now_ns - self._opened_at_ns) / 1e6

    def _become(self, state: BreakerState, evidence: dict[str, Any]) -> None:
        self._state = state
        self._epoch += 1
        self._closed_epoch = self._epoch if state is _CLOSED else 0
        self._in_a_row = 0
        self._doubts = False
        self._probes.clear()
        self._ramp = None
        self._meters.changed(state, self.name, evidence)
        self._tell_listeners()

    def _tell_listeners(self) -> None:
        for on_change in self._listeners:
            on_change(self)
