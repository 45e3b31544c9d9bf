"""Every process of the machine at one moment: whose it is, what it has used, how long it has waited for a core."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from tenfold.fleet.proc import PROC, TICKS_PER_S, Stat, pids, stat

KERNEL = "kernel"
_KTHREADD = 2


@dataclass(frozen=True, slots=True)
class ProcessSample:
    """One process. `owner` is the name of the part of the run that it belongs to; empty when it is not ours."""

    pid: int
    parent: int
    program: str
    owner: str
    cpu_s: float
    """Its own processor time, without that of children that have ended."""
    ended_children_s: float
    waited_s: float | None = None
    """Ready to run and without a core, its main thread; None when nobody asked, or the kernel does not say."""


Processes = Mapping[tuple[int, int], ProcessSample]
"""By process id and start time: ids are used again."""


def processes(parts: Mapping[int, str]) -> Processes:
    """All that can be seen. `parts` names the processes whose descendants are the run's own, the nearest first."""
    found = {pid: seen for pid in pids() if (seen := stat(pid)) is not None}
    owners = owners_of({pid: seen.parent for pid, seen in found.items()}, parts)
    return {(pid, seen.started_ticks): _sample(pid, seen, owners[pid]) for pid, seen in found.items()}


def owners_of(parents: Mapping[int, int], parts: Mapping[int, str]) -> dict[int, str]:
    """The nearest ancestor's name in `parts` for each process, its own before any; empty when it has none there."""
    owners: dict[int, str] = {0: "", _KTHREADD: KERNEL, **parts}
    for pid in parents:
        line, above = [], pid
        while above not in owners:
            owners[above] = ""  # ends a circle, which ids that were used again while we looked can make
            line.append(above)
            above = parents.get(above, 0)
        owners |= dict.fromkeys(line, owners[above])
    return owners


def _sample(pid: int, seen: Stat, owner: str) -> ProcessSample:
    return ProcessSample(
        pid=pid,
        parent=seen.parent,
        program=seen.command,
        owner=owner,
        cpu_s=(seen.cpu_ticks - seen.ended_children_ticks) / TICKS_PER_S,
        ended_children_s=seen.ended_children_ticks / TICKS_PER_S,
        waited_s=_waited_s(pid) if owner not in ("", KERNEL) else None,
    )


def _waited_s(pid: int) -> float | None:
    try:
        return int((PROC / str(pid) / "schedstat").read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return None


def own_parts(parts: Mapping[int, str]) -> dict[int, str]:
    """`parts` that run, under the process that asks, which is `tenfold` itself."""
    return {os.getpid(): "tenfold", **{pid: name for pid, name in parts.items() if pid}}
