"""When a setting ends: `30m`, `1h30m` from now, or `02:00`, `2026-11-12T02:00`, in a zone.

A day and a time of day are put together as a clock on the wall shows them, and only then become a moment: the zone may
have another offset then than it has now. Of the two moments of a time that comes twice, the first that is still ahead
is meant; a time that is skipped is as much later as the clocks are set forward (as in `java.time`).
"""

import re
from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tenfold.kernel import TenfoldError
from tenfold.respond.switchboard.draft import UNTIL_MAX_MS

_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(d|h|min|m|s)\s*")
_SECONDS = {"d": 86_400, "h": 3_600, "min": 60, "m": 60, "s": 1}
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_ZONED = re.compile(r"(.*\S)\s+([A-Za-z]\S*)")

Zone = ZoneInfo | None
"""None is this machine's, as it is at each moment: its offset of now is not that of another day."""


class MomentInvalid(TenfoldError):
    """A text that says no moment, or one that is over."""


class Moment(NamedTuple):
    """Wall time. `note` says what a change of the clocks makes of the text; nothing when it is as it was written."""

    at_ms: int
    note: str = ""


def after(text: str, now_ms: int) -> int:
    """The wall time in ms so long after now. Raises MomentInvalid."""
    parts = _PART.findall(text)
    if not parts or _PART.sub("", text).strip():
        raise MomentInvalid(f"'{text}' is no length of time; write 30m, 1h30m, 90s or 2d.")
    length_s = sum(float(amount) * _SECONDS[unit] for amount, unit in parts)
    if length_s > UNTIL_MAX_MS / 1000:
        raise MomentInvalid(f"'{_short(text)}' is too long; a setting ends within 400 days, or is left without an end.")
    length_ms = round(length_s * 1000)
    if length_ms <= 0:
        raise MomentInvalid("A setting that ends at once sets nothing.")
    return now_ms + length_ms


def moment_of(text: str, now_ms: int, *, zone: str = "") -> Moment:
    """The next such moment in the zone (IANA) that the text ends with, else in `zone`, else in this machine's.

    Raises MomentInvalid.
    """
    written, named = _split(text)
    where = _zone(named or zone)
    try:
        readings = list(_readings(written, datetime.fromtimestamp(now_ms / 1000, tz=where)))
        moments = [moment for reading in readings for moment in _moments(reading, where)]
    except (OverflowError, ValueError, OSError) as error:
        raise MomentInvalid(f"'{text}' is no moment; write 02:00 or 2026-11-12T02:00.") from error
    ahead = next((moment for moment in moments if moment.at_ms > now_ms), None)
    if ahead is None:
        raise MomentInvalid(f"'{text}' is over already ({_iso(moments[-1].at_ms, where)}).")
    return ahead


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."


def _readings(written: str, now: datetime) -> Iterable[datetime]:
    """What the clock on the wall will show: at a time of day today, or tomorrow; or as it was stated."""
    clock = _CLOCK.fullmatch(written)
    if clock is None:
        return [datetime.fromisoformat(written)]
    at = time(int(clock[1]), int(clock[2]))
    return [datetime.combine(now.date() + timedelta(days=days), at) for days in (0, 1)]


def _moments(reading: datetime, where: Zone) -> list[Moment]:
    """One, or two when the clocks show it twice."""
    if reading.tzinfo is not None:
        return [Moment(_ms(reading))]
    first_ms, second_ms = (_ms(reading.replace(fold=fold, tzinfo=where)) for fold in (0, 1))
    if first_ms == second_ms:
        return [Moment(first_ms)]
    if first_ms > second_ms:
        return [Moment(first_ms, f"The clocks skip {_shown(reading)}; it ends at {_iso(first_ms, where)}.")]
    return [
        Moment(at_ms, f"The clocks show {_shown(reading)} twice; it ends the {which} time, {_iso(at_ms, where)}.")
        for at_ms, which in ((first_ms, "first"), (second_ms, "second"))
    ]


def _split(text: str) -> tuple[str, str]:
    """What was written, and the zone that stands after it."""
    zoned = _ZONED.fullmatch(text.strip())
    return (zoned[1], zoned[2]) if zoned is not None else (text.strip(), "")


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _shown(reading: datetime) -> str:
    return reading.strftime("%H:%M on %Y-%m-%d")


def _iso(at_ms: int, where: Zone) -> str:
    return datetime.fromtimestamp(at_ms / 1000, tz=where).astimezone(where).isoformat(timespec="minutes")


def _zone(name: str) -> Zone:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise MomentInvalid(f"'{name}' is no time zone; write one like Asia/Shanghai.") from error
