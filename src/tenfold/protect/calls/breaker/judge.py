"""What is heard of calls in CLOSED, and when it is too much: a row of failures, or a share of all calls."""

from tenfold.kernel import Duration
from tenfold.protect.calls.breaker.policy import Policy
from tenfold.protect.calls.breaker.state import DOUBT_KEEP
from tenfold.protect.calls.breaker.window import CallWindow, CountWindow, TimeWindow, Totals

DOUBT = Duration.from_ms(100)
"""Nothing but failures for so long, and more than one: told to others, who may have seen the same."""


class Judge:
    """Decides in CLOSED. Times in monotonic nanoseconds; for one thread at a time, but for what `window` allows."""

    __slots__ = ("_calls_min", "_doubts", "_failed_ns", "_policy", "_row_began_ns", "window")

    def __init__(self, policy: Policy) -> None:
        self.window: CallWindow = TimeWindow(policy.window.ns)
        self._policy = policy
        self._calls_min = policy.calls_min
        if policy.window_calls:
            self.window = last = CountWindow(policy.window_calls)
            self._calls_min = min(policy.calls_min, last.least)  # else it would judge at a full slice only
        self._row_began_ns = self._failed_ns = 0
        self._doubts = False

    def doubts(self, now_ns: int) -> bool:
        """True while a row of failures that has lasted goes on; False for a dependency that is called no more."""
        return self._doubts and self.window.in_a_row > 0 and abs(now_ns - self._failed_ns) < DOUBT_KEEP.ns

    def is_calm(self, now_ns: int) -> bool:
        """True when no failure is remembered."""
        return not self.window.in_a_row and not self.window.totals(now_ns).failures

    def succeeded(self, now_ns: int, *, slow: bool) -> None:
        self.window.in_a_row = 0
        tally = self.window.at(now_ns)
        tally.calls += 1
        tally.slow += slow

    def failed(self, now_ns: int, *, timeout: bool) -> None:
        """To be told after `begins_to_doubt`, which lengthens the row."""
        tally = self.window.at(now_ns)
        tally.calls += 1
        tally.failures += 1
        tally.timeouts += timeout

    def begins_to_doubt(self, now_ns: int) -> bool:
        """One more failure in a row: whether it is one that makes us doubt, before they are enough to open."""
        doubted = self.doubts(now_ns)
        self._failed_ns = now_ns
        self.window.in_a_row += 1
        if self.window.in_a_row == 1:
            self._row_began_ns = now_ns
        self._doubts = self.window.in_a_row > 1 and (doubted or now_ns - self._row_began_ns >= DOUBT.ns)
        return self._doubts and not doubted

    def suppose_failures(self, now_ns: int) -> None:
        """Others have seen them: as if all but one of those that open had been our own, until a success of our own."""
        if self._policy.failures_max:
            self._doubts = self.doubts(now_ns)  # a row that a success has ended is not to come back as one of ours
            self.window.in_a_row = max(self.window.in_a_row, self._policy.failures_max - 1)
            self._row_began_ns = now_ns

    def evidence(self, now_ns: int) -> dict[str, int] | None:
        """Why it should open; None while it should not."""
        in_a_row, totals = self.window.in_a_row, self.window.totals(now_ns)
        if not (0 < self._policy.failures_max <= in_a_row or self._is_too_much(totals)):
            return None
        return {"in_a_row": in_a_row, **{name: count for name, count in totals._asdict().items() if count}}

    def forget_row(self) -> None:
        self.window.in_a_row = 0
        self._doubts = False

    def _is_too_much(self, totals: Totals) -> bool:
        policy, (calls, failures, timeouts, slow) = self._policy, totals
        return calls >= self._calls_min and (
            failures >= policy.ratio * calls
            or timeouts >= policy.timeout_ratio * calls
            or slow >= policy.slow_ratio * calls
        )
