"""Nothing outlives a run: not when it is closed, not when it fails to open, not when `tenfold` is killed."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from tests.integration.fleet.intruder import listening_ports

from tenfold.fleet import (
    BinaryMissing,
    DiskFull,
    Estate,
    RunFolder,
    ServerUnready,
    binaries,
    free_port,
    sweep_dead_runs,
)
from tenfold.fleet.register import Register
from tenfold.fleet.sweep import members_of
from tenfold.plan.model import Engine, ServerPlan
from tenfold.telemetry import EventLog

pytestmark = pytest.mark.engines

CACHE = {"main": ServerPlan(engine=Engine.VALKEY)}
DATABASE = {"database": ServerPlan(engine=Engine.POSTGRESQL)}
FULL = {
    "database": ServerPlan(engine=Engine.POSTGRESQL, replicas=1),
    "main": ServerPlan(engine=Engine.VALKEY, replicas=1),
    "objects": ServerPlan(engine=Engine.SEAWEEDFS, buckets=("media",)),
}

OWNER = """
import asyncio, msgspec, sys
from pathlib import Path
from tenfold.fleet import Estate, RunFolder
from tenfold.plan.model import ServerPlan
from tenfold.telemetry import EventLog

async def main():
    run = RunFolder.create(Path(sys.argv[1]), "orphaned")
    servers = msgspec.json.decode(sys.argv[2], type=dict[str, ServerPlan])
    estate = Estate(run, servers, EventLog("tenfold"), "token")
    await estate.open()
    run.faults.write_text('{"drill": "d", "node": "main.primary", "state": "armed", "by": "drill"}\\n')
    print(*(node.port for node in estate.nodes), flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


def left_of(run: RunFolder) -> list[int]:
    """Ids of the run's processes that are still there."""
    return [pid for pid, _ in members_of(run, Register(run.register).read())]


def is_gone(run: RunFolder) -> bool:
    return run.ended and not left_of(run) and not run.data.exists()


def within(limit_s: float, holds: Callable[[], bool]) -> bool:
    deadline_s = time.monotonic() + limit_s
    while not holds():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(0.02)
    return True


def nobody_listens(ports: list[int]) -> bool:
    for port in ports:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return False
    return True


def guard_of(run: RunFolder) -> int:
    words = str(run.state).encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and words in (line := _command(entry)) and b"tenfold.fleet.guard" in line:
            return int(entry.name)
    raise AssertionError("the run has no guard")


def _command(entry: Path) -> bytes:
    try:
        return (entry / "cmdline").read_bytes()
    except OSError:
        return b""


def start_owner(root: Path, servers: dict[str, ServerPlan]) -> tuple[subprocess.Popen[str], RunFolder, list[int]]:
    """A small `tenfold` in a process of its own, with an open estate."""
    command = [sys.executable, "-c", OWNER, str(root), msgspec.json.encode(servers).decode()]
    owner = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    ports = [int(word) for word in owner.stdout.readline().split()]
    assert ports
    return owner, RunFolder.read(root / ".tenfold" / "runs" / "orphaned"), ports


def test_closed_estate_leaves_no_process_no_data_no_port(tmp_path: Path) -> None:
    """Within 5 s; the logs stay, in the run's folder and nowhere else."""
    temporary = Path("/tmp")

    async def scenario() -> tuple[RunFolder, list[int], list[int], float]:
        run = RunFolder.create(tmp_path, "closed")
        estate = Estate(run, FULL, EventLog("tenfold"), "token")
        await estate.open()
        ports = [port for pid in left_of(run) for port in listening_ports(pid)]
        pids = left_of(run)
        assert len(left_of(run)) >= len(estate.nodes)
        began_s = time.monotonic()
        await estate.close()
        await estate.close()
        return run, ports, pids, time.monotonic() - began_s

    run, ports, pids, took_s = asyncio.run(scenario())
    assert is_gone(run)
    assert nobody_listens(ports)
    assert took_s < 5
    assert (run.logs / "database.primary.log").stat().st_size > 0
    assert not [path for port in ports for path in temporary.glob(f"seaweedfs-*-{port}.sock")]
    assert not [path for pid in pids for path in temporary.glob(f"weed.*.{pid}")]
    assert sweep_dead_runs(tmp_path) == []


def test_killed_owner_leaves_nothing_within_five_seconds(tmp_path: Path) -> None:
    """SIGKILL of `tenfold`: kernel and guard end everything, and the armed fault is settled."""
    owner, run, ports = start_owner(tmp_path, FULL)
    assert left_of(run)
    owner.kill()
    owner.wait()
    assert within(5, lambda: is_gone(run) and nobody_listens(ports))
    newest = msgspec.json.decode(run.faults.read_bytes().splitlines()[-1])
    assert (newest["state"], newest["by"]) == ("reverted", "guard")


def test_later_run_clears_when_the_guard_was_killed_too(tmp_path: Path) -> None:
    """The kernel ends the children; the next run removes the data."""
    before = shared_memory_without_users()
    owner, run, ports = start_owner(tmp_path, DATABASE | CACHE)
    os.kill(guard_of(run), signal.SIGKILL)
    owner.kill()
    owner.wait()
    assert within(5, lambda: not left_of(run) and nobody_listens(ports))
    assert run.data.exists()
    assert sweep_dead_runs(tmp_path) == ["orphaned"]
    assert is_gone(run)
    assert shared_memory_without_users() <= before


def shared_memory_without_users() -> set[str]:
    """System V segments of PostgreSQL's size that no process is attached to."""
    rows = [line.split() for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]]
    return {row[1] for row in rows if row[3] == "56" and row[6] == "0"}


