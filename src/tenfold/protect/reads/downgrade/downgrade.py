"""The downgrade: reads leave a cache that is wrong on a large scale, and return when it is right again.

             alarm, rule or hand                       everybody has left, nobody holds it
    NORMAL ──────────────────────► DOWNGRADED ─────────────────────────────────────► REPAIRING
       ▲                            ▲  ▲  share of keys at the cache: 75, 50, 0 %      │  │
       │                            │  └───────── the repair failed: rest, longer ─────┘  │ repaired
       │                            └── still wrong: rest, longer ──┐                     ▼
       └── every share was clean ───────────────────────────── RETURNING: 10, 25, 50, 100 %

Nothing runs in the background: a state machine over a clock. Whoever conducts it (CacheGuard) tells it what happened.
"""

import threading
from typing import Any

from tenfold.kernel import Clock, Duration, GrowingPause, SystemClock
from tenfold.kernel.forks import tell_forks
from tenfold.kernel.shares import key_hash
from tenfold.protect.calls.limit import TierBudget
from tenfold.protect.reads.audit import Ratios, SprtDecision
from tenfold.protect.reads.downgrade.metrics import DowngradeMetrics, Phase
from tenfold.protect.reads.downgrade.returning import Returning
from tenfold.protect.reads.downgrade.staying import Detour, Staying
from tenfold.protect.reads.ladder import EVERYTHING, Route
from tenfold.telemetry import EventLog, Registry

LEAVE_STEP = Duration.from_ms(30)
RETURN_STEP = Duration.from_s(1)
REST = Duration.from_s(2)
REST_MAX = Duration.from_s(120)
_AWAY = (Phase.DOWNGRADED, Phase.REPAIRING)


