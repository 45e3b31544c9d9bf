"""A process is known by id and start time, so one that was given a used id is left alone."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tenfold.fleet import proc
from tenfold.fleet.register import ProcessEntry, Register
from tenfold.fleet.run import RunFolder
from tenfold.fleet.sweep import end_processes, kill_exactly


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """A process that no run started; it ends when its standard input does."""
    with subprocess.Popen(
        [sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True
    ) as child:
        yield child
        child.kill()


def test_register_reads_what_it_wrote(tmp_path: Path) -> None:
    """Entries come back in the order of their starts."""
    register = Register(tmp_path / "processes.jsonl")
    register.add("one", os.getpid(), leaves=["/tmp/one.sock"])
    register.add("two", os.getpid())
    assert [entry.name for entry in register.read()] == ["one", "two"]
    assert register.read()[0].leaves == ["/tmp/one.sock"]
    assert register.read()[0].alive


def test_register_survives_a_line_that_was_cut_short(tmp_path: Path) -> None:
    """A crash in the middle of a line costs that line alone."""
    register = Register(tmp_path / "processes.jsonl")
    register.add("one", os.getpid())
    with (tmp_path / "processes.jsonl").open("ab") as file:
        file.write(b'{"name": "tw')
    assert [entry.name for entry in register.read()] == ["one"]


def test_recycled_id_is_not_killed(tmp_path: Path, bystander: subprocess.Popen[bytes]) -> None:
    """A process that got the id of one of ours later is not ours: it survives the sweep."""
    run = RunFolder.create(tmp_path, "recycled")
    began = proc.start_ticks(bystander.pid)
    assert began is not None
    end_processes(run, [ProcessEntry(name="gone", pid=bystander.pid, started_ticks=began - 1)])
    assert not kill_exactly(bystander.pid, began - 1)
    assert bystander.poll() is None
    run.remove_data()
    run.release()


def test_registered_process_is_killed(tmp_path: Path, bystander: subprocess.Popen[bytes]) -> None:
    """The very process that was written down is ended."""
    run = RunFolder.create(tmp_path, "registered")
    began = proc.start_ticks(bystander.pid)
    assert began is not None
    end_processes(run, [ProcessEntry(name="ours", pid=bystander.pid, started_ticks=began)])
    assert bystander.wait(timeout=2) == -9
    run.remove_data()
    run.release()
