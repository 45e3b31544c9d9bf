"""Reads leave a cache that is wrong on a large scale for the replica, the cache is repaired, and reads return.

downgrade   the state machine, and the way of each read
fresh       a replica that is not asked while it lags
repair      every key compared with the database, and put right where it is wrong
guard       conducts auditor, downgrade and repair
valkey      the cache on Valkey or Redis as its repairer sees it
postgres    how new a PostgreSQL replica certainly is

The two on engines are imported from their own files.
"""

from tenfold.protect.downgrade.downgrade import Downgrade, Phase
from tenfold.protect.downgrade.fresh import FreshRung
from tenfold.protect.downgrade.guard import CacheGuard
from tenfold.protect.downgrade.repair import Repair, Repaired, Shelf

__all__ = ["CacheGuard", "Downgrade", "FreshRung", "Phase", "Repair", "Repaired", "Shelf"]
