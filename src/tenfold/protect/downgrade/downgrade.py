"""The downgrade: reads leave a cache that is wrong on a large scale, and return when it is right again.

             alarm, rule or hand                       everybody has left, nobody holds it
    NORMAL ──────────────────────► DOWNGRADED ─────────────────────────────────────► REPAIRING
       ▲                            ▲  ▲  share of keys at the cache: 75, 50, 0 %      │  │
       │                            │  └───────── the repair failed: rest, longer ─────┘  │ repaired
       │                            └── still wrong: rest, longer ──┐                     ▼
       └── every share was clean ───────────────────────────── RETURNING: 10, 25, 50, 100 %

Nothing runs in the background: a state machine over a clock. Whoever conducts it (CacheGuard) tells it what happened.
"""

import enum
import threading
import zlib
from typing import Any

from tenfold.kernel import Clock, Duration, SystemClock
from tenfold.kernel.forks import tell_forks
from tenfold.protect.audit import Decision, Ratios, Sprt
from tenfold.protect.ladder import EVERYTHING, Route
from tenfold.protect.limit import TierBudget
from tenfold.telemetry import EventLog, Registry

LEAVE_STEP = Duration.from_ms(30)
RETURN_STEP = Duration.from_s(1)
REST = Duration.from_s(2)
REST_MAX = Duration.from_s(120)
_HASHES = 1 << 32

_NO_CACHE = Route(near=True, cache=False, database=True)
_STRICT = Route(near=False, cache=False, database=True)
_NEAR_ONLY = Route(near=True, cache=False, database=False)
_NOTHING = Route(near=False, cache=False, database=False)


class Phase(enum.Enum):
    NORMAL = "normal"
    DOWNGRADED = "downgraded"
    REPAIRING = "repairing"
    RETURNING = "returning"


