"""Whether a machine is fit for a rehearsal: what was looked at, what was found, and what to do about it."""

from collections.abc import Iterator
from typing import Literal

import msgspec

from tenfold.fleet.estate import FREE_BYTES_NEEDED
from tenfold.fleet.machine.calibration import Calibration
from tenfold.fleet.machine.facts import Facts
from tenfold.fleet.machine.strain import FLUSH_MS_MAX, TAKEN_RATIO_MAX, THROTTLED_RATIO_MAX, strains

State = Literal["fit", "warning", "unfit"]

MEMORY_BYTES_NEEDED = 1_500_000_000
OPEN_FILES_NEEDED = 2_112
"""The load driver's 2,048 connections, and 64 to spare."""
SLEEP_LATE_MS_MAX = 5.0
PYTHON_MIN = (3, 11)
CLOCKS_GOOD = ("tsc", "kvm-clock", "arch_sys_counter", "hyperv_clocksource_tsc_page", "xen", "")
"""Those that a program reads without asking the kernel; an unnamed one is not held against the machine."""


class Check(msgspec.Struct, frozen=True):
    """One thing that was looked at. `do` is empty where there is nothing to do."""

    name: str
    state: State
    found: str
    do: str = ""


def checks(facts: Facts, measured: Calibration, asks_rps: float | None = None) -> list[Check]:
    """Everything, in the order in which a person would mend it. `asks_rps` is the highest rate of the plan."""
    return [
        *_platform(facts),
        *_room(facts),
        *_neighbours(measured),
        *_speed(measured, asks_rps),
        *_timing(facts, measured),
        *_counting(facts),
    ]


def is_fit(looked_at: list[Check]) -> bool:
    """A warning leaves it fit."""
    return all(check.state != "unfit" for check in looked_at)


def warnings_of(measured: Calibration, asks_rps: float) -> list[str]:
    """Before a run: what a calibration found that is likely to spoil it, as sentences."""
    looked_at = [*_neighbours(measured), *_speed(measured, asks_rps)]
    return [f"The machine's {one.name}: {one.found}." for one in looked_at if one.state != "fit"]


def _platform(facts: Facts) -> Iterator[Check]:
    yield _check("system", facts.system == "Linux", facts.system, "Use Linux: the run leans on its kernel.")
    recent = tuple(map(int, facts.python.split(".")[:2])) >= PYTHON_MIN
    yield _check("python", recent, facts.python, "Install Python 3.11 or newer.")


def _room(facts: Facts) -> Iterator[Check]:
    free = facts.disk_free_bytes
    do = f"Free some space: the servers need {FREE_BYTES_NEEDED / 1e9:.1f} GB."
    yield _check("disk space", free >= FREE_BYTES_NEEDED, f"{free / 1e9:.1f} GB free", do)
    memory = facts.memory_free_bytes
    if memory is not None:
        do = f"Close something: a run holds about {MEMORY_BYTES_NEEDED / 1e9:.1f} GB."
        yield _check("memory", memory >= MEMORY_BYTES_NEEDED, f"{memory / 1e9:.1f} GB free", do)
    files = facts.open_files_max
    do = f"Raise the hard limit (`ulimit -Hn`) to {OPEN_FILES_NEEDED:,} or more."
    yield _check("open files", files >= OPEN_FILES_NEEDED, f"{files:,} allowed", do)


def _neighbours(measured: Calibration) -> Iterator[Check]:
    """What calibration spun against is in its figures already, and is named here."""
    use = measured.use
    yield _check("cores", measured.cores >= 2, f"{measured.cores:g}", "Two are what the plan was sized for.", "warning")
    told = {strain.by: strain.says for strain in strains(use)}
    quota, disk = told.pop("quota", ""), told.pop("disk", "")
    taken = f"{use.taken_ratio:.0%} used by others, {TAKEN_RATIO_MAX:.0%} may be"
    yield _check("neighbours", not told, "; ".join(told.values()) or taken, "Stop it, or wait until it is done.")
    held = f"held back {use.throttled_ratio:.0%} of the time, {THROTTLED_RATIO_MAX:.0%} may be"
    yield _check("quota", not quota, quota or held, "Give this control group more processor time.")
    if measured.flush_ms is not None:
        slow = bool(disk) or measured.flush_ms > FLUSH_MS_MAX
        found = f"{measured.flush_ms:.1f} ms to keep 4 KiB, {FLUSH_MS_MAX:.0f} may be"
        yield _check("disk", not slow, found, "Run on a local disk, or free this one of other work.")


def _speed(measured: Calibration, asks_rps: float | None) -> Iterator[Check]:
    if measured.speed_ratio is None or measured.bears_rps is None:
        yield Check("speed", "warning", "unknown", "Nothing could be spun or sent: see whether Python may start.")
        return
    found = f"{measured.speed_ratio:.2f} of the reference, likely to bear {measured.bears_rps:,.0f} requests/s"
    if asks_rps is None:
        yield Check("speed", "fit", found)
        return
    do = "Take a faster or a quieter machine, or lower the plan's daily_peak; expect missed steps otherwise."
    enough = measured.bears_rps >= asks_rps
    yield _check("speed", enough, f"{found}; the plan asks {asks_rps:,.0f}", do)


def _timing(facts: Facts, measured: Calibration) -> Iterator[Check]:
    late = measured.sleep_late_ms
    do = "The cores are busy, or the host is: latencies will show it."
    yield _check("punctuality", late <= SLEEP_LATE_MS_MAX, f"a sleep ends {late:.2f} ms late (p99)", do, "warning")
    good = facts.clock_source in CLOCKS_GOOD
    do = "Choose tsc if there is one: reading this clock is a system call."
    yield _check("clock", good, facts.clock_source or "unknown", do, "warning")


def _counting(facts: Facts) -> Iterator[Check]:
    missing = [
        name
        for name, counted in (("pressure (PSI)", facts.counts_pressure), ("waiting (schedstat)", facts.counts_waiting))
        if not counted
    ]
    found = f"no {' and no '.join(missing)}" if missing else "pressure and waiting"
    yield _check("kernel counts", not missing, found, "The verdict will say less about the machine.", "warning")


def _check(name: str, good: bool, found: str, do: str, otherwise: State = "unfit") -> Check:
    return Check(name, "fit", found) if good else Check(name, otherwise, found, do)
