"""Hot keys: found in each process and across the fleet without rules, and pinned in every near cache.

sketch         a bounded count of who is asked for most, over a past that fades
noise          how many reads of a key are more than chance
detector       which keys are hot in this process
messages       what processes and the control node tell each other
keys           hot keys of one kind of value in one process: what a ladder is given
link           ties the hot keys of a process to its control channel
metrics        what is shown to the outside
pinner         the hot keys of one process, kept in its near cache
pinned_key     how one hot key is kept fresh in one process
sample_weight  how many near hits one sample stands for
"""

from tenfold.protect.reads.hot.detector import Detector
from tenfold.protect.reads.hot.keys import HotKeys
from tenfold.protect.reads.hot.link import link_hot_keys
from tenfold.protect.reads.hot.messages import TOPIC, HotKey, HotReport, HotSet, Seen
from tenfold.protect.reads.hot.sketch import Sketch

__all__ = [
    "TOPIC",
    "Detector",
    "HotKey",
    "HotKeys",
    "HotReport",
    "HotSet",
    "Seen",
    "Sketch",
    "link_hot_keys",
]
