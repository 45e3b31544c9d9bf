"""What is refused while an event loop is late: a queue that no limit can see.

Most requests of a fast service are answered in one turn of its loop; what they wait for is the turn itself. So neither
their latency nor how many are under way says anything, and how late the loop is says it all. How late is too late
follows CoDel (Nichols and Jacobson, 2012) and DAGOR (Zhou et al., Overload Control for Scaling WeChat Microservices,
2018): a queue that stands, by tier.

    level   0        1          2          3
            ├─ P3 ───┼── P2 ────┼── P1 ────┤           P0 is never refused
"""

from tenfold.kernel import Duration

LATE, IN_TIME = Duration.from_ms(10), Duration.from_ms(5)
"""The usual lag of a window: above the one it is overloaded, below the other it has room."""
LATE_WINDOWS = 2
"""So many in a row: one alone may be a pause of the machine."""
VERY_LATE = 4
"""So many times too late, it has far more to do than it can: the crowd has come at once."""
RISE, FALL = 0.5, 0.1
OTHERS_OWE = 8.0
"""What the greedy do not pay for in so many refusals, the others of their tier pay too."""


class Overload:
    """`level` rises by half a tier with each late window, by a whole one with each that was very late, and falls by a
    tenth with each that was in time.

    Between two levels a share of the tier is refused, of greedy tenants first. Pure; for one guard, which locks around
    `refuses`.
    """

    def __init__(self, tiers: int = 4, *, late: Duration = LATE, in_time: Duration = IN_TIME) -> None:
        self.level = 0.0
        self._lowest = tiers - 1
        self._late_ns, self._in_time_ns = late.ns, in_time.ns
        self._late = 0
        self._owed = [0.0] * tiers

    def look(self, lag_ns: float) -> None:
        """One window is over, in which the loop was usually this late."""
        self._late = self._late + 1 if lag_ns > self._late_ns else 0
        if self._late >= LATE_WINDOWS:
            rise = 2 * RISE if lag_ns > VERY_LATE * self._late_ns else RISE
            self.level = min(float(self._lowest), self.level + rise)
        elif lag_ns < self._in_time_ns and self.level:
            self.level = max(0.0, round(self.level - FALL, 3))

    def refused_ratio(self, tier: int) -> float:
        """The share of a tier that is refused now, 0 to 1."""
        return min(1.0, max(0.0, self.level - (self._lowest - tier)))

    def refuses(self, tier: int, *, greedy: bool) -> bool:
        """True when a request is not to be begun; `greedy`: its tenant had clearly more than the others lately."""
        ratio = self.refused_ratio(tier) if self.level else 0.0
        if not ratio:
            return False
        owed = self._owed[tier] + ratio
        pays = ratio >= 1 or owed >= (1.0 if greedy else OTHERS_OWE)
        self._owed[tier] = owed - pays if ratio < 1 else 0.0
        return pays
