"""The real `tenfold` command in a process of its own, and the search for whatever it may have left."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tenfold.fleet import RunFolder
from tenfold.fleet.proc import pids
from tenfold.fleet.register import Register
from tenfold.fleet.sweep import members_of

LEAVE_LIMIT_S = 5.0
START_LIMIT_S = 30.0
TENFOLD = (sys.executable, "-m", "tenfold")
_PORT = re.compile(r"127\.0\.0\.1:(\d+)")


@dataclass(frozen=True)
class Ended:
    """What a command that is over said."""

    status: int
    out: str
    err: str
    took_s: float


class Command:
    """`tenfold WORDS` in the folder `root`, its output kept in files beside it."""

    def __init__(
        self,
        root: Path,
        *words: str | Path,
        program: tuple[str, ...] = TENFOLD,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.root = root
        count = len(list(root.glob("stdout-*")))
        self._out, self._err = root / f"stdout-{count}", root / f"stderr-{count}"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                [*program, *map(str, words)],
                cwd=root,
                env={**os.environ, "COLUMNS": "200", **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self._out.read_text() + self._err.read_text()

    def until_says(self, text: str, limit_s: float = START_LIMIT_S) -> None:
        """Wait until it has printed `text`."""
        found = until(lambda: text in self.said or self.process.poll() is not None, limit_s)
        assert found, f"'{text}' is not said within {limit_s} s:\n{self.said}"
        assert text in self.said, f"ended before it said '{text}':\n{self.said}"

    def ended(self, limit_s: float = 60.0) -> Ended:
        """Wait until it is over."""
        began_s = time.monotonic()
        try:
            status = self.process.wait(limit_s)
        finally:
            self.end()
        return Ended(status, self._out.read_text(), self._err.read_text(), time.monotonic() - began_s)

    def signalled(self, number: signal.Signals) -> Ended:
        """Signal it as a terminal or a supervisor does, and wait until it is over."""
        self.process.send_signal(number)
        return self.ended(LEAVE_LIMIT_S)

    def end(self) -> None:
        """Whatever the test did: it is over afterwards, and so is what it started."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    @property
    def runs(self) -> list[RunFolder]:
        """The runs below its folder, oldest first."""
        return [RunFolder.read(path.parent) for path in sorted(self.root.glob(".tenfold/runs/*/run.json"))]

    def members(self, words: str) -> list[int]:
        """Processes of its newest run whose command line holds `words`."""
        run = self.runs[-1] if self.runs else None
        everyone = members_of(run, Register(run.register).read()) if run else []
        return [pid for pid, _ in everyone if words in _command_line(pid)]

    def kill_member(self, words: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Signal the one process of its newest run whose command line holds `words`; its id."""
        (pid,) = self.members(words)
        os.kill(pid, number)
        return pid

    def left(self) -> list[str]:
        """What is still there of it: processes, guards, data and ports, each in words."""
        left = [f"data {run.data}" for run in self.runs if run.data.exists()]
        for run in self.runs:
            left += [f"process {pid} of {run.id}" for pid, _ in members_of(run, Register(run.register).read())]
            left += [f"guard {pid} of {run.id}" for pid in _guards(str(run.state))]
        ports = {int(port) for port in _PORT.findall(self.said)}
        return left + [f"port {port}" for port in ports if _listens(port)]


def assert_nothing_left(command: Command) -> None:
    """Within five seconds: no process, no data, no port."""
    until(lambda: not command.left(), LEAVE_LIMIT_S)
    assert command.left() == []


def until(holds: Callable[[], bool], limit_s: float) -> bool:
    """Ask again and again; False when the limit is over first."""
    deadline_s = time.monotonic() + limit_s
    while not holds():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(0.02)
    return True


def _guards(run: str) -> list[int]:
    """Guards of the run whose folder is `run`; its control node names that folder too."""
    return [pid for pid in pids() if run in (line := _command_line(pid)) and "tenfold.fleet.guard" in line]


def _command_line(pid: int) -> str:
    """Its words with a space between them; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
