"""What stands on Valkey or Redis; needs the extra `valkey`.

rung        values of one kind on one cluster, read and filled in batches; how a value lies there
copying     from one cluster to another: write-behind, and what makes a cold one warm
lease       leases: who of a fleet loads a key
pair        main and standby cluster, and the rungs on them
tracking    what servers and processes announce: which values are no longer true
"""

from tenfold.protect.reads.valkey.lease import ValkeyLeases
from tenfold.protect.reads.valkey.pair import ClusterPair, StandbyRung
from tenfold.protect.reads.valkey.rung import ValkeyRung, pack, unpack

__all__ = ["ClusterPair", "StandbyRung", "ValkeyLeases", "ValkeyRung", "pack", "unpack"]
