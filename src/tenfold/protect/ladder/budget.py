"""How much may be asked of one place: at a time, and a second."""

from tenfold.kernel import Clock, Duration, SystemClock

SECOND_NS = Duration.from_s(1).ns


class Budget:
    """A bulkhead and a token bucket in one, for one server however many ladders lean on it.

    At most `inflight_max` attempts at a time; with `rate_max`, no more than that many a second, and `burst` of them at
    once (half a second's worth unless told). It refuses and never lets wait: whoever is refused has another rung.
    """

    __slots__ = ("_burst_ns", "_cost_ns", "_full_at_ns", "_inflight", "_inflight_max", "_now_ns")

    def __init__(
        self, inflight_max: int, *, rate_max: float | None = None, burst: int | None = None, clock: Clock | None = None
    ) -> None:
        self._inflight_max = inflight_max
        self._inflight = 0
        self._now_ns = (clock or SystemClock()).monotonic_ns
        self._cost_ns = round(SECOND_NS / rate_max) if rate_max else 0
        self._burst_ns = (burst or max(1, round((rate_max or 0) / 2))) * self._cost_ns
        self._full_at_ns = 0
        """When the bucket will be full again: the later, the emptier it is now (GCRA, ITU-T I.371)."""

    @property
    def inflight(self) -> int:
        return self._inflight

    def take(self) -> bool:
        """Whether an attempt may be made now; then say `give_back` when it has ended."""
        if self._inflight >= self._inflight_max:
            return False
        if self._cost_ns and not self._take_token():
            return False
        self._inflight += 1
        return True

    def give_back(self) -> None:
        self._inflight -= 1

    def _take_token(self) -> bool:
        now_ns = self._now_ns()
        full_at_ns = max(now_ns, self._full_at_ns) + self._cost_ns
        if full_at_ns - now_ns > self._burst_ns:
            return False
        self._full_at_ns = full_at_ns
        return True
