"""How much an audit may read: a share of what everybody else reads, and a floor."""

from collections.abc import Callable

from tenfold.kernel import Clock, SystemClock


def _nobody_reads() -> int:
    return 0


class ReadBudget:
    """One round trip to the database for each `1 / share` reads that the service made there, and the floor.

    `reads` answers how many reads there were in all until now. On a quiet system `share` of nearly nothing would be
    no audit, so `floor_per_s` round trips a second are allowed whatever the others do: with the defaults 5 a second,
    which is 1 % of 500 reads a second. What is unused is kept for at most `saved_max` round trips.
    """

    def __init__(
        self,
        *,
        reads: Callable[[], int] = _nobody_reads,
        share: float = 0.01,
        floor_per_s: float = 5.0,
        saved_max: float = 4.0,
        clock: Clock | None = None,
    ) -> None:
        self._reads = reads
        self._share = share
        self._floor_per_s = floor_per_s
        self._saved_max = saved_max
        self._now_ns = (clock or SystemClock()).monotonic_ns
        self._saved = saved_max
        self._counted_ns = self._now_ns()
        self._counted_reads = reads()

    def take(self, *, keep: float = 0.0) -> bool:
        """Whether one more round trip may be made now, so that `keep` are left after it; it is then counted."""
        self._earn()
        if self._saved < 1 + keep:
            return False
        self._saved -= 1
        return True

    def _earn(self) -> None:
        """What the time and the reads since the last look have brought: whichever is more."""
        now_ns, reads = self._now_ns(), self._reads()
        by_time = (now_ns - self._counted_ns) / 1e9 * self._floor_per_s
        by_reads = (reads - self._counted_reads) * self._share
        self._counted_ns, self._counted_reads = now_ns, reads
        self._saved = min(self._saved_max, self._saved + max(by_time, by_reads))
