"""The near cache: values in the process itself, the last line of every hot read.

cache        what a service reads and fills; a hit takes no lock
shared       the store behind a lock: invalidated, doubted, left at runtime
store        what is held and what is refused, bounded; time is an argument
table        the values: proven, or in doubt
absent       keys that lead to nothing, to a quota of their own
tombstones   what was invalidated, so that a slow fill cannot bring it back
lifetimes    for how long what was loaded is believed
refreshes    which of a key's readers loads it anew
early        who does so before expiry, by chance, and how many may
sampling     one hit among many is told of
policy       who is admitted and who leaves
entry        what is told of a key
counts       metrics
"""

from tenfold.protect.reads.near.cache import NearCache
from tenfold.protect.reads.near.early import EarlyRefresh
from tenfold.protect.reads.near.entry import ENTRY_OVERHEAD_BYTES, Entry
from tenfold.protect.reads.near.policy import Policy, Resident
from tenfold.protect.reads.near.sampling import Sampled
from tenfold.protect.reads.near.tombstones import FillToken, Tombstones

__all__ = [
    "ENTRY_OVERHEAD_BYTES",
    "EarlyRefresh",
    "Entry",
    "FillToken",
    "NearCache",
    "Policy",
    "Resident",
    "Sampled",
    "Tombstones",
]
