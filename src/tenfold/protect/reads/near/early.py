"""Refreshes before expiry by chance, so that a hot key never expires, and never for everybody at once.

XFetch (Vattani, Chierichetti, Lowenstein: Optimal Probabilistic Cache Stampede Prevention, VLDB 2015): a reader
refreshes when `load * beta * -ln(random)` reaches past the expiry: sooner the longer a load takes, and by one reader
among many.
"""

import random

from tenfold.protect.calls.limit import Rate
from tenfold.protect.reads.near.entry import Kept
from tenfold.telemetry import Counter

REACH = 10
"""How many `load * beta` before expiry the draws begin; earlier ones would win once in 22,000 reads."""
_DUE = -1
"""Drawn by a reader who could not take it: the next who can does."""


class EarlyRefresh:
    """Draws who refreshes early, and caps how many refreshes may be asked for: `per_s_max`, `burst` of them at once."""

    def __init__(self, *, beta: float = 1.0, per_s_max: float = 1_000.0, burst: int = 100, seed: int = 0) -> None:
        self._beta = beta
        self._rate = Rate(per_s_max, burst)
        self._full_at_ns = 0
        self._chance = random.Random(seed)

    def quiet_ns(self, ttl_ns: int, load_ns: int) -> int:
        """How long after its fill an entry needs no draws. They are never more than half of its life."""
        return ttl_ns - min(int(load_ns * self._beta * REACH), ttl_ns // 2)

    def wins(self, remaining_ns: int, load_ns: int) -> bool:
        """Draws whether this read, `remaining_ns` before expiry, is the one that refreshes."""
        return load_ns * self._beta * self._chance.expovariate(1.0) >= remaining_ns

    def permits(self, now_ns: int) -> bool:
        """True when one more refresh may be asked for now; it is then counted."""
        full_at_ns = self._rate.spent(self._full_at_ns, now_ns)
        self._full_at_ns = full_at_ns or self._full_at_ns
        return full_at_ns > 0

    def reseed(self, seed: int) -> None:
        """Draw differently from now on: children of a fork must not all win at once."""
        self._chance.seed(seed)


class RefreshDraw:
    """Which of a key's readers loads it anew: one, before it expires or in its grace; another when that one is lost.

    The reader who takes a refresh has `lease_ns` for it, in which the entry is quiet. For one thread at a time.
    """

    def __init__(
        self, early: EarlyRefresh, *, grace_ns: int, lease_ns: int, asked_for: Counter, capped: Counter
    ) -> None:
        self._early = early
        self._grace_ns, self._lease_ns = grace_ns, lease_ns
        self._asked_for, self._capped = asked_for, capped

    def draw(self, kept: Kept, now_ns: int, *, takes: bool) -> bool:
        """True when this reader of a value past its quiet time refreshes it; `takes`: and does so at once."""
        if kept.quiet_until_ns != _DUE:
            remaining_ns = kept.fresh_until_ns - now_ns
            if remaining_ns > 0 and not self._early.wins(remaining_ns, kept.load_ns):
                return False
            if not self._early.permits(now_ns):
                self._capped.value += 1
                return False
            self._asked_for.value += 1
        kept.quiet_until_ns = min(now_ns + self._lease_ns, kept.fresh_until_ns + self._grace_ns) if takes else _DUE
        return True
