"""What stands on Valkey or Redis; needs the extra `valkey`.

address     where a cluster stands, as a person writes it
connection  one connection to one server, many calls at a time
server      one server: commands within a deadline, and what it says of itself
shard       the servers that hold the same keys: a primary and its replicas
slots       which shard holds a key
topology    which servers hold which keys, asked of Sentinels or of a Cluster's nodes
members     the shards of one cluster: located, examined, watched
cluster     one cluster, whatever its form
envelope    how a value lies on the server
values      the commands that read and write values
rung        values of one kind on one cluster, read and filled in batches
copying     from one cluster to another
lease       leases: who of a fleet loads a key
pair        main and standby cluster, and the rungs on them
"""

from tenfold.protect.valkey.address import Address, AddressInvalid
from tenfold.protect.valkey.cluster import ValkeyCluster
from tenfold.protect.valkey.envelope import pack, unpack
from tenfold.protect.valkey.lease import ValkeyLeases
from tenfold.protect.valkey.pair import ClusterPair, StandbyRung
from tenfold.protect.valkey.rung import ValkeyRung
from tenfold.protect.valkey.values import Call

__all__ = [
    "Address",
    "AddressInvalid",
    "Call",
    "ClusterPair",
    "StandbyRung",
    "ValkeyCluster",
    "ValkeyLeases",
    "ValkeyRung",
    "pack",
    "unpack",
]
