"""Leaves a broken dependency alone, and finds out when it is back.

breaker   what callers ask and tell: locks, epochs against late words, and who hears of changes
circuit   the state machine: CLOSED, OPEN, HALF_OPEN; pure
state     the names of the states, and a person's hold
policy    the thresholds
judge     CLOSED: when what is heard of calls is too much
window    calls of the last moments, which it judges by
rest      OPEN: for how long
recovery  HALF_OPEN: the way back
probes    its first calls, which find out
ramp      and then more and more of them
guard     a call inside a breaker
metrics    what is shown to the outside
family    breakers by dependency, operation and key class: bounded
keyed     one key class of an operation
messages  what processes and the control node tell each other
share     what one process says and makes of the others' word
link      ties a process's breakers to its control channel
"""

from tenfold.protect.calls.breaker.breaker import Breaker
from tenfold.protect.calls.breaker.family import Breakers
from tenfold.protect.calls.breaker.keyed import KeyedBreaker
from tenfold.protect.calls.breaker.link import link_breakers
from tenfold.protect.calls.breaker.messages import TOPIC, BreakerReport, FleetWord
from tenfold.protect.calls.breaker.policy import Policy, PolicyInvalid
from tenfold.protect.calls.breaker.state import BreakerState, CircuitOpen, Hold

__all__ = [
    "TOPIC",
    "Breaker",
    "BreakerReport",
    "BreakerState",
    "Breakers",
    "CircuitOpen",
    "FleetWord",
    "Hold",
    "KeyedBreaker",
    "Policy",
    "PolicyInvalid",
    "link_breakers",
]
