"""The states of a breaker, what an open one is answered by, and the hand of a person."""

import enum
from typing import NamedTuple

from tenfold.kernel import Duration, TenfoldError

DOUBT_KEEP = Duration.from_s(2)
"""A doubt is worth something for so long after its last failure, however often it is told again."""
FORGET = Duration.from_s(30)
"""So is what a process found broken: who is asked for it finds out anew, and so reports, more often than this."""


class BreakerState(enum.Enum):
    CLOSED = "closed"
    HALF_OPEN = "half-open"
    OPEN = "open"


class BreakerStanding(enum.Enum):
    """What one process knows of a dependency, for the others."""

    WELL = "well"
    DOUBTED = "doubted"
    """Its own last calls failed, too few of them to open."""
    BROKEN = "broken"
    """Its own calls failed, and it opened."""
    BELIEVED = "believed"
    """Others said so, or a person held it open, and it has not tried since."""
    BACK = "back"
    """Its probes were answered."""


class CircuitOpen(TenfoldError):
    """The call was not made: its breaker is open, or half open with every probe taken."""


class Hold(NamedTuple):
    """A person's decision that a breaker stays CLOSED or OPEN, whatever is measured, until it is released."""

    state: BreakerState
    owner: str
    reason: str
