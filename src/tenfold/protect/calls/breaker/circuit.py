"""The state machine of a breaker. Pure: it is asked and told with the time, and answers what has changed.

              failures                     cool-down is over
    CLOSED ─────────────► OPEN ─────────────────────────────► HALF_OPEN: probes ──► ramp
       ▲                    ▲                                   │   │                │ │
       │                    └──── a probe fails, or never reports   │                │ │
       │                    └──── failures in a row, or silence ────│────────────────┘ │
       └──── every probe succeeds, and the ramp is at its end ──────┴──────────────────┘

In each state another decides: the judge (CLOSED), the rest (OPEN), the recovery (HALF_OPEN); and a person's hold before
all of them.
"""

from typing import Any, NamedTuple

from tenfold.kernel import Duration
from tenfold.protect.calls.breaker.judge import Judge
from tenfold.protect.calls.breaker.policy import Policy
from tenfold.protect.calls.breaker.probes import Probes
from tenfold.protect.calls.breaker.recovery import Recovery, RecoveryProgress
from tenfold.protect.calls.breaker.rest import Rest
from tenfold.protect.calls.breaker.state import FORGET, BreakerStanding, BreakerState, Hold

PATIENCE = Duration.from_s(4)
"""So long we wait for those who probe for us, in case they die, ..."""
WAIT_MAX = Duration.from_s(20)
"""... and so long for those who live, in case it is they who cannot reach it."""
FIRST_EPOCH = 1
SILENT_MAX = 16
"""So many stays in HALF_OPEN that ended by silence are remembered: an answer to one of their calls is still heard."""
_CLOSED, _HALF_OPEN, _OPEN = BreakerState.CLOSED, BreakerState.HALF_OPEN, BreakerState.OPEN


class CircuitChange(NamedTuple):
    """What became of a circuit. `state` None: it is the same, but others are to know that it stands otherwise."""

    state: BreakerState | None
    evidence: dict[str, Any]


_BACK = CircuitChange(None, {})


