"""Laws of when a setting ends: what the wall clock will show then is what was written, whatever the clocks do."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from tenfold.respond.switchboard import until

ZONES = st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Shanghai", "Asia/Kathmandu"])
YEAR_MS = 366 * 86_400_000
NOWS = st.integers(0, 2 * YEAR_MS).map(lambda ms: ms + round(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000))


@given(zone=ZONES, now_ms=NOWS, at=st.times().map(lambda at: at.replace(second=0, microsecond=0, tzinfo=None)))
def test_a_time_of_day_is_the_next_moment_at_which_the_clock_shows_it(zone: str, now_ms: int, at: object) -> None:
    """Unless the clocks skip it, which is said; and never more than a day and an hour away."""
    said = f"{at:%H:%M}"
    ends = until.moment_of(said, now_ms, zone=zone)
    shown = datetime.fromtimestamp(ends.at_ms / 1000, tz=ZoneInfo(zone))
    assert shown.strftime("%H:%M") == said or "skip" in ends.note
    assert 0 < ends.at_ms - now_ms <= 25 * 3_600_000
    assert shown.isoformat(timespec="minutes") in ends.note or not ends.note
