"""When the caller stops waiting."""

import asyncio

import pytest

from tenfold.kernel import Duration, VirtualClock
from tenfold.protect import NearCache, ReadLadder, SingleFlight, Step
from tenfold.protect.doors.deadline import (
    DeadlinePassed,
    check_deadline,
    deadline_headers,
    deadline_within,
    left_ns,
    time_left,
)
from tenfold.protect.reads.batcher import Batcher
from tenfold.protect.testing import MemoryRung, run_in_virtual_time


def test_without_a_deadline_there_is_all_the_time() -> None:
    """And nothing to send along."""
    clock = VirtualClock()
    check_deadline(clock)
    assert time_left(clock) is None
    assert deadline_headers(clock) == {}


def test_the_nearer_deadline_counts_and_the_outer_one_comes_back() -> None:
    """Nobody gives themselves more time than their caller has."""
    clock = VirtualClock()
    with deadline_within(Duration.from_ms(100), clock):
        with deadline_within(Duration.from_s(9), clock):
            assert time_left(clock) == Duration.from_ms(100)
        with deadline_within(Duration.from_ms(20), clock):
            assert time_left(clock) == Duration.from_ms(20)
        assert time_left(clock) == Duration.from_ms(100)


def test_what_is_left_travels_in_a_header() -> None:
    """As what is left, since clocks of two machines disagree; never less than nothing."""
    clock = VirtualClock()
    with deadline_within(Duration.from_ms(100), clock):
        clock.advance(Duration.from_ms(30))
        assert deadline_headers(clock) == {"Tenfold-Deadline-Ms": "70"}
        clock.advance(Duration.from_ms(300))
        assert deadline_headers(clock) == {"Tenfold-Deadline-Ms": "0"}


def test_work_whose_deadline_has_passed_is_not_begun() -> None:
    """Asked before anything that costs."""
    clock = VirtualClock()
    with deadline_within(Duration.from_ms(5), clock):
        check_deadline(clock)
        clock.advance(Duration.from_ms(5))
        with pytest.raises(DeadlinePassed):
            check_deadline(clock)


def test_tasks_inherit_the_deadline_and_keep_their_own_to_themselves() -> None:
    """A context variable, so nobody has to pass it on."""
    clock = VirtualClock()

    async def main() -> None:
        async def own() -> Duration | None:
            with deadline_within(Duration.from_ms(1), clock):
                await asyncio.sleep(0)
                return time_left(clock)

        with deadline_within(Duration.from_ms(50), clock):
            mine = asyncio.ensure_future(own())
            await asyncio.sleep(0)
            assert time_left(clock) == Duration.from_ms(50)
            assert await mine == Duration.from_ms(1)

    asyncio.run(main())


@pytest.mark.parametrize("written", [b"", b"-5", b"1e3", b"soon", b"99999999999", "٣".encode()])
def test_a_header_that_says_nothing_that_could_be_meant_is_no_deadline(written: bytes) -> None:
    """Whoever sends nonsense is served as if they had sent nothing."""
    assert left_ns(written) is None


def test_a_header_is_milliseconds() -> None:
    """And a day at most."""
    assert left_ns(b"250") == 250_000_000
    assert left_ns(b"999999999") == 86_400_000_000_000


def test_a_read_whose_caller_waits_no_longer_does_not_climb() -> None:
    """What lies near is answered all the same: it costs nothing."""

    async def check(clock: VirtualClock) -> None:
        rung = MemoryRung("memory", {"key": b"value", "other": b"value"})
        near = NearCache("test", bytes_max=1 << 20, ttl=Duration.from_s(60), clock=clock)
        ladder = ReadLadder("test", near=near, steps=[Step(rung)], clock=clock)
        await ladder.read("key")
        with deadline_within(Duration(0), clock):
            assert (await ladder.read("key")).value == b"value"
            with pytest.raises(DeadlinePassed):
                await ladder.read("other")
        assert rung.reads == ["key"]

    run_in_virtual_time(check)


def test_what_is_done_for_many_has_the_deadline_of_none_of_them() -> None:
    """The first who asks for a load, or for a batch, may be the one with the least time."""

    async def check(clock: VirtualClock) -> None:
        seen: list[Duration | None] = []

        async def load() -> bytes:
            seen.append(time_left(clock))
            return b""

        async def carry(items: list[int]) -> list[int]:
            seen.append(time_left(clock))
            return items

        with deadline_within(Duration.from_ms(5), clock):
            await SingleFlight[bytes]().do("key", load)
            await Batcher(carry).ask(1)
            assert time_left(clock) == Duration.from_ms(5)
        assert seen == [None, None]

    run_in_virtual_time(check)
