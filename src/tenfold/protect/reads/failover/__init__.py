"""Which of two clusters is asked, decided from what traffic and examinations say. Pure: nothing here does I/O."""

from tenfold.protect.reads.failover.failover import Failover, FailoverState, Side

__all__ = ["Failover", "FailoverState", "Side"]
