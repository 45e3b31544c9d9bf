"""Hot keys: found in each process and across the fleet without rules, and held in every near cache.

sketch     a bounded count of who is asked for most, over a past that fades
noise      how many reads of a key are more than chance
detector   which keys are hot in this process
pace       how many near hits one sample stands for
messages   what processes and the control node tell each other
held       how one hot key is kept fresh in one process
holder     the hot keys of one process, kept in its near cache
keys       hot keys of one kind of value in one process: what a ladder is given
signs      what is shown to the outside
link       ties the hot keys of a process to its control channel
"""

from tenfold.protect.reads.hot.detector import Detector
from tenfold.protect.reads.hot.keys import HotKeys
from tenfold.protect.reads.hot.link import link
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
    "link",
]
