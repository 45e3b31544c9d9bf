"""The folders of one run, and the proof that its owner lives.

A run is alive as long as somebody holds the lock on its folder. The kernel lets go of the lock when the owner dies,
however it dies, so a lock that can be taken belongs to a run that is dead or was never cleared.
"""

import fcntl
import os
import secrets
import shutil
from pathlib import Path
from typing import IO, Self

import msgspec

from tenfold.fleet.proc import start_ticks
from tenfold.kernel import SystemClock, TenfoldError
from tenfold.kernel.clock import utc

SHARED_ROOT = Path("/var/tmp")  # noqa: S108  # PostgreSQL's unprivileged account must be able to enter it
DATA_PREFIX = "tenfold-data-"


class RunExists(TenfoldError):
    """A run of this name is there already."""


class RunUnwritable(TenfoldError):
    """The folder that a run works in takes no folders or files: no permission, no space, something in the way."""


class RunFile(msgspec.Struct, frozen=True):
    """What a later run must know to clear this one."""

    id: str
    root: str
    data: str
    owner_pid: int
    owner_started_ticks: int


class RunEnd(msgspec.Struct, frozen=True):
    """When the run was cleared, and `by` which process: tenfold, guard or sweep."""

    by: str
    at: str


class RunFolder:
    """Where a run keeps what it needs (`state`, `data`) and what it leaves (`reports`, `logs`, `events`)."""

    def __init__(self, record: RunFile) -> None:
        self.id = record.id
        self.root = Path(record.root)
        self.data = Path(record.data)
        self.state = self.root / ".tenfold" / "runs" / record.id
        self.reports = self.root / "reports" / record.id
        self.logs = self.reports / "logs"
        self.events = self.reports / "events"
        self.faults = self.state / "faults.jsonl"
        self.register = self.state / "processes.jsonl"
        self._lock: IO[bytes] | None = None

    @classmethod
    def create(cls, root: Path, run_id: str) -> Self:
        """Lay the folders below `root` and hold the run's lock. Raises RunExists, RunUnwritable."""
        root = root.resolve()
        run = cls(_record(root, run_id))
        if run.state.exists():
            raise RunExists(f"Run '{run_id}' exists already in {run.state}.", remedy="Start it again.")
        try:
            run._lay()
        except OSError as cause:
            run.release()
            shutil.rmtree(run.state, ignore_errors=True)
            raise RunUnwritable(
                f"Run '{run_id}' cannot be written: {cause.filename or root}: {cause.strerror}; nothing was started.",
                remedy="Start it in a folder that you may write to and that has room.",
            ) from cause
        return run

    @classmethod
    def read(cls, state: Path) -> Self:
        """The run whose state lies in this folder; it is not claimed. Raises OSError or msgspec.DecodeError."""
        return cls(msgspec.json.decode((state / "run.json").read_bytes(), type=RunFile))

    def _lay(self) -> None:
        """The record before the data's folder: whoever finds the record knows all there may be to clear."""
        self.state.mkdir(parents=True, mode=0o700)
        self.claim()
        record = _record(self.root, self.id, data=self.data)
        (self.state / "run.json").write_bytes(msgspec.json.encode(record))
        for folder in (self.logs, self.events):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # what servers say of themselves is the owner's
        self.data.mkdir(mode=0o711 if os.getuid() == 0 else 0o700)

    def claim(self) -> bool:
        """Hold the run's lock from now on; False when somebody alive holds it."""
        if self._lock is None:
            lock = (self.state / "lock").open("ab")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                lock.close()
                return False
            self._lock = lock
        return True

    def release(self) -> None:
        """Let go of the lock."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @property
    def ended(self) -> bool:
        """Whether everything that the run started is known to be gone."""
        return (self.state / "ended.json").exists()

    def remove_data(self) -> None:
        """Delete the servers' data; only ever a folder that this run made."""
        made_here = self.data.parent == self.state or self.data.name.startswith(DATA_PREFIX)
        if made_here and not self.data.is_symlink():
            shutil.rmtree(self.data, ignore_errors=True)

    def mark_ended(self, by: str) -> None:
        end = RunEnd(by=by, at=utc(SystemClock().wall_ns()))
        (self.state / "ended.json").write_bytes(msgspec.json.encode(end))


def _record(root: Path, run_id: str, data: Path | None = None) -> RunFile:
    return RunFile(
        id=run_id,
        root=str(root),
        data=str(data or _data_folder(root, run_id)),
        owner_pid=os.getpid(),
        owner_started_ticks=start_ticks(os.getpid()) or 0,
    )


def _data_folder(root: Path, run_id: str) -> Path:
    if os.getuid() == 0:
        return SHARED_ROOT / f"{DATA_PREFIX}{run_id}-{secrets.token_hex(4)}"
    return root / ".tenfold" / "runs" / run_id / "data"
