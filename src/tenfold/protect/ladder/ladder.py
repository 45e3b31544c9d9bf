"""The read ladder: asks rung by rung until one answers, and remembers the answer for the day when none does."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

from tenfold.kernel import Clock, Duration, SystemClock, TenfoldError
from tenfold.protect.flight import FlightsFull, LoadCancelled, SingleFlight
from tenfold.protect.ladder.fills import Fills
from tenfold.protect.ladder.guarded import GuardedRung
from tenfold.protect.ladder.rung import Outcome, Step
from tenfold.protect.near import NearCache
from tenfold.telemetry import EventLog, Registry

NEAR = "near"
ABSENT_TTL = Duration.from_s(1)
TELL_AGAIN_NS = 1_000_000_000
_NOW = Duration(0)


class Answer(NamedTuple):
    """What a read came to. `value` None: it is certain that there is nothing.

    `rung` says who answered, `age` how long this process has held it (zero from a rung), `stale` that it is older
    than the near cache's `ttl` because no rung could answer.
    """

    value: bytes | None
    rung: str
    age: Duration = _NOW
    stale: bool = False


class LadderExhausted(TenfoldError):
    """No rung could answer, and the near cache held nothing usable. `causes` says why, rung by rung."""

    def __init__(self, ladder: str, key: str, causes: Mapping[str, str]) -> None:
        why = ", ".join(f"{rung}: {cause}" for rung, cause in causes.items())
        super().__init__(f"Ladder '{ladder}' has no answer for '{key}' ({why}).")
        self.causes = dict(causes)


class LadderClosed(TenfoldError):
    """The ladder was closed; it reads no more."""


class ReadLadder:
    """near cache → first step → … → last step, for one kind of value, in one event loop.

    A rung that misses, fails, is too slow, whose breaker is open or that is full is passed over. What a rung
    answers fills the near cache and, in the background, the rungs above that were asked and had nothing, where they
    `fills`. Only the last rung's word that there is nothing is believed; it is kept for `absent_ttl`. When no rung
    can say, the near cache's stale value is the answer. Concurrent reads of one key share one climb. At most one
    event a second says that nobody could answer (`ladder-exhausted`).
    """

    def __init__(
        self,
        name: str,
        *,
        steps: Sequence[Step],
        near: NearCache | None = None,
        clock: Clock | None = None,
        registry: Registry | None = None,
        events: EventLog | None = None,
        absent_ttl: Duration = ABSENT_TTL,
        climbs_max: int = 10_000,
        fills_max: int = 1_024,
    ) -> None:
        self.name = name
        self._near = near
        self._absent_ttl = absent_ttl
        self._flight: SingleFlight[Answer] = SingleFlight(flights_max=climbs_max)
        self._closed = False
        self._events = events
        self._tell_again_at_ns = 0
        self._clock = clock = clock or SystemClock()
        registry = registry or Registry()
        self._rungs = [GuardedRung(step, name, clock=clock, registry=registry) for step in steps]
        self._fills = {
            step.rung.name: Fills(step, name, registry=registry, waiting_max=fills_max) for step in steps if step.fills
        }
        reads = registry.counter(
            "tenfold_ladder_reads_total", "Attempts by rung and what they came to.", ("ladder", "rung", "outcome")
        )
        self._near_hits, self._near_stale = reads.child(name, NEAR, "hit"), reads.child(name, NEAR, "stale")
        exhausted = registry.counter("tenfold_ladder_exhausted_total", "Reads that nobody could answer.", ("ladder",))
        self._exhausted = exhausted.child(name)

    def near_hit(self, key: str) -> bytes | None:
        """The near cache's fresh value, at once and counted like a read; None means: `await read(key)`."""
        if self._near is None:
            return None
        value = self._near.hit(key)
        if value is not None:
            self._near_hits.value += 1
        return value

    async def read(self, key: str) -> Answer:
        """The best answer there is. Raises LadderExhausted, and LadderClosed."""
        answer = self._near_answer(key)
        if answer is not None:
            return answer
        if self._closed:
            raise self._closed_error(key)
        try:
            return await self._flight.do(key, partial(self._climb, key))
        except LoadCancelled as error:
            raise self._closed_error(key) from error
        except (LadderExhausted, FlightsFull) as error:
            return self._stale_answer(key, error)

    async def close(self) -> None:
        """End every climb and fill. The rungs and their engines belong to whoever opened them."""
        self._closed = True
        await self._flight.close()
        await asyncio.gather(*(fills.close() for fills in self._fills.values()))

    def _closed_error(self, key: str) -> LadderClosed:
        return LadderClosed(f"Ladder '{self.name}' is closed; '{key}' was not read.")

    def _near_answer(self, key: str) -> Answer | None:
        if self._near is None:
            return None
        entry = self._near.entry(key)
        if entry is None or not entry.fresh:
            self._near.count_miss()
            return None
        self._near.count_hit()
        self._near_hits.value += 1
        return Answer(entry.value, NEAR, entry.age)

    def _stale_answer(self, key: str, error: TenfoldError) -> Answer:
        self._tell(error)
        entry = self._near.entry(key) if self._near is not None else None
        if entry is None:
            self._exhausted.inc()
            raise error
        self._near_stale.value += 1
        return Answer(entry.value, NEAR, entry.age, stale=not entry.fresh)

    def _tell(self, error: TenfoldError) -> None:
        now_ns = self._clock.monotonic_ns()
        if self._events is not None and now_ns >= self._tell_again_at_ns:
            self._tell_again_at_ns = now_ns + TELL_AGAIN_NS
            self._events.emit("ladder-exhausted", self.name, why=str(error))

    async def _climb(self, key: str) -> Answer:
        causes: dict[str, str] = {}
        lacking: list[str] = []
        outcome = Outcome.FAILED
        for rung in self._rungs:
            outcome, value, _ = attempt = await rung.attempt(key)
            if value is not None:
                self._spread(key, value, lacking)
                return Answer(value, rung.name)
            causes[rung.name] = attempt.cause
            if outcome is Outcome.MISS:
                lacking.append(rung.name)
        if outcome is not Outcome.MISS:
            raise LadderExhausted(self.name, key, causes)
        if self._near is not None:
            self._near.put(key, None, ttl=self._absent_ttl)
        return Answer(None, self._rungs[-1].name)

    def _spread(self, key: str, value: bytes, lacking: list[str]) -> None:
        """Give the value to everyone above who said that they did not have it."""
        if self._near is not None:
            self._near.put(key, value)
        for name in lacking:
            if name in self._fills:
                self._fills[name].offer(key, value)
