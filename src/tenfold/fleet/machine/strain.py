"""What took more of the machine than a measurement can bear: other programs, the host, a quota, a slow disk.

The run's own processes are no strain: cores that they fill are the system's own weight.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tenfold.fleet.machine.use import MachineUse

TAKEN_RATIO_MAX = 0.10
"""Of all processor time, by other programs and the host together."""
THROTTLED_RATIO_MAX = 0.10
"""Of the time, held back by a quota."""
FLUSH_MS_MAX = 20.0
"""The quickest of a few flushes. Every order waits for one: solid state keeps 4 KiB within 5 ms."""
_SAID_RATIO_MIN = 0.01


@dataclass(frozen=True, slots=True)
class Strain:
    """One thing beside the run that took too much. `by` is its name; `says` is a clause with figures."""

    by: str
    says: str


def strains(use: MachineUse) -> list[Strain]:
    """Every strain on the machine, processors first; empty when the run had it nearly to itself."""
    return [*_taken(use), *_throttled(use), *_flushed(use)]


def _taken(use: MachineUse) -> Iterator[Strain]:
    """Other programs and the host count together, and each is named for its part."""
    if use.taken_ratio <= TAKEN_RATIO_MAX:
        return
    others, stolen = use.share(use.others_cpu_s), use.share(use.steal_s)
    if others >= max(_SAID_RATIO_MIN, stolen):
        yield Strain(_busiest(use), _others(use, others))
    if stolen >= _SAID_RATIO_MIN:
        yield Strain("steal", f"the host of this machine took {stolen:.0%} of its {use.cores:g} cores (steal)")
    if _SAID_RATIO_MIN <= others < stolen:
        yield Strain(_busiest(use), _others(use, others))


def _throttled(use: MachineUse) -> Iterator[Strain]:
    if use.throttled_ratio > THROTTLED_RATIO_MAX:
        held = f"a quota of {use.cores:g} cores held it back {use.throttled_ratio:.0%} of the time (cgroup)"
        yield Strain("quota", held)


def _flushed(use: MachineUse) -> Iterator[Strain]:
    if use.flush_ms is not None and use.flush_ms > FLUSH_MS_MAX:
        yield Strain("disk", f"the disk took {use.flush_ms:,.0f} ms to keep 4 KiB")


def _others(use: MachineUse, share: float) -> str:
    seen = [one for one in use.others if use.share(one.cpu_s) >= _SAID_RATIO_MIN]
    named = ", ".join(f"{one.name} (pid {one.pid}) {use.share(one.cpu_s):.0%}" for one in seen)
    unseen = "by programs that had ended when it was looked"
    return f"other programs used {share:.0%} of the {use.cores:g} cores ({named or unseen})"


def _busiest(use: MachineUse) -> str:
    return use.others[0].name if use.others else "other programs"