class Circuit:
    """Times in monotonic nanoseconds; for one thread at a time, but for what the judge's window allows.

    Its breaker passes on what changed: a circuit knows nobody, so that a breaker that is forgotten is gone at once.
    `epoch` counts the states: each call belongs to the one that it began in.
    """

    __slots__ = (
        "_believes",
        "_healthy_per_s",
        "_opened_at_ns",
        "_policy",
        "_probes",
        "_recovery",
        "_rest",
        "_silent",
        "epoch",
        "hold",
        "judge",
        "state",
    )

    def __init__(self, policy: Policy) -> None:
        self.state = _CLOSED
        self.epoch = FIRST_EPOCH
        self.hold: Hold | None = None
        self.judge = Judge(policy)
        self._policy = policy
        self._rest = Rest(policy.cool_down.ns, policy.cool_down_max.ns, policy.calm.ns)
        self._probes = Probes(policy.probes, policy.probe_lease.ns)
        self._recovery: Recovery | None = None
        self._silent: dict[int, int] = {}
        """Stays in HALF_OPEN against which nothing speaks but silence: when each began, by its epoch."""
        self._believes = False
        self._healthy_per_s = 0.0
        self._opened_at_ns = 0

    def standing(self, now_ns: int) -> BreakerStanding:
        """What others may make of it; what was seen too long ago is no evidence, though nothing has changed since."""
        if self.hold is not None:
            return BreakerStanding.WELL
        if self.state is _CLOSED:
            return BreakerStanding.DOUBTED if self.judge.doubts(now_ns) else BreakerStanding.WELL
        if self._recovery is not None and self._recovery.is_proven:
            return BreakerStanding.BACK
        is_old = abs(now_ns - self._rest.began_ns) >= FORGET.ns
        return BreakerStanding.BELIEVED if self._believes or is_old else BreakerStanding.BROKEN

    def is_calm(self, now_ns: int) -> bool:
        is_free = self.state is _CLOSED and self.hold is None
        return is_free and self.judge.is_calm(now_ns) and self._rest.is_forgotten(now_ns)

    def look(self, now_ns: int) -> CircuitChange | None:
        """What time alone has changed; to be asked before `admit`."""
        if self.hold is not None or self.state is _CLOSED:
            return None
        recovery = self._recovery
        if recovery is None:
            return self._half_open(now_ns) if self._rest.is_over(now_ns) else None
        silence = recovery.silence(now_ns)
        if silence:
            return self._fall_silent(now_ns, recovery.began_ns, silence)
        return self._close(now_ns) if recovery.is_over(now_ns) else None

    def admit(self, now_ns: int) -> bool:
        """True when one more call may go."""
        return self.state is _CLOSED or (self._recovery is not None and self._recovery.admit(now_ns))

    def succeeded(self, now_ns: int, *, slow: bool = False) -> CircuitChange | None:
        if self.state is _CLOSED:
            self.judge.succeeded(now_ns, slow=slow)
            return self._judged(now_ns, "slow") if slow else None
        return self._relapsed(now_ns, "slow", slow=True) if slow else self._recovered(now_ns)

    def begins_to_doubt(self, now_ns: int) -> bool:
        """A call failed, as `failed` will be told next: whether it is the one that makes us doubt."""
        return self.state is _CLOSED and self.judge.begins_to_doubt(now_ns)

    def failed(self, now_ns: int, reason: str, *, timeout: bool = False) -> CircuitChange | None:
        if self.state is not _CLOSED:
            return self._relapsed(now_ns, reason, timeout=timeout)
        self.judge.failed(now_ns, timeout=timeout)
        return self._judged(now_ns, reason)

    def abandoned(self) -> None:
        if self._recovery is not None:
            self._recovery.abandoned()

    def reported_late(self, now_ns: int, epoch: int, *, answered: bool) -> CircuitChange | None:
        """The word of a call of an earlier state: if it was a probe, its place is free.

        Nothing else is made of it, since what has happened is newer; unless that was silence alone, which an answer
        ends: it is as good as that of a probe, when no newer one is out, and lets that one take as long.
        """
        self._probes.end(epoch)
        began_ns = self._silent.get(epoch) if answered else None
        if began_ns is None or self.state is _CLOSED or self.hold is not None:
            return None
        self._probes.lengthen(now_ns - began_ns)
        if self._recovery is not None and self._probes.are_out:
            return None
        change = self._half_open(now_ns) if self._recovery is None else None
        progress = self._recovery.heard_late(now_ns) if self._recovery is not None else RecoveryProgress.UNDERWAY
        return self._progressed(now_ns, progress) or change

    def obey(self, now_ns: int) -> CircuitChange | None:
        """Take the state in which it is held."""
        hold = self.hold
        if hold is None:
            return None
        self._believes = hold.state is _OPEN  # whoever releases it later: nothing of our own speaks against it by then
        if hold.state is self.state:
            return None
        if self.state is _CLOSED:
            self._opened_at_ns = now_ns
            self._healthy_per_s = self.judge.window.rate_per_s(now_ns)
        self.judge.window.clear()
        self._rest.calm(now_ns)
        return self._become(hold.state, {"owner": hold.owner, "reason": hold.reason})

    def suspect(self, now_ns: int, others: int) -> CircuitChange | None:
        """`others` found it broken, 0: they doubt it; for those who have heard nothing of their own that is enough."""
        if self.state is not _CLOSED or self.hold is not None:
            return None
        if not self.judge.window.totals(now_ns).calls:
            reason = "others found it broken" if others else "others doubt it"
            return self._open(now_ns, {"reason": reason, "others": others}, believes=True)
        self.judge.suppose_failures(now_ns)
        return None

    def wait(self, now_ns: int) -> None:
        """Others probe for us."""
        if self.state is _OPEN and self.hold is None:
            self._rest.extend(now_ns, PATIENCE.ns, longest_ns=WAIT_MAX.ns)

    def wake(self, now_ns: int) -> None:
        """The next call is a probe."""
        if self.state is _OPEN and self.hold is None:
            self._rest.rest(now_ns, 0)

    def forget_calls(self) -> None:
        """What was admitted on the way back will never report: probe anew. It may come in the middle of a change."""
        self._probes.forget()
        self._silent = {}
        self.epoch += 1
        self._recovery = self._recovery_from(self._rest.began_ns) if self.state is _HALF_OPEN else None

    def _judged(self, now_ns: int, reason: str) -> CircuitChange | None:
        evidence = self.judge.evidence(now_ns) if self.hold is None else None
        return self._open(now_ns, {"reason": reason, **evidence}) if evidence is not None else None

    def _relapsed(self, now_ns: int, reason: str, *, timeout: bool = False, slow: bool = False) -> CircuitChange | None:
        recovery = self._recovery
        evidence = recovery.failed(now_ns, timeout=timeout, slow=slow) if recovery is not None else None
        return self._open(now_ns, {"reason": reason, **evidence}) if evidence is not None else None

    def _recovered(self, now_ns: int) -> CircuitChange | None:
        progress = self._recovery.succeeded(now_ns) if self._recovery is not None else RecoveryProgress.UNDERWAY
        return self._progressed(now_ns, progress)

    def _progressed(self, now_ns: int, progress: RecoveryProgress) -> CircuitChange | None:
        if progress is RecoveryProgress.COMPLETE:
            return self._close(now_ns)
        return _BACK if progress is RecoveryProgress.PROVEN else None

    def _fall_silent(self, now_ns: int, began_ns: int, silence: str) -> CircuitChange:
        """No probe reports: the circuit rests; a probe that is out may yet be answered."""
        silent = [*self._silent.items(), (self.epoch, began_ns)]
        change = self._open(now_ns, {"reason": silence})
        self._silent = dict(silent[-SILENT_MAX:])
        return change

    def _open(self, now_ns: int, evidence: dict[str, Any], *, believes: bool = False) -> CircuitChange:
        self._believes = believes
        if self.state is _CLOSED:
            self._opened_at_ns = now_ns
            self._healthy_per_s = max(self.judge.window.rate_per_s(now_ns), self._healthy_before(now_ns))
        self._rest.begin(now_ns)
        return self._become(_OPEN, {**evidence, "cool_down_ms": self._rest.length_ns / 1e6})

    def _healthy_before(self, now_ns: int) -> float:
        """What was borne before the last opening, while that is not long ago."""
        return 0.0 if self._rest.is_forgotten(now_ns) else self._healthy_per_s

    def _half_open(self, now_ns: int) -> CircuitChange:
        change = self._become(_HALF_OPEN, {"open_ms": self._open_ms(now_ns), "probes": self._policy.probes})
        self._recovery = self._recovery_from(now_ns)
        return change

    def _recovery_from(self, now_ns: int) -> Recovery:
        self._probes.begin(self.epoch)
        return Recovery(self._policy, self._healthy_per_s, self._probes, now_ns)

    def _close(self, now_ns: int) -> CircuitChange:
        proven = self._recovery.probes_proven if self._recovery is not None else 0
        self._rest.calm(now_ns)
        self.judge.window.clear()
        self._probes.calm()
        return self._become(_CLOSED, {"open_ms": self._open_ms(now_ns), "probes": proven})

    def _open_ms(self, now_ns: int) -> float:
        return (now_ns - self._opened_at_ns) / 1e6

    def _become(self, state: BreakerState, evidence: dict[str, Any]) -> CircuitChange:
        self.state = state
        self.epoch += 1
        self.judge.forget_row()
        self._recovery = None
        if state is not _HALF_OPEN:
            self._silent = {}
        return CircuitChange(state, evidence)
