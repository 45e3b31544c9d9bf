"""Which of a key's readers loads it anew: one, before it expires or in its grace; another when that one is lost."""

from tenfold.protect.reads.near.early import EarlyRefresh
from tenfold.protect.reads.near.entry import Kept
from tenfold.telemetry import Counter

_DUE = -1
"""Drawn by a reader who could not take it: the next who can does."""


class Refreshes:
    """Whoever takes a refresh has `lease_ns` for it, in which the entry is quiet. For one thread at a time."""

    def __init__(
        self, early: EarlyRefresh, *, grace_ns: int, lease_ns: int, asked_for: Counter, capped: Counter
    ) -> None:
        self._early = early
        self._grace_ns, self._lease_ns = grace_ns, lease_ns
        self._asked_for, self._capped = asked_for, capped

    def draw(self, kept: Kept, now_ns: int, *, takes: bool) -> bool:
        """Whether a reader of what is no longer quiet is the one who refreshes it; `takes`: and does so at once."""
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