_GAUGE = {Phase.NORMAL: 0, Phase.DOWNGRADED: 1, Phase.REPAIRING: 2, Phase.RETURNING: 3}
_EVENT = {
    Phase.NORMAL: "downgrade-ended",
    Phase.DOWNGRADED: "downgrade-begun",
    Phase.REPAIRING: "downgrade-repairing",
    Phase.RETURNING: "downgrade-returning",
}


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
        self._budget = budget
        self._leaving, self._leave_step_ns = leaving, leave_step.ns
        self._returning, self._return_step_ns = returning, return_step.ns
        self._first_rest_ns = self._rest_ns = rest.ns
        self._rest_max_ns = rest_max.ns
        self._ratios = ratios
        self._now_ns = (clock or SystemClock()).monotonic_ns
        self._events = events
        self._salt = zlib.crc32(name.encode())
        self._lock = threading.RLock()
        self._phase = Phase.NORMAL
        self._since_ns = self._begun_ns = self._repair_from_ns = self._now_ns()
        self._held_by = ""
        self._step = 0
        self._staying, self._settled = _HASHES, True
        """The hashes below this one stay at the cache; settled: no time changes it."""
        self._test = Sprt(ratios)
        self._declare(registry or Registry())
        tell_forks(self)

    def after_fork(self) -> None:
        """Called in a child of a fork: nobody there holds the lock."""
        self._lock = threading.RLock()

    def _declare(self, registry: Registry) -> None:
        label, name = ("downgrade",), self.name
        phase = registry.gauge("tenfold_downgrade_phase", "0 normal, 1 downgraded, 2 repairing, 3 returning.", label)
        share = registry.gauge("tenfold_downgrade_cache_ratio", "Share of keys that may be read from the cache.", label)
        phase.child(name).ask(lambda: _GAUGE[self._phase])
        share.child(name).ask(self.cache_share)
        transitions = registry.counter(
            "tenfold_downgrade_transitions_total", "Changes of phase, by the one that began.", ("downgrade", "to")
        )
        self._transitions = {phase: transitions.child(name, phase.value) for phase in Phase}
        shed = registry.counter("tenfold_downgrade_shed_total", "Reads that only the near cache may answer.", label)
        self._shed = shed.child(name)

    @property
    def phase(self) -> Phase:
        return self._phase

    @property
    def held_by(self) -> str:
        """Who said that it must stay downgraded until released; empty: nobody."""
        return self._held_by

    def route(self, key: str, tier: int = 0, strict: bool = False) -> Route:
        """Where this read may go. `tier` 0 is the most critical; a strict read takes nothing that may be wrong."""
        if self._phase is Phase.NORMAL:
            return EVERYTHING
        if strict:
            return _STRICT if self._may_ask_database(tier) else _NOTHING
        staying = self._staying if self._settled else self._stay_a_while()
        if staying and self._hash_of(key) < staying:
            return EVERYTHING
        return _NO_CACHE if self._may_ask_database(tier) else _NEAR_ONLY

    def cache_share(self) -> float:
        """The share of keys that may be read from the cache now, 0 to 1."""
        return round((self._staying if self._settled else self._stay_a_while()) / _HASHES, 6)

    def _stay_a_while(self) -> int:
        """While reads leave, time alone makes the steps; the last one stands."""
        step = (self._now_ns() - self._since_ns) // self._leave_step_ns
        staying = round(self._leaving[min(step, len(self._leaving) - 1)] * _HASHES)
        with self._lock:
            if self._phase is Phase.DOWNGRADED and step >= len(self._leaving) - 1:
                self._staying, self._settled = staying, True
        return staying

    @property
    def everybody_left(self) -> bool:
        """Whether the last share of the leaving is reached."""
        if not self._settled:
            self._stay_a_while()
        return self._settled and self._phase in (Phase.DOWNGRADED, Phase.REPAIRING)

    @property
    def repair_due(self) -> bool:
        """Whether a repair should begin now."""
        return self.everybody_left and not self._held_by and self._now_ns() >= self._repair_from_ns

    def begin(self, by: str, *, hold: bool = False, **evidence: Any) -> bool:
        """Leave the cache; `hold` until `release`. False when it is left already; a hold is then taken all the same."""
        with self._lock:
            self._held_by = by if hold else self._held_by
            if self._phase in (Phase.DOWNGRADED, Phase.REPAIRING):
                return False
            self._leave(self._now_ns(), by=by, held=hold, **evidence)
            return True

    def release(self, by: str) -> None:
        """Nobody holds it any longer: it is repaired, and reads return."""
        with self._lock:
            if self._held_by:
                self._tell("downgrade-released", by=by, held_by=self._held_by)
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
                self._rest(f"held by {self._held_by}")
                return
            self._step, self._test = 0, Sprt(self._ratios)
            self._become(Phase.RETURNING, share=self._returning[0], **evidence)

    def repair_failed(self, reason: str) -> None:
        """The repair could not be done; it is tried again after the rest."""
        with self._lock:
            if self._phase is Phase.REPAIRING:
                self._rest(reason)

    def judge(self, samples: int, mismatches: int) -> None:
        """What an audit found since reads began to return; decides whether more may, or all must leave again."""
        with self._lock:
            if self._phase is not Phase.RETURNING:
                return
            decision = self._test.record(samples, mismatches)
            if decision is Decision.WRONG:
                self._rest("still wrong", samples=self._test.samples, mismatches=self._test.mismatches)
            elif decision is Decision.USUAL and self._now_ns() - self._since_ns >= self._return_step_ns:
                self._return_more()

    def _return_more(self) -> None:
        evidence = {"samples": self._test.samples, "mismatches": self._test.mismatches, "level": self._test.level}
        self._step += 1
        self._test = Sprt(self._ratios)
        if self._step < len(self._returning):
            self._become(Phase.RETURNING, share=self._returning[self._step], **evidence)
        else:
            self._rest_ns = self._first_rest_ns
            self._become(Phase.NORMAL, by="auditor", proven=True, **evidence)

    def _leave(self, now_ns: int, **evidence: Any) -> None:
        self._begun_ns = now_ns
        self._repair_from_ns = now_ns
        self._become(Phase.DOWNGRADED, **evidence)

    def _rest(self, reason: str, **evidence: Any) -> None:
        self._repair_from_ns = self._now_ns() + self._rest_ns
        self._become(Phase.DOWNGRADED, by="auditor", reason=reason, rest_ms=self._rest_ns / 1e6, **evidence)
        self._rest_ns = min(2 * self._rest_ns, self._rest_max_ns)

    def _become(self, phase: Phase, **evidence: Any) -> None:
        now_ns = self._now_ns()
        if phase is not Phase.DOWNGRADED:
            evidence["downgraded_ms"] = (now_ns - self._begun_ns) / 1e6
        if phase is Phase.NORMAL:
            self._held_by = ""
        self._since_ns = now_ns
        if phase is Phase.DOWNGRADED:
            self._settled = False
        else:
            self._staying, self._settled = round(self._share_of(phase) * _HASHES), True
        self._phase = phase
        self._transitions[phase].inc()
        self._tell(_EVENT[phase], **evidence)

    def _share_of(self, phase: Phase) -> float:
        if phase is Phase.RETURNING:
            return self._returning[self._step]
        return 1.0 if phase is Phase.NORMAL else self._leaving[-1]

    def _tell(self, kind: str, **evidence: Any) -> None:
        if self._events is not None:
            self._events.emit(kind, self.name, **evidence)

    def _may_ask_database(self, tier: int) -> bool:
        if self._budget is None or self._budget.admits(tier):
            return True
        self._shed.inc()
        return False

    def _hash_of(self, key: str) -> int:
        """Stable over processes. A CRC of similar keys is uneven, so it is mixed (MurmurHash3's finalizer)."""
        mixed = zlib.crc32(key.encode(), self._salt)
        mixed = (mixed ^ mixed >> 16) * 0x85EBCA6B & 0xFFFFFFFF
        mixed = (mixed ^ mixed >> 13) * 0xC2B2AE35 & 0xFFFFFFFF
        return mixed ^ mixed >> 16
