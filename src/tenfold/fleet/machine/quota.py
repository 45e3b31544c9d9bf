"""How much processor time the control group of this process may use, and how long it was held back (cgroups v1, v2).

A limit of any group above counts as well: the tightest is quoted, and the longest time that one of them held back.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")
_V1_FOLDERS = ("cpu", "cpu,cpuacct", "cpuacct,cpu")
_V2_FOLDERS = ("", "unified")


@dataclass(frozen=True, slots=True)
class Quota:
    """`cores` is None when nothing limits them; `throttled_s` is None when no group says how long it held back."""

    cores: float | None = None
    throttled_s: float | None = None


def quota(groups: Path = GROUPS, membership: Path = MEMBERSHIP) -> Quota:
    """The quota that binds this process now."""
    found = [_quota_in(folder) for folder in _folders(groups, membership)]
    limits = [one.cores for one in found if one.cores is not None]
    waits = [one.throttled_s for one in found if one.throttled_s is not None]
    return Quota(cores=min(limits, default=None), throttled_s=max(waits, default=None))


def _folders(groups: Path, membership: Path) -> Iterator[Path]:
    """The group of this process under each version, and every group above it, as far as they can be seen here."""
    for line in _text(membership).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        inside = Path(path.lstrip("/"))
        for name in _V1_FOLDERS if controllers else _V2_FOLDERS:
            yield from (groups / name / part for part in (inside, *inside.parents))


def _quota_in(folder: Path) -> Quota:
    told = dict(line.split() for line in _text(folder / "cpu.stat").splitlines())
    if "throttled_usec" in told:
        throttled_s: float | None = int(told["throttled_usec"]) / 1e6
    else:
        throttled_s = int(told["throttled_time"]) / 1e9 if "throttled_time" in told else None
    limit, period = _text(folder / "cpu.max").split() or (
        _text(folder / "cpu.cfs_quota_us").strip() or "max",
        _text(folder / "cpu.cfs_period_us").strip() or "100000",
    )
    return Quota(cores=None if limit in ("max", "-1") else int(limit) / int(period), throttled_s=throttled_s)


def _text(path: Path) -> str:
    """Empty where there is no such file, or none for this reader."""
    try:
        return path.read_text()
    except OSError:
        return ""
