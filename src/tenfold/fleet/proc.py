"""What the kernel says of a process (proc(5)).

A process id alone names nobody for long: ids are used again. Id and start time together name one process for ever.
"""

import os
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Stat:
    """One line of /proc/PID/stat. Processor time includes children that have ended."""

    state: str
    parent: int
    group: int
    cpu_ticks: int
    started_ticks: int


@dataclass(frozen=True, slots=True)
class ProcessUsage:
    """What a process and its descendants hold and have used."""

    rss_bytes: int = 0
    cpu_s: float = 0.0


def parse_stat(text: str) -> Stat:
    """Read a stat line; the command may hold spaces and brackets, so fields count from the last bracket."""
    fields = text[text.rindex(")") + 2 :].split()
    return Stat(
        state=fields[0],
        parent=int(fields[1]),
        group=int(fields[2]),
        cpu_ticks=sum(map(int, fields[11:15])),
        started_ticks=int(fields[19]),
    )


def stat(pid: int) -> Stat | None:
    """The process as it is now; None when there is none, or only a zombie that waits to be counted."""
    try:
        found = parse_stat((PROC / str(pid) / "stat").read_text())
    except (OSError, ValueError):
        return None
    return None if found.state in "ZX" else found


def start_ticks(pid: int) -> int | None:
    """When the process began, in clock ticks since boot; None when there is none."""
    found = stat(pid)
    return found.started_ticks if found else None


def pids() -> list[int]:
    return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]


def environment(pid: int) -> bytes:
    """The environment that the process was started with; empty when it is gone or somebody else's."""
    try:
        return (PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return b""


def working_folder(pid: int) -> str:
    """Where the process works; empty when it is gone or somebody else's."""
    try:
        return str((PROC / str(pid) / "cwd").readlink())
    except OSError:
        return ""


def program(pid: int) -> str:
    """The name of the file that the process executes; empty when it is gone or somebody else's."""
    try:
        return (PROC / str(pid) / "exe").readlink().name.removesuffix(" (deleted)")
    except OSError:
        return ""


def usage(pid: int) -> ProcessUsage:
    """Memory and processor time of a process and its descendants; memory that they share counts once."""
    everyone = [pid, *_descendants(pid)]
    private = shared = ticks = 0
    for each in everyone:
        resident_pages, shared_pages = _resident(each)
        private += resident_pages - shared_pages
        shared = max(shared, shared_pages)
        found = stat(each)
        ticks += found.cpu_ticks if found else 0
    return ProcessUsage(rss_bytes=(private + shared) * _PAGE_BYTES, cpu_s=ticks / _TICKS_PER_S)


def _descendants(pid: int) -> list[int]:
    try:
        children = [int(word) for word in (PROC / str(pid) / "task" / str(pid) / "children").read_text().split()]
    except OSError:
        return []
    return children + [grandchild for child in children for grandchild in _descendants(child)]


def _resident(pid: int) -> tuple[int, int]:
    """Resident and shared pages (statm's second and third field)."""
    try:
        fields = (PROC / str(pid) / "statm").read_text().split()
    except OSError:
        return 0, 0
    return int(fields[1]), int(fields[2])
