"""Watches the machine while one stage is sent, and how late the services' event loops were meanwhile.

A service that embeds `protect` says at /metrics how late its loop was: a sum and a count, so that both are read before
and after the load and never during it. One that says nothing there is left out.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tenfold.fleet import Service
from tenfold.fleet.http import text_of
from tenfold.fleet.machine import MachineSample, MachineUse, MachineWatch

LOOP_LAG = "tenfold_admission_loop_lag_seconds"
_ASK_LIMIT_S = 1.0

LoopTotals = Mapping[str, tuple[float, float]]
"""By service: seconds of lateness, and of how many windows."""


@dataclass(frozen=True, slots=True)
class StageBegin:
    """What was counted before a stage."""

    machine: MachineSample
    loops: LoopTotals


class StageWatch:
    """`parts` answers the run's processes by id, each with its name; `folder` lies on the run's disk."""

    def __init__(
        self, parts: Callable[[], Mapping[int, str]], services: Callable[[], Sequence[Service]], folder: Path
    ) -> None:
        self._machine = MachineWatch(parts, folder)
        self._services = services

    async def begin(self) -> StageBegin:
        loops = await _loop_totals(self._services())
        return StageBegin(self._machine.sample(), loops)

    async def end(self, begun: StageBegin) -> MachineUse:
        """What happened since; it flushes to a disk that may be slow, so in a thread."""
        use = await asyncio.to_thread(self._machine.since, begun.machine)
        late_ms = loops_late_ms(begun.loops, await _loop_totals(self._services()))
        own = [msgspec.structs.replace(one, loop_late_ms=late_ms.get(one.name)) for one in use.own]
        return msgspec.structs.replace(use, own=own)


def loops_late_ms(before: LoopTotals, after: LoopTotals) -> dict[str, float]:
    """The mean over the windows since; a service that was started anew since began at nothing."""
    late = {}
    for name, (sum_s, count) in after.items():
        sum_before_s, count_before = before.get(name, (0.0, 0.0))
        if count < count_before:
            sum_before_s, count_before = 0.0, 0.0
        if count > count_before:
            late[name] = (sum_s - sum_before_s) / (count - count_before) * 1e3
    return late


def loop_totals_in(metrics: str) -> tuple[float, float] | None:
    """Sum and count of the metric in a page of /metrics; None when it is not there."""
    found = {"_sum": 0.0, "_count": 0.0}
    for line in metrics.splitlines():
        name, _, value = line.rpartition(" ")
        kind = name.partition("{")[0].removeprefix(LOOP_LAG)
        if kind in found:
            found[kind] += float(value)
    return (found["_sum"], found["_count"]) if found["_count"] else None


async def _loop_totals(services: Iterable[Service]) -> LoopTotals:
    asked = [one for one in services if one.port]
    told = await asyncio.gather(*(_asked(one) for one in asked))
    return {one.name: totals for one, totals in zip(asked, told, strict=True) if totals is not None}


async def _asked(service: Service) -> tuple[float, float] | None:
    try:
        async with asyncio.timeout(_ASK_LIMIT_S):
            return loop_totals_in(await text_of(service.port, "/metrics"))
    except (OSError, EOFError, TimeoutError, ValueError):
        return None
