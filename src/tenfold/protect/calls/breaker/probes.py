"""The single calls that find out whether a dependency is back: each is out on a lease."""

from collections import deque


class Probes:
    """At most `number` are out or proven. Times in monotonic nanoseconds; for one thread at a time.

    Leases have no owner: whoever reports ends the oldest, so that who never reports is noticed by the age of what is
    left.
    """

    __slots__ = ("_lease_ns", "_leases", "_number", "proven")

    def __init__(self, number: int, lease_ns: int) -> None:
        self._number = number
        self._lease_ns = lease_ns
        self._leases: deque[int] = deque()
        self.proven = 0

    def lease(self, now_ns: int) -> bool:
        """Whether one more may go."""
        if len(self._leases) + self.proven >= self._number:
            return False
        self._leases.append(now_ns + self._lease_ns)
        return True

    def end(self) -> bool:
        """Give one lease back; false when nobody holds one, as when a word comes from before."""
        if not self._leases:
            return False
        self._leases.popleft()
        return True

    def prove(self) -> bool:
        """One was answered; whether all were."""
        self.proven += 1
        return self.proven >= self._number

    def is_lost(self, now_ns: int) -> bool:
        """Whether one has not reported in time; so it is, too, when the clock was set back to before it began."""
        return bool(self._leases) and not 0 < self._leases[0] - now_ns <= self._lease_ns

    def clear(self) -> None:
        self._leases.clear()
        self.proven = 0
