"""A PostgreSQL cluster: a durable primary and its streaming replicas.

cluster        makes the primary, copies the replicas from it, opens them
primary        where writes go, and how role app is let in
replica        where reads may go; ready when it has caught up
node           one `postgres`
installation   what the nodes of a cluster share: programs, account, passwords
config         what they are configured with, and whom they let in

role tenfold   superuser; control, audit, replication
role app       owns database app; what the system under rehearsal connects as; what `cut` cuts
"""

from tenfold.fleet.postgres.cluster import PostgresCluster
from tenfold.fleet.postgres.node import PostgresNode
from tenfold.fleet.postgres.primary import PrimaryNode

__all__ = ["PostgresCluster", "PostgresNode", "PrimaryNode"]
