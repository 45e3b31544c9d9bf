"""Samples gathered into windows: one call says little, fifty say something."""

from math import sqrt
from typing import NamedTuple

WINDOW_NS_MIN = 100_000_000
WINDOW_NS_MAX = 10_000_000_000
SAMPLES_MIN = 20


class Summary(NamedTuple):
    """One window. Means, because a minimum is luck: a limit that compares calls with the luckiest sheds for nothing
    (Netflix concurrency-limits, issue 37)."""

    latency_ns: float
    """0 when every call was dropped."""
    error_ns: float
    """The mean's standard error: how much of it may be luck."""
    inflight: float
    dropped_ratio: float


class Window:
    """Ends after `length_ns` with 20 samples; with fewer it waits for more, and after 10 s it begins anew; so it does
    when the clock was set back, for neither the window nor a call has a length then."""

    __slots__ = ("_began_ns", "_count", "_dropped", "_inflight", "_latency_ns", "_squares", "length_ns")

    def __init__(self) -> None:
        self.length_ns = WINDOW_NS_MIN
        self._begin(0)

    def add(self, now_ns: int, latency_ns: int, inflight: int, dropped: bool) -> Summary | None:
        """The summary of the window that this sample ends, if it ends one."""
        length_ns = now_ns - self._began_ns
        if length_ns < 0 or latency_ns < 0:
            self._begin(now_ns)
            return None
        self._count += 1
        self._inflight += inflight
        if dropped:
            self._dropped += 1
        else:
            self._latency_ns += latency_ns
            self._squares += latency_ns * latency_ns
        if length_ns < self.length_ns or (self._count < SAMPLES_MIN and length_ns < WINDOW_NS_MAX):
            return None
        summary = self._summary() if self._count >= SAMPLES_MIN else None
        self._begin(now_ns)
        return summary

    def _summary(self) -> Summary:
        answered = self._count - self._dropped
        mean = self._latency_ns / answered if answered else 0.0
        variance = max(0.0, self._squares / answered - mean * mean) if answered else 0.0
        error = sqrt(variance / answered) if answered else 0.0
        return Summary(mean, error, self._inflight / self._count, self._dropped / self._count)

    def _begin(self, now_ns: int) -> None:
        self._began_ns = now_ns
        self._count = self._dropped = self._latency_ns = self._squares = self._inflight = 0
