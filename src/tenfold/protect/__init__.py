"""What a service embeds so that it bends and does not break.

  reads    reads that survive: near cache, single flight, ladder, hot keys, failover, audit, downgrade
  doors    what the service itself may be asked: admission, deadlines, feature shields
  live     what people and rules set while it runs: switches, OpenFeature
  calls    what a dependency may be asked: breakers, limits
  testing  for your tests: a rung that can be broken on purpose, time that costs nothing

Here stands what nearly everybody builds with; all else is imported from its room, and what a room raises is named
there too: `from tenfold.protect.reads.ladder import LadderExhausted`. What needs a driver or an SDK stands in a room
of its own (`tenfold.protect.reads.valkey`), so that nobody needs one that they do not use. Nothing is started by an
import.
"""

from tenfold.protect.calls.breaker import Breaker
from tenfold.protect.calls.limit import Budget
from tenfold.protect.doors.admission import Shedder
from tenfold.protect.doors.shields import Shields
from tenfold.protect.live.switches import Switches
from tenfold.protect.reads.flight import SingleFlight
from tenfold.protect.reads.found import Found
from tenfold.protect.reads.ladder import BlockingLadder, Demand, ReadLadder, Rung, Step
from tenfold.protect.reads.near import NearCache

__all__ = [
    "BlockingLadder",
    "Breaker",
    "Budget",
    "Demand",
    "Found",
    "NearCache",
    "ReadLadder",
    "Rung",
    "Shedder",
    "Shields",
    "SingleFlight",
    "Step",
    "Switches",
]
