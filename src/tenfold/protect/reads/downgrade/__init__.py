"""Reads leave a cache that is wrong on a large scale for the replica, the cache is repaired, and reads return.

downgrade   the state machine, and the way of each read
phase       where it stands
staying     which keys stay at the cache, fewer and fewer on the way out
detour      where the others may be read instead
returning   the way back: share by share, each proven
meters      what is shown to the outside
fresh       a replica that is not asked while it lags
repair      every key compared with the database, and put right where it is wrong
guard       conducts auditor, downgrade and repair
valkey      the cache on Valkey or Redis as its repairer sees it
postgres    how new a PostgreSQL replica certainly is

The two on engines are imported from their own files.
"""

from tenfold.protect.reads.downgrade.downgrade import Downgrade
from tenfold.protect.reads.downgrade.fresh import FreshRung
from tenfold.protect.reads.downgrade.guard import CacheGuard
from tenfold.protect.reads.downgrade.phase import Phase
from tenfold.protect.reads.downgrade.repair import Repair, Repaired, Shelf

__all__ = ["CacheGuard", "Downgrade", "FreshRung", "Phase", "Repair", "Repaired", "Shelf"]
