"""When a second server is asked because the first is late (Dean and Barroso, The Tail at Scale, 2013)."""

from tenfold.kernel import Duration

DELAY_MIN = Duration.from_ms(10)
DELAY_MAX = Duration.from_ms(25)
LATE_FACTOR = 3.0
"""Later than this many times the recent p99 is late."""
_STEP = 0.02
_QUANTILE = 0.99


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
