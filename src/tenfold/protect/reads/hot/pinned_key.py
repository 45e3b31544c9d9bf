"""How one hot key is kept fresh in one process: when it is due again, and what another's observation means.

The process that read the key last reads it again first, after REFRESH of its time; what it read reaches all others,
which pin the same value longer without reading, or drop it. Should it not come (that process died, the control node is
away), the others follow at moments of their own between FALLBACK and FALLBACK_LAST, so never all at once, and the first
to read is the next to be first (suppression by random timers: Floyd et al., SIGCOMM 1995).
"""

import enum
from hashlib import blake2b
from typing import Self

from tenfold.protect.reads.hot.messages import ABSENT, Seen

REFRESH = 0.4
FALLBACK = 0.6
FALLBACK_LAST = 0.85
AGAIN = 0.25
"""How long a refresh may take before another is asked for. All four are parts of the time a value is pinned."""


class ObservationEffect(enum.Enum):
    """What another process's observation of a key means for what lies here."""

    OLD = "we know as much or more"
    SAME = "what lies here was still so then: hold it longer"
    NEWER = "what lies here was replaced"
    LACKING = "we have nothing to hold yet"


class PinnedKey:
    """One hot key in one process; times in monotonic nanoseconds.

    By the fleet's word it is hot until `fleet_until_ns`. `seen.at_ms` 0: nothing was seen yet.
    """

    __slots__ = ("due_ns", "fleet_until_ns", "seen", "seen_at_ns", "unreported")

    def __init__(self) -> None:
        self.fleet_until_ns = 0
        self.seen = Seen()
        self.seen_at_ns = 0
        self.due_ns = 0
        self.unreported = False

    @classmethod
    def lying(cls, seen: Seen, now_ns: int, hold_ns: int, turn: float) -> Self:
        """A key whose value lay near when it became hot; `turn` (0..1) spreads the first look over processes."""
        pinned = cls()
        pinned.seen, pinned.seen_at_ns = seen, now_ns
        pinned.due_ns = now_ns + int(hold_ns * AGAIN * turn)
        return pinned

    def saw(self, seen: Seen, at_ns: int, hold_ns: int) -> None:
        """This process read the key itself: it is the first to read it again."""
        self.seen, self.seen_at_ns = seen, at_ns
        self.due_ns = at_ns + int(hold_ns * REFRESH)
        self.unreported = True

    def weigh(self, seen: Seen) -> ObservationEffect:
        """What another's observation means; nothing has changed until `follow`."""
        if not self.seen.at_ms:
            return ObservationEffect.LACKING
        if (seen.version, seen.at_ms) <= (self.seen.version, self.seen.at_ms):
            return ObservationEffect.OLD
        return ObservationEffect.SAME if seen.digest == self.seen.digest else ObservationEffect.NEWER

    def follow(self, seen: Seen, at_ns: int, hold_ns: int, turn: float) -> None:
        """Another read it at `at_ns`: wait for its next one. `turn` (0..1) is this process's moment to step in."""
        self.seen, self.seen_at_ns = seen, at_ns
        self.due_ns = at_ns + int(hold_ns * (FALLBACK + (FALLBACK_LAST - FALLBACK) * turn))
        self.unreported = False

    def lose(self, version: int) -> None:
        """What lay here is wrong, and older than `version`."""
        self.seen = Seen(version)
        self.unreported = False

    def ask_again(self, now_ns: int, hold_ns: int) -> None:
        """A refresh was asked for; so long it has time."""
        self.due_ns = now_ns + int(hold_ns * AGAIN)


def digest_of(value: bytes | None) -> str:
    """Tells two values apart; ABSENT for none."""
    return ABSENT if value is None else blake2b(value, digest_size=8).hexdigest()
