"""The ladder for threads: the same answers, near hits without the loop, and a life of its own after a fork."""

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tenfold.kernel import Duration
from tenfold.protect import BlockingLadder, NearCache, ReadLadder, Step
from tenfold.protect.reads.ladder import LadderExhausted
from tenfold.protect.reads.portal import Portal, PortalClosed, PortalTimeout
from tenfold.protect.testing import MemoryRung


class Place:
    """near → one rung, read from threads; `opened` counts how often the ladder was made."""

    def __init__(self) -> None:
        self.near = NearCache("price", bytes_max=1 << 20, ttl=Duration.from_s(60))
        self.rung = MemoryRung("database", {str(number): b"%d" % number for number in range(100)})
        self.opened = 0
        self.ladder = BlockingLadder(self.open, near=self.near)

    def open(self) -> ReadLadder:
        self.opened += 1
        return ReadLadder("price", near=self.near, steps=[Step(self.rung)])


def test_threads_read_one_ladder_and_share_its_climbs() -> None:
    """Thirty-two threads, a hundred keys, each loaded once."""
    place = Place()
    with ThreadPoolExecutor(32) as threads:
        keys = [str(number % 100) for number in range(1_000)]
        values = list(threads.map(lambda key: place.ladder.read(key).value, keys))
    place.ladder.close()
    assert values == [key.encode() for key in keys]
    assert sorted(place.rung.reads) == sorted({*keys})
    assert place.opened == 1


def test_a_near_hit_needs_no_loop() -> None:
    """Answered in the caller's own thread: nothing has been started for it."""
    place = Place()
    place.near.put("7", b"7")
    assert place.ladder.near_hit("7") == b"7"
    assert place.ladder.near_hit("8") is None
    assert place.opened == 0
    assert "tenfold-ladder" not in {thread.name for thread in threading.enumerate()}


def test_errors_reach_the_thread_that_asked() -> None:
    """As they are."""
    place = Place()
    place.rung.broken = True
    with pytest.raises(LadderExhausted, match="database: failed"):
        place.ladder.read("7")
    place.ladder.close()


def test_a_thread_that_will_not_wait_longer_leaves_alone() -> None:
    """The rung hangs; the thread is back, and the next that can be answered is."""
    place = Place()
    place.rung.hung = True
    with pytest.raises(PortalTimeout, match="50 ms"):
        place.ladder.read("7", timeout=Duration.from_ms(50))
    place.rung.hung = False
    place.near.put("8", b"8")
    assert place.ladder.read("8").value == b"8"
    place.ladder.close()
    with pytest.raises(PortalClosed):
        place.ladder.read("9")


def test_a_forked_child_reads_by_a_loop_of_its_own() -> None:
    """As gunicorn's workers do: the parent has read before, and goes on reading after."""
    place = Place()
    assert place.ladder.read("7").value == b"7"
    child = os.fork()
    if not child:
        right = place.ladder.read("8", timeout=Duration.from_s(5)).value == b"8" and place.opened == 2
        os._exit(0 if right else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert place.ladder.read("9").value == b"9"
    assert place.opened == 1
    place.ladder.close()


def test_closing_a_portal_wakes_whoever_waits() -> None:
    """With an error that says so."""
    portal = Portal("test")
    began = threading.Event()

    async def hang() -> None:
        began.set()
        await asyncio.Event().wait()

    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(lambda: portal.call(hang, timeout=Duration.from_s(30)))
        assert began.wait(5)
        portal.close()
        with pytest.raises(PortalClosed):
            waiting.result(5)
