"""The near cache: values in the process itself, the last line of every hot read.

cache        what a service reads and fills; a hit takes no lock
shared       the store behind a lock: invalidated, doubted, left at runtime
store        what is held and what is refused, bounded; time is an argument
table        the values: proven, or in doubt
absent       keys that lead to nothing, to a quota of their own
tombstones   what was invalidated, so that a slow fill cannot bring it back
options      what it is told beyond its ttl and its bytes
early        which of a key's readers loads it anew, by chance before expiry, and how many may
sampling     one hit among many is told of
policy       which entries are admitted and which are evicted
segments     window, probation and protected: the policy's queues
sketch       how hot the keys were that left
duels        how large the window is
entry        what is told of a key, and how it lies in table and policy
metrics      counters and gauges
"""

from tenfold.protect.reads.near.cache import NearCache
from tenfold.protect.reads.near.early import EarlyRefresh
from tenfold.protect.reads.near.entry import ENTRY_OVERHEAD_BYTES, Entry, Resident
from tenfold.protect.reads.near.options import Lifetimes, NearBounds, NearParts
from tenfold.protect.reads.near.policy import AdmissionPolicy
from tenfold.protect.reads.near.sampling import Sampled
from tenfold.protect.reads.near.tombstones import FillToken, Tombstones

__all__ = [
    "ENTRY_OVERHEAD_BYTES",
    "AdmissionPolicy",
    "EarlyRefresh",
    "Entry",
    "FillToken",
    "Lifetimes",
    "NearBounds",
    "NearCache",
    "NearParts",
    "Resident",
    "Sampled",
    "Tombstones",
]
