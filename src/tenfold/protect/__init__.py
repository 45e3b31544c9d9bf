"""What a service embeds so that it bends and does not break.

near       the near cache: values in the process itself, bounded by bytes and by entries
flight     single flight: one load of a key, however many callers want it
breaker    the circuit breaker: leaves a broken dependency alone, and finds out when it is back
window     calls and failures of the last moments, which the breaker judges by
rung       what a place to read from must do, how it may be used, and what an attempt at it came to
guarded    one rung behind its breaker, its timeout and its bulkhead
fills      writes values back into a rung in the background, to a bound
ladder     the read ladder: asks rung by rung until one answers
batcher    asks for many keys at once what callers ask one by one
valkey     a rung on Valkey or Redis
postgres   a rung on PostgreSQL
testing    a rung in memory that can be broken on purpose, for your tests

The rungs on engines are imported from their own files, so that nobody needs a driver that they do not use:
`from tenfold.protect.valkey import ValkeyRung`. One event loop a ladder; nothing is started by an import.
"""

from tenfold.protect.batcher import Batcher, BatcherClosed, BatcherFull
from tenfold.protect.breaker import Breaker, BreakerState, CircuitOpen
from tenfold.protect.flight import FlightsFull, LoadCancelled, SingleFlight
from tenfold.protect.ladder import Answer, LadderClosed, LadderExhausted, ReadLadder
from tenfold.protect.near import Entry, NearCache
from tenfold.protect.rung import Attempt, Outcome, Rung, Step

__all__ = [
    "Answer",
    "Attempt",
    "Batcher",
    "BatcherClosed",
    "BatcherFull",
    "Breaker",
    "BreakerState",
    "CircuitOpen",
    "Entry",
    "FlightsFull",
    "LadderClosed",
    "LadderExhausted",
    "LoadCancelled",
    "NearCache",
    "Outcome",
    "ReadLadder",
    "Rung",
    "SingleFlight",
    "Step",
]
