"""The way back: how many calls a dependency gets that has just answered its probes.

      calls/s
        ▲             ┌─ as much as is asked for: over
    was │- - - - - -/-│-
        │     _/╲__/           grows by a constant factor a second, on answers only;
        │  _/                  falls when too much fails, and then holds for a moment
        │_/
        └────────────────► time

Growth is slow against the time in which a failure is heard: at the defaults 17 % in 100 ms. So what is admitted cannot
be much above what can be borne before somebody says so (slow start and multiplicative decrease, Jacobson, 1988).
"""

import math

FALL = 0.8
TOLERANCE = 0.05
"""This part of the calls may fail without it being a sign of overload: some always do."""
CREDIT_MAX = 3.0
"""So many failures in excess of that are still chance."""
DOUBT = 1.5
"""What fails even at the smallest rate does not fail for overload: then so many times more is tolerated."""
HOLD_NS = 200_000_000
"""After a fall nothing grows for so long."""
LESSON_NS = 40_000_000
"""Failures within so long after a fall are of the calls that were already out: one overload is one lesson."""
STEP_NS = 250_000_000
"""One answer after a silence proves no more growth than this length of time is worth."""
SETTLE_NS = 100_000_000
"""The ramp is over when nobody was refused for so long, ..."""
PROOF_NS = 300_000_000
"""... and it has borne the rate there was before for so long. To reach it is no proof: overload is heard later."""
CALM_LENGTHS = 3
"""It is over, too, when a call was answered so many lengths of the ramp after anything failed on it. Steady calls have
reached their rate long before; of those that come in bursts each proves but one step, and would be refused for minutes
by a dependency that has had all that time to itself."""
RATE_MIN_PER_S = 20.0
"""A trickle needs no ramp: no rate is made smaller than this."""
BURST_NS = 10_000_000
"""So much of the rate may come at once."""


class Ramp:
    """Tokens at a growing rate. Times in monotonic nanoseconds; for one thread at a time.

    `healthy_per_s` is what the dependency bore before. `quiet_ns`: a ramp is broken when nothing was heard for so long
    after a call, as of a server that hangs. A call that is lost while others are answered is not waited for.
    """

    __slots__ = (
        "_calm_ns",
        "_calm_since_ns",
        "_credit",
        "_fell_ns",
        "_goal_per_s",
        "_grew_ns",
        "_growth_per_ns",
        "_is_calm",
        "_quiet_ns",
        "_reached_ns",
        "_refused_ns",
        "_tokens",
        "_tokens_ns",
        "_tolerance",
        "_unheard_ns",
        "inflight",
        "rate_per_s",
    )

    def __init__(self, healthy_per_s: float, *, length_ns: int, start: float, quiet_ns: int, now_ns: int) -> None:
        self.rate_per_s = max(RATE_MIN_PER_S, start * healthy_per_s)
        self.inflight = 0
        self._goal_per_s = healthy_per_s
        self._growth_per_ns = -math.log(min(start, 0.999)) / max(1, length_ns)
        self._calm_ns = CALM_LENGTHS * length_ns
        self._quiet_ns = quiet_ns
        self._tolerance, self._credit = TOLERANCE, 1.0
        self._tokens = 1.0
        self._begin(now_ns)

    def _begin(self, now_ns: int) -> None:
        """Count from now on: at first, and when the clock was set back."""
        self._calm_since_ns = self._grew_ns = self._refused_ns = self._tokens_ns = now_ns
        self._fell_ns = now_ns - HOLD_NS
        self._is_calm = False
        self._reached_ns: int | None = None
        self._unheard_ns: int | None = None
        """When the first call went since something was heard."""

    def admit(self, now_ns: int) -> bool:
        """True when one more call may go."""
        if now_ns < self._tokens_ns:
            self._begin(now_ns)
        passed_ns = now_ns - self._tokens_ns
        self._tokens_ns = now_ns
        most = max(1.0, self.rate_per_s * BURST_NS / 1e9)
        self._tokens = min(most, self._tokens + self.rate_per_s * passed_ns / 1e9)
        if self._tokens < 1.0:
            self._refused_ns = now_ns
            return False
        self._tokens -= 1.0
        if self._unheard_ns is None:
            self._unheard_ns = now_ns
        self.inflight += 1
        return True

    def succeeded(self, now_ns: int) -> None:
        self._hear()
        self._is_calm = now_ns - self._calm_since_ns >= self._calm_ns
        self._credit = min(CREDIT_MAX, self._credit + self._tolerance)
        passed_ns = min(max(0, now_ns - self._grew_ns), STEP_NS)
        self._grew_ns = now_ns
        if now_ns - self._fell_ns >= HOLD_NS:
            self.rate_per_s *= math.exp(self._growth_per_ns * passed_ns)

    def failed(self, now_ns: int) -> None:
        self._hear()
        self._is_calm, self._calm_since_ns = False, now_ns
        self._credit = max(0.0, self._credit - 1.0)
        if not self._credit and now_ns - self._fell_ns >= LESSON_NS:
            self._fall(now_ns)

    def _fall(self, now_ns: int) -> None:
        self._fell_ns = now_ns
        self._reached_ns = None
        self.rate_per_s *= FALL
        if self.rate_per_s < RATE_MIN_PER_S:
            self.rate_per_s = RATE_MIN_PER_S
            self._tolerance = min(1.0, self._tolerance * DOUBT)

    def abandoned(self) -> None:
        self.inflight = max(0, self.inflight - 1)
        if not self.inflight:
            self._unheard_ns = None

    def is_over(self, now_ns: int) -> bool:
        """True when callers get as much as before and ask for no more, or when all was well for long enough."""
        if self._is_calm:
            return True
        if self.rate_per_s < self._goal_per_s:
            self._reached_ns = None
            return False
        if self._reached_ns is None:
            self._reached_ns = now_ns
        return now_ns - self._reached_ns >= PROOF_NS and now_ns - self._refused_ns >= SETTLE_NS

    def is_broken(self, now_ns: int) -> bool:
        """True when calls went and none of them has reported for too long."""
        return self._unheard_ns is not None and now_ns - self._unheard_ns >= self._quiet_ns

    def _hear(self) -> None:
        self._unheard_ns = None
        self.inflight = max(0, self.inflight - 1)
