"""The fleet's hot keys, merged from what all its processes report. Pure; it runs on the control node."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from tenfold.kernel import Clock, Duration
from tenfold.protect.reads.hot.detector import FADE, HOT_MAX, KEEP, SHARE
from tenfold.protect.reads.hot.messages import TOPIC, HotKey, HotReport, HotSet, Seen
from tenfold.protect.reads.hot.noise import bar
from tenfold.respond.merges.merge_loop import MergeLoop, Put
from tenfold.respond.merges.observations import Observation, Observations

FORGET = Duration.from_s(5)
REPEAT = Duration.from_s(1)
"""The set is told again this often while there is one, so that a process knows it from one that no node keeps."""
OBSERVATIONS_EVERY = Duration.from_ms(100)
"""That others saw values unchanged is gathered so long; what rose, cooled or changed is told at once."""
SET_BYTES_MAX = 48 << 10
_NOBODY = Observation(Seen(), "", 0)


@dataclass(slots=True)
class _Hot:
    """A hot key: until when, and with which share."""

    until_ns: int
    share: float


@dataclass(slots=True)
class _Name:
    """What is known of one name: the newest report of each process, what is hot, and what was seen of it."""

    observations: Observations
    reports: dict[str, tuple[HotReport, int]] = field(default_factory=dict)
    hot: dict[str, _Hot] = field(default_factory=dict)
    told_ns: int = 0


class HotKeyMerge:
    """Sums the reports of all processes and decides by the same bar as each of them, on more evidence.

    A report fades as the reads in it would have, and is forgotten after `forget`. A key stays hot until it was below
    a quarter of `share` for `keep`. Bounded: `names_max` names, `processes_max` reports each, `hot_max` keys each;
    what is beyond is left out, and counted in `refused` where it is a report.
    """

    def __init__(
        self,
        *,
        share: float = SHARE,
        fade: Duration = FADE,
        keep: Duration = KEEP,
        forget: Duration = FORGET,
        hot_max: int = HOT_MAX,
        names_max: int = 64,
        processes_max: int = 1_024,
    ) -> None:
        self._share = share
        self._fade_ns = fade.ns
        self._keep_ns = keep.ns
        self._forget_ns = forget.ns
        self._hot_max = hot_max
        self._names_max = names_max
        self._processes_max = processes_max
        self._names: dict[str, _Name] = {}
        self.refused = 0

    def took(self, process: str, report: HotReport, now_ns: int) -> None:
        """A report of one process came in; its newest takes the place of the one before."""
        known = self._known(report.name, process)
        if known is None:
            self.refused += 1
            return
        known.reports[process] = (report, now_ns)
        for key, seen in report.seen.items():
            known.observations.took(key, seen, report.process, now_ns)

    def changes(self, now_ns: int, *, wall_ms: int) -> Mapping[str, HotSet | None]:
        """The hot set of each name where it changed, or is due to be told again; None where none is left."""
        told: dict[str, HotSet | None] = {}
        for name, known in list(self._names.items()):
            if self._decide(known, now_ns):
                told[name] = _set_of(known, wall_ms) if known.hot else None
                known.told_ns = now_ns
                known.observations.told(known.hot)
            if not known.reports and not known.hot:
                del self._names[name]
        return told

    def hot(self, name: str) -> list[str]:
        """The keys that are hot now, in order."""
        known = self._names.get(name)
        return sorted(known.hot) if known else []

    def _known(self, name: str, process: str) -> _Name | None:
        """Where a report of this name belongs; None when there is no room for another name or process."""
        known = self._names.get(name)
        if known is None and len(self._names) < self._names_max:
            known = self._names[name] = _Name(Observations(keys_max=2 * self._hot_max, forget_ns=self._forget_ns))
        if known is not None and process not in known.reports and len(known.reports) >= self._processes_max:
            return None
        return known

    def _decide(self, known: _Name, now_ns: int) -> bool:
        """Let time pass for one name; answers whether it is to be told."""
        known.reports = {
            process: (report, at_ns)
            for process, (report, at_ns) in known.reports.items()
            if now_ns - at_ns < self._forget_ns
        }
        known.observations.forget(now_ns)
        before = set(known.hot)
        self._merge(known, now_ns)
        if before != set(known.hot):
            return True
        news = list(known.observations.news(known.hot))
        silent_ns = now_ns - known.told_ns
        if any(observation.is_urgent for observation in news) or (news and silent_ns >= OBSERVATIONS_EVERY.ns):
            return True
        return bool(known.hot) and silent_ns >= REPEAT.ns

    def _merge(self, known: _Name, now_ns: int) -> None:
        reads, total, grain = self._sum(known, now_ns)
        rises, stays = bar(total, self._share / 2, grain), self._share / 4 * total
        for key, count in sorted(reads.items(), key=lambda item: (-item[1], item[0])):
            hot = known.hot.get(key)
            if hot is not None and count >= stays:
                hot.until_ns, hot.share = now_ns + self._keep_ns, count / max(total, count)
            elif hot is None and count >= rises and len(known.hot) < self._hot_max:
                known.hot[key] = _Hot(now_ns + self._keep_ns, count / max(total, count))
        for key in [key for key, hot in known.hot.items() if hot.until_ns <= now_ns]:
            del known.hot[key]

    def _sum(self, known: _Name, now_ns: int) -> tuple[dict[str, float], float, float]:
        """Reads by key, of all keys, and how coarse these numbers are."""
        reads: dict[str, float] = {}
        total = variance = 0.0
        for _, (report, at_ns) in sorted(known.reports.items()):
            faded = math.exp(-(now_ns - at_ns) / self._fade_ns)
            total += report.total * faded
            variance += report.total * report.grain * faded * faded
            for key, count in report.reads.items():
                reads[key] = reads.get(key, 0.0) + count * faded
        return reads, total, variance / total if total else 1.0


def _set_of(known: _Name, wall_ms: int) -> HotSet:
    """As many as fit into one record of the channel, in order of keys; what does not fit is the least read."""
    keys: list[HotKey] = []
    size_bytes = 0
    for key, hot in sorted(known.hot.items(), key=lambda item: -item[1].share):
        observation = known.observations.get(key) or _NOBODY
        said = HotKey(key, round(hot.share, 4), observation.seen, observation.by)
        size_bytes += len(msgspec.json.encode(said)) + 1
        if size_bytes > SET_BYTES_MAX:
            break
        keys.append(said)
    return HotSet(at_ms=wall_ms, keys=sorted(keys, key=lambda said: said.key))


def merge_hot_keys(put: Put, *, merge: "HotKeyMerge | None" = None, clock: Clock | None = None) -> MergeLoop[HotReport]:
    """What the processes are asked for most, put together for all of them."""
    return MergeLoop(TOPIC, HotReport, merge or HotKeyMerge(), put, clock=clock)
