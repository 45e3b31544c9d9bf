"""Whether one server may be asked: its traffic suspects it, a probe confirms it or clears it. And when it is late.

That a second server is asked because the first is late: Dean and Barroso, The Tail at Scale, 2013.
"""

import enum

from tenfold.kernel import Clock, Duration, GrowingPause, SystemClock

STAY = Duration.from_ms(50)
STAY_MAX = Duration.from_s(5)
CALM = Duration.from_s(30)
DELAY_MIN = Duration.from_ms(10)
DELAY_MAX = Duration.from_ms(25)
LATE_FACTOR = 3.0
"""Later than this many times the recent p99 is late."""
_STEP = 0.02
_QUANTILE = 0.99


class Trust(enum.StrEnum):
    TRUSTED = "trusted"
    SUSPECTED = "suspected"
    LOST = "lost"


class Suspicion:
    """Trust in one server.

           failures in a row, or a probe fails      a probe fails
        TRUSTED ─────────────────────────► SUSPECTED ─────────────► LOST
           ▲                                   │                      │
           └──── a probe succeeds, and it has stayed away long enough ┘

    How long it stays away is at least `stay`, twice as long each time when the last return was less than `calm` ago,
    up to `stay_max`: a server that comes and goes is asked less and less often. A late answer to traffic clears
    nothing, only probes do, so that a word from before the fault cannot.
    """

    __slots__ = ("_calm_ns", "_failures_max", "_in_a_row", "_now_ns", "_returned_at_ns", "_since_ns", "_stay", "state")

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        failures_max: int = 3,
        stay: Duration = STAY,
        stay_max: Duration = STAY_MAX,
        calm: Duration = CALM,
    ) -> None:
        self.state = Trust.TRUSTED
        self._now_ns = (clock or SystemClock()).monotonic_ns
        self._failures_max = failures_max
        self._stay = GrowingPause(stay, stay_max)
        self._calm_ns = calm.ns
        self._in_a_row = 0
        self._since_ns = 0
        self._returned_at_ns: int | None = None

    def answered(self) -> None:
        """It answered a caller."""
        self._in_a_row = 0

    def failed(self) -> bool:
        """It did not answer a caller, or is late; answers whether this is what made it suspected."""
        self._in_a_row += 1
        if self.state is not Trust.TRUSTED or self._in_a_row < self._failures_max:
            return False
        self._leave(Trust.SUSPECTED)
        return True

    def probed(self, answers: bool) -> None:
        """It was asked who it is."""
        if not answers and self.state is Trust.TRUSTED:
            self._leave(Trust.SUSPECTED)
        elif not answers:
            self.state = Trust.LOST
        elif self.state is not Trust.TRUSTED and self._now_ns() - self._since_ns >= self._stay.ns:
            self.state = Trust.TRUSTED
            self._in_a_row = 0
            self._returned_at_ns = self._now_ns()

    def _leave(self, state: Trust) -> None:
        now_ns = self._now_ns()
        again = self._returned_at_ns is not None and now_ns - self._returned_at_ns < self._calm_ns
        if again:
            self._stay.grow()
        else:
            self._stay.reset()
        self.state = state
        self._since_ns = now_ns


class Hedge:
    """A call is late after a few times the recent p99, within [delay_min, delay_max]; then a second may be asked.

    The p99 is a frugal estimate (Ma, Muthukrishnan and Sandler, 2013): one number that each call pushes up or down. Not
    for threads.
    """

    def __init__(self, *, delay_min: Duration = DELAY_MIN, delay_max: Duration = DELAY_MAX) -> None:
        self._delay_min_s = delay_min.s
        self._delay_max_s = delay_max.s
        self._p99_s = delay_min.s / LATE_FACTOR

    @property
    def delay_s(self) -> float:
        return min(max(self._p99_s * LATE_FACTOR, self._delay_min_s), self._delay_max_s)

    def answered(self, seconds: float) -> None:
        """One call took so long."""
        up = seconds > self._p99_s
        self._p99_s *= 1 + _STEP * (_QUANTILE if up else _QUANTILE - 1)
        self._p99_s = min(max(self._p99_s, 1e-5), self._delay_max_s)
