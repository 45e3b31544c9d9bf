"""What the machine did between two moments: who used its processors, what was stolen, what was waited for.

The totals of /proc/stat less the run's own processes are the truth about everything else: a program that came and
went in between is in them too. The names of programs are a help on top, and name only those that were there at the end.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import msgspec

from tenfold.fleet.machine.counters import CpuTimes, Stalls
from tenfold.fleet.machine.processes import KERNEL, Processes, ProcessSample
from tenfold.fleet.machine.quota import Quota

OTHERS_NAMED = 3
_NAMED_S_MIN = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineSample:
    """Every count at one moment. `times` are None where the kernel does not say."""

    at_ns: int
    cores: int
    times: CpuTimes | None
    pressure: Stalls
    quota: Quota
    processes: Processes


class ProcessUse(msgspec.Struct, frozen=True, omit_defaults=True):
    """One part of the run, or one program beside it. `waited_ratio`: of the time, ready to run and without a core."""

    name: str
    pid: int
    cpu_s: float
    waited_ratio: float | None = None
    loop_late_ms: float | None = None
    """How late its event loop was, the mean; for a part that says so."""


class MachineUse(msgspec.Struct, frozen=True, kw_only=True):
    """What the machine did for `elapsed_s`. None is said where the kernel does not tell, never guessed.

    Processor time is of `cores` together: those that this process may use, or fewer where a quota says so.
    """

    elapsed_s: float
    cores: float
    own_cpu_s: float
    own: list[ProcessUse] = []
    """By part of the run, the busiest first."""
    kernel_cpu_s: float = 0.0
    """Interrupts and the kernel's own threads: for whom is not known."""
    others_cpu_s: float | None = None
    others: list[ProcessUse] = []
    """The busiest programs that are no part of the run."""
    steal_s: float | None = None
    """Taken by the host that this machine is a guest of."""
    idle_s: float | None = None
    throttled_s: float | None = None
    """Held back by a quota of processor time."""
    pressure_cpu_s: float | None = None
    pressure_io_s: float | None = None
    pressure_memory_s: float | None = None
    flush_ms: float | None = None
    """The quickest of a few flushes of 4 KiB to the run's disk, right after the load."""

    def share(self, cpu_s: float | None) -> float:
        """Of all the processor time there was; 0 for what is not known."""
        return (cpu_s or 0.0) / (self.cores * self.elapsed_s) if self.elapsed_s > 0 else 0.0

    @property
    def taken_ratio(self) -> float:
        """What other programs and the host took."""
        return self.share(self.others_cpu_s) + self.share(self.steal_s)

    @property
    def busy_ratio(self) -> float | None:
        """How full the cores were, with whatever it was."""
        return None if self.idle_s is None else max(0.0, 1.0 - self.share(self.idle_s))

    @property
    def throttled_ratio(self) -> float:
        """Of the time, not of the processor time."""
        return min(1.0, (self.throttled_s or 0.0) / self.elapsed_s) if self.elapsed_s > 0 else 0.0

    def core_ratio(self, cpu_s: float) -> float:
        """Of one core."""
        return cpu_s / self.elapsed_s if self.elapsed_s > 0 else 0.0

    def part(self, name: str) -> ProcessUse | None:
        """The part of the run of that name."""
        return next((one for one in self.own if one.name == name), None)


