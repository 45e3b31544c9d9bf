"""For your tests: what shows that your own rung is one, and what makes a bad day cost nothing.

conformance    what every rung must do, as a suite for your own
counting       a rung that counts what it is asked
memory         a rung in memory that can be broken on purpose
virtual_time   an event loop whose time costs nothing
"""

from tenfold.protect.testing.conformance import HELD, RUNG_LAWS, OpenRung, RungLaw
from tenfold.protect.testing.counting import CountingRung
from tenfold.protect.testing.memory import MemoryRung, RungBroken
from tenfold.protect.testing.virtual_time import run_in_virtual_time

__all__ = [
    "HELD",
    "RUNG_LAWS",
    "CountingRung",
    "MemoryRung",
    "OpenRung",
    "RungBroken",
    "RungLaw",
    "run_in_virtual_time",
]
