"""Values, scopes, moments and lengths as a person reads them; the filters of the templates. Pure."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, tzinfo
from hashlib import blake2b
from typing import Any
from urllib.parse import quote

import msgspec

from tenfold.protect.live.switches import RecordInvalid, Rule, SwitchRecord
from tenfold.respond.switchboard.history import HistoryEntry

LENGTH_MAX = 80


def said(value: Any) -> str:
    """A value, short; what is cut off ends in three points."""
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:.12g}"
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= LENGTH_MAX else f"{text[: LENGTH_MAX - 1]}…"


def scope(rule: Rule) -> str:
    """For whom a rule holds."""
    parts = [
        f"{rule.percent:g} % of subjects" if rule.percent is not None else "",
        _named("store", rule.stores),
        _named("service", rule.services),
        _named("instance", rule.instances),
        ", ".join(f"{name} = {said(value)}" for name, value in rule.where.items()),
    ]
    return " · ".join(filter(None, parts)) or "everywhere"


def moment(wall_ns: int, zone: tzinfo | None = None) -> str:
    """`22 Nov 22:31:05 UTC`; in this machine's zone when none is stated."""
    when = datetime.fromtimestamp(wall_ns // 1_000_000_000, tz=zone).astimezone(zone)
    return f"{when.day} {when:%b %H:%M:%S %Z}"


def iso(wall_ns: int) -> str:
    """For machines: the attribute of a `time` element."""
    return datetime.fromtimestamp(wall_ns // 1_000_000_000).astimezone().isoformat()


def lasting(seconds: float) -> str:
    """How long, in the two largest units that say something."""
    whole = max(0, int(seconds))
    days, hours, minutes = whole // 86_400, whole // 3600 % 24, whole // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {whole % 60:02} s" if minutes else f"{whole} s"


def milliseconds(ms: float) -> str:
    """Three digits are what a reader compares."""
    return f"{ms:,.0f} ms" if ms >= 100 else f"{ms:.{1 if ms >= 10 else 2}f} ms"


def rate(per_s: float) -> str:
    return f"{per_s:,.0f}/s" if per_s >= 10 or per_s == 0 else f"{per_s:.2g}/s"


def in_path(name: str) -> str:
    """A name as the last part of an address. A record can have any key, `a/b` too."""
    return quote(name, safe="")


def counted(number: int, noun: str) -> str:
    """`1 store`, `3 stores`, `2 processes`, `4 switches`."""
    plural = f"{noun}es" if noun.endswith(("s", "ch")) else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"


def some(names: Sequence[str], most: int = 6) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def seal(rule: Rule) -> str:
    """Names one rule as it stands: whatever is changed in it, or stands in its place, has another name."""
    return blake2b(msgspec.json.encode(rule), digest_size=8).hexdigest()


def rules(entry: HistoryEntry) -> tuple[Rule, ...]:
    """What a change set; nothing when it took everything back, or when it cannot be read."""
    if entry.record is None:
        return ()
    try:
        return SwitchRecord.read(entry.switch, msgspec.json.encode(entry.record)).rules
    except RecordInvalid:
        return ()


FILTERS: Mapping[str, Callable[..., Any]] = {
    "said": said,
    "scope": scope,
    "moment": moment,
    "iso": iso,
    "lasting": lasting,
    "milliseconds": milliseconds,
    "rate": rate,
    "in_path": in_path,
    "counted": counted,
    "some": some,
    "seal": seal,
    "rules": rules,
}


def _named(noun: str, names: Sequence[str]) -> str:
    return f"{noun if len(names) == 1 else noun + 's'} {some(names)}" if names else ""
