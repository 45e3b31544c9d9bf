"""Vegas (Brakmo and Peterson, 1994), as services use it: for comparison."""

from math import ceil, log10

from tenfold.protect.calls.limit import Summary, Window

PROBE_MULTIPLIER = 30


class VegasLimit:
    """Keeps between 3·log₁₀ and 6·log₁₀ of the limit waiting: queue = limit · (1 - best / latency).

    The best latency is looked for anew from time to time, in whatever traffic there is. So under overload that lasts
    it drifts, which `GradientLimit` does not; it stands here as the measure to be beaten.
    """

    def __init__(self, *, initial: int = 20, least: int = 1, most: int = 1000) -> None:
        self._limit = float(initial)
        self._least = least
        self._most = most
        self._window = Window()
        self._best_ns = 0.0
        self._windows_until_probe = PROBE_MULTIPLIER
        self.value = initial

    def sample(self, now_ns: int, latency_ns: int, inflight: int, *, dropped: bool = False) -> None:
        summary = self._window.add(now_ns, latency_ns, inflight, dropped)
        if summary is not None:
            self._limit = min(max(self._decide(summary), self._least), self._most)
            self.value = round(self._limit)

    def _decide(self, seen: Summary) -> float:
        step = max(1.0, log10(self._limit))
        if seen.dropped_ratio > 0:
            return self._limit - step
        self._windows_until_probe -= 1
        if self._windows_until_probe <= 0 or not self._best_ns or seen.latency_ns < self._best_ns:
            self._windows_until_probe = self._windows_until_probe or PROBE_MULTIPLIER
            self._best_ns = seen.latency_ns
            return self._limit
        if seen.inflight < self._limit / 2:
            return self._limit
        queue = ceil(self._limit * (1 - self._best_ns / seen.latency_ns))
        if queue <= step:
            return self._limit + 6 * step
        if queue < 3 * step:
            return self._limit + step
        return self._limit - step if queue > 6 * step else self._limit
