"""What a service embeds so that it bends and does not break.

near       the near cache: values in the process itself, bounded by bytes and by entries
flight     single flight: one load of a key, however many callers want it
breaker    the circuit breaker: leaves a broken dependency alone, and finds out when it is back
ladder     the read ladder: asks rung by rung until one answers
batcher    asks for many keys at once what callers ask one by one
valkey     what stands on Valkey or Redis: a rung
postgres   a rung on PostgreSQL
testing    for your tests: a rung in memory that can be broken on purpose, time that costs nothing

The rungs on engines are imported from their own files, so that nobody needs a driver that they do not use:
`from tenfold.protect.valkey import ValkeyRung`. One event loop a ladder; nothing is started by an import.
"""

from tenfold.protect.batcher import Batcher, BatcherClosed, BatcherFull
from tenfold.protect.breaker import Breaker, BreakerState, CircuitOpen
from tenfold.protect.flight import (
    FlightsFull,
    LeasedFlight,
    LeaseStore,
    LoadCancelled,
    SingleFlight,
    ThreadFlight,
    WaitTimeout,
)
from tenfold.protect.found import Found
from tenfold.protect.ladder import (
    ANY,
    Answer,
    Attempt,
    BlockingLadder,
    Demand,
    LadderClosed,
    LadderExhausted,
    NotAsked,
    Outcome,
    ReadLadder,
    ReadShed,
    Route,
    Rung,
    Step,
)
from tenfold.protect.limit import Budget
from tenfold.protect.near import Entry, NearCache

__all__ = [
    "ANY",
    "Answer",
    "Attempt",
    "Batcher",
    "BatcherClosed",
    "BatcherFull",
    "BlockingLadder",
    "Breaker",
    "BreakerState",
    "Budget",
    "CircuitOpen",
    "Demand",
    "Entry",
    "FlightsFull",
    "Found",
    "LadderClosed",
    "LadderExhausted",
    "LeaseStore",
    "LeasedFlight",
    "LoadCancelled",
    "NearCache",
    "NotAsked",
    "Outcome",
    "ReadLadder",
    "ReadShed",
    "Route",
    "Rung",
    "SingleFlight",
    "Step",
    "ThreadFlight",
    "WaitTimeout",
]
