"""How long a call takes that waits for nobody, found without ever stopping the traffic to look."""

from math import log

from tenfold.protect.calls.limit.window import Summary

FALL = 0.2
"""A faster window moves the baseline by this share of what is not luck: no window is believed whole."""
RISE = 0.02
"""An unhurried window may raise it by this share at most."""
GAIN_UP, GAIN_DOWN = 0.15, 0.02
"""A window under pressure moves it by this, times what the elasticity is off from the pivot, times the difference. Down
slowly: a limit that is too low refuses what could be served, one that is a little too high lets a little wait."""
PIVOT = 0.68
SLOW = 1.1
_JUMP = 0.4
"""Concurrency that differs by half from what it was is another regime: a new regression begins."""
_MEMORY = 0.93
_SPREAD_MIN = 0.015
"""The least sum of squares of ln(concurrency); two windows that differ by the dither of a fifth."""


class Baseline:
    """The latency without queueing, in nanoseconds; 0 before the first window.

    Why it cannot drift. A long average (Gradient2) or a fresh look from time to time (Vegas) takes the queue that the
    limit itself has made for the nature of the dependency: the baseline grows, so the limit grows, so the queue grows
    (Netflix concurrency-limits, pull request 88, issues 137 and 165). Stopping the traffic to look (BBR, Envoy) costs
    what it is meant to save; and the luckiest call ever seen (issue 37) is nobody's nature. Here

    * a faster window lowers it at any time, as far as it is not luck;
    * a slower window raises it while less than half of the limit is in use, slowly: that is no queue of ours;
    * a slower window under pressure is judged by whose queue it shows. In a queue of ours latency follows concurrency
      (Little: latency = concurrency / throughput) with an elasticity of 1; without one it stays as it is, 0. The
      limit lets a little more and a little less in by turns while it holds back, and the regression of ln(latency)
      on ln(concurrency) over the last windows tells the two apart. Near 0 the baseline rises, near 1 it falls: so
      what chance has moved comes back, and the limit settles where waiting begins. It falls by a share of itself: calls
      of other kinds, twenty times as long, would carry it below nothing.
    """

    __slots__ = ("_elasticity", "ns")

    def __init__(self) -> None:
        self.ns = 0.0
        self._elasticity = Elasticity()

    def learn(self, seen: Summary, *, pressed: bool) -> None:
        """One window; `pressed`: half of the limit or more was in use."""
        if not self.ns:
            self.ns = seen.latency_ns
        if seen.latency_ns < self.ns:
            self.ns = min(self.ns, self.ns + FALL * (seen.latency_ns + seen.error_ns - self.ns))
        elif not pressed:
            self.ns = min(seen.latency_ns, self.ns * (1 + RISE))
        elif seen.latency_ns > SLOW * self.ns:
            self._elasticity.add(log(seen.inflight), log(seen.latency_ns))
            off = PIVOT - self._elasticity.slope
            slower_ns = seen.latency_ns - self.ns
            self.ns += GAIN_UP * off * slower_ns if off > 0 else GAIN_DOWN * off * min(slower_ns, self.ns)


class Elasticity:
    """A regression that forgets: of y on x, with half of the weight on the last ten points."""

    __slots__ = ("_weight", "_x", "_xx", "_xy", "_y")

    def __init__(self) -> None:
        self._weight = self._x = self._y = self._xx = self._xy = 0.0

    def add(self, x: float, y: float) -> None:
        if abs(x - self._x) > _JUMP:
            self._weight = self._x = self._y = self._xx = self._xy = 0.0
        self._weight = self._weight * _MEMORY + 1
        off_x, off_y = x - self._x, y - self._y
        self._x += off_x / self._weight
        self._y += off_y / self._weight
        self._xx = self._xx * _MEMORY + off_x * (x - self._x)
        self._xy = self._xy * _MEMORY + off_x * (y - self._y)

    @property
    def slope(self) -> float:
        """The slope within 0 … 1; the pivot while x has not varied enough to say."""
        return min(1.0, max(0.0, self._xy / self._xx)) if self._xx >= _SPREAD_MIN else PIVOT
