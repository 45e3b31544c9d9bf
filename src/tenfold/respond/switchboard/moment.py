"""When a setting ends: `30m`, `1h30m` from now, or `02:00`, `2026-11-12T02:00`, in a zone."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tenfold.kernel import TenfoldError
from tenfold.respond.switchboard.check import UNTIL_MAX_MS

_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(d|h|min|m|s)\s*")
_SECONDS = {"d": 86_400, "h": 3_600, "min": 60, "m": 60, "s": 1}
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


class MomentInvalid(TenfoldError):
    """A text that says no moment, or one that is over."""


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


def until(text: str, now_ms: int, *, zone: str = "") -> int:
    """The wall time in ms of the next such moment in `zone` (IANA), this machine's when none is stated.

    Raises MomentInvalid.
    """
    now = datetime.fromtimestamp(now_ms / 1000, tz=_zone(zone)) if zone else _local(now_ms)
    moment = _next_clock(text, now) or _stated(text, now)
    moment_ms = round(moment.timestamp() * 1000)
    if moment_ms <= now_ms:
        raise MomentInvalid(f"'{text}' is over already ({moment.isoformat(timespec='minutes')}).")
    return moment_ms


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."


def _next_clock(text: str, now: datetime) -> datetime | None:
    """Today at that time, or tomorrow. A time that a change of the clocks skips is that much later."""
    written = _CLOCK.fullmatch(text.strip())
    if written is None:
        return None
    moment = now.replace(hour=int(written[1]), minute=int(written[2]), second=0, microsecond=0, fold=0)
    if moment.timestamp() <= now.timestamp():
        day = now.date() + timedelta(days=1)
        moment = moment.replace(year=day.year, month=day.month, day=day.day)
    return moment


def _stated(text: str, now: datetime) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise MomentInvalid(f"'{text}' is no moment; write 02:00 or 2026-11-12T02:00.") from error
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=now.tzinfo)


def _local(now_ms: int) -> datetime:
    return datetime.fromtimestamp(now_ms / 1000).astimezone()


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise MomentInvalid(f"'{name}' is no time zone; write one like Asia/Shanghai.") from error
