"""What processes tell the control node about hot keys, and what it tells them."""

from typing import Annotated

import msgspec

Amount = Annotated[float, msgspec.Meta(ge=0, le=1e15)]
TOPIC = "hot-keys"
ABSENT = ""
"""The digest of "there is nothing"."""


class Seen(msgspec.Struct, array_like=True, frozen=True):
    """What somebody read for a hot key below the near caches: so new, and of this content, at this time.

    `digest` tells whether two processes hold the same value without sending it; ABSENT when there was nothing.
    `at_ms` is when it was read, 0 when nobody has yet; `true_ms` when it was certainly true. Both are wall time,
    since the processes may be on several hosts.
    """

    version: int = 0
    digest: str = ABSENT
    at_ms: int = 0
    true_ms: int = 0


class HotReport(msgspec.Struct, frozen=True):
    """One process's most read keys: `reads` by key out of `total`, both faded alike; `grain` is how coarse."""

    name: str
    process: str
    total: Amount
    grain: Amount
    reads: dict[str, Amount]
    seen: dict[str, Seen] = {}


class HotKey(msgspec.Struct, array_like=True, frozen=True):
    """A key of the fleet's hot set: its share of all reads, the newest sight of it and who had it."""

    key: str
    share: float
    seen: Seen
    by: str


class HotSet(msgspec.Struct, frozen=True):
    """All that is hot in the fleet for one name, ordered by key. `at_ms` is the wall time at which it was so."""

    at_ms: int
    keys: list[HotKey]
