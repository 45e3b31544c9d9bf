"""The single calls that find out whether a dependency is back: each is out on a lease."""

from typing import NamedTuple

from tenfold.kernel import Duration

LEASE_MAX = Duration.from_s(10)
"""A dependency that has been seen to answer late is given more time than its lease, up to this."""


class LentProbe(NamedTuple):
    """A probe that is out: in which stay in HALF_OPEN it began, and when."""

    epoch: int
    began_ns: int


class Probes:
    """At most `number` are out or proven. Times in monotonic nanoseconds; for one thread at a time.

    One stay in HALF_OPEN follows another; a probe of an earlier one counts among those that are out until it reports,
    or its lease is over. Within a stay leases have no owner: each report ends the oldest, so that a probe that never
    reports is noticed by the age of what is left.
    """

    __slots__ = ("_epoch", "_leases", "_longest_ns", "_number", "_shortest_ns", "lease_ns", "proven")

    def __init__(self, number: int, lease_ns: int) -> None:
        self._number = number
        self._shortest_ns = self.lease_ns = lease_ns
        self._longest_ns = max(lease_ns, LEASE_MAX.ns)
        self._leases: list[LentProbe] = []
        self._epoch = self.proven = 0

    @property
    def are_out(self) -> bool:
        """True while a probe of this stay has not reported."""
        return any(lease.epoch == self._epoch for lease in self._leases)

    def begin(self, epoch: int) -> None:
        """A stay in HALF_OPEN begins: all are to be proven anew."""
        self._epoch, self.proven = epoch, 0

    def lease(self, now_ns: int) -> bool:
        """True when one more probe may go."""
        self._leases = [one for one in self._leases if one.epoch == self._epoch or self._is_in_time(one, now_ns)]
        if len(self._leases) + self.proven >= self._number:
            return False
        self._leases.append(LentProbe(self._epoch, now_ns))
        return True

    def end(self, epoch: int | None = None) -> bool:
        """Give one lease back, of the present stay or of an earlier one; false when nobody holds one."""
        epoch = self._epoch if epoch is None else epoch
        for place, lease in enumerate(self._leases):
            if lease.epoch == epoch:
                del self._leases[place]
                return True
        return False

    def prove(self) -> bool:
        """One was answered; whether all were."""
        self.proven += 1
        return self.proven >= self._number

    def is_lost(self, now_ns: int) -> bool:
        """True when a probe of this stay has not reported in time."""
        return any(one.epoch == self._epoch and not self._is_in_time(one, now_ns) for one in self._leases)

    def lengthen(self, took_ns: int) -> None:
        """An answer took so long: from now on wait for twice that."""
        self.lease_ns = max(self.lease_ns, min(2 * took_ns, self._longest_ns))

    def calm(self) -> None:
        """The dependency is back: how long its answers took is forgotten, those that are out are not."""
        self.lease_ns = self._shortest_ns

    def forget(self) -> None:
        """Nothing is out, as in a child: those are its parent's."""
        self._leases = []

    def _is_in_time(self, lease: LentProbe, now_ns: int) -> bool:
        """A probe that seems to have begun in the future is not: the clock was set back."""
        return 0 <= now_ns - lease.began_ns < self.lease_ns
