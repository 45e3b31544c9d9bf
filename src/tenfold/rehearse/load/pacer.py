"""Hands out arrivals when they have fallen due, however late the caller comes: an open model never slows down.

    due   1   2 3        4            5
          │   │ │        │            │
    take  ·1      ·2 ·3      ·4           ·5      ← at each call: the next that is due, with the time it was due

Time is an argument; whoever calls waits with a `TimerFd` until `next_ns`.
"""

from collections.abc import Iterator

_NEVER_NS = 1 << 63


class Pacer:
    """The arrivals of one stage. `next_ns` is when the next one is due, None when there is none left."""

    __slots__ = ("_arrivals", "_end_ns", "_start_ns", "next_ns")

    def __init__(self, arrivals: Iterator[int], start_ns: int) -> None:
        self._arrivals = arrivals
        self._start_ns = start_ns
        self._end_ns = _NEVER_NS
        self.next_ns: int | None = None
        self._advance()

    def take(self, now_ns: int) -> int | None:
        """When the next arrival was due, if that is not after `now_ns`; it is taken then."""
        due_ns = self.next_ns
        if due_ns is None or due_ns > now_ns:
            return None
        self._advance()
        return due_ns

    def end(self, at_ns: int) -> None:
        """Whoever would have come at `at_ns` or later stays away."""
        self._end_ns = at_ns
        if self.next_ns is not None and self.next_ns >= at_ns:
            self.next_ns = None

    def _advance(self) -> None:
        offset_ns = next(self._arrivals, _NEVER_NS)
        due_ns = self._start_ns + offset_ns
        self.next_ns = due_ns if due_ns < self._end_ns else None
