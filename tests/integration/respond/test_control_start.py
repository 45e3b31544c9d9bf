"""A control node that cannot open says why and what to do, and exits with 2; one that is stopped answers first."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from tenfold.channel import Change
from tenfold.respond.control import ControlClient, ControlNode, SqliteStore
from tenfold.respond.control.server import ControlServer

DEADLINE_S = 30.0

Words = Callable[[Path], Sequence[str]]


def ended(*words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """A node that is not to open."""
    return subprocess.run(
        [sys.executable, "-m", "tenfold.respond.control", *words],
        env=os.environ | {"TENFOLD_CONTROL_TOKEN": "secret"} | environment,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (lambda folder: ["--store", "/proc/nope/control.db"], "a directory that this user may write"),
        (lambda folder: ["--store", str(folder)], "a directory that this user may write"),
        (lambda folder: ["--store", "."], "a directory that this user may write"),
        (lambda folder: ["--store", str(folder / "c.db"), "--port", "99999"], "a port from 0 to 65535"),
        (lambda folder: ["--store", str(folder / "c.db"), "--host", "nonsense.invalid"], "a host of this machine"),
        (lambda folder: ["--store", str(folder / "c.db"), "--host", "x" * 70], "a host of this machine"),
        (lambda folder: ["--store", str(folder / "c.db"), "--adopt", __file__], "Give --adopt the file"),
        (lambda folder: ["--store", str(folder / "c.db"), "--adopt", str(folder / "none")], "Give --adopt the file"),
    ],
)
def test_a_node_that_cannot_open_says_what_to_do(tmp_path: Path, words: Words, remedy: str) -> None:
    """One sentence or two, no traceback, and 2."""
    result = ended(*words(tmp_path))
    assert (result.returncode, result.stdout) == (2, "")
    assert remedy in result.stderr
    assert "Traceback" not in result.stderr
    assert "Nothing to do" not in result.stderr


def test_a_node_says_what_is_wrong_with_its_environment(tmp_path: Path) -> None:
    """As it says it of its words."""
    store = str(tmp_path / "c.db")
    unwritable = ended("--store", store, TENFOLD_EVENTS="/proc/nope/events")
    assert (unwritable.returncode, "Set TENFOLD_EVENTS" in unwritable.stderr) == (2, True)
    no_port = ended("--store", store, PORT="many")
    assert (no_port.returncode, "Traceback" in no_port.stderr) == (2, False)


def test_a_node_whose_store_was_edited_exits_with_2(tmp_path: Path) -> None:
    """And names the row."""
    store = SqliteStore(tmp_path / "c.db", now_ns=1)
    store.commit([Change(epoch=1, topic="demo", key="a", by="nina")])
    store._database.execute("UPDATE changes SET change = x'6e6f'")
    store._database.commit()
    store.close()
    result = ended("--store", str(tmp_path / "c.db"))
    assert (result.returncode, "Traceback" in result.stderr) == (2, False)
    assert "entry of epoch 1 is not what was written" in result.stderr


class SlowStore(SqliteStore):
    """Writes once it is told to."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, now_ns=1)
        self.asked, self.go = threading.Event(), threading.Event()

    def commit(self, changes: Sequence[Change]) -> Mapping[int, str]:
        self.asked.set()
        assert self.go.wait(DEADLINE_S)
        return super().commit(changes)


def test_a_change_that_is_made_while_the_node_is_stopped_is_answered(tmp_path: Path) -> None:
    """With the change, over the wire: it is durable."""
    store = SlowStore(tmp_path / "c.db")

    async def main() -> Change:
        server = ControlServer(ControlNode(store), "secret")
        client = ControlClient(await server.open(), "secret")
        asking = asyncio.create_task(asyncio.to_thread(client.put, "demo", "a", 1, by="nina"))
        assert await asyncio.to_thread(store.asked.wait, DEADLINE_S)
        closing = asyncio.create_task(server.close())
        for _ in range(20):
            await asyncio.sleep(0)
        store.go.set()
        change = await asking
        await closing
        client.close()
        assert isinstance(change, Change)
        return change

    change = asyncio.run(main())
    assert store.history() == [change]
    store.close()