def test_opening_that_is_cancelled_leaves_nothing(tmp_path: Path) -> None:
    """Ctrl-C while servers start: those that are up and those that are being made are ended."""

    async def scenario() -> RunFolder:
        run = RunFolder.create(tmp_path, "cancelled")
        events = EventLog("tenfold")
        opening_ = asyncio.create_task(Estate(run, FULL, events, "token").open())
        events.listen(lambda event: [opening_.cancel()].clear())
        with pytest.raises(asyncio.CancelledError):
            await opening_
        return run

    assert is_gone(asyncio.run(scenario()))


def test_two_estates_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    """Same servers, same names, same root: other ports, other data; one closes, the other serves."""

    async def scenario() -> None:
        runs = [RunFolder.create(tmp_path, name) for name in ("one", "two")]
        estates = [Estate(run, DATABASE | CACHE, EventLog("tenfold"), "token") for run in runs]
        await asyncio.gather(*(estate.open() for estate in estates))
        assert sweep_dead_runs(tmp_path) == []
        await estates[0].close()
        assert is_gone(runs[0])
        await estates[1].node("main.primary").kill()
        await estates[1].node("main.primary").start()
        await estates[1].close()
        assert is_gone(runs[1])

    asyncio.run(scenario())


def test_taken_port_is_answered_with_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody was faster: the server starts on the next port."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = iter([taken.getsockname()[1], free_port()])
        monkeypatch.setattr("tenfold.fleet.node.free_port", lambda: next(free))

        async def scenario() -> None:
            estate = Estate(RunFolder.create(tmp_path, "taken"), CACHE, EventLog("tenfold"), "token")
            await estate.open()
            assert estate.node("main.primary").port != taken.getsockname()[1]
            await estate.close()

        asyncio.run(scenario())


def opening(root: Path, **changed: int) -> RunFolder:
    """Open an estate that will fail."""
    run = RunFolder.create(root, "failing")
    estate = Estate(run, DATABASE | CACHE, EventLog("tenfold"), "token")
    for name, value in changed.items():
        setattr(estate, name, value)
    asyncio.run(estate.open())
    return run


def program_of(pid: int) -> Path:
    return Path(f"/proc/{pid}/exe").readlink()


def failed_run(root: Path) -> RunFolder:
    return RunFolder.read(root / ".tenfold" / "runs" / "failing")


def test_server_that_will_not_start_says_why_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Name, state, log file, last lines; the servers that did start are ended."""
    broken = tmp_path / "valkey-server"
    broken.write_text("#!/bin/sh\necho 'libssl.so.9: cannot open shared object file' >&2\nexit 127\n")
    broken.chmod(0o755)
    monkeypatch.setattr(binaries, "valkey", lambda: broken)
    with pytest.raises(ServerUnready, match="Cache primary 'main\\.primary' ended with status 127") as caught:
        opening(tmp_path)
    assert "libssl.so.9" in str(caught.value)
    assert "main.primary.log" in str(caught.value)
    assert is_gone(failed_run(tmp_path))


def test_missing_program_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that is not installed is known before anything starts."""
    monkeypatch.setattr(binaries, "_WHEEL", "no_such_wheel")
    with pytest.raises(BinaryMissing, match="PostgreSQL's program is not installed"):
        opening(tmp_path)
    assert is_gone(failed_run(tmp_path))


def test_full_disk_is_known_before_anything_starts(tmp_path: Path) -> None:
    """Path, free space, needed space."""
    with pytest.raises(DiskFull, match="MB free and the servers need"):
        opening(tmp_path, free_bytes_needed=10**18)
    assert is_gone(failed_run(tmp_path))


@pytest.mark.skipif(os.getuid() != 0, reason="only root runs PostgreSQL as somebody else")
def test_programs_that_the_account_cannot_reach_are_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkout below a closed folder: the database runs from a copy, which is checked before it is used again."""
    shared = Path(f"/var/tmp/tenfold-test-{os.getpid()}")
    shared.mkdir(mode=0o755)
    monkeypatch.setattr(binaries, "SHARED_ROOT", shared)
    monkeypatch.setattr(binaries, "reachable", lambda program: False)
    running: list[Path] = []
    try:

        async def scenario() -> None:
            estate = Estate(RunFolder.create(tmp_path, "copied"), DATABASE, EventLog("tenfold"), "token")
            await estate.open()
            running.append(program_of(estate.node("database.primary").pid))
            await estate.close()

        asyncio.run(scenario())
        assert running[0].is_relative_to(shared)
        next(shared.glob("*/*/*/bin/postgres")).write_text("not what is installed")
        with pytest.raises(BinaryMissing, match="is not what is installed"):
            opening(tmp_path)
    finally:
        subprocess.run(["rm", "-rf", str(shared)], check=True)
