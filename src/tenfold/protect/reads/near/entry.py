"""What the near cache tells of a key, and how it holds it."""

from collections import OrderedDict
from typing import NamedTuple

from tenfold.kernel import Duration

ENTRY_OVERHEAD_BYTES = 840
"""What one entry costs beyond the bytes of its key and value: object headers, times, its places in table and policy,
and those tables' room to grow. Calibrated against resident memory by `benchmarks/protect/trackers.py`."""


class Entry(NamedTuple):
    """What the near cache holds for a key. `value` is None when it holds that there is nothing.

    `age` is since it was certainly true, `fresh` that it is younger than its ttl, `answerable` that it may be answered
    at once: fresh, or in its grace. `refresh`: whoever was given this entry by `read` should load the key anew, in the
    background; nobody else is told so. An entry that is not `proven` may have been invalidated unheard.
    """

    value: bytes | None
    age: Duration
    fresh: bool
    version: int = 0
    answerable: bool = False
    refresh: bool = False
    proven: bool = True


class Resident:
    """What the policy knows of an entry. `size_bytes` does not change while it is held.

    `place` is the segment it lies in, None when it is not held; `heat` how often it was asked for, the latest counting
    most; `rival` the key of the newcomer it is in a duel with.
    """

    __slots__ = ("heat", "key", "mark", "place", "rival", "size_bytes")

    def __init__(self, key: str, size_bytes: int) -> None:
        self.key = key
        self.size_bytes = size_bytes
        self.place: Segment | None = None
        self.heat = 0.0
        self.mark = 0
        self.rival: str | None = None


Segment = OrderedDict[Resident, None]
"""Residents, the one asked for longest ago first."""


class Kept(Resident):
    """A value as it lies in the table. Until `quiet_until_ns` it is answered without a second thought."""

    __slots__ = ("fresh_until_ns", "load_ns", "quiet_until_ns", "true_at_ns", "value", "version")

    value: bytes
    version: int
    true_at_ns: int
    load_ns: int
    quiet_until_ns: int
    fresh_until_ns: int
