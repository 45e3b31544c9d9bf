"""When the caller stops waiting."""

import asyncio

import pytest

from tenfold.kernel import Duration, VirtualClock
from tenfold.protect.admission import DeadlinePassed, check_deadline, deadline_headers, deadline_within, time_left
from tenfold.protect.admission.deadline import left_ns


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
