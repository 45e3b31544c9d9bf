"""What a replica may be asked while it carries a cache's reads, and who is given up first when that is not enough."""

from tenfold.protect.ladder import Budget

RESERVED = (0.0, 0.1, 0.3, 0.6)
"""By tier, P0 first: the share of the budget that must be left for the tiers above it."""


class ReplicaBudget(Budget):
    """A step's budget that also says, before a read begins, whether one of its tier should.

    A tier is admitted while more is left than is reserved for the tiers above it, of the burst or of the number at a
    time, whichever is shorter: so the lowest is given up first. What is over the budget is refused by the step itself,
    whoever asks.
    """

    __slots__ = ()

    def admits(self, tier: int) -> bool:
        """Whether a read of this tier may begin now; nothing is taken."""
        return self.left_ratio > RESERVED[min(tier, len(RESERVED) - 1)]

    @property
    def left_ratio(self) -> float:
        """How much of it is left now, 0 to 1."""
        places = 1 - self._inflight / self._inflight_max
        if not self._cost_ns:
            return places
        owed_ns = self._full_at_ns - self._now_ns()
        if owed_ns <= 0:
            return places
        return max(0.0, min(places, 1 - (owed_ns + self._cost_ns - 1) / self._burst_ns))
