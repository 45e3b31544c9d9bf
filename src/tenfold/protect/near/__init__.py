"""The near cache: values in the process itself, the last line of every hot read.

cache      the table of values, bounded by bytes and by entries
"""

from tenfold.protect.near.cache import ENTRY_OVERHEAD_BYTES, Entry, NearCache

__all__ = ["ENTRY_OVERHEAD_BYTES", "Entry", "NearCache"]
