"""The kinds of faults, one file each: who may suffer it, how it is injected, reverted, and proven gone.

injection   what every fault has; what a fault of a node, and one of the load, is proven by
kill        SIGKILL, as a machine that loses power
stop        an orderly shutdown
cut         role app's sessions are ended and none is let in
refuse      connections are refused, the data stay
hang        the process takes connections and says nothing
blackhole   not even a connection comes about
scramble    a share of a cache's values is wrong
slow        everything takes a multiple of its time
flap        the process answers, and says nothing, in turn
shield      a feature's switch is set to false
focus       a share of the load asks one thing of a journey
surge       the load is a multiple of itself
backlog     fills a listening queue, so that a port is a black hole
pulse       stops and continues a process in a rhythm

A new kind is a file beside these and its line in FAULTS; a plan's faults are offered in the order of FAULTS.
"""

from collections.abc import Mapping
from typing import Any

from tenfold.fleet.faults.blackhole import Blackhole
from tenfold.fleet.faults.cut import Cut
from tenfold.fleet.faults.flap import Flap
from tenfold.fleet.faults.focus import Focus
from tenfold.fleet.faults.hang import Hang
from tenfold.fleet.faults.injection import FaultUnsupported, Injection, LoadShape
from tenfold.fleet.faults.kill import Kill
from tenfold.fleet.faults.refuse import Refuse
from tenfold.fleet.faults.scramble import Scramble
from tenfold.fleet.faults.shield import Shieldable, ShieldFault
from tenfold.fleet.faults.slow import Slow
from tenfold.fleet.faults.stop import Stop
from tenfold.fleet.faults.surge import Surge

_ALL: tuple[type[Injection[Any]], ...] = (
    *(Kill, Stop, Cut, Refuse, Hang, Blackhole, Scramble, Slow, Flap),
    *(ShieldFault, Focus, Surge),
)

FAULTS: Mapping[str, type[Injection[Any]]] = {fault.kind.word: fault for fault in _ALL}
"""By the word that a plan writes."""

FAULT_KINDS = tuple(fault.kind for fault in _ALL)
"""What the reader of a plan must be told."""

__all__ = ["FAULTS", "FAULT_KINDS", "FaultUnsupported", "Injection", "LoadShape", "Shieldable"]