def use_between(before: MachineSample, after: MachineSample, *, flush_ms: float | None = None) -> MachineUse:
    """What happened from one sample to the next."""
    elapsed_s = (after.at_ns - before.at_ns) / 1e9
    used = list(_used(before.processes, after.processes))
    own_s = sum(cpu_s for one, cpu_s, _ in used if one.owner not in ("", KERNEL))
    threads_s = sum(cpu_s for one, cpu_s, _ in used if one.owner == KERNEL)
    counted = _counted(before.times, after.times, own_s + threads_s)
    return MachineUse(
        elapsed_s=elapsed_s,
        cores=min(after.cores, after.quota.cores or after.cores),
        own_cpu_s=own_s,
        own=_parts(used, elapsed_s),
        kernel_cpu_s=threads_s + (counted["interrupts_s"] or 0.0),
        others_cpu_s=counted["others_s"],
        others=_programs(used),
        steal_s=counted["steal_s"],
        idle_s=counted["idle_s"],
        throttled_s=_less(after.quota.throttled_s, before.quota.throttled_s),
        pressure_cpu_s=_less(after.pressure.cpu_s, before.pressure.cpu_s),
        pressure_io_s=_less(after.pressure.io_s, before.pressure.io_s),
        pressure_memory_s=_less(after.pressure.memory_s, before.pressure.memory_s),
        flush_ms=flush_ms,
    )


_Used = tuple[ProcessSample, float, float | None]
"""A process, the processor time that it and what ended below it used, and how long it waited for a core."""


def _used(before: Processes, after: Processes) -> Iterator[_Used]:
    known = _known_of_ended(before, after)
    for key, now in after.items():
        then = before.get(key)
        cpu_s = now.cpu_s - (then.cpu_s if then else 0.0)
        ended_s = now.ended_children_s - (then.ended_children_s if then else 0.0) - known[now.pid]
        yield now, max(0.0, cpu_s) + max(0.0, ended_s), _less(now.waited_s, then.waited_s if then else 0.0)


def _known_of_ended(before: Processes, after: Processes) -> Mapping[int, float]:
    """What each process inherits of those that ended below it, which they had used before the first sample."""
    ended = {one.pid: one for key, one in before.items() if key not in after}
    known: defaultdict[int, float] = defaultdict(float)
    for one in ended.values():
        heir, above = one.parent, set[int]()
        while heir in ended and heir not in above:  # ids that were used again could make a circle
            above.add(heir)
            heir = ended[heir].parent
        known[heir] += one.cpu_s + one.ended_children_s
    return known


def _counted(before: CpuTimes | None, after: CpuTimes | None, seen_s: float) -> Mapping[str, float | None]:
    """The differences of the totals; `seen_s` is what our own processes and the kernel's threads used of them."""
    if before is None or after is None:
        return dict.fromkeys(("others_s", "interrupts_s", "steal_s", "idle_s"))
    return {
        "others_s": max(0.0, after.programs_s - before.programs_s - seen_s),
        "interrupts_s": max(0.0, after.interrupts_s - before.interrupts_s),
        "steal_s": max(0.0, after.steal_s - before.steal_s),
        "idle_s": max(0.0, after.idle_s - before.idle_s),
    }


def _parts(used: Iterable[_Used], elapsed_s: float) -> list[ProcessUse]:
    """A part is one process or many; it waited as long as the one of them that waited longest."""
    parts: dict[str, ProcessUse] = {}
    for one, cpu_s, waited_s in used:
        if one.owner in ("", KERNEL):
            continue
        so_far = parts.get(one.owner, ProcessUse(one.owner, one.pid, 0.0))
        ratio = waited_s / elapsed_s if waited_s is not None and elapsed_s > 0 else None
        waits = [known for known in (so_far.waited_ratio, ratio) if known is not None]
        parts[one.owner] = ProcessUse(one.owner, so_far.pid, so_far.cpu_s + cpu_s, max(waits, default=None))
    return sorted(parts.values(), key=lambda part: -part.cpu_s)


def _programs(used: Iterable[_Used]) -> list[ProcessUse]:
    others = [ProcessUse(one.program, one.pid, cpu_s) for one, cpu_s, _ in used if not one.owner]
    busiest = sorted(others, key=lambda other: -other.cpu_s)[:OTHERS_NAMED]
    return [other for other in busiest if other.cpu_s >= _NAMED_S_MIN]


def _less(after: float | None, before: float | None) -> float | None:
    return None if after is None or before is None else max(0.0, after - before)
