"""From the main cluster to the standby, and back when the main is warm.

               nobody answers             confirmed: no primary, or its data are gone
         MAIN ───────────────► SUSPECTED ─────────────────────────────────────────────► STANDBY
         ▲  ▲                      │                                                    │    ▲
         │  └── a false alarm ─────┘          stayed long enough, has a primary, warm   │    │ doubted again:
         │                                                                              ▼    │ stays twice as long
         └────────────────────────────────────────────────────────────────────────── RETURNING
            each fraction of the keys held for a while: 10 %, 25 %, 50 %, 100 %

Nothing runs in the background: what traffic and examinations say are the only inputs, and time is asked of the clock.
"""

import enum
from typing import Any

from tenfold.engines.valkey import Health
from tenfold.kernel import Clock, Duration, GrowingPause, SystemClock
from tenfold.kernel.shares import KEY_HASHES, key_hash
from tenfold.telemetry import EventLog, Registry

STAY = Duration.from_s(2)
STAY_MAX = Duration.from_s(120)
CALM = Duration.from_s(300)
HOLD = Duration.from_s(1)
WARMTH_MIN = 0.9
FRACTIONS = (0.1, 0.25, 0.5, 1.0)


class Side(enum.StrEnum):
    MAIN = "main"
    STANDBY = "standby"


class FailoverState(enum.StrEnum):
    MAIN = "main"
    SUSPECTED = "suspected"
    STANDBY = "standby"
    RETURNING = "returning"


_GAUGE = {state: number for number, state in enumerate(FailoverState)}


_WELL = Health(readable=True, primary=True)


