"""What the policy knows of an entry of the near cache."""

from collections import OrderedDict


class Resident:
    """Base of the near cache's entries. `size_bytes` does not change while it is held.

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
