"""Clusters of Valkey or Redis, as primaries and replicas that may be lost; needs the extra `valkey`.

address     where a cluster stands, as a person writes it
connection  one connection to one server, many calls at a time
server      one server: commands within a deadline, and what it says of itself
succession  who of several servers is the primary, and whether its data are still the same history; health
suspicion   whether one server may be asked: traffic suspects, a probe confirms; and when it is late
shard       the servers that hold the same keys: a primary and its replicas
slots       which shard holds a key
topology    which servers hold which keys, asked of Sentinels or of a Cluster's nodes
observer    what a cluster shows of itself, and whom it tells of a doubt
members     the shards of one cluster: located, examined, watched
values      the commands that read values, and what their replies mean
cluster     one cluster, whatever its form
"""

from tenfold.engines.valkey.address import Address, AddressInvalid
from tenfold.engines.valkey.cluster import MOVED, ValkeyCluster
from tenfold.engines.valkey.connection import Command, ReplyError
from tenfold.engines.valkey.server import TIMEOUT, ServerUnreachable
from tenfold.engines.valkey.shard import ClusterUnreachable, PrimaryUnknown
from tenfold.engines.valkey.succession import Health, RoleReport, Standing, Succession
from tenfold.engines.valkey.suspicion import Hedge, Suspicion, Trust
from tenfold.engines.valkey.values import Call, Lasting

__all__ = [
    "MOVED",
    "TIMEOUT",
    "Address",
    "AddressInvalid",
    "Call",
    "ClusterUnreachable",
    "Command",
    "Health",
    "Hedge",
    "Lasting",
    "PrimaryUnknown",
    "ReplyError",
    "RoleReport",
    "ServerUnreachable",
    "Standing",
    "Succession",
    "Suspicion",
    "Trust",
    "ValkeyCluster",
]
