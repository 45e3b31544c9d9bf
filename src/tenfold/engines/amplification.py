"""What may be asked of a dependency on top of what was asked of us: retries, hedges, refreshes, audits.

Each of them is sensible alone. Together, when the dependency is slow, they ask it for several times as much as before,
and it does not come back. So they share one budget: a share of the real calls and a floor (Finagle's RetryBudget).
"""

import threading
from collections.abc import Callable

from tenfold.kernel import Clock, SystemClock
from tenfold.kernel.forks import tell_forks
from tenfold.telemetry import Counter, Registry


class AmplificationBudget:
    """One extra call for each `1 / share` real ones, and `floor_per_s` a second whatever the others do.

    Real calls are told by `called`, or counted by somebody else and asked of `calls` (how many in all until now).
    Unused extras are kept up to `saved_max`; so in any stretch of time no more than
    `saved_max + floor_per_s · seconds + share · calls` are made. With `within`, each must be allowed there too: a part
    of a dependency's budget that one kind may use. For threads.
    """

    def __init__(
        self,
        name: str = "",
        *,
        share: float = 0.1,
        floor_per_s: float = 1.0,
        saved_max: float = 10.0,
        calls: Callable[[], int] | None = None,
        within: "AmplificationBudget | None" = None,
        clock: Clock | None = None,
        registry: Registry | None = None,
    ) -> None:
        self.name = name
        self._share = share
        self._floor_per_s = floor_per_s
        self._saved = self._saved_max = saved_max
        self._called = 0
        self._calls = calls or self._told
        self._within = within
        self._now_ns = (clock or SystemClock()).monotonic_ns
        self._earned_ns = self._now_ns()
        self._earned_calls = self._calls()
        self._lock = threading.Lock()
        self._family = (registry or Registry()).counter(
            "tenfold_amplification_calls_total",
            "Calls on top of the real ones, by kind and whether they were made.",
            ("dependency", "kind", "outcome"),
        )
        self._counts: dict[tuple[str, bool], Counter] = {}
        tell_forks(self)

    def called(self, count: int = 1) -> None:
        """Real calls were made."""
        with self._lock:
            self._called += count

    def take(self, kind: str = "retry", *, keep: float = 0.0) -> bool:
        """Whether one more extra call may be made now, so that `keep` are left after it; it is then counted."""
        with self._lock:
            self._earn()
            taken = self._saved >= 1 + keep and (self._within is None or self._within.take(kind))
            if taken:
                self._saved -= 1
            self._count(kind, taken).value += 1
            return taken

    def _told(self) -> int:
        return self._called

    def _earn(self) -> None:
        """What the time and the calls since the last look have brought: whichever is more."""
        now_ns, calls = self._now_ns(), self._calls()
        by_time = (now_ns - self._earned_ns) / 1e9 * self._floor_per_s
        by_calls = (calls - self._earned_calls) * self._share
        self._earned_ns, self._earned_calls = now_ns, calls
        self._saved = min(self._saved_max, self._saved + max(by_time, by_calls))

    def _count(self, kind: str, taken: bool) -> Counter:
        """The kinds are words of the caller's program: a handful."""
        counter = self._counts.get((kind, taken))
        if counter is None:
            outcome = "made" if taken else "refused"
            counter = self._counts[kind, taken] = self._family.child(self.name, kind, outcome)
        return counter

    def after_fork(self) -> None:
        self._lock = threading.Lock()
