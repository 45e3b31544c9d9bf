"""The token bucket, as one number: when it will be full again (GCRA, ITU-T I.371)."""

from tenfold.kernel import Duration

SECOND_NS = Duration.from_s(1).ns


class Rate:
    """So many a second, and `burst` of them at once (half a second's worth unless told).

    A bucket may be asked by one rate after another: what a slower one left owing counts as an empty bucket at most.
    """

    __slots__ = ("burst_ns", "cost_ns")

    def __init__(self, per_s: float, burst: int | None = None) -> None:
        self.cost_ns = round(SECOND_NS / per_s)
        """How long the bucket takes to earn one token."""
        self.burst_ns = (burst or max(1, round(per_s / 2))) * self.cost_ns

    def spent(self, full_at_ns: int, now_ns: int) -> int:
        """When a bucket that would be full at `full_at_ns` will be full once a token was taken now; 0: it has none."""
        after_ns = self.owed_ns(full_at_ns, now_ns) + self.cost_ns
        return now_ns + after_ns if after_ns <= self.burst_ns else 0

    def wait_ns(self, full_at_ns: int, now_ns: int) -> int:
        """How long until it has a token."""
        return max(0, self.owed_ns(full_at_ns, now_ns) + self.cost_ns - self.burst_ns)

    def left_ratio(self, full_at_ns: int, now_ns: int) -> float:
        """How much is in it: whole tokens, 0 to 1."""
        owed_ns = self.owed_ns(full_at_ns, now_ns)
        return max(0.0, 1 - (owed_ns + self.cost_ns - 1) / self.burst_ns) if owed_ns else 1.0

    def owed_ns(self, full_at_ns: int, now_ns: int) -> int:
        """How long the bucket takes until it is full; of one that this rate cannot have emptied, as if it had."""
        return min(max(0, full_at_ns - now_ns), self.burst_ns)
