"""What a service embeds so that it bends and does not break.

Reads that survive
  near       the near cache: values in the process itself, bounded by bytes and by entries
  flight     single flight: one load of a key, however many callers want it
  memoize    both of them around a function
  ladder     the read ladder: asks rung by rung until one answers
  found      a value as it travels between rungs
  batcher    asks for many keys at once what callers ask one by one
  hot        hot keys: found without rules, held in every process
  failover   from a server to its replica, from a cluster to its standby, and back
  audit      notices that cache and database disagree
  downgrade  leaves a cache that is wrong, has it repaired, and returns

What a dependency may be asked
  breaker    the circuit breaker: leaves a broken dependency alone, and finds out when it is back
  limit      how much at a time, a second, and on top

What the service itself may be asked
  admission  who is let in when not everybody can be served
  deadline   when the caller stops waiting, carried from process to process
  shields    features that an app can do without

What people and rules set while it runs
  switches     live values, by scope, each with an end, an owner and a reason
  openfeature  the same for code that reads flags by OpenFeature
  channel      the control channel that they come by

Below and beside
  valkey, postgres  what stands on an engine
  portal            an event loop for code that knows no `await`
  testing           for your tests: a rung that can be broken on purpose, time that costs nothing

Here stands what nearly everybody builds with; all else is imported from its room, and what a room raises is named there
too: `from tenfold.protect.ladder import LadderExhausted`. What needs a driver or an SDK stands in a room of its own
(`tenfold.protect.valkey`), so that nobody needs one that they do not use. Nothing is started by an import.
"""

from tenfold.protect.admission import Shedder
from tenfold.protect.breaker import Breaker
from tenfold.protect.flight import SingleFlight
from tenfold.protect.found import Found
from tenfold.protect.ladder import BlockingLadder, Demand, ReadLadder, Rung, Step
from tenfold.protect.limit import Budget
from tenfold.protect.near import NearCache
from tenfold.protect.shields import Shields
from tenfold.protect.switches import Switches

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
