"""How much may be asked of one place: at a time, and a second; and by tier, when that is not enough for everybody."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tenfold.kernel import Clock, SystemClock, TenfoldError
from tenfold.kernel.forks import tell_forks
from tenfold.protect.calls.limit.bucket import Rate

RESERVED = (0.0, 0.1, 0.3, 0.6)
"""By tier, P0 first: the share of the budget that must be left for the tiers above it."""


class BudgetSpent(TenfoldError):
    """The call was not made: as many as may are under way, or the second's share is used up."""


class Budget:
    """A bulkhead and a token bucket in one, for one server however many callers lean on it.

    At most `inflight_max` attempts at a time; with `rate_max`, no more than that many a second, and `burst` of them at
    once (half a second's worth unless told). It refuses and never lets wait: whoever is refused has another way.
    """

    __slots__ = ("__weakref__", "_full_at_ns", "_inflight", "_inflight_max", "_lock", "_now_ns", "_rate")

    def __init__(
        self, inflight_max: int, *, rate_max: float | None = None, burst: int | None = None, clock: Clock | None = None
    ) -> None:
        self._inflight_max = inflight_max
        self._inflight = 0
        self._now_ns = (clock or SystemClock()).monotonic_ns
        self._rate = Rate(rate_max, burst) if rate_max else None
        self._full_at_ns = 0
        self._lock = threading.Lock()
        tell_forks(self)

    @property
    def inflight(self) -> int:
        return self._inflight

    @property
    def left_ratio(self) -> float:
        """How much of it is left now, 0 to 1: of the burst or of the number at a time, whichever is shorter."""
        places = 1 - self._inflight / self._inflight_max
        return min(places, self._tokens_left(self._rate)) if self._rate else places

    def take(self) -> bool:
        """Whether an attempt may be made now; then say `give_back` when it has ended."""
        with self._lock:
            if self._inflight >= self._inflight_max or (self._rate and not self._take_token(self._rate)):
                return False
            self._inflight += 1
            return True

    def give_back(self) -> None:
        with self._lock:
            self._inflight = max(0, self._inflight - 1)  # a child of a fork gives back what its parent took

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Make an attempt inside, sync or async; raises BudgetSpent instead of beginning."""
        if not self.take():
            raise BudgetSpent(
                f"The budget of {self._inflight_max} at a time is spent ({self._inflight} are under way); "
                "the call was not made."
            )
        try:
            yield
        finally:
            self.give_back()

    def _take_token(self, rate: Rate) -> bool:
        now_ns = self._now_ns()
        spent_ns = rate.spent(self._full_at_ns, now_ns)
        self._full_at_ns = spent_ns or now_ns + rate.owed_ns(self._full_at_ns, now_ns)
        return spent_ns != 0

    def _tokens_left(self, rate: Rate) -> float:
        now_ns = self._now_ns()
        if self._full_at_ns - now_ns > rate.burst_ns:  # no call can owe that: the clock was set back
            with self._lock:
                self._full_at_ns = now_ns + rate.owed_ns(self._full_at_ns, now_ns)
        return rate.left_ratio(self._full_at_ns, now_ns)

    def after_fork(self) -> None:
        self._lock = threading.Lock()
        self._inflight = 0


class TierBudget(Budget):
    """A budget that also says, before a call begins, whether one of its tier should.

    A tier is admitted while more is left than is reserved for the tiers above it: so the lowest is given up first. It
    takes nothing; what is over the budget is refused by `take`, whoever asks.
    """

    __slots__ = ()

    def admits(self, tier: int) -> bool:
        """True when a call of this tier may begin now; nothing is taken."""
        return self.left_ratio > RESERVED[min(tier, len(RESERVED) - 1)]
