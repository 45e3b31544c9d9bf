"""Looks for the highest arrival rate that is held: up by leaps until one is missed, then the gap halved, by ratio.

    held ·──────·──────·────── · ─ · ·     rate (logarithmic)
                        missed │       ×
                               └── ×       closer until missed / held ≤ RESOLUTION

A rate is missed when it is missed twice: a stumble of the machine is not the limit of the system.
"""

from math import inf, sqrt

LEAP = 2.0
STEP = 1.25
RESOLUTION = 1.06
FLOOR_RPS = 10.0
MISSES = 2


class Search:
    """One search, of at most `looks_max` tries.

    `next_rps` is what to try, None when it is over; `tell` says how that went.
    """

    def __init__(self, first_rps: float, *, leap: float = LEAP, looks_max: float = inf) -> None:
        self.next_rps: float | None = first_rps
        self._looks_left = looks_max
        self.held_rps = 0.0
        self.missed_rps = inf
        self._leap = leap
        self._misses = 0

    @property
    def is_rough(self) -> bool:
        """Whether the limit is still far away, so that a short look is enough."""
        return self._leap > STEP and self.missed_rps == inf

    def tell(self, *, held: bool) -> None:
        """How `next_rps` went."""
        rate_rps = self.next_rps
        if rate_rps is None:
            raise ValueError("the search is over")
        self._looks_left -= 1
        self._misses = 0 if held else self._misses + 1
        if held:
            self.held_rps = rate_rps
        elif self._misses < MISSES and self._looks_left > 0:
            return
        else:
            self.missed_rps, self._misses = rate_rps, 0
        self.next_rps = self._next() if self._looks_left > 0 else None

    def _next(self) -> float | None:
        if self.missed_rps == inf:
            return self.held_rps * self._leap
        if not self.held_rps:
            lower_rps = self.missed_rps / self._leap
            return lower_rps if lower_rps >= FLOOR_RPS else None
        if self.missed_rps / self.held_rps <= RESOLUTION:
            return None
        return sqrt(self.held_rps * self.missed_rps)
