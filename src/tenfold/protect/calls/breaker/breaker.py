"""The circuit breaker: leaves a broken dependency alone, and finds out when it is back (Nygard, Release It!, 2007).

    caller ──admit──► epoch ──call──► succeeded │ failed │ abandoned, with that epoch

`circuit` draws the states. Nothing runs in the background: time passes when somebody asks. A call in CLOSED takes no
lock; all else does, so a breaker may be used by many threads and loops at once. Only lengths of monotonic time are
looked at.
"""

import sys
import threading
import time
from collections.abc import Callable
from typing import Unpack

from tenfold.kernel import Clock
from tenfold.kernel.forks import tell_forks
from tenfold.protect.calls.breaker.circuit import FIRST_EPOCH, Circuit, CircuitChange
from tenfold.protect.calls.breaker.guard import Guard, Guarded
from tenfold.protect.calls.breaker.metrics import BreakerMetrics
from tenfold.protect.calls.breaker.policy import Policy, Thresholds
from tenfold.protect.calls.breaker.state import BreakerStanding, BreakerState, Hold
from tenfold.telemetry import EventLog, Registry

_DEFAULT = Policy()
_CLOSED, _OPEN = BreakerState.CLOSED, BreakerState.OPEN


class Breaker:
    """One dependency, or one operation of it; thresholds as in Policy, from `policy` or stated one by one.

    Whoever is admitted reports how the call went, once, with the epoch it was given. `metrics` are given where many
    breakers show themselves as one.
    """

    __slots__ = (
        "__weakref__",
        "_circuit",
        "_closed_epoch",
        "_guard_now_ns",
        "_listeners",
        "_lock",
        "_metrics",
        "_now_ns",
        "_slow_ns",
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
        metrics: BreakerMetrics | None = None,
        **thresholds: Unpack[Thresholds],
    ) -> None:
        self.name = name
        policy = policy.but(**thresholds) if thresholds else policy
        self._now_ns = clock.monotonic_ns if clock else time.monotonic_ns
        self._slow_ns = policy.slow.ns or sys.maxsize
        self._guard_now_ns = self._now_ns if policy.slow.ns else None
        self._circuit = Circuit(policy)
        self._window = self._circuit.judge.window
        self._closed_epoch = FIRST_EPOCH
        self._listeners: tuple[Callable[[Breaker], None], ...] = ()
        self._lock = threading.RLock()
        self._metrics = metrics or BreakerMetrics(name, registry, events)
        if metrics is None:
            self._metrics.show(lambda: self.state, lambda: self.hold is not None)
        tell_forks(self)

    @property
    def state(self) -> BreakerState:
        return self._circuit.state

    @property
    def hold(self) -> Hold | None:
        """The hold that keeps it where it is: by whom, and why. None while it decides by itself."""
        return self._circuit.hold

    @property
    def standing(self) -> BreakerStanding:
        """What this process can tell others of the dependency."""
        return self._circuit.standing(self._now_ns())

    @property
    def is_calm(self) -> bool:
        """True when nothing would be lost with it: it is CLOSED, no person holds it, and it remembers no trouble."""
        return self._circuit.is_calm(self._now_ns())

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
            window = self._window
            if window.in_a_row:
                window.in_a_row = 0
            window.at(self._now_ns()).calls += 1
            return
        slow = took_ns >= self._slow_ns
        with self._lock:
            if not self._is_late(epoch, answered=not slow):
                self._settle(self._circuit.succeeded(self._now_ns(), slow=slow))

    def failed(self, reason: str, epoch: int | None = None, *, timeout: bool = False) -> None:
        """The dependency did not answer the call; `reason` becomes the evidence of what follows from it."""
        with self._lock:
            if self._is_late(epoch):
                return
            now_ns = self._now_ns()
            if self._circuit.begins_to_doubt(now_ns):
                self._tell_listeners()
            self._settle(self._circuit.failed(now_ns, reason, timeout=timeout))

    def abandoned(self, epoch: int | None = None) -> None:
        """The caller left before the call ended, which says nothing of the dependency: a probe's lease is free."""
        if epoch == self._closed_epoch:
            return
        with self._lock:
            if not self._is_late(epoch):
                self._circuit.abandoned()

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
        self.force(Hold(_OPEN, owner, reason))

    def force_closed(self, *, owner: str, reason: str) -> None:
        """Admit every call, whatever fails, until `release`."""
        self.force(Hold(_CLOSED, owner, reason))

    def force(self, hold: Hold) -> None:
        """Stay as somebody says, until `release`."""
        with self._lock:
            self._circuit.hold = hold
            evidence = {"to": hold.state.value, "owner": hold.owner, "reason": hold.reason}
            self._metrics.tell("breaker-forced", self.name, evidence)
            self._settle(self._circuit.obey(self._now_ns()))

    def release(self, *, owner: str, reason: str) -> None:
        """Let it decide by itself again; after having been held OPEN by way of probes."""
        with self._lock:
            hold, self._circuit.hold = self._circuit.hold, None
            if hold is None:
                return
            self._metrics.tell("breaker-released", self.name, {"owner": owner, "reason": reason, "held_by": hold.owner})
            self._circuit.wake(self._now_ns())

    def suspect(self, *, others: int) -> None:
        """`others` that call the same have found it broken; 0: they doubt it. So our own first failure is enough.

        A success of our own ends it. For those who have heard nothing of their own in the window the others' word is
        as good: it opens.
        """
        with self._lock:
            self._settle(self._circuit.suspect(self._now_ns(), others))

    def wait(self) -> None:
        """Others probe for us: rest for PATIENCE from now on; said again and again, for WAIT_MAX in all."""
        with self._lock:
            self._circuit.wait(self._now_ns())

    def wake(self) -> None:
        """Others found it back: the next call is a probe."""
        with self._lock:
            self._circuit.wake(self._now_ns())

    def after_fork(self) -> None:
        """In a forked child: the lock may be held by a thread that is not here, in the middle of a change; and what
        is out, probes too, is the parent's.
        """
        self._lock = threading.RLock()
        self._circuit.forget_calls()
        self._turn()

    def _admit(self) -> int:
        circuit = self._circuit
        with self._lock:
            if circuit.hold is not None:
                return self._closed_epoch
            now_ns = self._now_ns()
            change = circuit.look(now_ns)
            if change is not None:
                self._settle(change)
            return circuit.epoch if circuit.state is not _OPEN and circuit.admit(now_ns) else 0

    def _is_late(self, epoch: int | None, *, answered: bool = False) -> bool:
        """True for the report of a call that began before the last change; the circuit hears of it as a late one."""
        if epoch is None or epoch == self._circuit.epoch:
            return False
        self._settle(self._circuit.reported_late(self._now_ns(), epoch, answered=answered))
        return True

    def _settle(self, change: CircuitChange | None) -> None:
        """Let everybody know, beginning with those whose calls are out."""
        if change is None:
            return
        if change.state is not None:
            self._turn()
            self._metrics.changed(change.state, self.name, change.evidence)
        self._tell_listeners()

    def _turn(self) -> None:
        self._closed_epoch = self._circuit.epoch if self.state is _CLOSED else 0

    def _tell_listeners(self) -> None:
        for on_change in self._listeners:
            on_change(self)
