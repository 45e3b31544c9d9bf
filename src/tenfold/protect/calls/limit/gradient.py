"""The adaptive limit: as many at a time as the dependency serves without making them wait."""

from math import sqrt

from tenfold.protect.calls.limit.baseline import Baseline
from tenfold.protect.calls.limit.window import WINDOW_NS_MAX, WINDOW_NS_MIN, Summary, Window

TOLERANCE = 1.1
"""Latency up to so many times the baseline counts as none: it is noise."""
GRADIENT_MIN = 0.5
HEADROOM = 1.0
SMOOTHING = 0.4
DITHER = 0.1
WINDOW_CALLS = 3
DROPPED_RATIO_MAX = 0.1
DROPPED_CUT = 0.8


class GradientLimit:
    """Follows baseline / latency, window by window, with room for a queue of the limit's square root.

        gradient = tolerance · baseline / latency          within ½ … 1
        target   = limit · gradient + √limit               smoothed

    It begins small and doubles until calls become slower, so that its baseline is one of a dependency that was let
    alone. While less than half of it is in use it neither grows nor shrinks: how long calls take then shows the
    dependency, or which calls they were, and no queue of ours. Windows in which a tenth of the calls was dropped cut
    it by a fifth, used or not. While it holds back it dithers, a tenth up and a tenth down, two windows each: so the
    baseline learns whose queue it sees. A window lasts three times what a call does: just after a rise only short
    calls have come back yet.
    """

    def __init__(self, *, initial: int = 8, least: int = 1, most: int = 1000, tolerance: float = TOLERANCE) -> None:
        self._limit = float(initial)
        self._least = max(1, least)
        self._most = most
        self._tolerance = tolerance
        self._starting = True
        self._turn = 0
        self._window = Window()
        self._baseline = Baseline()
        self.value = initial

    @property
    def baseline_ns(self) -> float:
        """How long a call takes that waits for nobody; 0 while nothing is known."""
        return self._baseline.ns

    def sample(self, now_ns: int, latency_ns: int, inflight: int, *, dropped: bool = False) -> None:
        seen = self._window.add(now_ns, latency_ns, inflight, dropped)
        if seen is not None:
            pressed, refused = seen.inflight >= self._limit / 2, seen.dropped_ratio >= DROPPED_RATIO_MAX
            gradient = DROPPED_CUT if refused or not seen.latency_ns else self._learn(seen, pressed=pressed)
            self._starting = self._starting and gradient == 1.0
            self._limit = self._bounded(self._limit * gradient if refused else self._decide(gradient, pressed=pressed))
            self.value = round(self._bounded(self._limit * self._dithered(gradient)))

    def _learn(self, seen: Summary, *, pressed: bool) -> float:
        """The gradient that the window shows; 1 from a window that was not pressed."""
        self._baseline.learn(seen, pressed=pressed)
        self._window.length_ns = min(WINDOW_NS_MAX, max(WINDOW_NS_MIN, int(WINDOW_CALLS * self._baseline.ns)))
        if not pressed:
            return 1.0
        return min(1.0, max(GRADIENT_MIN, self._tolerance * self._baseline.ns / seen.latency_ns))

    def _decide(self, gradient: float, *, pressed: bool) -> float:
        if self._starting:
            return self._limit * 2 if pressed else self._limit
        target = self._limit * gradient + HEADROOM * sqrt(self._limit)
        if target > self._limit and not pressed:
            return self._limit
        return self._limit + SMOOTHING * (target - self._limit)

    def _bounded(self, limit: float) -> float:
        return min(max(limit, self._least), self._most)

    def _dithered(self, gradient: float) -> float:
        self._turn = (self._turn + 1) % 4
        return 1.0 if gradient == 1.0 else 1 + DITHER if self._turn < 2 else 1 - DITHER
