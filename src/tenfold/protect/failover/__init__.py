"""Which server and which cluster is asked, decided from what traffic and probes say. Pure: nothing here does I/O.

hedge       when a second server is asked because the first is late, and how often that is allowed
suspicion   whether one server may be asked: traffic suspects, a probe confirms
succession  who of several servers is the primary, and whether its data are still the same history
warmth      reads of the last moments, by which a cluster is found warm or cold
failover    from the main cluster to the standby, and back when it is warm
"""

from tenfold.protect.failover.failover import Failover, FailoverState, Health, Side
from tenfold.protect.failover.hedge import Hedge
from tenfold.protect.failover.succession import RoleReport, Standing, Succession
from tenfold.protect.failover.suspicion import Suspicion, Trust
from tenfold.protect.failover.warmth import RecentReads

__all__ = [
    "Failover",
    "FailoverState",
    "Health",
    "Hedge",
    "RecentReads",
    "RoleReport",
    "Side",
    "Standing",
    "Succession",
    "Suspicion",
    "Trust",
]
