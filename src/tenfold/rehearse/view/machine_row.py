"""What the machine did during one step or drill, as figures that a person compares: one row a try."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tenfold.fleet.machine import MachineUse
from tenfold.rehearse.verdict import DrillVerdict, StepVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineRow:
    """Every figure is text; what the kernel does not say is a dash."""

    name: str
    busy: str
    others: str
    others_named: str
    steal: str
    own: str
    """The three busiest parts of the run, in cores."""
    waited: str
    late_ms: str
    flush_ms: str
    pressure: str

    @property
    def summary(self) -> str:
        """For a line of a log."""
        return f"cores {self.busy} busy, others {self.others}, driver {self.late_ms} ms late"


def machine_rows(found: Iterable[StepVerdict | DrillVerdict]) -> list[MachineRow]:
    """One for each try that was watched, the earlier one of two first."""
    return [row for one in found for row in _tries(one)]


def machine_row(one: StepVerdict | DrillVerdict, name: str) -> MachineRow | None:
    """None when the machine was not watched."""
    use = one.machine
    if use is None:
        return None
    waits = [part.waited_ratio for part in use.own if part.waited_ratio is not None]
    return MachineRow(
        name=name,
        busy=_percent(use.busy_ratio),
        others=_share(use, use.others_cpu_s),
        others_named=", ".join(f"{other.name} (pid {other.pid})" for other in use.others),
        steal=_share(use, use.steal_s),
        own=", ".join(f"{part.name} {use.core_ratio(part.cpu_s):.2f}" for part in use.own[:3]),
        waited=_percent(max(waits, default=None)),
        late_ms=f"{one.generator_late_ms:.1f}",
        flush_ms="–" if use.flush_ms is None else f"{use.flush_ms:.1f}",
        pressure=" / ".join(
            _percent(None if stalled_s is None else stalled_s / use.elapsed_s if use.elapsed_s else 0.0)
            for stalled_s in (use.pressure_cpu_s, use.pressure_io_s, use.pressure_memory_s)
        ),
    )


def _tries(one: StepVerdict | DrillVerdict) -> Iterator[MachineRow]:
    name = f"{one.factor:g}×" if isinstance(one, StepVerdict) else one.name
    tries = [*one.earlier, one]
    for number, found in enumerate(tries, 1):
        row = machine_row(found, name if len(tries) == 1 else f"{name}, try {number}")
        if row is not None:
            yield row


def _share(use: MachineUse, cpu_s: float | None) -> str:
    return "–" if cpu_s is None else f"{use.share(cpu_s):.0%}"


def _percent(ratio: float | None) -> str:
    return "–" if ratio is None else f"{ratio:.0%}"
