"""Takes the samples: once a step, a few milliseconds each, never on a timer."""

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tenfold.fleet.machine.counters import cpu_times, pressure
from tenfold.fleet.machine.flush import flush_times_ms
from tenfold.fleet.machine.processes import own_parts, processes
from tenfold.fleet.machine.quota import quota
from tenfold.fleet.machine.use import MachineSample, MachineUse, use_between

_FLUSHES = 3


class MachineWatch:
    """What the machine does while something is measured. `parts` answers the run's processes by id, each with its name.

    `folder` lies on the disk that the run writes to.
    """

    def __init__(self, parts: Callable[[], Mapping[int, str]], folder: Path) -> None:
        self._parts = parts
        self._folder = folder

    def sample(self) -> MachineSample:
        """Every count now."""
        cpus = os.sched_getaffinity(0)
        return MachineSample(
            at_ns=time.monotonic_ns(),
            cores=len(cpus),
            times=cpu_times(cpus),
            pressure=pressure(),
            quota=quota(),
            processes=processes(own_parts(self._parts())),
        )

    def since(self, before: MachineSample) -> MachineUse:
        """What was done since `before`. It flushes to the disk, which may take its time: ask from a thread."""
        after = self.sample()
        return use_between(before, after, flush_ms=min(flush_times_ms(self._folder, _FLUSHES), default=None))
