"""How many hits one sample stands for, so that sampling costs the same at any rate and is never blind at a low one."""

SAMPLES_PER_S = 2_000
"""Enough to see a key of a fifth of the reads in 70 ms; a few thousandths of a core."""
WEIGHT_MAX = 1_024
_WINDOW_NS = 20_000_000
_BURST = 64


class SampleWeight:
    """Follows the rate of hits: `sampled` answers how many hits the next sample shall stand for, 1..WEIGHT_MAX.

    Judged each 20 ms; within them a burst of samples doubles the weight, and no more, since it may be over already.
    """

    def __init__(self, *, samples_per_s: int = SAMPLES_PER_S) -> None:
        self._samples_per_s = samples_per_s
        self._began_ns = 0
        self._hits = self._samples = 0
        self._weight = 1

    def sampled(self, weight: int, now_ns: int) -> int:
        self._hits += weight
        self._samples += 1
        passed_ns = now_ns - self._began_ns
        if passed_ns >= _WINDOW_NS:
            wanted = self._hits * 1_000_000_000 // (passed_ns * self._samples_per_s)
            self._weight = min(max(1, wanted), WEIGHT_MAX)
            self._began_ns, self._hits, self._samples = now_ns, 0, 0
        elif self._samples >= _BURST:
            self._weight = min(2 * self._weight, WEIGHT_MAX)
            self._samples = 0
        return self._weight
