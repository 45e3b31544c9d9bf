"""Reads leave a cache that is wrong on a large scale for the replica, the cache is repaired, and reads return.

downgrade   the state machine, and the way of each read
staying     which keys stay at the cache, fewer and fewer on the way out; where the others may be read instead
returning   the way back: share by share, each proven
metrics     where it stands, and what is shown of it
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
from tenfold.protect.reads.downgrade.metrics import Phase
from tenfold.protect.reads.downgrade.repair import Repair, RepairableCache, Repaired

__all__ = ["CacheGuard", "Downgrade", "FreshRung", "Phase", "Repair", "RepairableCache", "Repaired"]
