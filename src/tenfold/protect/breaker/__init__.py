"""Leaves a broken dependency alone, and finds out when it is back.

breaker   the state machine: CLOSED, OPEN, HALF_OPEN
state     the names of the states, and a person's hold
policy    the thresholds
window    calls of the last moments, which it judges by
rest      how long it stays open
probes    the calls that find out
ramp      the way back
guard     a call inside a breaker
meters    what is shown to the outside
family    breakers by dependency, operation and key class: bounded
keyed     one key class of an operation
messages  what processes and the control node tell each other
share     what one process says and makes of the others' word
fleet     the merge of all processes' reports
link      ties a process's breakers to its control channel
tender    runs the merge on a control node
"""

from tenfold.protect.breaker.breaker import Breaker
from tenfold.protect.breaker.family import Breakers
from tenfold.protect.breaker.fleet import FleetBreakers
from tenfold.protect.breaker.keyed import KeyedBreaker
from tenfold.protect.breaker.link import link
from tenfold.protect.breaker.messages import TOPIC, BreakerReport, Word
from tenfold.protect.breaker.policy import Policy, PolicyInvalid
from tenfold.protect.breaker.state import BreakerState, CircuitOpen, Hold
from tenfold.protect.breaker.tender import BreakersTender

__all__ = [
    "TOPIC",
    "Breaker",
    "BreakerReport",
    "BreakerState",
    "Breakers",
    "BreakersTender",
    "CircuitOpen",
    "FleetBreakers",
    "Hold",
    "KeyedBreaker",
    "Policy",
    "PolicyInvalid",
    "Word",
    "link",
]
