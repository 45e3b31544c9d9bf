"""The one source of time. The pure core of every part takes a `Clock`, so that its tests never sleep."""

import time
from datetime import UTC, datetime
from typing import Protocol

from tenfold.kernel.duration import Duration


class Clock(Protocol):
    """Two readings in integer nanoseconds."""

    def monotonic_ns(self) -> int:
        """For lengths and order: never goes back; on Linux one scale for every process of the machine."""
        ...

    def wall_ns(self) -> int:
        """For people and records: since 1970-01-01 UTC; may be set back by whoever keeps the machine's time."""
        ...


class SystemClock:
    """The machine's own time."""

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()

    def wall_ns(self) -> int:
        return time.time_ns()


class VirtualClock:
    """Time that stands still until it is told to pass."""

    def __init__(self, *, monotonic_ns: int = 0, wall_ns: int = 1_767_225_600_000_000_000) -> None:
        self._monotonic_ns = monotonic_ns
        self._wall_ns = wall_ns

    def monotonic_ns(self) -> int:
        return self._monotonic_ns

    def wall_ns(self) -> int:
        return self._wall_ns

    def advance(self, length: Duration) -> None:
        """Let `length` pass. Time does not go back: a negative length raises ValueError."""
        if length.ns < 0:
            raise ValueError(f"a clock cannot be advanced by {length}")
        self._monotonic_ns += length.ns
        self._wall_ns += length.ns


def utc(wall_ns: int) -> str:
    """A wall reading as people and machines both read it: RFC 3339 in UTC, to the millisecond."""
    moment = datetime.fromtimestamp(wall_ns / 1e9, tz=UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
