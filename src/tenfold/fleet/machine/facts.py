"""What the machine offers before anything is started: room, memory, open files, its clock, what its kernel counts."""

import os
import platform
import resource
import shutil
from pathlib import Path

import msgspec

from tenfold.fleet.machine.counters import pressure
from tenfold.fleet.proc import PROC

_CLOCK = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """One machine. Empty or None is what it does not say."""

    system: str
    python: str
    disk_free_bytes: int
    memory_free_bytes: int | None
    open_files_max: int
    clock_source: str
    counts_pressure: bool
    counts_waiting: bool


def facts(folder: Path) -> Facts:
    """Of this machine; `folder` lies on the disk in question."""
    return Facts(
        system=platform.system(),
        python=platform.python_version(),
        disk_free_bytes=shutil.disk_usage(folder).free,
        memory_free_bytes=_memory_free_bytes(),
        open_files_max=resource.getrlimit(resource.RLIMIT_NOFILE)[1],
        clock_source=_text(_CLOCK).strip(),
        counts_pressure=pressure().cpu_s is not None,
        counts_waiting=bool(_text(PROC / str(os.getpid()) / "schedstat")),
    )


def _memory_free_bytes() -> int | None:
    """What programs may still have without swapping."""
    for line in _text(PROC / "meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
