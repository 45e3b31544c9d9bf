"""The course of one stage: which arrivals are due, when it is reported, when nothing more of it falls due.

    start ────┬─────────┬─────────┬──── end         planned: the sum of the segments; earlier when the rehearsal
            tick      tick      tick                has seen enough, and then at the next tick: each is a whole one

Time is an argument, in CLOCK_MONOTONIC nanoseconds.
"""

from bisect import bisect
from collections.abc import Iterator
from itertools import accumulate

from tenfold.rehearse.load.messages import Segment, Stage
from tenfold.rehearse.load.pacer import Pacer

TICK_NS = 250_000_000


class Course:
    """One stage from `start_ns` on. `offsets` are its arrivals, ascending, from its start."""

    def __init__(self, stage: Stage, offsets: Iterator[int], start_ns: int) -> None:
        *_, self.end_ns = ends_ns = list(accumulate((one.duration_ns for one in stage.segments), initial=start_ns))
        self._segments = stage.segments
        self._ends_ns = ends_ns[1:-1]
        self._start_ns = start_ns
        self._tick_ns = start_ns + TICK_NS
        self.pacer = Pacer(offsets, start_ns)

    @property
    def alarm_ns(self) -> int:
        """When there is something to do next: an arrival to send or a tick to make."""
        return min(self._tick_ns, self.pacer.next_ns or self._tick_ns)

    @property
    def lasted_ns(self) -> int:
        """How long arrivals fall due, from the first moment to the last."""
        return self.end_ns - self._start_ns

    def is_over(self, now_ns: int) -> bool:
        """Whether nothing will fall due any more, and everything that did was taken in hand."""
        return now_ns >= self.end_ns and self.pacer.next_ns is None

    def segment_at(self, due_ns: int) -> Segment:
        return self._segments[bisect(self._ends_ns, due_ns)]

    def ticks(self, now_ns: int) -> bool:
        """Whether a tick has fallen due; it is taken then.

        The one at the end is put off by a tick: it holds the answers to the last arrivals too, for a tick of nothing
        but stragglers has a median that says nothing.
        """
        if now_ns < self._tick_ns:
            return False
        at_end = self._tick_ns == self.end_ns
        self._tick_ns += TICK_NS
        return not at_end

    def end_early(self) -> None:
        """Nothing falls due from the next tick on, nor after the end that was planned."""
        self.end_ns = min(self.end_ns, self._tick_ns)
        self.pacer.end(self.end_ns)
