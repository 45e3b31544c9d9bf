"""The way back of a dependency that was broken: single calls find out, then more and more are let through."""

import enum

from tenfold.protect.calls.breaker.judge import Judge
from tenfold.protect.calls.breaker.policy import Policy
from tenfold.protect.calls.breaker.probes import Probes
from tenfold.protect.calls.breaker.ramp import RATE_MIN_PER_S, Ramp


class RecoveryProgress(enum.Enum):
    """What an answer has brought."""

    UNDERWAY = "underway"
    PROVEN = "proven"
    """Every probe was answered: the ramp begins."""
    COMPLETE = "complete"
    """As much is borne as before."""


class Recovery:
    """One stay in HALF_OPEN: first probes, then the ramp. Times in monotonic nanoseconds; for one thread at a time.

    `healthy_per_s` is what the dependency bore before it broke: the ramp's goal. Where that is a trickle, or `policy`
    has no ramp, the probes are enough. A ramp ends where failures in a row would open the breaker in CLOSED; where
    `policy` says that no row does, by the same shares as in CLOSED.
    """

    __slots__ = ("_healthy_per_s", "_in_a_row", "_judge", "_policy", "_probes", "_ramp", "began_ns")

    def __init__(self, policy: Policy, healthy_per_s: float, probes: Probes, began_ns: int) -> None:
        self.began_ns = began_ns
        self._policy = policy
        self._healthy_per_s = healthy_per_s
        self._probes = probes
        self._judge: Judge | None = None
        self._ramp: Ramp | None = None
        self._in_a_row = 0

    @property
    def is_proven(self) -> bool:
        """True once every probe was answered."""
        return self._ramp is not None

    @property
    def probes_proven(self) -> int:
        return self._probes.proven

    def silence(self, now_ns: int) -> str:
        """Why it has failed though nobody said so; empty while it has not."""
        if self._ramp is None:
            return "a probe never reported" if self._probes.is_lost(now_ns) else ""
        return "no call reported" if self._ramp.is_broken(now_ns) else ""

    def is_over(self, now_ns: int) -> bool:
        """True when the ramp is at its end."""
        return self._ramp is not None and self._ramp.is_over(now_ns)

    def admit(self, now_ns: int) -> bool:
        """True when one more call may go."""
        return self._probes.lease(now_ns) if self._ramp is None else self._ramp.admit(now_ns)

    def succeeded(self, now_ns: int) -> RecoveryProgress:
        if self._ramp is None:
            return self._proved(now_ns) if self._probes.end() else RecoveryProgress.UNDERWAY
        self._in_a_row = 0
        if self._judge is not None:
            self._judge.succeeded(now_ns, slow=False)
        self._ramp.succeeded(now_ns)
        return RecoveryProgress.COMPLETE if self._ramp.is_over(now_ns) else RecoveryProgress.UNDERWAY

    def heard_late(self, now_ns: int) -> RecoveryProgress:
        """A probe was answered that had been given up: as good as one of this stay, if one is still to be proven."""
        return self._proved(now_ns) if self._ramp is None else RecoveryProgress.UNDERWAY

    def failed(self, now_ns: int, *, timeout: bool = False, slow: bool = False) -> dict[str, int] | None:
        """The evidence that it has failed, which may be this call alone; None while it goes on.

        An answer that was too `slow` is told as a failure, too.
        """
        if self._ramp is None:
            return {} if self._probes.end() else None
        self._ramp.failed(now_ns)
        if self._judge is None:
            self._in_a_row += 1
            return {"in_a_row": self._in_a_row} if self._in_a_row >= self._policy.failures_max else None
        if slow:
            self._judge.succeeded(now_ns, slow=True)
        else:
            self._judge.failed(now_ns, timeout=timeout)
        return self._judge.evidence(now_ns)

    def abandoned(self) -> None:
        """A call ended that says nothing: its place is free."""
        if self._ramp is not None:
            self._ramp.abandoned()
        else:
            self._probes.end()

    def _proved(self, now_ns: int) -> RecoveryProgress:
        return self._begin_ramp(now_ns) if self._probes.prove() else RecoveryProgress.UNDERWAY

    def _begin_ramp(self, now_ns: int) -> RecoveryProgress:
        policy = self._policy
        if not policy.ramp.ns or self._healthy_per_s <= RATE_MIN_PER_S:
            return RecoveryProgress.COMPLETE
        self._ramp = Ramp(
            self._healthy_per_s,
            length_ns=policy.ramp.ns,
            start=policy.ramp_from,
            quiet_ns=self._probes.lease_ns,
            now_ns=now_ns,
        )
        self._judge = None if policy.failures_max else Judge(policy)
        return RecoveryProgress.PROVEN
