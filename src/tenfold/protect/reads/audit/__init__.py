"""Notices that cache and database disagree on a large scale, from a few samples and without false alarms.

auditor      samples keys, waits until what is under way has arrived, and sounds the alarm
comparison   one batch of keys compared twice: suspicion, then verdict
sequential   when the evidence is enough: CUSUM for watching, SPRT for deciding once
freshness    how new a replica certainly is
read_budget  what an audit may read
rungs        many keys of a rung at once
"""

from tenfold.protect.reads.audit.auditor import Auditor, Evidence, ReadMany, Settled
from tenfold.protect.reads.audit.comparison import Comparison, Wrong
from tenfold.protect.reads.audit.freshness import Freshness
from tenfold.protect.reads.audit.read_budget import ReadBudget
from tenfold.protect.reads.audit.rungs import each_of
from tenfold.protect.reads.audit.sequential import Cusum, Decision, Ratios, Sprt
from tenfold.protect.reads.recent import RecentKeys

__all__ = [
    "Auditor",
    "Comparison",
    "Cusum",
    "Decision",
    "Evidence",
    "Freshness",
    "Ratios",
    "ReadBudget",
    "ReadMany",
    "RecentKeys",
    "Settled",
    "Sprt",
    "Wrong",
    "each_of",
]
