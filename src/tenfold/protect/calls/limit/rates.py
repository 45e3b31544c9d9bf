"""So many a second for each key: a store, a customer, an address; bounded however many keys there are."""

import threading

from tenfold.kernel import Clock, Duration, SystemClock, TenfoldError
from tenfold.kernel.forks import tell_forks
from tenfold.protect.calls.limit.bucket import Rate
from tenfold.telemetry import Registry

_LOOKS = 4
"""How many of the oldest are looked at for room: makes a refusal cost the same however large the table."""


class RateExceeded(TenfoldError):
    """The call was not made: its key has used up its rate. `retry_after` says when it has a token again."""

    def __init__(self, message: str, retry_after: Duration) -> None:
        super().__init__(message, remedy=f"Try again in {retry_after.ms:.0f} ms.")
        self.retry_after = retry_after


class RateLimits:
    """A token bucket for each key, at most `keys_max` of them.

    A bucket that is full again is as good as new and makes room for another. When none is, all keys that have no
    bucket share one: so nobody gets a new bucket by inventing keys, and no debt is forgotten.

    `rate` may be swapped for another while this runs, and a call may bring its key's own: both hold from that moment.
    """

    def __init__(
        self,
        name: str,
        per_s: float,
        *,
        burst: int | None = None,
        keys_max: int = 10_000,
        clock: Clock | None = None,
        registry: Registry | None = None,
    ) -> None:
        self.name = name
        self.rate = Rate(per_s, burst)
        self._keys_max = keys_max
        self._now_ns = (clock or SystemClock()).monotonic_ns
        self._full_at_ns: dict[str, int] = {}
        """By key, the one not asked for longest first."""
        self._shared_full_at_ns = 0
        self._lock = threading.Lock()
        outcomes = (registry or Registry()).counter(
            "tenfold_rate_calls_total", "Calls by what the rate of their key said.", ("rate", "outcome")
        )
        self._counts = {outcome: outcomes.child(name, outcome) for outcome in ("allowed", "refused", "shared")}
        tell_forks(self)

    def __len__(self) -> int:
        return len(self._full_at_ns)

    def take(self, key: str, rate: Rate | None = None) -> bool:
        """True when one more call may be made for this key now."""
        with self._lock:
            taken = self._take(key, rate or self.rate, self._now_ns())
            self._counts["allowed" if taken else "refused"].value += 1
            return taken

    def check(self, key: str, rate: Rate | None = None) -> None:
        """Like `take`, but raises RateExceeded."""
        rate = rate or self.rate
        if not self.take(key, rate):
            wait = Duration(rate.wait_ns(self._full_at_ns.get(key, self._shared_full_at_ns), self._now_ns()))
            raise RateExceeded(f"Rate '{self.name}' is used up for '{key}'; the call was not made.", wait)

    def _take(self, key: str, rate: Rate, now_ns: int) -> bool:
        full_at_ns = self._full_at_ns.pop(key, None)
        if full_at_ns is None and not self._make_room(now_ns):
            return self._take_shared(rate, now_ns)
        spent_ns = rate.spent(full_at_ns or 0, now_ns)
        self._full_at_ns[key] = spent_ns or now_ns + rate.owed_ns(full_at_ns or 0, now_ns)
        return spent_ns != 0

    def _take_shared(self, rate: Rate, now_ns: int) -> bool:
        self._counts["shared"].value += 1
        spent_ns = rate.spent(self._shared_full_at_ns, now_ns)
        self._shared_full_at_ns = spent_ns or now_ns + rate.owed_ns(self._shared_full_at_ns, now_ns)
        return spent_ns != 0

    def _make_room(self, now_ns: int) -> bool:
        if len(self._full_at_ns) < self._keys_max:
            return True
        for _ in range(_LOOKS):
            key, full_at_ns = next(iter(self._full_at_ns.items()))
            del self._full_at_ns[key]
            if full_at_ns <= now_ns:
                return True
            self._full_at_ns[key] = full_at_ns
        return False

    def after_fork(self) -> None:
        self._lock = threading.Lock()
