"""Which of two clusters is asked, decided from what traffic and examinations say. Pure: nothing here does I/O.

warmth      reads of the last moments, by which a cluster is found warm or cold
failover    from the main cluster to the standby, and back when it is warm
"""

from tenfold.protect.reads.failover.failover import Failover, FailoverState, Side
from tenfold.protect.reads.failover.warmth import RecentReads

__all__ = ["Failover", "FailoverState", "RecentReads", "Side"]
