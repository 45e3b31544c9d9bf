"""When a second server is asked because the first is late (Dean and Barroso, The Tail at Scale, 2013)."""

from tenfold.kernel import Clock, Duration, SystemClock

DELAY_MIN = Duration.from_ms(10)
DELAY_MAX = Duration.from_ms(25)
LATE_FACTOR = 3.0
"""Later than this many times the recent p99 is late."""
_STEP = 0.02
_QUANTILE = 0.99


class Hedge:
    """A call is late after a few times the recent p99, within [delay_min, delay_max]; then a second server is asked.

    At most `share` of the calls are asked twice, and `burst` at once, so that a cluster that is slow because it has
    too much to do does not get twice as much. The p99 is a frugal estimate (Ma, Muthukrishnan and Sandler, 2013):
    one number that each call pushes up or down. Not for threads.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        delay_min: Duration = DELAY_MIN,
        delay_max: Duration = DELAY_MAX,
        share: float = 0.05,
        burst: int = 10,
    ) -> None:
        self._now_ns = (clock or SystemClock()).monotonic_ns
        self._delay_min_s = delay_min.s
        self._delay_max_s = delay_max.s
        self._p99_s = delay_min.s / LATE_FACTOR
        self._share = share
        self._burst = self._tokens = float(burst)

    @property
    def delay_s(self) -> float:
        return min(max(self._p99_s * LATE_FACTOR, self._delay_min_s), self._delay_max_s)

    def answered(self, seconds: float) -> None:
        """One call took so long."""
        self._tokens = min(self._burst, self._tokens + self._share)
        up = seconds > self._p99_s
        self._p99_s *= 1 + _STEP * (_QUANTILE if up else _QUANTILE - 1)
        self._p99_s = min(max(self._p99_s, 1e-5), self._delay_max_s)

    def allows(self) -> bool:
        """Whether one more call may be asked twice; spends it."""
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True