class Downgrade:
    """Which reads may use the cache now, and the way out and back.

    `leaving` and `returning` are the shares of keys, by stable hash, that may be read from the cache, each for at
    least `leave_step` or `return_step`. A share of the return is left behind only when a sequential test of the
    samples since it began says that the cache is right; when it says wrong, everybody leaves again. After that, and
    after a repair that failed, the next repair waits for `rest`, doubled each time up to `rest_max`.

    `automatic` False: alarms are not followed; hands and rules are. Safe to call from any thread.
    """

    def __init__(
        self,
        name: str,
        *,
        budget: TierBudget | None = None,
        leaving: tuple[float, ...] = (0.75, 0.5, 0.0),
        leave_step: Duration = LEAVE_STEP,
        returning: tuple[float, ...] = (0.1, 0.25, 0.5, 1.0),
        return_step: Duration = RETURN_STEP,
        rest: Duration = REST,
        rest_max: Duration = REST_MAX,
        ratios: Ratios | None = None,
        automatic: bool = True,
        clock: Clock | None = None,
        registry: Registry | None = None,
        events: EventLog | None = None,
    ) -> None:
        self.name = name
        self.automatic = automatic
        self._leaving_shares, self._leave_step_ns = leaving, leave_step.ns
        self._returning_shares, self._return_step_ns, self._ratios = returning, return_step.ns, ratios
        self._now_ns = (clock or SystemClock()).monotonic_ns
        self._salt = key_hash(name)
        self._lock = threading.RLock()
        self._phase = Phase.NORMAL
        self._since_ns = self._begun_ns = self._now_ns()
        self._held_by = ""
        self._rest, self._repair_at_ns = GrowingPause(rest, rest_max), 0
        self._returning = self._first_returning()
        self._staying = self._staying_in(Phase.NORMAL)
        self._metrics = DowngradeMetrics(
            name, registry or Registry(), events, phase=lambda: self._phase, share=self.cache_share
        )
        self._detour = Detour(budget, self._metrics.shed)
        tell_forks(self)

    def after_fork(self) -> None:
        """Called in a child of a fork: nobody there holds the lock."""
        self._lock = threading.RLock()

    @property
    def phase(self) -> Phase:
        return self._phase

    @property
    def held_by(self) -> str:
        """The person who said that it must stay downgraded until released; empty without one."""
        return self._held_by

    def route(self, key: str, tier: int = 0, strict: bool = False) -> Route:
        """Where this read may go. `tier` 0 is the most critical; a strict read takes nothing that may be wrong."""
        if self._phase is Phase.NORMAL:
            return EVERYTHING
        if not strict and self._staying.keeps(key, self._now_ns):
            return EVERYTHING
        return self._detour.route(tier, strict=strict)

    def cache_share(self) -> float:
        """The share of keys that may be read from the cache now, 0 to 1."""
        return self._staying.share(self._now_ns)

    @property
    def everybody_left(self) -> bool:
        """Whether the last share of the leaving is reached."""
        return self._staying.is_last(self._now_ns) and self._phase in _AWAY

    @property
    def repair_due(self) -> bool:
        """Whether a repair should begin now."""
        return self.everybody_left and not self._held_by and self._now_ns() >= self._repair_at_ns

    def begin(self, by: str, *, hold: bool = False, **evidence: Any) -> bool:
        """Leave the cache; `hold` until `release`. False when it is left already; a hold is then taken all the same."""
        with self._lock:
            self._held_by = by if hold else self._held_by
            if self._phase in _AWAY:
                return False
            self._begun_ns = self._repair_at_ns = self._now_ns()
            self._become(Phase.DOWNGRADED, by=by, held=hold, **evidence)
            return True

    def release(self, by: str) -> None:
        """The person's hold is released: the cache is repaired, and reads return."""
        with self._lock:
            if self._held_by:
                self._metrics.tell("downgrade-released", {"by": by, "held_by": self._held_by})
                self._held_by = ""

    def end(self, by: str) -> None:
        """Back to normal at once, unproven: for a person who knows better."""
        with self._lock:
            if self._phase is not Phase.NORMAL:
                self._become(Phase.NORMAL, by=by, proven=False)

    def repair_began(self) -> bool:
        """Whether the repair may go ahead."""
        with self._lock:
            if not self.repair_due or self._phase is not Phase.DOWNGRADED:
                return False
            self._become(Phase.REPAIRING)
            return True

    def repaired(self, **evidence: Any) -> None:
        """The repair is done: reads return, the first share of them. It is ignored when nobody waits for a repair."""
        with self._lock:
            if self._phase is not Phase.REPAIRING:
                return
            if self._held_by:
                self._repair_later(f"held by {self._held_by}")
                return
            self._returning = self._first_returning()
            self._become(Phase.RETURNING, share=self._returning.share, **evidence)

    def repair_failed(self, reason: str) -> None:
        """The repair could not be done; it is tried again after the rest."""
        with self._lock:
            if self._phase is Phase.REPAIRING:
                self._repair_later(reason)

    def judge(self, samples: int, mismatches: int) -> None:
        """What an audit found since reads began to return; decides whether more may, or all must leave again."""
        with self._lock:
            if self._phase is not Phase.RETURNING:
                return
            decision = self._returning.judge(samples, mismatches, self._now_ns() - self._since_ns)
            if decision is SprtDecision.WRONG:
                self._repair_later("still wrong", **self._returning.found)
            elif decision is SprtDecision.USUAL:
                self._return_more()

    def _first_returning(self) -> Returning:
        return Returning(self._returning_shares, self._return_step_ns, self._ratios)

    def _return_more(self) -> None:
        returning = self._returning
        evidence = {**returning.found, "level": returning.level}
        if returning.advance():
            self._become(Phase.RETURNING, share=returning.share, **evidence)
        else:
            self._rest.reset()
            self._become(Phase.NORMAL, by="auditor", proven=True, **evidence)

    def _repair_later(self, reason: str, **evidence: Any) -> None:
        self._repair_at_ns = self._now_ns() + self._rest.ns
        self._become(Phase.DOWNGRADED, by="auditor", reason=reason, rest_ms=self._rest.ns / 1e6, **evidence)
        self._rest.grow()

    def _become(self, phase: Phase, **evidence: Any) -> None:
        now_ns = self._now_ns()
        if phase is not Phase.DOWNGRADED:
            evidence["downgraded_ms"] = (now_ns - self._begun_ns) / 1e6
        if phase is Phase.NORMAL:
            self._held_by = ""
        self._since_ns = now_ns
        self._staying = self._staying_in(phase)
        self._phase = phase
        self._metrics.changed(phase, evidence)

    def _staying_in(self, phase: Phase) -> Staying:
        shares: tuple[float, ...] = (1.0,)
        if phase is Phase.RETURNING:
            shares = (self._returning.share,)
        elif phase in _AWAY:
            shares = self._leaving_shares if phase is Phase.DOWNGRADED else self._leaving_shares[-1:]
        return Staying(shares, self._leave_step_ns, self._since_ns, self._salt)
