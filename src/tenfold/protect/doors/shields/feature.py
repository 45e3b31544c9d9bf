"""One feature of an app: whether it is open, for whom, and what its absence saves."""

import enum
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from tenfold.kernel.forks import tell_forks
from tenfold.protect.doors.shields.metrics import ShieldMetrics
from tenfold.protect.doors.shields.report import FeatureReport
from tenfold.protect.live.switches import BooleanSwitch
from tenfold.telemetry import EventLog

TIERS = 4
SERVED = "served"


class Cause(enum.StrEnum):
    """Why somebody misses it here. HAND: its switch, whoever set that. RULE: the app's own. LOAD: the shedder."""

    HAND = "hand"
    RULE = "rule"
    LOAD = "load"


class FeatureView(NamedTuple):
    """A feature as people see it. `spared`: requests that did without it; `saved_s`: what they would have taken, None
    while it is not known what one takes.
    """

    name: str
    tier: str
    says: str
    cost: str
    shielded_by: tuple[str, ...]
    served: int
    spared: int
    saved_s: float | None


class Feature:
    """Made by `Shields`. May be asked from any thread; asking neither raises nor waits."""

    def __init__(
        self,
        switch: BooleanSwitch,
        *,
        cost: str,
        when: Callable[[], bool] | None,
        metrics: ShieldMetrics,
        events: EventLog | None,
    ) -> None:
        self.name = switch.name
        self.cost = cost
        self.switch = switch
        self._tier = int(switch.declaration.tier[1:])
        self._when = when
        self._events = events
        self._pressed = False
        self._ruled = False
        self._causes: frozenset[Cause] = frozenset()
        self._spared_before = 0
        self._lock = threading.Lock()
        self._served = metrics.requests.child(self.name, SERVED)
        self._spared = {cause: metrics.requests.child(self.name, cause.value) for cause in Cause}
        self._seconds = metrics.seconds.child(self.name)
        metrics.shielded.child(self.name).ask(lambda: float(bool(self._causes)))
        tell_forks(self)

    def open(self, *, store: str | None = None, subject: str | None = None) -> bool:
        """Whether to serve it now, to `subject` (whom a percentage counts) in `store`; counted either way."""
        cause = self._cause(store, subject)
        if cause is None:
            self._served.value += 1
            return True
        self._spared[cause].value += 1
        return False

    def spent(self, ns: int) -> None:
        """It was served, and this is what it took: so it is known what its absence saves."""
        self._seconds.record_ns(ns)

    def press(self, level: float) -> None:
        """How bad the load is, 0 to 1: of four tiers P3 goes at a quarter, P2 at a half; P0 never."""
        self._pressed = self._tier > 0 and level >= (TIERS - self._tier) / TIERS
        self.look()

    def look(self) -> None:
        """Say it when the first has begun to miss it, and when nobody does any longer."""
        with self._lock:
            before, self._causes = self._causes, self._find_causes()
            begun, ended = not before and self._causes, before and not self._causes
            spared = self._spared_all - self._spared_before
            if begun:
                self._spared_before = self._spared_all
        if begun:
            self._emit("shield-begun", by=sorted(self._causes), cost=self.cost)
        elif ended:
            self._emit("shield-ended", spared=spared, saved_s=self._saved_s(spared))

    @property
    def view(self) -> FeatureView:
        said = self.switch.declaration
        spared = self._spared_all
        by = tuple(sorted(self._causes))
        saved_s = self._saved_s(spared)
        return FeatureView(self.name, said.tier, said.says, self.cost, by, self._served.value, spared, saved_s)

    @property
    def report(self) -> FeatureReport:
        """The same for the control node."""
        taken = self._seconds.histogram
        return FeatureReport(
            name=self.name,
            by=tuple(cause.value for cause in sorted(self._causes)),
            served=self._served.value,
            spared={cause.value: counter.value for cause, counter in self._spared.items() if counter.value},
            timed=taken.count,
            spent_s=taken.total / 1e9,
        )

    def after_fork(self) -> None:
        self._lock = threading.Lock()

    def _cause(self, store: str | None, subject: str | None) -> Cause | None:
        if not self.switch.at(store=store, subject=subject):
            return Cause.HAND
        if self._when is not None and self._is_ruled(self._when):
            return Cause.RULE
        return Cause.LOAD if self._pressed else None

    def _is_ruled(self, when: Callable[[], bool]) -> bool:
        """A rule that raises says nothing: the feature stays as it is."""
        with suppress(Exception):
            ruled = bool(when())
            if ruled != self._ruled:
                self._ruled = ruled
                self.look()
        return self._ruled

    def _find_causes(self) -> frozenset[Cause]:
        own = self.switch.own
        off = any(rule.value is False and rule.reaches(own) for rule in self.switch.record.rules)
        found = {Cause.HAND: off, Cause.RULE: self._ruled, Cause.LOAD: self._pressed}
        return frozenset(cause for cause, holds in found.items() if holds)

    @property
    def _spared_all(self) -> int:
        return sum(counter.value for counter in self._spared.values())

    def _saved_s(self, spared: int) -> float | None:
        taken = self._seconds.histogram
        if not spared:
            return 0.0
        return round(spared * taken.total / taken.count / 1e9, 3) if taken.count else None

    def _emit(self, kind: str, **evidence: object) -> None:
        if self._events is not None:
            self._events.emit(kind, self.name, **evidence)
