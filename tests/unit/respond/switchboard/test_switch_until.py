"""When a setting ends, across changes of the clocks too; in the zone of the machine, of the call or of the text."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from tenfold.kernel import VirtualClock
from tenfold.respond.switchboard import until

NOW_MS = VirtualClock().wall_ns() // 1_000_000

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("said", "zone", "moment_"),
    [
        ("02:00", "Asia/Shanghai", datetime(2026, 1, 2, 2, tzinfo=SHANGHAI)),
        ("23:30", "Asia/Shanghai", datetime(2026, 1, 1, 23, 30, tzinfo=SHANGHAI)),
        ("02:00", "UTC", datetime(2026, 1, 1, 2, tzinfo=UTC)),
        ("00:00", "UTC", datetime(2026, 1, 2, tzinfo=UTC)),
        ("2026-11-12T02:00", "Asia/Shanghai", datetime(2026, 11, 12, 2, tzinfo=SHANGHAI)),
        ("2026-11-12T02:00+00:00", "Asia/Shanghai", datetime(2026, 11, 12, 2, tzinfo=UTC)),
    ],
)
def test_a_time_of_day_is_the_next_one_in_its_zone(said: str, zone: str, moment_: datetime) -> None:
    """It is 2026-01-01 00:00 UTC, which is 08:00 in Shanghai."""
    assert until.moment_of(said, NOW_MS, zone=zone) == (moment_.timestamp() * 1000, "")


@pytest.mark.parametrize(
    ("said", "seconds"), [("30m", 1800), ("1h30m", 5400), ("90 s", 90), ("2d", 172_800), ("1.5h", 5400)]
)
def test_a_length_is_from_now(said: str, seconds: int) -> None:
    assert until.after(said, NOW_MS) == NOW_MS + seconds * 1000


@pytest.mark.parametrize("said", ["", "30", "m", "30x", "0s", "-5m", "401d", "9" * 400 + "d"])
def test_what_is_no_length_is_refused(said: str) -> None:
    with pytest.raises(until.MomentInvalid):
        until.after(said, NOW_MS)


@pytest.mark.parametrize(
    ("said", "zone"), [("25:00", "UTC"), ("soon", ""), ("02:00", "Mars/Olympus"), ("2020-01-01", "UTC")]
)
def test_what_is_no_moment_or_over_is_refused(said: str, zone: str) -> None:
    with pytest.raises(until.MomentInvalid):
        until.moment_of(said, NOW_MS, zone=zone)


@pytest.fixture
def live_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """This machine is in another zone from now on."""

    def go(zone: str) -> None:
        monkeypatch.setenv("TZ", zone)
        time.tzset()

    yield go
    monkeypatch.undo()
    time.tzset()


def ms(iso: str) -> int:
    return round(datetime.fromisoformat(iso).timestamp() * 1000)


ACROSS = [
    ("Europe/Berlin", "2026-10-24T22:00+02:00", "04:00", "2026-10-25T04:00+01:00", ""),
    ("Europe/Berlin", "2026-09-01T12:00+02:00", "2026-11-12T02:00", "2026-11-12T02:00+01:00", ""),
    ("Europe/Berlin", "2026-03-28T22:00+01:00", "04:00", "2026-03-29T04:00+02:00", ""),
    ("Europe/Berlin", "2026-03-28T22:00+01:00", "02:30", "2026-03-29T03:30+02:00", "skip 02:30 on 2026-03-29"),
    ("Europe/Berlin", "2026-10-24T22:00+02:00", "02:30", "2026-10-25T02:30+02:00", "twice; it ends the first"),
    ("Europe/Berlin", "2026-10-25T02:40+02:00", "02:30", "2026-10-25T02:30+01:00", "twice; it ends the second"),
    ("Europe/Berlin", "2026-10-25T02:20+01:00", "02:30", "2026-10-25T02:30+01:00", "twice; it ends the second"),
    ("Europe/Berlin", "2026-10-25T02:40+01:00", "02:30", "2026-10-26T02:30+01:00", ""),
    ("Europe/Berlin", "2026-10-25T02:40+02:00", "2026-10-25T02:30", "2026-10-25T02:30+01:00", "the second"),
    ("America/New_York", "2026-11-01T00:30-04:00", "04:00", "2026-11-01T04:00-05:00", ""),
    ("Australia/Lord_Howe", "2026-10-03T22:00+10:30", "02:15", "2026-10-04T02:45+11:00", "skip 02:15"),
    ("Asia/Shanghai", "2026-10-24T22:00+08:00", "04:00", "2026-10-25T04:00+08:00", ""),
]


@pytest.mark.parametrize("stated", ["by the machine", "by the call", "by the text"])
@pytest.mark.parametrize(("zone", "now", "said", "ends", "note"), ACROSS)
def test_a_time_is_what_the_clock_on_the_wall_will_show(
    live_in: Callable[[str], None], stated: str, zone: str, now: str, said: str, ends: str, note: str
) -> None:
    """Not what it would show if the zone kept the offset of now; what is skipped or comes twice is said."""
    live_in(zone if stated == "by the machine" else "Asia/Kolkata")
    named = zone if stated == "by the call" else ""
    moment_ = until.moment_of(f"{said} {zone}" if stated == "by the text" else said, ms(now), zone=named)
    assert moment_.at_ms == ms(ends), moment_
    assert (note in moment_.note) if note else not moment_.note
    assert not note or ends in moment_.note


@pytest.mark.parametrize("said", ["0001-01-01T00:00", "0001-01-01T00:00 UTC", "02:00 UTC UTC", "T02:00 UTC"])
def test_a_moment_that_no_clock_can_show_is_refused_in_words(said: str) -> None:
    """Never as a failure of the arithmetic."""
    with pytest.raises(until.MomentInvalid):
        until.moment_of(said, NOW_MS)
