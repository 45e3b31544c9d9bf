"""Calls of the last moments and what became of them, which the breaker judges by."""

from collections.abc import Iterable
from typing import NamedTuple, Protocol


class Totals(NamedTuple):
    """`failures` count `timeouts` as well; a slow call is no failure."""

    calls: int
    failures: int
    timeouts: int = 0
    slow: int = 0


class CallTally:
    """Counts of one slice. Who writes late writes into the slice it was given, so that counting needs no lock.

    Two threads that count in the same instant may lose one count where there is no GIL; none is counted twice.
    """

    __slots__ = ("began_ns", "calls", "failures", "number", "slow", "timeouts")

    def __init__(self, number: int, began_ns: int) -> None:
        self.number = number
        self.began_ns = began_ns
        self.calls = self.failures = self.timeouts = self.slow = 0


_NONE = CallTally(-1, 0)


class CallWindow(Protocol):
    """What a breaker needs of a window. Times in monotonic nanoseconds."""

    in_a_row: int
    """Failures since the last success, however old: the judge counts them, any success sets it to 0 without a lock."""

    def at(self, now_ns: int) -> CallTally:
        """Where to count a call that ends now: the caller adds to its fields."""
        ...

    def totals(self, now_ns: int) -> Totals: ...

    def rate_per_s(self, now_ns: int) -> float:
        """How many calls were answered while all was well, as far as the window knows."""
        ...

    def clear(self) -> None: ...


class TimeWindow:
    """Counts over the last `length_ns`, in `slices`: as small for a million calls as for ten.

    The oldest slice leaves as a whole, so what is counted is between `length_ns` less one slice and `length_ns` old.
    Slices from the future, as after a clock was set back, are not counted.
    """

    __slots__ = ("_now", "_ring", "_slice_ns", "_slices", "in_a_row")

    def __init__(self, length_ns: int, slices: int = 10) -> None:
        self._slices = slices
        self._slice_ns = max(1, length_ns // slices)
        self.clear()

    def clear(self) -> None:
        self._ring = [_NONE] * self._slices
        self._now = _NONE
        self.in_a_row = 0

    def at(self, now_ns: int) -> CallTally:
        tally = self._now
        if tally.number != now_ns // self._slice_ns:
            tally = self._now = _turn(self._ring, now_ns // self._slice_ns, now_ns)
        return tally

    def totals(self, now_ns: int) -> Totals:
        return _sum(self._recent(now_ns))

    def rate_per_s(self, now_ns: int) -> float:
        """The median over whole slices in which nothing failed; when there is none, the mean over all whole ones."""
        whole = [tally for tally in self._recent(now_ns) if tally.number != now_ns // self._slice_ns]
        good = sorted(tally.calls for tally in whole if not tally.failures)
        if good:
            return good[len(good) // 2] * 1e9 / self._slice_ns
        answered = sum(tally.calls - tally.failures for tally in whole)
        return answered * 1e9 / (self._slice_ns * len(whole)) if whole else 0.0

    def _recent(self, now_ns: int) -> list[CallTally]:
        newest = now_ns // self._slice_ns
        oldest = max(0, newest - self._slices + 1)
        return [tally for tally in self._ring if oldest <= tally.number <= newest]


class CountWindow:
    """The last `length` calls, however old, in slices of like size: so many that all of them fit.

    The oldest slice leaves as a whole: what is counted, once it was full, is at least `least` and at most `length`,
    rounded up to whole slices.
    """

    __slots__ = ("_now", "_ring", "_slice", "in_a_row", "least")

    def __init__(self, length: int, slices: int = 10) -> None:
        self._slice = -(-length // slices)
        self._ring = [_NONE] * -(-length // self._slice)
        self.least = self._slice * (len(self._ring) - 1) + 1
        self.clear()

    def clear(self) -> None:
        self._ring = [_NONE] * len(self._ring)
        self._now = _NONE
        self.in_a_row = 0

    def at(self, now_ns: int) -> CallTally:
        tally = self._now
        if tally is _NONE or tally.calls >= self._slice:
            tally = self._now = _turn(self._ring, tally.number + 1, now_ns)
        return tally

    def totals(self, now_ns: int) -> Totals:
        return _sum(self._ring)

    def rate_per_s(self, now_ns: int) -> float:
        counted = [tally for tally in self._ring if tally is not _NONE]
        passed_ns = now_ns - min((tally.began_ns for tally in counted), default=now_ns)
        return sum(tally.calls - tally.failures for tally in counted) * 1e9 / passed_ns if passed_ns > 0 else 0.0


def _turn(ring: list[CallTally], number: int, now_ns: int) -> CallTally:
    """The slice of this number; made when it is not there. Two threads that make it at once leave one behind."""
    place = number % len(ring)
    if ring[place].number != number:
        ring[place] = CallTally(number, now_ns)
    return ring[place]


def _sum(tallies: Iterable[CallTally]) -> Totals:
    calls = failures = timeouts = slow = 0
    for tally in tallies:
        calls += tally.calls
        failures += tally.failures
        timeouts += tally.timeouts
        slow += tally.slow
    return Totals(calls, failures, timeouts, slow)
