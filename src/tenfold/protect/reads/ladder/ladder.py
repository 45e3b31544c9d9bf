"""The read ladder: asks rung by rung until one answers, and remembers the answer for the day when none does."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from tenfold.engines.amplification import AmplificationBudget
from tenfold.kernel import Clock, Duration, SystemClock, TenfoldError
from tenfold.protect.doors.deadline import check_deadline
from tenfold.protect.reads.flight import FlightsFull, LoadCancelled, SingleFlight
from tenfold.protect.reads.ladder.answer import Answer, LadderClosed, LadderExhausted, ReadShed
from tenfold.protect.reads.ladder.climb import Climber, Lease
from tenfold.protect.reads.ladder.demand import ANY, EVERYTHING, Demand, Gate, Route
from tenfold.protect.reads.ladder.refreshes import BackgroundRefreshes, Hot
from tenfold.protect.reads.ladder.rung import Step
from tenfold.protect.reads.near import Entry, NearCache
from tenfold.telemetry import EventLog, Registry

NEAR = "near"
ABSENT_TTL = Duration.from_s(1)
TELL_AGAIN_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class LadderBounds:
    """As many keys are climbed for at a time; so many fills wait for each rung; so many refreshes run at a time.

    That there is nothing is remembered for `absent_ttl`.
    """

    climbs_max: int = 10_000
    fills_max: int = 1_024
    refreshes_max: int = 64
    absent_ttl: Duration = ABSENT_TTL


BOUNDS = LadderBounds()


class ReadLadder:
    """near cache → first step → … → last step, for one kind of value, in one event loop.

    A rung that misses, fails, is too slow, whose breaker is open or that is full is passed over, and so is one whose
    answer is older than the caller's demand. What a rung answers fills the near cache and, in the background, the
    rungs above that were asked and had nothing, where they `fills`. Only the last rung's word that there is nothing
    is believed. When no rung can say, the near cache's stale value is the answer.
    Concurrent reads of one key share one climb. At most one event a second says that nobody could answer
    (`ladder-exhausted`).

    With `lease`, one process of a fleet loads a key that no cache has, and the others wait for what it fills. `gate`
    may close the way to the near cache, to the caches or to the databases. `hot` finds the keys that everybody asks
    for, and says how long to keep them near. `saw` is told each key that a reader climbs for. Refreshes draw on
    `extra`, the budget of the first rung's server.
    """

    def __init__(
        self,
        name: str,
        *,
        steps: Sequence[Step],
        near: NearCache | None = None,
        lease: Lease | None = None,
        gate: Gate | None = None,
        hot: Hot | None = None,
        saw: Callable[[str], object] | None = None,
        extra: AmplificationBudget | None = None,
        clock: Clock | None = None,
        registry: Registry | None = None,
        events: EventLog | None = None,
        bounds: LadderBounds = BOUNDS,
    ) -> None:
        self.name = name
        self._near = near
        self._gate = gate
        self._hot = hot
        self._saw = _tellers(hot.saw if hot else None, saw)
        self._absent_ttl = bounds.absent_ttl
        self._flight: SingleFlight[Answer] = SingleFlight(flights_max=bounds.climbs_max)
        self._closed = False
        self._events = events
        self._tell_again_at_ns = 0
        self._clock = clock = clock or SystemClock()
        self._declare(registry := registry or Registry())
        self._climber = Climber(name, steps, lease=lease, clock=clock, registry=registry, fills_max=bounds.fills_max)
        self._refreshes = BackgroundRefreshes(
            self._refresh, name, registry=registry, running_max=bounds.refreshes_max, extra=extra
        )
        if hot is not None and near is not None:
            hot.attach(near, self._refreshes.ask)

    def _declare(self, registry: Registry) -> None:
        reads = registry.counter(
            "tenfold_ladder_reads_total", "Attempts by rung and what they came to.", ("ladder", "rung", "outcome")
        )
        self._near_hits = reads.child(self.name, NEAR, "hit")
        self._near_stale = reads.child(self.name, NEAR, "stale")
        exhausted = registry.counter("tenfold_ladder_exhausted_total", "Reads that nobody could answer.", ("ladder",))
        self._exhausted = exhausted.child(self.name)
        shed = registry.counter("tenfold_ladder_shed_total", "Reads given up so that others are answered.", ("ladder",))
        self._shed = shed.child(self.name)

    def near_hit(self, key: str) -> bytes | None:
        """The near cache's fresh value, at once and counted like a read; None means: `await read(key)`."""
        if self._near is None:
            return None
        value = self._near.hit(key)
        if value is not None:
            self._near_hits.value += 1
        return value

    async def read(self, key: str, demand: Demand = ANY) -> Answer:
        """The best answer there is that `demand` accepts. Raises LadderExhausted, ReadShed, LadderClosed;
        DeadlinePassed before a climb that nobody waits for."""
        route = self._gate.route(key, demand.tier, demand.strict) if self._gate else EVERYTHING
        answer = self._near_answer(key, demand) if route.near else None
        if answer is not None:
            return answer
        if self._closed:
            raise self._closed_error(key)
        check_deadline(self._clock)
        self._refreshes.settle()
        for tell in self._saw:
            tell(key)
        if not (route.cache or route.database):
            return self._shed_answer(key, demand, route)
        return await self._climb_together(key, demand, route)

    async def close(self) -> None:
        """End every climb and fill. The rungs and their engines belong to whoever opened them."""
        self._closed = True
        await self._flight.close()
        await self._refreshes.close()
        await self._climber.close()

    async def _climb_together(self, key: str, demand: Demand, route: Route) -> Answer:
        try:
            return await self._flight.do(_flight_of(key, demand, route), partial(self._climb, key, demand, route))
        except LoadCancelled as error:
            raise self._closed_error(key) from error
        except (LadderExhausted, FlightsFull) as error:
            return self._stale_answer(key, demand, route, error)

    async def _climb(self, key: str, demand: Demand, route: Route) -> Answer:
        if self._near is None:
            return await self._climber.climb(key, demand, route)
        answer, kept = await self._climb_for(self._near, key, demand, route)
        if not kept and self._near.enabled:  # it changed meanwhile, and some who wait came after that
            answer, _ = await self._climb_for(self._near, key, demand, route)
        return answer

    async def _climb_for(self, near: NearCache, key: str, demand: Demand, route: Route) -> tuple[Answer, bool]:
        """The answer, and whether the near cache took it."""
        token = near.begin(key)
        answer = await self._climber.climb(key, demand.since(token.not_before), route)
        ttl = self._absent_ttl if answer.value is None else None
        if self._hot is not None:
            ttl = self._hot.found(key, answer.value, answer.version, answer.age) or ttl
        kept = near.put(key, answer.value, version=answer.version, age=answer.age, ttl=ttl, token=token)
        return answer, kept

    async def _refresh(self, key: str) -> None:
        """Read it anew before anybody has to wait for it; whatever goes wrong, the old one is still there."""
        await self._climb_together(key, ANY, self._gate.route(key, 0, False) if self._gate else EVERYTHING)

    def _near_answer(self, key: str, demand: Demand) -> Answer | None:
        entry = self._near.read(key) if self._near is not None else None
        if entry is None:
            return None
        if entry.refresh and not self._closed:
            self._refreshes.begin(key)
        if not (entry.fresh if demand.strict else entry.answerable) or not demand.accepts(entry.version, entry.age.ns):
            return None
        self._near_hits.value += 1
        return _remembered(entry)

    def _stale_answer(self, key: str, demand: Demand, route: Route, error: TenfoldError) -> Answer:
        self._tell(error)
        entry = self._usable(key, demand, route)
        if entry is None:
            self._exhausted.inc()
            raise error
        self._near_stale.value += 1
        return _remembered(entry)

    def _shed_answer(self, key: str, demand: Demand, route: Route) -> Answer:
        self._shed.inc()
        entry = self._usable(key, demand, route)
        if entry is None:
            raise ReadShed(f"Ladder '{self.name}' gave up '{key}' of tier {demand.tier}: others matter more now.")
        self._near_stale.value += 1
        return _remembered(entry)

    def _usable(self, key: str, demand: Demand, route: Route) -> Entry | None:
        """What lies near for the day when nobody else can say; a strict caller is told nothing in doubt."""
        entry = self._near.entry(key) if self._near is not None and route.near else None
        if entry is None or (demand.strict and not entry.fresh) or not demand.accepts(entry.version, entry.age.ns):
            return None
        return entry

    def _closed_error(self, key: str) -> LadderClosed:
        return LadderClosed(f"Ladder '{self.name}' is closed; '{key}' was not read.")

    def _tell(self, error: TenfoldError) -> None:
        now_ns = self._clock.monotonic_ns()
        if self._events is not None and now_ns >= self._tell_again_at_ns:
            self._tell_again_at_ns = now_ns + TELL_AGAIN_NS
            self._events.emit("ladder-exhausted", self.name, why=str(error))


def _tellers(*who: Callable[[str], object] | None) -> tuple[Callable[[str], object], ...]:
    return tuple(tell for tell in who if tell is not None)


def _remembered(entry: Entry) -> Answer:
    return Answer(entry.value, NEAR, entry.age, stale=not entry.fresh, version=entry.version)


def _flight_of(key: str, demand: Demand, route: Route) -> str:
    """Callers that the same answer satisfies share a climb."""
    if demand is ANY and route is EVERYTHING:
        return key
    return f"{key}\0{demand.not_before}\0{demand.max_stale}\0{demand.strict}\0{route.cache}\0{route.database}"
