"""Ends and clears what a dead run left: by its guard at once, or by a later run.

Who belongs to a run: the processes in its register, their groups, everything that inherited its `TENFOLD_RUN`, and
every `postgres` that works below its data folder (PostgreSQL's backends lead sessions of their own and overwrite their
environment, so nothing else would find one whose postmaster is gone).
"""

import contextlib
import ctypes
import os
import signal
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from tenfold.fleet import proc
from tenfold.fleet.register import ProcessEntry, Register
from tenfold.fleet.run import RunFolder
from tenfold.kernel import SystemClock, TenfoldError
from tenfold.kernel.clock import utc

END_LIMIT_S = 3.0
_IPC_RMID = 0
_LIBC = ctypes.CDLL(None, use_errno=True)


class ProcessUnending(TenfoldError):
    """Processes of a run are still there after SIGKILL."""


def sweep_dead_runs(root: Path) -> list[str]:
    """Clear every run below `root` whose owner is dead; answers their ids. A run that lives is left alone."""
    swept = []
    for state in sorted((root / ".tenfold" / "runs").glob("*/run.json")):
        run = _readable(state.parent)
        if run is None or run.ended or not run.claim():
            continue
        try:
            clear_run(run, by="sweep")
            swept.append(run.id)
        finally:
            run.release()
    return swept


def clear_run(run: RunFolder, *, by: str) -> None:
    """End every process of a claimed run, undo what its faults left armed, and remove its data.

    Safe to call again after a crash half way. Raises ProcessUnending when a process does not die.
    """
    entries = Register(run.register).read()
    end_processes(run, entries)
    clear_leftovers(run, entries)
    settle_faults(run.faults, by=by)
    run.mark_ended(by)


def end_processes(run: RunFolder, entries: Iterable[ProcessEntry]) -> None:
    """SIGKILL until nobody of the run is left: a process that is being born when we look is seen the next time."""
    entries = list(entries)
    deadline_s = time.monotonic() + END_LIMIT_S
    while members := members_of(run, entries):
        for pid, started_ticks in members:
            kill_exactly(pid, started_ticks)
        if time.monotonic() > deadline_s:
            left = ", ".join(str(pid) for pid, _ in members)
            raise ProcessUnending(f"Run '{run.id}' has processes that SIGKILL does not end: {left}.")
        time.sleep(0.01)


def members_of(run: RunFolder, entries: Iterable[ProcessEntry]) -> list[tuple[int, int]]:
    """Ids and start times of everyone alive who belongs to the run."""
    leaders = {entry.pid for entry in entries if entry.alive}
    mark = f"TENFOLD_RUN={run.id}\0".encode()
    return [(pid, found.started_ticks) for pid, found in _others() if _belongs(pid, found, leaders, mark, run.data)]


def _others() -> Iterator[tuple[int, proc.Stat]]:
    for pid in proc.pids():
        found = proc.stat(pid)
        if found is not None and pid != os.getpid():
            yield pid, found


def _belongs(pid: int, found: proc.Stat, leaders: set[int], mark: bytes, data: Path) -> bool:
    if found.group in leaders or pid in leaders:
        return True
    if mark in b"\0" + proc.environment(pid) + b"\0":
        return True
    folder = proc.working_folder(pid).removesuffix(" (deleted)")
    return proc.program(pid) == "postgres" and Path(folder).is_relative_to(data)


def kill_exactly(pid: int, started_ticks: int) -> bool:
    """SIGKILL this very process; False when the id belongs to nobody or to another by now.

    The file descriptor holds on to the process while its start time is compared, so the id cannot change hands.
    """
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        if proc.start_ticks(pid) != started_ticks:
            return False
        signal.pidfd_send_signal(handle, signal.SIGKILL)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True


def clear_leftovers(run: RunFolder, entries: Iterable[ProcessEntry]) -> None:
    """Remove the data folder, and what the servers keep outside of it: sockets, shared memory."""
    for lock_file in run.data.glob("*/postmaster.pid"):
        _remove_shared_memory(lock_file)
    for left in (Path(path) for entry in entries for path in entry.leaves):
        left.unlink(missing_ok=True)
    run.remove_data()


def _remove_shared_memory(lock_file: Path) -> None:
    """PostgreSQL's System V segment, a few bytes that prove its data folder is in use, outlives a SIGKILL.

    Line 7 of postmaster.pid is its key and its id.
    """
    with contextlib.suppress(OSError, IndexError, ValueError):
        segment = int(lock_file.read_text().splitlines()[6].split()[1])
        _LIBC.shmctl(segment, _IPC_RMID, None)


def settle_faults(journal: Path, *, by: str) -> None:
    """Write down that faults which were still armed are over: the servers they were done to are gone."""
    if not journal.exists():
        return
    newest: dict[tuple[Any, Any], dict[str, Any]] = {}
    for line in journal.read_bytes().splitlines():
        with contextlib.suppress(msgspec.DecodeError):
            record = msgspec.json.decode(line, type=dict[str, Any])
            newest[record.get("drill"), record.get("node")] = record
    armed = [record for record in newest.values() if record.get("state") == "armed"]
    at = utc(SystemClock().wall_ns())
    with journal.open("ab", buffering=0) as file:
        for record in armed:
            file.write(msgspec.json.encode(record | {"state": "reverted", "by": by, "at": at}) + b"\n")


def _readable(state: Path) -> RunFolder | None:
    """The run in this folder; None when its record was never finished: then it had not started anything."""
    try:
        return RunFolder.read(state)
    except (OSError, msgspec.DecodeError):
        return None
