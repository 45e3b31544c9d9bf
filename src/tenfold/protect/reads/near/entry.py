"""What the near cache tells of a key, and how it holds it."""

from typing import NamedTuple

from tenfold.kernel import Duration
from tenfold.protect.reads.near.policy import Resident

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


class Kept(Resident):
    """A value as it lies in the table. Until `quiet_until_ns` it is answered without a second thought."""

    __slots__ = ("fresh_until_ns", "load_ns", "quiet_until_ns", "true_at_ns", "value", "version")

    value: bytes
    version: int
    true_at_ns: int
    load_ns: int
    quiet_until_ns: int
    fresh_until_ns: int
