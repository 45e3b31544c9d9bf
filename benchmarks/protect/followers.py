"""A real control node and real processes that follow it, for the figures and tests that need many of them."""

import gc
import os
import secrets
import signal
import subprocess
import sys
import time
from array import array
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from tenfold.channel import Change, Channel
from tenfold.kernel import TenfoldError
from tenfold.protect.live.switches import Rule, Switches, SwitchRecord
from tenfold.respond.control import Conflict, ControlClient, ControlRefusedError, ControlUnreachableError

TOPIC, KEY = "bench", "bench"
"""A record that nobody checks."""
SWITCH = "bench"
OPEN_TIMEOUT_S = 20.0


class Seen(NamedTuple):
    """One value of the switch as one process had it in force."""

    number: int
    applied_ns: int


class ControlProcess:
    """`python -m tenfold.respond.control` on one store and one port, however often it is killed."""

    def __init__(self, folder: Path) -> None:
        self.token = secrets.token_hex(16)
        self.url = ""
        self._folder = folder
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def open(self, *options: str) -> None:
        """Start it and wait until it listens."""
        command = [sys.executable, "-m", "tenfold.respond.control", "--store", str(self._folder / "control.db")]
        self._process = subprocess.Popen(
            [*command, "--port", str(self._port), *options],
            env=os.environ | {"TENFOLD_CONTROL_TOKEN": self.token},
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise TenfoldError(f"The control node ended with status {self._process.wait()} before it listened.")
        self.url = str(msgspec.json.decode(line)["url"])
        self._port = int(self.url.rpartition(":")[2])

    def kill(self) -> None:
        """SIGKILL: no farewell, nothing flushed."""
        assert self._process is not None
        self._process.kill()
        self._reap()

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
            self._process.kill()
        self._reap()

    def client(self) -> ControlClient:
        return ControlClient(self.url, self.token)

    def _reap(self) -> None:
        assert self._process is not None
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


class Followers:
    """Processes forked from this one, each with a switch; `seen` ends them and answers what each of them saw."""

    def __init__(self, node: ControlProcess, folder: Path, count: int) -> None:
        self._folder = folder
        self._count = count
        self._go_read, self._go_write = os.pipe()
        gc.collect()
        gc.freeze()
        self.pids = [self._fork(node, number) for number in range(count)]
        os.close(self._go_read)

    def _fork(self, node: ControlProcess, number: int) -> int:
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                os.close(self._go_write)
                self._live(node, number)
                status = 0
            finally:
                os._exit(status)
        return pid

    def _live(self, node: ControlProcess, number: int) -> None:
        """Follow until the parent hangs up, then leave what was seen in a file."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        seen = array("q")

        def note(value: int) -> None:
            if value >= 0:
                seen.append(value)
                seen.append(time.monotonic_ns())

        switches = Switches()
        switches.integer(SWITCH, default=-1, stores_max=None).on_change(note)
        channel = Channel(node.url, node.token, service="bench", instance=str(number))
        with channel, switches.following(channel):
            os.read(self._go_read, 1)
        self._file(number).write_bytes(seen.tobytes())

    def wait_until(self, client: ControlClient, epoch: int, *, timeout_s: float = OPEN_TIMEOUT_S) -> None:
        """Wait until every one of them follows and has `epoch` in force. Raises TimeoutError."""
        deadline_s = time.monotonic() + timeout_s
        while sum(p.left_ns is None and p.epoch >= epoch for p in client.processes()) < self._count:
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"not all {self._count} followers have epoch {epoch} after {timeout_s} s")
            time.sleep(0.02)

    def seen(self) -> list[list[Seen]]:
        """End the processes; what each saw, in its order."""
        self.close()
        return [list(self._read(number)) for number in range(self._count)]

    def close(self) -> None:
        if self.pids:
            os.close(self._go_write)
            for pid in self.pids:
                os.waitpid(pid, 0)
            self.pids = []

    def _file(self, number: int) -> Path:
        return self._folder / f"seen-{number}"

    def _read(self, number: int) -> Iterator[Seen]:
        values = array("q")
        values.frombytes(self._file(number).read_bytes())
        return (Seen(*pair) for pair in zip(values[::2], values[1::2], strict=True))


def flip(client: ControlClient, number: int, *, again: Callable[[], None] = lambda: time.sleep(0.02)) -> Change:
    """Have the switch say `number`, exactly once, however often the node dies meanwhile."""
    while True:
        try:
            current = client.get("switches", SWITCH)
            if current is not None and current.json == setting(number).json:
                return current
            change = put_setting(client, number, if_epoch=current.epoch if current else 0)
            if not isinstance(change, Conflict):
                return change
        except (ControlUnreachableError, ControlRefusedError):
            again()


def setting(number: int) -> SwitchRecord:
    """The switch says `number` everywhere."""
    return SwitchRecord((Rule(value=number, owner="bench", reason="flip"),))


def put_setting(client: ControlClient, number: int, *, if_epoch: int | None = None) -> Change | Conflict:
    return client.put("switches", SWITCH, setting(number), if_epoch=if_epoch, by="bench", reason="flip", confirmed=True)
