"""Single flight: one load of a key, however many callers want it.

single     among the tasks of one event loop
"""

from tenfold.protect.flight.single import FlightsFull, LoadCancelled, SingleFlight

__all__ = ["FlightsFull", "LoadCancelled", "SingleFlight"]
