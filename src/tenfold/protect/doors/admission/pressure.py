"""How bad it is, as a number that features can act on."""

import threading
from collections.abc import Callable

HOLD_NS = 5_000_000_000


class Pressure:
    """0: nobody is refused. Then a step for each tier that is: of four tiers 0.25 when P3 is, 0.5 P2, 0.75 P1, 1 P0.

    A level lasts five seconds beyond the last refusal that made it, so that what answers to it does not flutter.
    `tell(level, before)` hears every change, one after the other, whichever threads they come from.
    """

    __slots__ = ("_lock", "_refused_ns", "_tell", "level")

    def __init__(self, tiers: int, tell: Callable[[float, float], object]) -> None:
        self._refused_ns = [-HOLD_NS] * tiers
        self._tell = tell
        self._lock = threading.RLock()
        self.level = 0.0

    def refused(self, tier: int, now_ns: int) -> None:
        self._refused_ns[tier] = now_ns

    def look(self, now_ns: int) -> float:
        """The level now."""
        with self._lock:
            before, self.level = self.level, self._now(now_ns)
            if self.level != before:
                self._tell(self.level, before)
            return self.level

    def after_fork(self) -> None:
        self._lock = threading.RLock()

    def _now(self, now_ns: int) -> float:
        tiers = len(self._refused_ns)
        for tier, refused_ns in enumerate(self._refused_ns):
            if abs(now_ns - refused_ns) < HOLD_NS:  # long before the refusal: the clock was set back
                return (tiers - tier) / tiers
        return 0.0
