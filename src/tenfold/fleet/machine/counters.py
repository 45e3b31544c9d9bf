"""What the kernel counts for the whole machine: processor time (proc_stat(5)) and pressure (PSI)."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tenfold.fleet.proc import PROC, TICKS_PER_S

_T = TypeVar("_T")
_SOME = re.compile(r"^some .*total=(\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class CpuTimes:
    """Processor time since boot of the cores that this process may use. Steal is what a host gave to other guests."""

    programs_s: float
    """In programs and in the kernel on their behalf."""
    interrupts_s: float
    idle_s: float
    steal_s: float


@dataclass(frozen=True, slots=True)
class Stalls:
    """For how long since boot at least one task of the machine waited for it; None where the kernel does not say."""

    cpu_s: float | None = None
    io_s: float | None = None
    memory_s: float | None = None


def parse_cpu_times(text: str, cpus: Collection[int]) -> CpuTimes | None:
    """Add up the lines of `cpus` in /proc/stat; None when they hold no time at all, as where the file is made up."""
    mine = {f"cpu{cpu}" for cpu in cpus}
    rows = [line.split()[1:9] for line in text.splitlines() if line.partition(" ")[0] in mine]
    if not rows:
        return None
    user, nice, system, idle, iowait, irq, softirq, steal = (
        sum(int(row[column]) for row in rows) / TICKS_PER_S for column in range(8)
    )
    times = CpuTimes(user + nice + system, irq + softirq, idle + iowait, steal)
    return times if times.programs_s + times.idle_s > 0 else None


def parse_stalled_s(text: str) -> float | None:
    """The `some` total of a file under /proc/pressure, in seconds."""
    found = _SOME.search(text)
    return int(found[1]) / 1e6 if found else None


def cpu_times(cpus: Collection[int]) -> CpuTimes | None:
    """Those of `cpus` now; None where /proc/stat says nothing."""
    return _of(PROC / "stat", lambda text: parse_cpu_times(text, cpus))


def pressure() -> Stalls:
    """As far as the kernel was built to count it."""
    return Stalls(*(_of(PROC / "pressure" / kind, parse_stalled_s) for kind in ("cpu", "io", "memory")))


def _of(path: Path, parse: Callable[[str], _T | None]) -> _T | None:
    try:
        return parse(path.read_text())
    except (OSError, ValueError, IndexError):
        return None
