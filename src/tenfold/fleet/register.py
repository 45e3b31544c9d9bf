"""What a run started, on disk as it starts: so that somebody else can end it when the run cannot.

One JSON line a process. An entry names one process for ever (id and start time), so a process that was given the same
id later is never taken for it.
"""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from tenfold.fleet.proc import start_ticks


class ProcessEntry(msgspec.Struct, frozen=True):
    """One process that leads a group of its own. `leaves` are paths that go with the run."""

    name: str
    pid: int
    started_ticks: int
    leaves: list[str] = []

    @property
    def alive(self) -> bool:
        """Whether this very process runs, not another with its id."""
        return start_ticks(self.pid) == self.started_ticks


class Register:
    """The processes of one run."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, name: str, pid: int, leaves: Iterable[str] = ()) -> None:
        """Write down a process that has just been started; one that is gone already needs no entry."""
        entry = ProcessEntry(name=name, pid=pid, started_ticks=start_ticks(pid) or 0, leaves=list(leaves))
        with self._path.open("ab", buffering=0) as file:
            file.write(msgspec.json.encode(entry) + b"\n")

    def read(self) -> list[ProcessEntry]:
        """All entries; a last line that was cut short by a crash is no entry."""
        if not self._path.exists():
            return []
        return [entry for line in self._path.read_bytes().splitlines() if (entry := _decoded(line))]


def _decoded(line: bytes) -> ProcessEntry | None:
    try:
        return msgspec.json.decode(line, type=ProcessEntry)
    except msgspec.DecodeError:
        return None
