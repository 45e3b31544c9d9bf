"""Leaves a broken dependency alone, and finds out when it is back.

breaker    the state machine: CLOSED, OPEN, HALF_OPEN
window     calls and failures of the last moments, which it judges by
"""

from tenfold.protect.breaker.breaker import Breaker, BreakerState, CircuitOpen
from tenfold.protect.breaker.window import Window

__all__ = ["Breaker", "BreakerState", "CircuitOpen", "Window"]
