"""What processes tell the control node about their breakers, and what it tells them."""

import msgspec

from tenfold.protect.calls.breaker.state import BreakerStanding

TOPIC = "breakers"
NAMES_MAX = 512
"""A process reports so many at most: operations and key classes that are not well."""


class BreakerReport(msgspec.Struct, frozen=True):
    """All that is not well in one process, by the breakers' names."""

    standings: dict[str, BreakerStanding]


class FleetWord(msgspec.Struct, frozen=True):
    """What the fleet knows of one breaker: `broken` processes opened for failures of their own, `back` are back.

    `broken` is 0 when so many only doubt that it makes a quorum.

    `probers` are the ids of the processes that shall find out for all; `episode` counts how often the fleet came to
    find it broken.
    """

    episode: int
    broken: int
    back: int
    probers: list[str]