class Failover:
    """Says which cluster a key is read from. For one event loop; any thread may ask.

    `stay` is how long the standby serves at least, twice as long each time when the main was lost again within `calm`
    of its return, up to `stay_max`; so there is no flip-flop. The main takes back `fractions` of the keys, each held
    for `hold`, once it answers for `warmth_min` of the reads that the standby can answer. When the standby cannot
    answer and the main can, the main is asked whatever its state.
    """

    def __init__(
        self,
        name: str,
        *,
        clock: Clock | None = None,
        registry: Registry | None = None,
        events: EventLog | None = None,
        stay: Duration = STAY,
        stay_max: Duration = STAY_MAX,
        calm: Duration = CALM,
        hold: Duration = HOLD,
        warmth_min: float = WARMTH_MIN,
        fractions: tuple[float, ...] = FRACTIONS,
    ) -> None:
        self.name = name
        self.state = FailoverState.MAIN
        self.pinned: Side | None = None
        self._now_ns = (clock or SystemClock()).monotonic_ns
        self._events = events
        self._stay = GrowingPause(stay, stay_max)
        self._calm_ns = calm.ns
        self._hold_ns = hold.ns
        self._warmth_min = warmth_min
        self._fractions = fractions
        self._step = 0
        self._main = self._standby = _WELL
        self._warmth: float | None = None
        self._since_ns = self._left_at_ns = self._now_ns()
        self._returned_at_ns: int | None = None
        self._declare(registry or Registry())

    def _declare(self, registry: Registry) -> None:
        label = ("failover",)
        state = registry.gauge("tenfold_failover_state", "0 main, 1 suspected, 2 standby, 3 returning.", label)
        state.child(self.name).ask(lambda: _GAUGE[self.state])
        share = registry.gauge("tenfold_failover_main_ratio", "Share of the keys that the main is asked for.", label)
        share.child(self.name).ask(lambda: self.main_ratio)
        warmth = registry.gauge(
            "tenfold_failover_warmth_ratio", "Of what the active cluster can answer, the share of the other.", label
        )
        warmth.child(self.name).ask(lambda: self._warmth if self._warmth is not None else 0.0)
        changes = registry.counter(
            "tenfold_failover_transitions_total", "Changes of state, by the state that began.", ("failover", "to")
        )
        self._changes = {state: changes.child(self.name, state.value) for state in FailoverState}

    @property
    def main_ratio(self) -> float:
        """The share of the keys that the main is asked for."""
        if self.pinned is not None:
            return float(self.pinned is Side.MAIN)
        if self.state is FailoverState.MAIN:
            return 1.0
        if not self._standby.readable and self._main.readable:
            return 1.0
        return self._fractions[self._step] if self.state is FailoverState.RETURNING else 0.0

    @property
    def active(self) -> Side:
        """The side whose data are the measure of the other's."""
        if self.pinned is not None:
            return self.pinned
        return Side.MAIN if self.state is FailoverState.MAIN else Side.STANDBY

    def asks_main(self, key: str) -> bool:
        """True when the main is asked for `key`; the same key has the same answer while the fraction stands."""
        if self.state is FailoverState.MAIN and self.pinned is None:
            return True
        ratio = self.main_ratio
        return ratio >= 1.0 or (ratio > 0.0 and key_hash(key) < ratio * KEY_HASHES)

    def pin(self, side: Side | None, by: str = "") -> None:
        """By hand: read from `side` whatever is found, until it is set free by None."""
        self.pinned = side
        if self._events is not None:
            self._events.emit("failover-pinned" if side else "failover-unpinned", self.name, side=side, by=by)

    def doubt(self, side: Side, reason: str) -> None:
        """Traffic: nobody in that cluster answers. An examination must follow."""
        if side is Side.STANDBY:
            self._standby = self._standby._replace(readable=False)
            return
        self._main = self._main._replace(readable=False)
        if self.state in (FailoverState.MAIN, FailoverState.RETURNING):
            self._leave(FailoverState.SUSPECTED, reason)

    def examined(self, main: Health, standby: Health, warmth: float | None = None) -> None:
        """What servers said of themselves, and the share of recent reads that the passive cluster could answer too.

        `warmth` None: it could not be measured, which is not warm.
        """
        renewed = main.renewals != self._main.renewals
        self._main, self._standby, self._warmth = main, standby, warmth
        well = main.readable and main.primary and not renewed
        if not well:
            self._lose(renewed)
        elif self.state is not FailoverState.MAIN and not standby.readable:
            self._return("the standby is lost")
        elif self.state is FailoverState.SUSPECTED and self._stayed():
            self._return("false alarm")
        elif self.state is FailoverState.STANDBY and self._stayed() and self._is_warm():
            self._become(FailoverState.RETURNING, warmth=warmth, fraction=self._fractions[0])
        elif self.state is FailoverState.RETURNING and self._is_warm():
            self._advance()

    def _stayed(self) -> bool:
        return self._now_ns() - self._left_at_ns >= self._stay.ns

    def _is_warm(self) -> bool:
        return self._warmth is not None and self._warmth >= self._warmth_min

    def _lose(self, renewed: bool) -> None:
        """Go to the standby, if that helps: a main whose replica still answers goes before a cold standby."""
        known_cold = self.active is Side.MAIN and self._warmth is not None and not self._is_warm()
        if self.state is FailoverState.STANDBY or not self._standby.readable or (self._main.readable and known_cold):
            return
        if self.state is not FailoverState.SUSPECTED:
            self._note_leaving()
        reason = "its data are gone" if renewed else "no primary" if self._main.readable else "nobody answers"
        self._become(FailoverState.STANDBY, reason=reason, stay_ms=self._stay.ns / 1e6, warmth=self._warmth)

    def _leave(self, state: FailoverState, reason: str) -> None:
        self._note_leaving()
        self._become(state, reason=reason)

    def _note_leaving(self) -> None:
        self._left_at_ns = self._now_ns()
        returned_ns = self._returned_at_ns
        if self.state is FailoverState.RETURNING or (
            returned_ns is not None and self._left_at_ns - returned_ns < self._calm_ns
        ):
            self._stay.grow()
        else:
            self._stay.reset()

    def _advance(self) -> None:
        if self._now_ns() - self._since_ns < self._hold_ns:
            return
        self._since_ns = self._now_ns()
        if self._step + 1 < len(self._fractions):
            self._step += 1
            self._tell("failover-returning", fraction=self._fractions[self._step])
        else:
            self._return("warm")

    def _return(self, reason: str) -> None:
        away_ms = (self._now_ns() - self._left_at_ns) / 1e6
        self._returned_at_ns = self._now_ns()
        self._become(FailoverState.MAIN, reason=reason, away_ms=away_ms)

    def _become(self, state: FailoverState, **evidence: Any) -> None:
        self.state = state
        self._step = 0
        self._since_ns = self._now_ns()
        self._changes[state].inc()
        self._tell(f"failover-{state.value}", **evidence)

    def _tell(self, kind: str, **evidence: Any) -> None:
        if self._events is not None:
            self._events.emit(kind, self.name, **evidence)
