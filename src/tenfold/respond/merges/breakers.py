"""The breakers of the whole fleet, merged from what its processes report. Pure; it runs on the control node.

One process that finds a dependency broken may have a bad network of its own, so nothing is said until `quorum` of
them do, or twice as many doubt, which is how a fleet learns it of which each process calls but now and then. What a
process merely believes is no evidence: words do not feed on themselves.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

from tenfold.kernel import Clock, Duration
from tenfold.protect.calls.breaker.messages import TOPIC, BreakerReport, FleetWord
from tenfold.protect.calls.breaker.state import DOUBT_KEEP, FORGET, BreakerStanding
from tenfold.respond.merges.merge_loop import MergeLoop, Put

QUORUM = 3
PROBERS = 3
"""So many probe for all: one may have died without a word, and the more there are, the sooner it is found."""
ALIVE = Duration.from_s(3)
"""A prober of which nothing was heard for so long makes room for another."""
TENURE = Duration.from_s(6)
"""So does one that probed for so long: it may be its own network that is broken."""
REPEAT = Duration.from_s(2)
"""While probers live the others are told to go on waiting."""
BACK_KEEP = Duration.from_s(2)
NAMES_MAX = 1_024
PROCESSES_MAX = 1_024
_MAY_PROBE = frozenset({BreakerStanding.BROKEN, BreakerStanding.BELIEVED})


@dataclass(slots=True)
class _Name:
    """What each process said of one breaker and when, and what all were told."""

    standings: dict[str, tuple[BreakerStanding, int]] = field(default_factory=dict)
    probers: dict[str, int] = field(default_factory=dict)
    """Since when each of them probes."""
    episode: int = 0
    is_broken: bool = False
    told: FleetWord | None = None
    told_ns: int = 0


class BreakerMerge:
    """Bounded: `names_max` names, `processes_max` processes each; what is beyond is left out and counted."""

    def __init__(
        self,
        *,
        quorum: int = QUORUM,
        probers: int = PROBERS,
        forget: Duration = FORGET,
        back_keep: Duration = BACK_KEEP,
        doubt_keep: Duration = DOUBT_KEEP,
        names_max: int = NAMES_MAX,
        processes_max: int = PROCESSES_MAX,
    ) -> None:
        self._quorum = quorum
        self._probers = probers
        self._kept_ns = dict.fromkeys(BreakerStanding, forget.ns)
        self._kept_ns[BreakerStanding.BACK] = back_keep.ns
        self._kept_ns[BreakerStanding.DOUBTED] = doubt_keep.ns
        self._names_max = names_max
        self._processes_max = processes_max
        self._names: dict[str, _Name] = {}
        self._episodes = 0
        self.refused = 0

    def took(self, process: str, report: BreakerReport, now_ns: int) -> None:
        """All that is not well in a process. What it named before and names no more is back."""
        for name, known in self._names.items():
            if process in known.standings and name not in report.standings:
                _return(known, process, now_ns)
        for name, standing in report.standings.items():
            known_or_none = self._known(name, process)
            if known_or_none is None:
                self.refused += 1
            else:
                known_or_none.standings[process] = (standing, now_ns)

    def changes(self, now_ns: int, *, wall_ms: int = 0) -> Mapping[str, FleetWord | None]:
        """The word on each name where there is a new one; None where there is none any more."""
        told: dict[str, FleetWord | None] = {}
        for name, known in list(self._names.items()):
            self._forget(known, now_ns)
            word = self._word(name, known, now_ns)
            is_due = word is not None and not word.back and now_ns - known.told_ns >= REPEAT.ns
            if is_due or _differ(word, known.told):
                told[name] = known.told = word
                known.told_ns = now_ns
            if not known.standings:
                del self._names[name]
        return told

    def word(self, name: str) -> FleetWord | None:
        """What all were told last about this breaker."""
        known = self._names.get(name)
        return known.told if known else None

    def _known(self, name: str, process: str) -> _Name | None:
        known = self._names.get(name)
        if known is None and len(self._names) < self._names_max:
            known = self._names[name] = _Name()
        if known is not None and process not in known.standings and len(known.standings) >= self._processes_max:
            return None
        return known

    def _forget(self, known: _Name, now_ns: int) -> None:
        for process, (standing, at_ns) in list(known.standings.items()):
            if now_ns - at_ns >= self._kept_ns[standing]:
                del known.standings[process]

    def _word(self, name: str, known: _Name, now_ns: int) -> FleetWord | None:
        """It is broken from a quorum on until nobody is left to say so."""
        count = [standing for standing, _ in known.standings.values()]
        broken, back = count.count(BreakerStanding.BROKEN), count.count(BreakerStanding.BACK)
        if 2 * broken + count.count(BreakerStanding.DOUBTED) >= 2 * self._quorum and not known.is_broken:
            known.is_broken = True
            self._episodes += 1
            known.episode = self._episodes
        elif known.is_broken and not (broken or BreakerStanding.DOUBTED in count):
            known.is_broken = False
        if not known.is_broken and not (back and known.told):
            return None
        self._choose(name, known, now_ns)
        return FleetWord(known.episode, broken, back, list(known.probers))

    def _choose(self, name: str, known: _Name, now_ns: int) -> None:
        """A prober goes on for a while; vacancies are filled in an order that differs from name to name."""
        able = {process: at_ns for process, (standing, at_ns) in known.standings.items() if standing in _MAY_PROBE}
        before = known.probers
        known.probers = {
            process: since_ns
            for process, since_ns in before.items()
            if process in able and now_ns - since_ns < TENURE.ns and now_ns - max(able[process], since_ns) < ALIVE.ns
        }
        fresh = sorted(
            able.keys() - known.probers.keys(), key=lambda process: (process in before, _rank(name, process))
        )
        for process in fresh[: self._probers - len(known.probers)]:
            known.probers[process] = now_ns


def _return(known: _Name, process: str, now_ns: int) -> None:
    """The process does not name it any more: whoever only doubted has nothing to come back from."""
    standing, _ = known.standings[process]
    if standing is BreakerStanding.DOUBTED:
        del known.standings[process]
    elif standing is not BreakerStanding.BACK:
        known.standings[process] = (BreakerStanding.BACK, now_ns)


def _differ(word: FleetWord | None, told: FleetWord | None) -> bool:
    """True when a process would act otherwise on `word`: how many are beyond the quorum does not matter."""
    if word is None or told is None:
        return word is not told
    return (word.episode, bool(word.back), word.probers) != (told.episode, bool(told.back), told.probers)


def _rank(name: str, process: str) -> bytes:
    return blake2b(f"{name}\x1f{process}".encode(), digest_size=8).digest()


def merge_breakers(
    put: Put, *, merge: "BreakerMerge | None" = None, clock: Clock | None = None
) -> MergeLoop[BreakerReport]:
    """What the processes know of their breakers, put together for all of them."""
    return MergeLoop(TOPIC, BreakerReport, merge or BreakerMerge(), put, clock=clock)
