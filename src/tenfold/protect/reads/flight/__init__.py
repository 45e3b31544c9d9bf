"""Single flight: one load of a key, however many callers want it.

single     among the tasks of one event loop
threads    among the threads of one process
leased     among the processes of a fleet: whoever holds the key's lease loads, the others wait for the value
lease      what a lease is, what a store of leases must do, and its rules as a pure table
renewer    renews what this process holds and gives back what it does not need any more
crew       a few daemon threads for work that may hang
errors     what may become of a flight other than its load's own answer or error
"""

from tenfold.protect.reads.flight.errors import FlightsFull, LoadCancelled, WaitTimeout
from tenfold.protect.reads.flight.lease import Grant, Held, LeaseStore, LeaseTable
from tenfold.protect.reads.flight.leased import LeasedFlight
from tenfold.protect.reads.flight.single import SingleFlight
from tenfold.protect.reads.flight.threads import ThreadFlight

__all__ = [
    "FlightsFull",
    "Grant",
    "Held",
    "LeaseStore",
    "LeaseTable",
    "LeasedFlight",
    "LoadCancelled",
    "SingleFlight",
    "ThreadFlight",
    "WaitTimeout",
]
