"""What each process of a rehearsal costs a request: its processor time over a step, by /proc, over what was sent.

samples     ·   ·   ·   ·   ·   ·   ·        every process of the run, with the ticks it has used
stderr    1× running ────────── 1× held      said up to a paint late, so the window lies INSIDE by that much
window          ├───────────┤
"""

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from tenfold.fleet import proc

INSIDE_S = 0.3
CONDUCTOR = "tenfold"
_EVENTS = re.compile(rb"(?:^|\0)TENFOLD_EVENTS=([^\0]+)")
_STEP = re.compile(r"step +(\S+)× (running|held|missed|inconclusive):")
_DATA = "tenfold-data-"
_TICK_US = 1e6 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Sample:
    """Clock ticks that the processes of each name had used by `at_s`, with those of their children that have ended."""

    at_s: float
    ticks: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the rehearsal's stderr, and when it came."""

    at_s: float
    text: str


def sample(root: int, at_s: float, names: dict[int, str]) -> Sample:
    """Every process below `root`; `names` keeps what was found out about each, from one sample to the next."""
    found = {pid: stat for pid in proc.pids() if (stat := proc.stat(pid))}
    ticks: Counter[str] = Counter()
    for pid in family(root, {pid: stat.parent for pid, stat in found.items()}):
        if pid not in names:
            names[pid] = CONDUCTOR if pid == root else _name(pid, names[found[pid].parent])
        ticks[names[pid]] += found[pid].cpu_ticks
    return Sample(at_s, ticks)


def _name(pid: int, parent: str) -> str:
    """What fleet told it, or its parent, or where it works: some write over what they were told."""
    stated = node_of(proc.environment(pid))
    if stated or parent != CONDUCTOR:
        return stated or parent
    return folder_of(proc.working_folder(pid)) or CONDUCTOR


def family(root: int, parents: Mapping[int, int]) -> list[int]:
    """`root` and all below it, a parent before its children."""
    everyone = [root] if root in parents else []
    for one in everyone:
        everyone += [pid for pid, parent in parents.items() if parent == one]
    return everyone


def node_of(environment: bytes) -> str:
    """The node's name in the run, by the file that its events go to; empty where that cannot be read."""
    events = _EVENTS.search(environment)
    return PurePath(os.fsdecode(events[1])).stem if events else ""


def folder_of(path: str) -> str:
    """The name of a server's own folder in a run's data; empty for any other folder."""
    folder = PurePath(path)
    return folder.name if folder.parent.name.startswith(_DATA) else ""


def windows(lines: Iterable[Line]) -> dict[float, tuple[float, float]]:
    """From when until when each step ran, for certain, by its factor."""
    began: dict[float, float] = {}
    found = {}
    for line in lines:
        said = _STEP.search(line.text)
        if said and said[2] == "running":
            began[float(said[1])] = line.at_s
        elif said and float(said[1]) in began:
            factor = float(said[1])
            found[factor] = (began[factor] + INSIDE_S, line.at_s - INSIDE_S)
    return found


def cost_us(samples: Sequence[Sample], window: tuple[float, float], rate_rps: float) -> dict[str, float]:
    """Microseconds of processor time a request, by process; empty when fewer than two samples lie in the window."""
    inside = [one for one in samples if window[0] <= one.at_s <= window[1]]
    if len(inside) < 2 or not rate_rps:
        return {}
    first, last = inside[0], inside[-1]
    requests = rate_rps * (last.at_s - first.at_s)
    return {name: (last.ticks[name] - first.ticks.get(name, 0)) * _TICK_US / requests for name in last.ticks}
