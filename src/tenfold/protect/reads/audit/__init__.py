"""Notices that cache and database disagree on a large scale, from a few samples and without false alarms.

auditor      samples keys, waits until what is under way has arrived, and sounds the alarm
comparison   one batch of keys compared twice: suspicion, then verdict
sequential   when the evidence is enough: CUSUM for watching, SPRT for deciding once
freshness    how new a replica certainly is
read_budget  what an audit may read
rungs        many keys of a rung at once
"""

from tenfold.protect.reads.audit.auditor import Auditor, Evidence, Settled
from tenfold.protect.reads.audit.comparison import BatchComparison, Wrong
from tenfold.protect.reads.audit.freshness import Freshness
from tenfold.protect.reads.audit.read_budget import ReadBudget
from tenfold.protect.reads.audit.rungs import each_of
from tenfold.protect.reads.audit.sequential import Cusum, Ratios, Sprt, SprtDecision
from tenfold.protect.reads.found import ReadMany
from tenfold.protect.reads.recent import RecentKeys

__all__ = [
    "Auditor",
    "BatchComparison",
    "Cusum",
    "Evidence",
    "Freshness",
    "Ratios",
    "ReadBudget",
    "ReadMany",
    "RecentKeys",
    "Settled",
    "Sprt",
    "SprtDecision",
    "Wrong",
    "each_of",
]
