"""What the processes of a fleet report, merged on the control node into one word for all of them.

merge_loop    runs a merge: reports in, words for everybody out
breakers      which dependencies are broken, by quorum
hot_keys      which keys are hot in the whole fleet
observations  the newest observation of each hot key
"""

from tenfold.respond.merges.breakers import BreakerMerge, merge_breakers
from tenfold.respond.merges.hot_keys import HotKeyMerge, merge_hot_keys
from tenfold.respond.merges.merge_loop import MergeLoop

__all__ = ["BreakerMerge", "HotKeyMerge", "MergeLoop", "merge_breakers", "merge_hot_keys"]
