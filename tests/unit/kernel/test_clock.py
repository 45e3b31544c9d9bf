"""Time as an argument."""

import pytest

from tenfold.kernel import Clock, Duration, SystemClock, VirtualClock
from tenfold.kernel.clock import utc


def test_virtual_time_stands_still_until_it_is_told_to_pass() -> None:
    """So a test of an hour takes no time."""
    clock = VirtualClock(monotonic_ns=7)
    assert (clock.monotonic_ns(), clock.monotonic_ns()) == (7, 7)
    clock.advance(Duration.from_s(3600))
    assert clock.monotonic_ns() == 7 + 3_600_000_000_000


def test_both_readings_of_virtual_time_pass_together() -> None:
    """An event's two stamps tell the same story."""
    clock = VirtualClock()
    began = clock.wall_ns()
    clock.advance(Duration.from_ms(250))
    assert clock.wall_ns() - began == clock.monotonic_ns() == 250_000_000


def test_virtual_time_does_not_go_back() -> None:
    """A clock that goes back is another world, not another test."""
    clock = VirtualClock()
    with pytest.raises(ValueError, match="cannot be advanced"):
        clock.advance(Duration(-1))
    assert clock.monotonic_ns() == 0


def test_the_systems_monotonic_time_never_goes_back() -> None:
    """Lengths are differences of two readings."""
    clock: Clock = SystemClock()
    readings = [clock.monotonic_ns() for _ in range(1000)]
    assert readings == sorted(readings)


@pytest.mark.parametrize(
    ("wall_ns", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_767_225_600_000_000_000, "2026-01-01T00:00:00.000Z"),
        (1_767_225_600_042_000_000, "2026-01-01T00:00:00.042Z"),
    ],
)
def test_a_wall_reading_is_shown_in_utc_to_the_millisecond(wall_ns: int, text: str) -> None:
    """RFC 3339, so that people and machines read the same."""
    assert utc(wall_ns) == text
