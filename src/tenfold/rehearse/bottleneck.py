"""Why a promise was broken: the machine, the generator or the server, each by its own evidence, as a sentence.

| a step or drill was missed, and | limited by |
|---|---|
| other programs and the host took more than a tenth of the cores, and cores were short | machine |
| a quota held the run back for more than a tenth of the time, or the disk kept nothing within 20 ms | machine |
| else the driver was late and its own thread had no core to spare, or cores were idle | generator |
| else the driver was late because the run's own processes filled the cores | server: it is the system's own weight |
| else | server: the busiest part is named; of idle ones the service whose event loop was latest, or that waited most |

*Cores were short* when a part of the run was ready and without one for more than 2 % of the time; where the kernel does
not count that, when the cores were more than 80 % busy. A neighbour that kept nobody waiting is no excuse.
"""

from collections.abc import Collection
from typing import Literal

import msgspec

from tenfold.fleet.machine import MachineUse, ProcessUse, Strain, strains

LimitedBy = Literal["none", "server", "generator", "inconclusive", "machine"]

SHORT_BUSY_RATIO = 0.80
SHORT_WAITED_RATIO = 0.02
FULL_BUSY_RATIO = 0.90
DRIVER_CPU_RATIO_MAX = 0.95
LATE_LOOP_MS = 5.0
"""In the mean of a stage: every request waits so long before anybody looks at it."""
_BUSY_CORE_RATIO = 0.5
"""Of one core: below it a process is not what the others waited for."""

DRIVER, CONDUCTOR = "driver", "tenfold"


class Bottleneck(msgspec.Struct, frozen=True):
    """Who kept a promise from being kept. `by` names the culprit the same for every step that it spoiled."""

    limited_by: LimitedBy
    by: str = ""
    evidence: str = ""
    """A clause with its figures: `api used 96 % of a core`."""


def bottleneck_of(
    limited_by: LimitedBy, use: MachineUse | None, *, driver_late_ms: float, services: Collection[str] = ()
) -> Bottleneck:
    """Who it was, where the answers alone say `limited_by`. `use` is None when the machine could not be watched.

    `services` are the parts whose business it is to answer; a service is named before what it leans on.
    """
    if limited_by == "none" or use is None:
        return Bottleneck(limited_by)
    if strained := _strained(use):
        return Bottleneck("machine", strained[0].by, "; ".join(strain.says for strain in strained))
    if limited_by in ("generator", "inconclusive"):
        if own := _own_weight(use, driver_late_ms):
            return own
        return Bottleneck(limited_by, DRIVER if limited_by == "generator" else "", _driver_says(use, driver_late_ms))
    return _server(use, services)


def _strained(use: MachineUse) -> list[Strain]:
    """What the machine has to answer for: a taken core counts only where cores were short."""
    found = strains(use)
    return found if cores_were_short(use) else [strain for strain in found if strain.by in ("steal", "quota", "disk")]


def cores_were_short(use: MachineUse) -> bool:
    """Whether any part of the run went without a core that it could have used; the conductor's wait harms nobody."""
    parts = [one for one in use.own if one.name != CONDUCTOR]
    waits = [one.waited_ratio for one in parts if one.waited_ratio is not None]
    return max(waits) > SHORT_WAITED_RATIO if waits else (use.busy_ratio or 0.0) > SHORT_BUSY_RATIO


def _own_weight(use: MachineUse, driver_late_ms: float) -> Bottleneck | None:
    """The driver was late for want of a core that the system's processes had; None when that does not explain it."""
    driver = use.part(DRIVER)
    busiest = _busiest([one for one in use.own if one.name not in (DRIVER, CONDUCTOR)])
    if driver is None or busiest is None or use.core_ratio(driver.cpu_s) >= DRIVER_CPU_RATIO_MAX:
        return None
    waited = driver.waited_ratio is not None and driver.waited_ratio > SHORT_WAITED_RATIO
    if not waited or (use.busy_ratio or 0.0) < FULL_BUSY_RATIO or driver.cpu_s >= busiest.cpu_s:
        return None
    full = f"the system itself filled the {use.cores:g} cores: {_says(use, busiest)}"
    return Bottleneck("server", busiest.name, f"{full}; the load driver was {driver_late_ms:,.0f} ms late behind it")


def _driver_says(use: MachineUse, driver_late_ms: float) -> str:
    driver = use.part(DRIVER)
    used = f" and used {use.core_ratio(driver.cpu_s):.0%} of a core" if driver else ""
    return f"the load driver was {driver_late_ms:,.0f} ms late (p99){used}"


def _server(use: MachineUse, services: Collection[str]) -> Bottleneck:
    """The busiest part; when none was busy, the service that waited longest, or the busiest of the idle ones."""
    parts = [one for one in use.own if one.name not in (DRIVER, CONDUCTOR)]
    busiest = _busiest(parts)
    if busiest is None:
        return Bottleneck("server")
    if use.core_ratio(busiest.cpu_s) >= _BUSY_CORE_RATIO:
        return Bottleneck("server", busiest.name, _says(use, busiest))
    serving = [one for one in parts if one.name in services] or parts
    for latest in (_latest_loop(serving), max(serving, key=lambda one: one.waited_ratio or 0.0)):
        if _is_late(latest):
            return Bottleneck("server", latest.name, _says(use, latest))
    answering = _busiest(serving) or busiest
    waits = "it waited for something else than a core: a lock, a pool, a sleep"
    return Bottleneck("server", answering.name, f"{_says(use, answering)}: {waits}")


def _latest_loop(parts: list[ProcessUse]) -> ProcessUse:
    return max(parts, key=lambda one: one.loop_late_ms or 0.0)


def _is_late(one: ProcessUse) -> bool:
    return (one.loop_late_ms or 0.0) > LATE_LOOP_MS or (one.waited_ratio or 0.0) > SHORT_WAITED_RATIO


def _busiest(parts: list[ProcessUse]) -> ProcessUse | None:
    return max(parts, key=lambda one: one.cpu_s, default=None)


def _says(use: MachineUse, one: ProcessUse) -> str:
    waited = f" and waited for one {one.waited_ratio:.0%} of the time" if (one.waited_ratio or 0) >= 0.01 else ""
    late = f"; its event loop was {one.loop_late_ms:,.0f} ms late" if (one.loop_late_ms or 0.0) > LATE_LOOP_MS else ""
    return f"{one.name} used {use.core_ratio(one.cpu_s):.0%} of a core{waited}{late}"
