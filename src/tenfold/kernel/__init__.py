"""What everything stands on and what stands on nothing: time, length of time, identity, chance, failure.

clock      the one source of time, so that a test can be another
duration   a length of time, exact in integer nanoseconds
errors     the root of every error a person may see
forks      who has to begin anew in a forked child
ids        names for runs that sort by when they began
interrupt  ending on a signal, cleanly
json_names JSON in which one object has a name twice
pause      how long to wait before the next attempt: longer and longer
seeds      independent seeds derived from one, so that a run can be repeated
shares     which keys belong to a share of all keys, the same in every process
tasks      whether a task runs in this loop, how it is ended, whose cancellation it was
"""

from tenfold.kernel.clock import Clock, SystemClock, VirtualClock
from tenfold.kernel.duration import Duration, DurationInvalid
from tenfold.kernel.errors import TenfoldError
from tenfold.kernel.forks import Forkable, tell_forks
from tenfold.kernel.ids import run_id
from tenfold.kernel.interrupt import Interrupted, interrupts_held_back, run_until_signal
from tenfold.kernel.json_names import name_twice
from tenfold.kernel.pause import Backoff, GrowingPause
from tenfold.kernel.seeds import derive_seed

__all__ = [
    "Backoff",
    "Clock",
    "Duration",
    "DurationInvalid",
    "Forkable",
    "GrowingPause",
    "Interrupted",
    "SystemClock",
    "TenfoldError",
    "VirtualClock",
    "derive_seed",
    "interrupts_held_back",
    "name_twice",
    "run_id",
    "run_until_signal",
    "tell_forks",
]
