"""One climb: rung by rung until one answers, and back down with what it answered."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import NamedTuple, Protocol

from tenfold.kernel import Clock, Duration
from tenfold.protect.reads.found import Found
from tenfold.protect.reads.ladder.answer import NOW, Answer, LadderExhausted
from tenfold.protect.reads.ladder.demand import Demand, Route
from tenfold.protect.reads.ladder.fills import Fills
from tenfold.protect.reads.ladder.guarded import GuardedRung
from tenfold.protect.reads.ladder.rung import Attempt, Outcome, Step
from tenfold.telemetry import Registry

_LACKING = frozenset({Outcome.MISS, Outcome.OLD})
_PASSED_OVER = Attempt(Outcome.ELSEWHERE)


class RungFound(NamedTuple):
    """Which rung had something, and what."""

    rung: str
    found: Found


class Lease(Protocol):
    """Lets one process of a fleet load a key while the others wait for what it fills; `LeasedFlight` is one."""

    async def lead_or_follow(
        self,
        key: str,
        load: Callable[[int], Awaitable[RungFound | None]],
        look: Callable[[], Awaitable[RungFound | None]],
    ) -> RungFound | None: ...


class _Ascent:
    """What one climb has learnt on its way."""

    __slots__ = ("causes", "demand", "key", "lacking", "last", "route")

    def __init__(self, key: str, demand: Demand, route: Route) -> None:
        self.key = key
        self.demand = demand
        self.route = route
        self.causes: dict[str, str] = {}
        self.lacking: list[GuardedRung] = []
        """Caches that were asked and had nothing, or only an older one."""
        self.last = _PASSED_OVER


class Climber:
    """The rungs of one ladder, in their order, and the fills that wait for them.

    With `lease`, a fleet sends one of its processes past the caches for a key, and the others wait for what it fills.
    """

    def __init__(
        self,
        ladder: str,
        steps: Sequence[Step],
        *,
        lease: Lease | None,
        clock: Clock,
        registry: Registry,
        fills_max: int,
    ) -> None:
        self._ladder = ladder
        self._lease = lease
        self._clock = clock
        rungs = [GuardedRung(step, ladder, clock=clock, registry=registry) for step in steps]
        sources_from = next((place for place, step in enumerate(steps) if not step.fills), len(steps))
        self._caches, self._sources = rungs[:sources_from], rungs[sources_from:]
        self._last = rungs[-1].name
        self._fills = {
            step.rung.name: Fills(step, ladder, registry=registry, waiting_max=fills_max)
            for step in steps
            if step.fills
        }

    async def climb(self, key: str, demand: Demand, route: Route) -> Answer:
        """Raises LadderExhausted. Only the last rung's word that there is nothing is believed."""
        ascent = _Ascent(key, demand, route)
        told = await self._ask(self._caches, ascent)
        if told is None and self._lease is not None and ascent.lacking:
            told = await self._lease.lead_or_follow(
                key, partial(self._lead, ascent), partial(self._ask, ascent.lacking[:1], ascent)
            )
        elif told is None:
            told = await self._ask(self._sources, ascent)
        if told is not None:
            self._give_back(ascent, told)
            return self._answer(told)
        if ascent.last.outcome is not Outcome.MISS:
            raise LadderExhausted(self._ladder, key, ascent.causes)
        return Answer(None, self._last)

    async def close(self) -> None:
        """Drop the fills that wait."""
        await asyncio.gather(*(fills.close() for fills in self._fills.values()))

    async def _ask(self, rungs: Sequence[GuardedRung], ascent: _Ascent) -> RungFound | None:
        for rung in rungs:
            if ascent.last.outcome is Outcome.MISS and rung.step.mirrors():
                continue  # it would say the same
            ascent.last = attempt = await self._attempt(rung, ascent)
            if attempt.found is not None:
                return RungFound(rung.name, attempt.found)
            ascent.causes[rung.name] = attempt.cause
            if attempt.outcome in _LACKING and rung.name in self._fills and rung not in ascent.lacking:
                ascent.lacking.append(rung)
        return None

    async def _attempt(self, rung: GuardedRung, ascent: _Ascent) -> Attempt:
        leads = ascent.route.cache if rung.step.fills else ascent.route.database
        return await rung.attempt(ascent.key, ascent.demand) if leads else _PASSED_OVER

    async def _lead(self, ascent: _Ascent, _fence: int) -> RungFound | None:
        """Load it for everybody: the cache where they look has it before the lease is given back."""
        told = await self._ask(self._sources, ascent)
        if told is not None:
            await self._fills[ascent.lacking[0].name].write(ascent.key, told.found)
            ascent.lacking.pop(0)
        return told

    def _answer(self, told: RungFound) -> Answer:
        found = told.found
        age = Duration(max(0, self._clock.wall_ns() - found.true_at_ns)) if found.true_at_ns else NOW
        return Answer(found.value, told.rung, age, version=found.version)

    def _give_back(self, ascent: _Ascent, told: RungFound) -> None:
        """Give it to every cache that lacked it."""
        for rung in ascent.lacking:
            if rung.name != told.rung:
                self._fills[rung.name].offer(ascent.key, told.found)
